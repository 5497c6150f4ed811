//! Tests of the engine's public interface, in one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod properties;
mod simulation;
mod support;
mod vectors;
mod worked;
