//! Everything that crosses a process boundary: messages on the bus, frames on
//! the socket, requests, answers and errors of the API, and its operations.
//!
//! Plain versioned structs and enums, so that JSON (public, Redis) and postcard
//! (the browser app) both carry them. Does not know how anything is stored,
//! sent or drawn.

pub mod bar;
pub mod bus;
pub mod caller;
pub mod error;
pub mod frames;
pub mod gateway;
pub mod nav_history;
pub mod rest;
pub mod socket;
pub mod sparkline;
