//! Everything that is tested across agents, in one binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(unreachable_pub, reason = "one binary, shared by modules")]

mod agents;
mod api;
mod boundaries;
mod conformance;
mod process;
mod scenario;
mod stream;
mod support;
mod topology;
