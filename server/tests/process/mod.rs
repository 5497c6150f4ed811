//! The program as a process: start, refusals, logs.

mod audits;
mod compose;
mod copies;
mod health;
mod log_schema;
mod logging;
mod process;
mod refusals;
mod reset;
mod slow_clients;
