//! The program as a process: how it starts, what it refuses, what it logs.

mod compose;
mod copies;
mod log_schema;
mod logging;
mod process;
mod refusals;
mod reset;
mod slow_clients;
