//! What a client makes of the live socket when frames do not arrive as they
//! were sent.

mod client;
mod disturbed;
mod picture;
