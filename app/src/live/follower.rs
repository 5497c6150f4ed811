//! Notices what a socket has not brought, and asks for it.
//!
//! Cuts are numbered within a socket and the account's events for ever, so
//! whatever was lost, doubled or brought in another order is known for what it
//! is. A missing cut is made up for by the newest of everything, a missing event
//! by all after the last that is known. Knows neither sockets nor bytes, so
//! native tests reach it.

use protocol::socket::Cut;

use super::state::{Changes, State};
use super::wire;

/// One conversation with a gateway after the other.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    /// The number of the socket's newest cut.
    newest: u64,
    /// The account's missing events have been asked for and are on their way.
    asked: bool,
}

impl Follower {
    /// What to say first on a new socket: it goes on where the last one ended,
    /// whichever gateway it leads to.
    pub fn begin(&mut self, state: &State) -> String {
        (self.newest, self.asked) = (0, true);
        wire::subscribe(state, true)
    }

    /// Applies a cut, unless it is known; what it changed, and what to say
    /// because of it.
    pub fn take(&mut self, state: &mut State, cut: Cut) -> (Changes, Option<String>) {
        if cut.number <= self.newest {
            // Came twice, or so late that it has been made up for.
            return (Changes::default(), None);
        }
        let missed = cut.number > self.newest + 1;
        self.newest = cut.number;
        let changes = state.apply(cut);
        self.asked &= !changes.account;
        let again = missed || (changes.gap && !self.asked);
        (changes, again.then(|| self.ask(state)))
    }

    /// Hears how many cuts there have been; what to say when the last of them
    /// did not arrive.
    pub fn hear(&mut self, state: &State, cuts: u64) -> Option<String> {
        let missed = cuts > self.newest;
        self.newest = self.newest.max(cuts);
        missed.then(|| self.ask(state))
    }

    fn ask(&mut self, state: &State) -> String {
        self.asked = true;
        // Prints have no numbers: to have them all again would double them.
        wire::subscribe(state, false)
    }
}
