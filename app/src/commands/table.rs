//! Table of all commands with their names and keys, for the palette, the keyboard
//! and the list of shortcuts.
//!
//! Does not know how a command is carried out.

/// A command that the user can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserCommand {
    Palette,
    Shortcuts,
    Preferences,
    Trade,
    Portfolio,
    Account,
    Control,
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
    pub(crate) command: UserCommand,
    /// Its name in the palette.
    pub(crate) name: &'static str,
    /// Its single key.
    pub(crate) key: Option<&'static str>,
}

const fn entry(command: UserCommand, key: Option<&'static str>, name: &'static str) -> CommandEntry {
    CommandEntry { command, name, key }
}

/// All commands, in the order of the list of shortcuts.
pub(crate) const COMMANDS: [CommandEntry; 20] = [
    entry(UserCommand::Palette, None, "Command palette"),
    entry(UserCommand::Shortcuts, Some("?"), "Keyboard shortcuts"),
    entry(UserCommand::Preferences, Some(","), "Preferences"),
    entry(UserCommand::Trade, Some("t"), "Screen: Trade"),
    entry(UserCommand::Portfolio, Some("p"), "Screen: Portfolio"),
    entry(UserCommand::Account, None, "Screen: Account"),
    entry(UserCommand::Control, None, "Screen: Control (pause, resume, speed, step, claim)"),
    entry(UserCommand::Search, Some("/"), "Search the market watch"),
    entry(UserCommand::Next, Some("j"), "Next instrument"),
    entry(UserCommand::Previous, Some("k"), "Previous instrument"),
    entry(UserCommand::Buy, Some("b"), "Ticket: buy"),
    entry(UserCommand::Sell, Some("s"), "Ticket: sell"),
    entry(UserCommand::Quantity, Some("q"), "Ticket: quantity"),
    entry(UserCommand::Chart, Some("c"), "Chart: focus"),
    entry(UserCommand::Positions, Some("1"), "Blotter: positions"),
    entry(UserCommand::Orders, Some("2"), "Blotter: orders"),
    entry(UserCommand::Fills, Some("3"), "Blotter: fills"),
    entry(UserCommand::Quotes, Some("4"), "Blotter: quotes"),
    entry(UserCommand::CancelAll, None, "Orders: cancel all"),
    entry(UserCommand::SignOut, None, "Sign out"),
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
