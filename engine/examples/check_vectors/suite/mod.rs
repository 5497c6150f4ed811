//! The reference vectors' families, how each is computed, and how far the
//! results are from the truth. Shared by the example and the test suite.
//!
//! A family is one function from a case and its file's header to checks. It
//! knows the vectors' field names; the tolerances are those of the vectors'
//! description.

mod bonds;
mod check;
mod curves;
mod futures;
mod on_curve;
mod options;
mod pnl;
mod processes;
mod read;
mod report;
mod risk;

use std::io;
use std::path::Path;

use serde_json::Value;

pub(crate) use check::Check;
pub(crate) use report::{FamilyReport, Report};

/// Computes one case: its checks, or what is wrong with its inputs.
pub(crate) type Family = fn(case: &Value, header: &Value) -> Result<Vec<Check>, String>;

/// Every family that can be checked. A new one is one more line.
pub(crate) const FAMILIES: &[(&str, Family)] = &[
    ("european_options", options::european),
    ("european_edge", options::edge),
    ("black76", options::black76),
    ("implied_vol", options::implied),
    ("american_options", options::american),
    ("bonds", bonds::bonds),
    ("curves", curves::curves),
    ("swaps", on_curve::swaps),
    ("bonds_on_curve", on_curve::bonds_on_curve),
    ("index_futures", futures::index_futures),
    ("stress", risk::stress),
    ("var_es", risk::var_es),
    ("pnl", pnl::pnl),
    ("process_moments", processes::moments),
    ("process_paths", processes::paths),
];

/// Checks all `.json` files of `folder`, by name.
///
/// # Errors
/// When the folder cannot be read; what is wrong with a file is reported.
pub(crate) fn run(folder: &Path) -> io::Result<Report> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    let mut report = Report::default();
    for path in files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let read = std::fs::read(&path).map_err(|error| error.to_string());
        match read.and_then(|bytes| file(&bytes)) {
            Ok(family) => report.families.push(family),
            Err(error) => report.unreadable.push(format!("{name}: {error}")),
        }
    }
    Ok(report)
}

/// Checks one file of vectors.
fn file(bytes: &[u8]) -> Result<FamilyReport, String> {
    let mut header: Value = serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
    let name = header["family"].as_str().ok_or("malformed: no \"family\"")?.to_owned();
    let cases = match header["cases"].take() {
        Value::Array(cases) => cases,
        _ => return Err("malformed: no array \"cases\"".to_owned()),
    };
    let (_, family) = FAMILIES
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("unknown family {name:?}"))?;
    if let Some(count) = header["count"].as_u64()
        && count != cases.len() as u64
    {
        return Err(format!("malformed: \"count\" is {count}, but there are {} cases", cases.len()));
    }
    let mut report = FamilyReport::new(name);
    for (at, case) in cases.iter().enumerate() {
        let id = case["id"].as_str().map_or_else(|| format!("case {at}"), str::to_owned);
        report.add(&id, family(case, &header));
    }
    Ok(report)
}
