//! Runs every reference-vector file of a folder and prints a row per family:
//! `cargo run --release -p engine --example check_vectors -- DIR`.
//!
//! Leaves with 1 when a "must" tolerance is broken, with 2 when a file cannot
//! be read as a family of vectors.

#![allow(clippy::print_stdout, reason = "the report is all that this program does")]

mod suite;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut folders = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), None) = (folders.next(), folders.next()) else {
        println!("usage: check_vectors DIR");
        return ExitCode::from(2);
    };
    let report = match suite::run(&folder) {
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
