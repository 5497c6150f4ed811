//! What crosses a process boundary: messages on the bus, frames on the socket,
//! rows and errors of the API, and the gateway that serves them.
//!
//! Plain versioned structs and enums, so that JSON (public, Redis) and postcard
//! (the browser app) both carry them. Does not know how anything is stored,
//! sent or drawn.

pub mod bus;
pub mod candle_history;
pub mod frames;
pub mod gateway;
pub mod nav_history;
pub mod socket;
pub mod sparkline;
