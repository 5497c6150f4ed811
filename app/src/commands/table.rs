//! Table of all commands with their names and keys, for the palette, the keyboard
//! and the list of shortcuts.
//!
//! Does not know how a command is carried out.

/// A command that the user can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Palette,
    Shortcuts,
    Preferences,
    Trade,
    Portfolio,
    Next,
    Previous,
    Search,
    Buy,
    Sell,
    Quantity,
    Chart,
    Positions,
    Orders,
    Fills,
    Quotes,
    CancelAll,
    SignOut,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandEntry {
    pub(crate) command: Command,
    /// Its name in the palette.
    pub(crate) name: &'static str,
    /// Its single key.
    pub(crate) key: Option<&'static str>,
}

const fn entry(command: Command, key: Option<&'static str>, name: &'static str) -> CommandEntry {
    CommandEntry { command, name, key }
}

/// All commands, in the order of the list of shortcuts.
pub(crate) const COMMANDS: [CommandEntry; 18] = [
    entry(Command::Palette, None, "Command palette"),
    entry(Command::Shortcuts, Some("?"), "Keyboard shortcuts"),
    entry(Command::Preferences, Some(","), "Preferences"),
    entry(Command::Trade, Some("t"), "Screen: Trade"),
    entry(Command::Portfolio, Some("p"), "Screen: Portfolio"),
    entry(Command::Search, Some("/"), "Search the market watch"),
    entry(Command::Next, Some("j"), "Next instrument"),
    entry(Command::Previous, Some("k"), "Previous instrument"),
    entry(Command::Buy, Some("b"), "Ticket: buy"),
    entry(Command::Sell, Some("s"), "Ticket: sell"),
    entry(Command::Quantity, Some("q"), "Ticket: quantity"),
    entry(Command::Chart, Some("c"), "Chart: read it by keys"),
    entry(Command::Positions, Some("1"), "Blotter: positions"),
    entry(Command::Orders, Some("2"), "Blotter: orders"),
    entry(Command::Fills, Some("3"), "Blotter: fills"),
    entry(Command::Quotes, Some("4"), "Blotter: quotes"),
    entry(Command::CancelAll, None, "Orders: cancel all"),
    entry(Command::SignOut, None, "Sign out"),
];

/// Keys that depend on the focus; they work even with single keys switched off.
pub(crate) const FOCUS_KEYS: [(&str, &str); 6] = [
    ("Ctrl or ⌘ + K", "Command palette"),
    ("↑ ↓ in a table", "Next or previous row"),
    ("← → in the chart", "Bar by bar; with Shift, move the window"),
    ("+ − in the chart", "Zoom; Home shows the newest"),
    ("← → in the blotter's tabs", "Next or previous tab"),
    ("Esc", "Close what is open"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_key() {
        let mut keys: Vec<_> = COMMANDS.iter().filter_map(|entry| entry.key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
