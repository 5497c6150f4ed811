//! The public API: the contract's examples by name, and every
//! row of bad input and hostile clients.

mod accounts;
mod amendments;
mod browser;
mod candles;
mod control;
mod edge;
mod forms;
mod guests;
mod history;
mod hostile;
mod limits;
mod openapi;
mod orders;
mod quotes;
mod redis;
mod reset;
mod resume;
mod sessions;
mod slow;
mod socket;
mod venue;
