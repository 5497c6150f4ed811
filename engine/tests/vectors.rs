//! Every family of reference vectors, by the same code as the example
//! `check_vectors`: no "must" tolerance may be broken.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may fail and tell")]

#[path = "../examples/check_vectors/suite/mod.rs"]
mod suite;

use std::path::Path;

#[test]
fn all_families_are_within_their_release_tolerances() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let report = suite::run(&folder).unwrap();
    println!("{report}");
    assert!(report.unreadable.is_empty(), "{report}");
    assert_eq!(report.families.len(), suite::FAMILIES.len(), "{report}");
    assert_eq!(report.must_failures(), 0, "{report}");
}

#[test]
fn goals_are_met_in_nine_quantities_of_ten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let report = suite::run(&folder).unwrap();
    let (quantities, met) = report.goals();
    assert!(met * 10 >= quantities * 9, "{report}");
}

#[test]
fn what_once_failed_at_the_edges_meets_every_goal() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edge_vectors");
    let report = suite::run(&folder).unwrap();
    assert!(report.unreadable.is_empty() && report.families.len() == 3, "{report}");
    assert_eq!(report.must_failures(), 0, "{report}");
    let (quantities, met) = report.goals();
    assert_eq!(met, quantities, "{report}");
}
