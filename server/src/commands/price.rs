//! `tickhall price --input FILE`: values and Greeks of contracts in a market.
//!
//! Reads CSV or JSON and writes the same. A bad row is reported with its line; the
//! others are priced. `engine::pricing::rows` knows what a row means.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use engine::pricing::rows::{ContractKind, ContractRow, CurveRow, RESULTS, Results, RowPricer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Numbers of priced and refused rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows with results.
    pub priced: usize,
    /// Rows and curves with an error.
    pub refused: usize,
}

/// Results or error of one row.
#[derive(Debug, Serialize)]
struct PricedRow {
    line: u64,
    id: Option<String>,
    kind: Option<ContractKind>,
    error: Option<String>,
    results: Results,
}

impl PricedRow {
    fn refused(line: u64, error: impl ToString) -> Self {
        Self { line, id: None, kind: None, error: Some(error.to_string()), results: Results::new() }
    }
}

/// A JSON file: only rows, or rows and the curves that they name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(default)]
    curves: BTreeMap<String, CurveRow>,
    #[serde(borrow)]
    rows: Vec<&'a RawValue>,
}

/// Prices the rows of `input` and writes the results to `out`.
///
/// # Errors
/// If the file cannot be read or is neither JSON nor CSV with a header, or if the
/// results cannot be written. An error in a row is part of the results.
pub fn run(input: &Path, out: impl Write) -> anyhow::Result<Summary> {
    let text = std::fs::read_to_string(input).with_context(|| format!("--input {}", input.display()))?;
    price(&text, out).with_context(|| format!("--input {}", input.display()))
}

fn price(text: &str, out: impl Write) -> anyhow::Result<Summary> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    let rows = if is_json { price_json(text)? } else { price_csv(text)? };
    let refused = rows.iter().filter(|row| row.error.is_some()).count();
    let summary = Summary { priced: rows.len() - refused, refused };
    if is_json {
        write_json(&rows, out)?;
    } else {
        write_csv(&rows, out)?;
    }
    Ok(summary)
}

fn price_row(pricer: &mut RowPricer, line: u64, row: Result<ContractRow, impl ToString>) -> PricedRow {
    let row = match row {
        Ok(row) => row,
        Err(error) => return PricedRow::refused(line, error),
    };
    let (results, error) = match pricer.price(&row) {
        Ok(results) => (results, None),
        Err(error) => (Results::new(), Some(error.to_string())),
    };
    PricedRow { line, id: row.id, kind: Some(row.kind), error, results }
}

fn price_json(text: &str) -> anyhow::Result<Vec<PricedRow>> {
    let document = match text.trim_start().starts_with('[') {
        true => Document { curves: BTreeMap::new(), rows: serde_json::from_str(text)? },
        false => serde_json::from_str(text)?,
    };
    let (mut pricer, mut rows) = (RowPricer::default(), Vec::new());
    for (name, curve) in &document.curves {
        if let Err(error) = pricer.add_curve(name, curve) {
            rows.push(PricedRow::refused(1, format_args!("curve {name:?}: {error}")));
        }
    }
    let (mut counted, mut line) = (0, 1);
    for raw in document.rows {
        // A raw value is a slice of the text, so its address gives its line.
        let offset = raw.get().as_ptr() as usize - text.as_ptr() as usize;
        line += text.as_bytes()[counted..offset].iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = offset;
        rows.push(price_row(&mut pricer, line, serde_json::from_str(raw.get())));
    }
    Ok(rows)
}

fn price_csv(text: &str) -> anyhow::Result<Vec<PricedRow>> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    anyhow::ensure!(header.iter().any(|column| column == "kind"), "the header has no column \"kind\"");
    let (mut pricer, mut rows) = (RowPricer::default(), Vec::new());
    let mut record = csv::StringRecord::new();
    loop {
        let position = reader.position().clone();
        let line = position.line() + skipped_lines(text, position.byte());
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let row = record.deserialize(Some(&header)).map_err(|error| message(error, &header));
                rows.push(price_row(&mut pricer, line, row));
            }
            Err(error) => rows.push(PricedRow::refused(line, message(error, &header))),
        }
    }
}

/// Number of comments and empty lines at `byte`, which the reader skips.
fn skipped_lines(text: &str, byte: u64) -> u64 {
    let rest = usize::try_from(byte).ok().and_then(|byte| text.get(byte..)).unwrap_or_default();
    rest.lines().take_while(|line| line.is_empty() || line.starts_with('#')).count() as u64
}

/// Message of an error with its column, without its position.
fn message(error: csv::Error, header: &csv::StringRecord) -> String {
    match error.into_kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|field| header.get(usize::try_from(field).ok()?));
            match column {
                Some(column) => format!("{column}: {}", err.kind()),
                None => err.kind().to_string(),
            }
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} columns instead of {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        kind => format!("{kind:?}"),
    }
}

fn write_json(rows: &[PricedRow], mut out: impl Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut out, rows)?;
    writeln!(out)?;
    Ok(())
}

fn write_csv(rows: &[PricedRow], out: impl Write) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    // Only columns that some row fills.
    let columns: Vec<&str> =
        RESULTS.into_iter().filter(|name| rows.iter().any(|row| row.results.contains_key(name))).collect();
    writer.write_record(["line", "id", "kind", "error"].into_iter().chain(columns.iter().copied()))?;
    for row in rows {
        let kind = serde_json::to_value(row.kind)?;
        let mut cells = vec![
            row.line.to_string(),
            row.id.clone().unwrap_or_default(),
            kind.as_str().unwrap_or_default().to_owned(),
            row.error.clone().unwrap_or_default(),
        ];
        let number = |name: &&str| row.results.get(*name).map(f64::to_string).unwrap_or_default();
        cells.extend(columns.iter().map(number));
        writer.write_record(cells)?;
    }
    writer.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priced(text: &str) -> (Summary, String) {
        let mut out = Vec::new();
        let summary = price(text, &mut out).unwrap();
        (summary, String::from_utf8(out).unwrap())
    }

    const CSV: &str = "\
id,kind,type,spot,strike,days,rate,div_yield,vol
a,european,call,100,100,365,0.05,0,0.2
# a comment
b,european,call,100,100,365,0.05,0,often
c,american,put,100,110,90,0.03,0.01,0.25
d,european,put,100,100,365,0.05,0
e,european,put,-5,100,365,0.05,0,0.2
";

    #[test]
    fn a_bad_row_is_reported_with_its_line_and_the_others_are_priced() {
        let (summary, out) = priced(CSV);
        assert_eq!(summary, Summary { priced: 2, refused: 3 });
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].starts_with("line,id,kind,error,price,delta,gamma,vega,theta,rho"), "{}", lines[0]);
        assert!(lines[1].starts_with("2,a,european,,10.45058357218"), "{}", lines[1]);
        assert!(lines[2].starts_with("4,,,vol: invalid float literal"), "{}", lines[2]);
        assert!(lines[3].starts_with("5,c,american,,1"), "{}", lines[3]);
        assert!(lines[4].starts_with("6,,,8 columns instead of 9"), "{}", lines[4]);
        assert!(lines[5].starts_with("7,e,european,an input is no admissible number"), "{}", lines[5]);
    }

    #[test]
    fn errors_in_json_have_lines_too() {
        let text = r#"{
  "curves": {"usd": {"reference_date": "2026-01-15", "nodes": [{"date": "2036-01-15", "df": 0.7}]}},
  "rows": [
    {"kind": "swap", "curve": "usd", "notional": 100, "pay_receive": "pay_fixed",
     "start_date": "2026-01-15", "end_date": "2031-01-15", "fixed_rate": 0.03,
     "fixed_frequency": 1, "fixed_day_count": "30/360", "float_frequency": 2},
    {"kind": "swop"},
    {"kind": "future", "id": "f", "spot": 100, "days": 365, "rate": 0.05}
  ]
}"#;
        let (summary, out) = priced(text);
        assert_eq!(summary, Summary { priced: 2, refused: 1 });
        let answers: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&answers[0]["line"], &answers[1]["line"], &answers[2]["line"]),
            (&4.into(), &7.into(), &8.into())
        );
        assert!(answers[1]["error"].as_str().unwrap().contains("unknown variant"));
        assert_eq!(answers[2]["id"], "f");
        assert!(answers[0]["results"]["par_rate"].as_f64().unwrap() > 0.03);
    }

    #[test]
    fn numbers_are_parsed_exactly() {
        // Without its feature `float_roundtrip`, serde_json reads ...436 here. A future
        // that expires today is worth its spot.
        let (_, out) = priced(r#"[{"kind": "future", "spot": 0.12419916357207435, "days": 0, "rate": 0}]"#);
        assert!(out.contains("0.12419916357207435"), "{out}");
        let (_, out) = priced("kind,spot,days,rate\nfuture,0.12419916357207435,0,0\n");
        assert!(out.contains(",0.12419916357207435,"), "{out}");
    }

    #[test]
    fn a_file_without_rows_or_header_is_refused() {
        for text in ["", "spot,strike\n1,2\n", "{", "[1, 2", "{\"rows\": 3}"] {
            assert!(price(text, Vec::new()).is_err(), "{text:?}");
        }
        assert_eq!(priced("[]").0, Summary::default());
    }
}
