//! Client side of the live stream: what it sends, and how it notices and
//! repairs losses.
//!
//! Updates are numbered within a socket and the account's events for good, so a
//! lost, doubled or reordered frame is recognised. A lost update is made up for
//! by subscribing to everything again, a lost event by asking for all after the
//! last one received. Knows neither sockets nor signals, so native tests reach
//! it.

use engine::candle::Interval;
use protocol::socket::{Frame, Update};

use super::state::{Changes, Series, State};

/// Path and encoding of the stream.
pub const STREAM_PATH: &str = "/api/v1/stream?encoding=postcard";

/// The stream's address on the page's own host.
#[cfg(target_arch = "wasm32")]
pub(super) fn address() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}{STREAM_PATH}", location.host().ok()?))
}

/// The message that asks for a `pong`.
pub fn ping(nonce: u32) -> String {
    format!("{{\"ping\":{{\"nonce\":{nonce}}}}}")
}

/// Decodes a frame; `None` for what this build does not understand.
pub fn decode(bytes: &[u8]) -> Option<Frame> {
    postcard::from_bytes(bytes).ok()
}

/// The message that subscribes to everything the terminal shows, the tape only
/// if `tape`; the account continues after the last event received. Written by
/// hand: the browser carries no JSON serializer.
fn subscribe(state: &State, tape: bool) -> String {
    let mut channels = String::from("\"account\",\"portfolio\",\"clock\"");
    if let Some(series) = state.series {
        channels.push_str(&format!(",\"{}\"", candle_channel(series)));
    }
    for id in state.market.instruments.keys() {
        channels
            .push_str(&format!(",\"book:{id}\",\"tick:{id}\",\"{}\"", candle_channel((*id, Interval::D1))));
        if tape {
            channels.push_str(&format!(",\"tape:{id}\""));
        }
    }
    let account_seq = state.account.account_seq;
    format!("{{\"subscribe\":{{\"channels\":[{channels}],\"account_seq\":{account_seq}}}}}")
}

/// Name of the channel of a chart's candles.
fn candle_channel((instrument, interval): Series) -> String {
    format!("candle:{instrument}:{}", interval.as_str())
}

/// The messages that change the candles received from `before` to `now`; daily ones
/// are received of every instrument, whatever the chart shows.
pub fn change_candles(before: Option<Series>, now: Series) -> impl Iterator<Item = String> {
    let message =
        |word: &str, series| format!("{{\"{word}\":{{\"channels\":[\"{}\"]}}}}", candle_channel(series));
    let end = before.filter(|(_, interval)| *interval != Interval::D1);
    let end = end.map(|before| message("unsubscribe", before));
    end.into_iter().chain([message("subscribe", now)])
}

/// Detects gaps in the numbering of one socket after the other.
#[derive(Clone, Debug, Default)]
pub struct SequenceTracker {
    /// The number of the socket's newest update.
    newest: u64,
    /// True while the account's missing events have been requested and have not come.
    awaits_events: bool,
}

impl SequenceTracker {
    /// Starts a new socket: returns its first message, which continues where
    /// the last socket ended, whichever gateway it leads to.
    pub fn start(&mut self, state: &State) -> String {
        (self.newest, self.awaits_events) = (0, true);
        subscribe(state, true)
    }

    /// Applies an update unless it is a repeat. Returns what it changed, and
    /// the message to send if something is missing.
    pub fn apply(&mut self, state: &mut State, update: Update) -> (Changes, Option<String>) {
        if update.number <= self.newest {
            // A duplicate, or so late that it has been made up for.
            return (Changes::default(), None);
        }
        let missed = update.number > self.newest + 1;
        self.newest = update.number;
        let changes = state.apply(update);
        self.awaits_events &= !changes.account;
        let resubscribes = missed || (changes.gap && !self.awaits_events);
        (changes, resubscribes.then(|| self.resubscribe(state)))
    }

    /// Compares the count of updates in a `pong` with those received. Returns
    /// the message to send if the last of them was lost.
    pub fn on_pong(&mut self, state: &State, updates: u64) -> Option<String> {
        let missed = updates > self.newest;
        self.newest = self.newest.max(updates);
        missed.then(|| self.resubscribe(state))
    }

    fn resubscribe(&mut self, state: &State) -> String {
        self.awaits_events = true;
        // Prints have no numbers: receiving all of them again would double them.
        subscribe(state, false)
    }
}
