//! What the socket says and hears, as bytes and text.
//!
//! The sentences of the client are spelled out: the browser carries no JSON
//! writer. Does not know when to say them.

use protocol::socket::Frame;

use super::state::State;

/// Path and encoding of the stream.
pub const STREAM: &str = "/api/v1/stream?encoding=postcard";

/// The stream's address on the page's own host.
#[cfg(target_arch = "wasm32")]
pub(super) fn address() -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}{STREAM}", location.host().ok()?))
}

/// Everything the terminal watches, prints or not; the account from the last
/// event on that is known.
pub(super) fn subscribe(state: &State, prints: bool) -> String {
    let mut channels = String::from("\"account\",\"portfolio\"");
    for id in state.instruments.keys() {
        channels.push_str(&format!(",\"book:{id}\",\"tick:{id}\""));
        if prints {
            channels.push_str(&format!(",\"tape:{id}\""));
        }
    }
    let known = state.account.account_seq;
    format!("{{\"subscribe\":{{\"channels\":[{channels}],\"account_seq\":{known}}}}}")
}

/// Asks for a pong.
pub fn ping(nonce: u32) -> String {
    format!("{{\"ping\":{{\"nonce\":{nonce}}}}}")
}

/// Reads a frame; `None` for what this build does not understand.
pub fn read(bytes: &[u8]) -> Option<Frame> {
    postcard::from_bytes(bytes).ok()
}
