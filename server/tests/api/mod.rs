//! What the public doors answer: the contract's examples by name, and every
//! row of bad input and hostile clients.

mod accounts;
mod forms;
mod history;
mod hostile;
mod orders;
mod reset;
mod sessions;
mod socket;
mod venue;
