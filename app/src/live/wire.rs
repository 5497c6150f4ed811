//! What the socket says and hears, as bytes and text.
//!
//! The three sentences of the client are spelled out: the browser carries no
//! JSON writer. Does not know when to say them.

use engine::event::Frame;
use engine::id::InstrumentId;

/// Path and encoding of the stream.
const STREAM: &str = "/api/v1/stream?encoding=postcard";

/// The stream's address on the page's own host.
pub(super) fn address() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}{STREAM}", location.host().ok()?))
}

/// Everything the terminal watches.
pub(super) fn subscribe(instruments: &[InstrumentId]) -> String {
    let mut channels = String::from("\"account\",\"portfolio\"");
    for id in instruments {
        channels.push_str(&format!(",\"book:{id}\",\"tick:{id}\",\"tape:{id}\""));
    }
    format!("{{\"subscribe\":{{\"channels\":[{channels}]}}}}")
}

/// The two sentences that bring the whole account again.
pub(super) fn account_again() -> [&'static str; 2] {
    ["{\"unsubscribe\":{\"channels\":[\"account\"]}}", "{\"subscribe\":{\"channels\":[\"account\"]}}"]
}

/// Asks for a pong.
pub(super) fn ping(nonce: u32) -> String {
    format!("{{\"ping\":{{\"nonce\":{nonce}}}}}")
}

/// Reads a frame; `None` for what this build does not understand.
pub(super) fn read(bytes: &[u8]) -> Option<Frame> {
    postcard::from_bytes(bytes).ok()
}
