//! The browser's client of the live stream when frames do not arrive as they
//! were sent.

mod client;
mod disturbed;
mod replay;
