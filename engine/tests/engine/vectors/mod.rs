//! Reference vectors: families by product, their computation and comparison. Shared by
//! the tests and the example `check_vectors` (hence `mod.rs`: both load it by path).
//!
//! A family is a function from a case to checks. Field names and tolerances are those of
//! the vectors' description.

mod options;
mod pnl;
mod processes;
mod rates;
mod report;
mod risk;

use std::error::Error;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use report::{Checks, FamilyReport, Report};

/// Result with any error, reported by its message.
pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Computes one case and adds its checks.
type Family = fn(&Case<'_>, &mut Checks) -> Result;

/// All families, by name.
pub(crate) const FAMILIES: &[(&str, Family)] = &[
    ("european_options", options::european),
    ("european_edge", options::edge),
    ("black76", options::black76),
    ("implied_vol", options::implied),
    ("american_options", options::american),
    ("bonds", rates::bonds),
    ("curves", rates::curves),
    ("swaps", rates::swaps),
    ("bonds_on_curve", rates::bonds_on_curve),
    ("index_futures", risk::index_futures),
    ("stress", risk::stress),
    ("var_es", risk::var_es),
    ("pnl", pnl::pnl),
    ("process_moments", processes::moments),
    ("process_paths", processes::paths),
];

/// A case: its inputs, expected values, and the header of its file.
pub(crate) struct Case<'a> {
    input: Fields<'a>,
    expected: Fields<'a>,
    header: Fields<'a>,
}

/// A JSON object whose reader names the field in errors.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn get<T: Deserialize<'a>>(self, name: &str) -> Result<T> {
        T::deserialize(&self.0[name]).map_err(|error| format!("malformed: {name:?}: {error}").into())
    }

    fn at(self, name: &str) -> Self {
        Self(&self.0[name])
    }

    fn list(self, name: &str) -> Result<impl Iterator<Item = Self>> {
        let list = self.0[name].as_array().ok_or_else(|| format!("malformed: no list {name:?}"))?;
        Ok(list.iter().map(Self))
    }
}

/// Checks all `.json` files of `folder`, by name.
///
/// # Errors
/// When the folder cannot be read; faults of a file are reported.
pub(crate) fn run(folder: &Path) -> std::io::Result<Report> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut report = Report::default();
    for path in paths {
        match std::fs::read(&path).map_err(Into::into).and_then(|bytes| check_file(&bytes)) {
            Ok(family) => report.families.push(family),
            Err(error) => {
                let name = path.file_name().unwrap_or_default().display();
                report.unreadable.push(format!("{name}: {error}"));
            }
        }
    }
    Ok(report)
}

fn check_file(bytes: &[u8]) -> Result<FamilyReport> {
    let file: Value = serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
    let header = Fields(&file);
    let name: &str = header.get("family")?;
    let (_, family) = FAMILIES
        .iter()
        .find(|(family, _)| *family == name)
        .ok_or_else(|| format!("unknown family {name:?}"))?;
    let cases: Vec<_> = header.list("cases")?.collect();
    if file["count"].as_u64().is_some_and(|count| count != cases.len() as u64) {
        return Err(format!("malformed: \"count\" is {}, found {} cases", file["count"], cases.len()).into());
    }
    let mut report = FamilyReport::new(name);
    for (at, input) in cases.into_iter().enumerate() {
        let id = input.0["id"].as_str().map_or_else(|| format!("case {at}"), str::to_owned);
        let mut checks = Checks::default();
        let result = family(&Case { input, expected: input.at("expected"), header }, &mut checks);
        report.add(&id, result.map(|()| checks));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(folder: &str) -> Report {
        let report = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        println!("{report}");
        assert!(report.unreadable.is_empty());
        assert_eq!(report.must_failures(), 0);
        report
    }

    #[test]
    fn all_families_pass_the_gate_and_nine_of_ten_quantities_meet_their_goal() {
        let report = report("tests/vectors");
        assert_eq!(report.families.len(), FAMILIES.len());
        let (quantities, met) = report.goals();
        assert!(met * 10 >= quantities * 9, "{met} of {quantities}");
        for family in &report.families {
            let (quantities, met) = family.goals();
            let exact = ["bonds", "process_paths"].contains(&family.name.as_str());
            assert!(met == quantities || !exact, "{}: {met} of {quantities}", family.name);
        }
    }

    #[test]
    fn edge_cases_meet_every_goal() {
        let report = report("tests/vectors/edge");
        assert_eq!(report.families.len(), 3);
        let (quantities, met) = report.goals();
        assert_eq!(met, quantities);
    }
}
