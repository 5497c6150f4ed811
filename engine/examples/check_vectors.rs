//! Checks every reference-vector file of a folder and prints a row per family:
//! `cargo run --release -p engine --example check_vectors -- DIR`.
//!
//! Exits with 1 if a "must" tolerance is broken, with 2 if a file cannot be read as a
//! family of vectors.

#![allow(clippy::print_stdout, reason = "the report is the program's output")]

#[path = "../tests/engine/vectors/mod.rs"]
mod vectors;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        println!("usage: check_vectors DIR");
        return ExitCode::from(2);
    };
    let report = match vectors::run(Path::new(&folder)) {
        Ok(report) => report,
        Err(error) => {
            println!("{}: {error}", folder.display());
            return ExitCode::from(2);
        }
    };
    print!("{report}");
    match (report.must_failures(), report.unreadable.is_empty() && !report.families.is_empty()) {
        (_, false) => ExitCode::from(2),
        (0, true) => ExitCode::SUCCESS,
        (_, true) => ExitCode::FAILURE,
    }
}
