//! Every command with its name and its key: the palette, the keyboard and the
//! sheet of keys read this one table.
//!
//! Does not know how a command is carried out.

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Palette,
    Keys,
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

/// A command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    pub(crate) action: Action,
    /// What it does.
    pub(crate) name: &'static str,
    /// The single key that asks for it.
    pub(crate) key: Option<&'static str>,
}

const fn command(action: Action, key: Option<&'static str>, name: &'static str) -> Command {
    Command { action, name, key }
}

/// All of them, in the order of the sheet.
pub(crate) const COMMANDS: [Command; 18] = [
    command(Action::Palette, None, "Command palette"),
    command(Action::Keys, Some("?"), "All keys"),
    command(Action::Preferences, Some(","), "Preferences"),
    command(Action::Trade, Some("t"), "Screen: Trade"),
    command(Action::Portfolio, Some("p"), "Screen: Portfolio"),
    command(Action::Search, Some("/"), "Search the market watch"),
    command(Action::Next, Some("j"), "Next instrument"),
    command(Action::Previous, Some("k"), "Previous instrument"),
    command(Action::Buy, Some("b"), "Ticket: buy"),
    command(Action::Sell, Some("s"), "Ticket: sell"),
    command(Action::Quantity, Some("q"), "Ticket: quantity"),
    command(Action::Chart, Some("c"), "Chart: read it by keys"),
    command(Action::Positions, Some("1"), "Blotter: positions"),
    command(Action::Orders, Some("2"), "Blotter: orders"),
    command(Action::Fills, Some("3"), "Blotter: fills"),
    command(Action::Quotes, Some("4"), "Blotter: quotes"),
    command(Action::CancelAll, None, "Orders: cancel all"),
    command(Action::SignOut, None, "Sign out"),
];

/// Keys that mean something where the focus is, whatever is switched off.
pub(crate) const PLACES: [(&str, &str); 6] = [
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
        let mut keys: Vec<_> = COMMANDS.iter().filter_map(|command| command.key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
