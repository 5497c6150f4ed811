//! Curves: bootstrapped nodes and interpolated points under all three
//! interpolations.

use engine::pricing::curve::{Bootstrap, Curve, CurveError, CurveInstrument, Interpolation, years};
use engine::time::Date;
use serde_json::Value;

use super::Check;
use super::read::{date, list, number, parsed, whole};

/// Instruments with their rates, deposits first.
pub(super) fn quotes(of: &Value) -> Result<(Vec<CurveInstrument>, Vec<f64>), String> {
    let frequency = parsed(of, "swap_fixed_frequency")?;
    let (mut instruments, mut rates) = (Vec::new(), Vec::new());
    let months = |months: i64| u16::try_from(months).map_err(|error| error.to_string());
    for deposit in list(of, "deposits")? {
        instruments.push(CurveInstrument::Deposit { months: months(whole(deposit, "tenor_months")?)? });
        rates.push(number(deposit, "rate")?);
    }
    for swap in list(of, "swaps")? {
        let months = months(12 * whole(swap, "tenor_years")?)?;
        instruments.push(CurveInstrument::Swap { months, frequency });
        rates.push(number(swap, "rate")?);
    }
    Ok((instruments, rates))
}

/// What a curve error says.
pub(super) fn curve_error(error: CurveError) -> String {
    error.to_string()
}

/// The family `curves`.
pub(super) fn curves(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let reference = date(case, "reference_date")?;
    let (instruments, rates) = quotes(case)?;
    let mut checks = Vec::new();
    for (name, zero_name, interpolation, goal) in [
        ("loglinear_df", "loglinear_df zero*t", Interpolation::LoglinearDf, 1e-14),
        ("linear_zero", "linear_zero zero*t", Interpolation::LinearZero, 1e-14),
        ("natural_cubic_zero", "natural_cubic zero*t", Interpolation::NaturalCubicZero, 1e-13),
    ] {
        let expected = &case["expected"][name];
        if expected.is_null() {
            continue;
        }
        let mut plan = Bootstrap::new(reference, interpolation, &instruments).map_err(curve_error)?;
        let curve = plan.curve(&rates).map_err(|error| format!("{name}: {error}"))?;
        let nodes = list(expected, "nodes")?;
        let dates: Vec<Date> = nodes.iter().map(|node| date(node, "date")).collect::<Result<_, _>>()?;
        checks.push(Check::holds("node dates", dates == plan.node_dates()));
        for point in nodes.iter().chain(list(expected, "points")?) {
            point_checks(&curve, point, (name, zero_name), goal, &mut checks)?;
        }
    }
    Ok(checks)
}

fn point_checks(
    curve: &Curve,
    point: &Value,
    (name, zero_name): (&'static str, &'static str),
    goal: f64,
    checks: &mut Vec<Check>,
) -> Result<(), String> {
    let time = years(curve.reference(), date(point, "date")?);
    let df = number(point, "df")?;
    checks.push(Check::absolute(name, curve.df(time), df, 1e-10, goal));
    if let Some(zero) = point["zero"].as_f64() {
        // A zero's error in discount factors: d DF = t · DF · dz.
        let error = curve.zero(time) - zero;
        checks.push(Check::absolute(zero_name, error * time * df, 0.0, 1e-10, goal));
    }
    Ok(())
}
