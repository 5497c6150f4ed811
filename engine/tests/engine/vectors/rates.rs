//! Bonds, curves and swaps.

use engine::instrument::BondTerms;
use engine::pricing::bond::BondFlows;
use engine::pricing::curve::{Bootstrap, Curve, CurveInstrument, Interpolation, years};
use engine::pricing::swap::{Leg, SwapContract};
use engine::time::Date;

use super::{Case, Checks, Fields, Result};

/// Returns a bond's terms and its coupon as a double.
pub(super) fn bond_terms(input: Fields<'_>) -> Result<(BondTerms, f64)> {
    let terms = BondTerms {
        issue: input.get("issue_date")?,
        maturity: input.get("maturity_date")?,
        coupon_e9: 0,
        frequency: input.get("frequency")?,
        day_count: input.get("day_count")?,
    };
    Ok((terms, input.get("coupon_rate")?))
}

/// The family `bonds`, per 100 of face.
pub(super) fn bonds(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, expected) = (case.input, case.expected);
    let (terms, coupon_rate) = bond_terms(input)?;
    let (settlement, annual_yield) = (input.get("settlement_date")?, input.get("yield")?);
    let flows = BondFlows::with_coupon(&terms, coupon_rate, settlement)?;
    let value = flows.value(annual_yield)?;
    checks.absolute("accrued", value.accrued, expected.get("accrued")?, 1e-9, 1e-11);
    checks.absolute("clean", value.clean, expected.get("clean")?, 1e-9, 1e-11);
    checks.absolute("dirty", value.dirty, expected.get("dirty")?, 1e-9, 1e-11);
    checks.absolute("macaulay", value.macaulay, expected.get("macaulay")?, 1e-8, 1e-12);
    checks.absolute("modified", value.modified, expected.get("modified")?, 1e-8, 1e-12);
    checks.relative("convexity", value.convexity, expected.get("convexity")?, 1e-8, 1e-12);
    checks.absolute("dv01", value.dv01, expected.get("dv01")?, 1e-8, 1e-13);
    checks.absolute("yield", flows.yield_from_clean(expected.get("clean")?)?, annual_yield, 1e-9, 1e-12);
    let period = terms.period(settlement).ok_or("no period")?;
    let previous = period.start.max(terms.issue);
    checks.holds("previous coupon", previous == expected.get("previous_coupon_date")?);
    checks.holds("next coupon", period.end == expected.get("next_coupon_date")?);
    checks.holds(
        "remaining coupons",
        period.periods_to_maturity + 1 == expected.get::<i32>("remaining_coupons")?,
    );
    Ok(())
}

/// Returns instruments with their rates, deposits first.
fn quotes(input: Fields<'_>) -> Result<(Vec<CurveInstrument>, Vec<f64>)> {
    let frequency = input.get("swap_fixed_frequency")?;
    let (mut instruments, mut rates) = (Vec::new(), Vec::new());
    for deposit in input.list("deposits")? {
        instruments.push(CurveInstrument::Deposit { months: deposit.get("tenor_months")? });
        rates.push(deposit.get("rate")?);
    }
    for swap in input.list("swaps")? {
        let months = u16::checked_mul(swap.get("tenor_years")?, 12).ok_or("a tenor is too long")?;
        instruments.push(CurveInstrument::Swap { months, frequency });
        rates.push(swap.get("rate")?);
    }
    Ok((instruments, rates))
}

/// The family `curves`.
pub(super) fn curves(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (instruments, rates) = quotes(case.input)?;
    for (name, zero_name, interpolation, goal) in [
        ("loglinear_df", "loglinear_df zero*t", Interpolation::LoglinearDf, 1e-14),
        ("linear_zero", "linear_zero zero*t", Interpolation::LinearZero, 1e-14),
        ("natural_cubic_zero", "natural_cubic zero*t", Interpolation::NaturalCubicZero, 1e-13),
    ] {
        let expected = case.expected.at(name);
        if expected.0.is_null() {
            continue;
        }
        let mut plan = Bootstrap::new(case.input.get("reference_date")?, interpolation, &instruments)?;
        let curve = plan.curve(&rates).map_err(|error| format!("{name}: {error}"))?;
        let dates: Vec<Date> = expected.list("nodes")?.map(|node| node.get("date")).collect::<Result<_>>()?;
        checks.holds("node dates", dates == plan.node_dates());
        for point in expected.list("nodes")?.chain(expected.list("points")?) {
            let (time, df) = (years(curve.reference(), point.get("date")?), point.get("df")?);
            checks.absolute(name, curve.df(time), df, 1e-10, goal);
            if let Some(zero) = point.0["zero"].as_f64() {
                // A zero rate's error in discount factors: d DF = t · DF · dz.
                checks.absolute(zero_name, (curve.zero(time) - zero) * time * df, 0.0, 1e-10, goal);
            }
        }
    }
    Ok(())
}

/// Returns the curve of a case, from the nodes in the header, and its description.
fn curve<'a>(case: &Case<'a>) -> Result<(Curve, Fields<'a>)> {
    let description = case.header.at("curves").at(case.input.get("curve")?);
    let nodes: Vec<(Date, f64)> = description
        .list("nodes")?
        .map(|node| Ok((node.get("date")?, node.get("df")?)))
        .collect::<Result<_>>()?;
    let (reference, interpolation) = (description.get("reference_date")?, description.get("interpolation")?);
    Ok((Curve::through(reference, interpolation, &nodes)?, description))
}

/// Compares the buckets of `quantity`, one by one.
fn buckets(
    case: &Case<'_>,
    quantity: &'static str,
    actual: &[f64],
    scale: f64,
    (must, goal): (f64, f64),
    checks: &mut Checks,
) -> Result {
    let expected: Vec<f64> = case.expected.get(quantity)?;
    checks.holds("buckets", actual.len() == expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        checks.scaled(quantity, *actual, expected, scale, must, goal);
    }
    Ok(())
}

/// The family `swaps`; money in units of the notional.
pub(super) fn swaps(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, expected) = (case.input, case.expected);
    let (curve, description) = curve(case)?;
    let leg = |rate, leg: &str| -> Result<Leg> {
        let (frequency, day_count) = (format!("{leg}_frequency"), format!("{leg}_day_count"));
        Ok(Leg {
            rate: input.get(rate)?,
            frequency: input.get(&frequency)?,
            day_count: input.get(&day_count)?,
        })
    };
    let contract = SwapContract {
        notional: input.get("notional")?,
        receives_fixed: match input.get("pay_receive")? {
            "receive_fixed" => true,
            "pay_fixed" => false,
            other => return Err(format!("malformed: {other:?} is neither pay nor receive").into()),
        },
        start: input.get("start_date")?,
        end: input.get("end_date")?,
        fixed: leg("fixed_rate", "fixed")?,
        floating: leg("float_spread", "float")?,
    };
    let flows = contract.flows(curve.reference(), input.0["current_fixing"].as_f64())?;
    let (value, net, n) = (flows.value(&curve), flows.net(), contract.notional);
    checks.scaled("pv", value.pv, expected.get("pv")?, n, 1e-10, 1e-14);
    checks.scaled("fixed leg", value.fixed_leg_pv, expected.get("fixed_leg_pv")?, n, 1e-10, 1e-14);
    checks.scaled("float leg", value.float_leg_pv, expected.get("float_leg_pv")?, n, 1e-10, 1e-14);
    checks.absolute("par_rate", value.par_rate, expected.get("par_rate")?, 1e-10, 1e-14);
    checks.absolute("annuity", value.annuity, expected.get("annuity")?, 1e-10, 1e-13);
    checks.scaled("dv01", net.dv01(&curve), expected.get("dv01")?, n, 1e-11, 1e-14);
    for (name, shift) in [("pv_change_up_100bp", 0.01), ("pv_change_down_100bp", -0.01)] {
        let change = net.shift_change(&curve, shift);
        checks.scaled("change 100bp", change, expected.get(name)?, n, 1e-10, 1e-14);
    }
    let mut by_zero = vec![0.0; curve.node_times().len()];
    net.key_rate_dv01(&curve, &mut by_zero);
    buckets(case, "key_rate_dv01_zero", &by_zero, n, (1e-11, 1e-14), checks)?;

    let (instruments, rates) = quotes(description.at("quotes"))?;
    let mut plan = Bootstrap::new(curve.reference(), curve.interpolation(), &instruments)?;
    let mut by_quote = vec![0.0; rates.len()];
    net.quote_dv01(&mut plan, &rates, &mut by_quote)?;
    buckets(case, "key_rate_dv01_par", &by_quote, n, (1e-10, 1e-13), checks)
}

/// The family `bonds_on_curve`, per 100 of face.
pub(super) fn bonds_on_curve(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (curve, _) = curve(case)?;
    let (terms, coupon_rate) = bond_terms(case.input)?;
    let settlement = case.input.get("settlement_date")?;
    let bond = BondFlows::with_coupon(&terms, coupon_rate, settlement)?;
    let flows = bond.cash_flows(&terms, settlement);
    let (dirty, spread) = (flows.present_value(&curve), case.input.get("z_spread")?);
    let clean_at_spread = flows.present_value_at(&curve, spread) - bond.accrued();
    let expected_at_spread: f64 = case.expected.get("clean_at_z_spread")?;
    let solved = flows.z_spread(&curve, expected_at_spread + bond.accrued()).unwrap_or(f64::NAN);
    for (name, actual) in [
        ("dirty", dirty),
        ("clean", dirty - bond.accrued()),
        ("accrued", bond.accrued()),
        ("dv01", flows.dv01(&curve)),
        ("clean_at_z_spread", clean_at_spread),
    ] {
        checks.absolute(name, actual, case.expected.get(name)?, 1e-9, 1e-12);
    }
    checks.absolute("z_spread", solved, spread, 1e-9, 1e-13);
    let mut by_zero = vec![0.0; curve.node_times().len()];
    flows.key_rate_dv01(&curve, &mut by_zero);
    buckets(case, "key_rate_dv01_zero", &by_zero, 1.0, (1e-9, 1e-12), checks)
}
