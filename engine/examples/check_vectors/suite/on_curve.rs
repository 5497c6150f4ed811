//! Swaps and bonds on the curves that stand in their files' headers.

use engine::pricing::bond::BondFlows;
use engine::pricing::curve::{Bootstrap, Curve, Interpolation};
use engine::pricing::swap::{Leg, SwapContract};
use serde_json::Value;

use super::Check;
use super::curves::{curve_error, quotes};
use super::read::{date, list, number, numbers, parsed, text};

/// The curve that a case names, from its nodes, and its description.
fn curve<'a>(case: &Value, header: &'a Value) -> Result<(Curve, &'a Value), String> {
    let of = &header["curves"][text(case, "curve")?];
    let interpolation: Interpolation = parsed(of, "interpolation")?;
    let mut nodes = Vec::new();
    for node in list(of, "nodes")? {
        nodes.push((date(node, "date")?, number(node, "df")?));
    }
    let curve = Curve::through(date(of, "reference_date")?, interpolation, &nodes);
    Ok((curve.map_err(curve_error)?, of))
}

/// Compares a list of buckets, one by one.
fn buckets(
    quantity: &'static str,
    got: &[f64],
    expected: &[f64],
    scale: f64,
    (must, goal): (f64, f64),
    checks: &mut Vec<Check>,
) {
    checks.push(Check::holds("buckets", got.len() == expected.len()));
    for (got, expected) in got.iter().zip(expected) {
        checks.push(Check::scaled(quantity, *got, *expected, scale, must, goal));
    }
}

/// The family `swaps`; money in units of the notional.
pub(super) fn swaps(case: &Value, header: &Value) -> Result<Vec<Check>, String> {
    let (curve, of) = curve(case, header)?;
    let leg = |rate: &str, frequency: &str, day_count: &str| -> Result<Leg, String> {
        Ok(Leg {
            rate: number(case, rate)?,
            frequency: parsed(case, frequency)?,
            day_count: parsed(case, day_count)?,
        })
    };
    let contract = SwapContract {
        notional: number(case, "notional")?,
        receives_fixed: match text(case, "pay_receive")? {
            "receive_fixed" => true,
            "pay_fixed" => false,
            other => return Err(format!("malformed: {other:?} is neither pay nor receive")),
        },
        start: date(case, "start_date")?,
        end: date(case, "end_date")?,
        fixed: leg("fixed_rate", "fixed_frequency", "fixed_day_count")?,
        floating: leg("float_spread", "float_frequency", "float_day_count")?,
    };
    let fixing = case["current_fixing"].as_f64();
    let flows = contract.flows(curve.reference(), fixing).map_err(|error| error.to_string())?;
    let (value, net, n) = (flows.value(&curve), flows.net(), contract.notional);
    let expected = &case["expected"];
    let known = |name| number(expected, name);

    let mut checks = vec![
        Check::scaled("pv", value.pv, known("pv")?, n, 1e-10, 1e-14),
        Check::scaled("fixed leg", value.fixed_leg_pv, known("fixed_leg_pv")?, n, 1e-10, 1e-14),
        Check::scaled("float leg", value.float_leg_pv, known("float_leg_pv")?, n, 1e-10, 1e-14),
        Check::absolute("par_rate", value.par_rate, known("par_rate")?, 1e-10, 1e-14),
        Check::absolute("annuity", value.annuity, known("annuity")?, 1e-10, 1e-13),
        Check::scaled("dv01", net.dv01(&curve), known("dv01")?, n, 1e-11, 1e-14),
    ];
    for (name, shift) in [("pv_change_up_100bp", 0.01), ("pv_change_down_100bp", -0.01)] {
        let change = net.shift_change(&curve, shift);
        checks.push(Check::scaled("change 100bp", change, known(name)?, n, 1e-10, 1e-14));
    }
    let mut zero = vec![0.0; curve.node_times().len()];
    net.key_rate_dv01(&curve, &mut zero);
    let expected_zero = numbers(expected, "key_rate_dv01_zero")?;
    buckets("key_rate_dv01_zero", &zero, &expected_zero, n, (1e-11, 1e-14), &mut checks);

    let (instruments, rates) = quotes(&of["quotes"])?;
    let mut plan =
        Bootstrap::new(curve.reference(), curve.interpolation(), &instruments).map_err(curve_error)?;
    let mut par = vec![0.0; rates.len()];
    net.quote_dv01(&mut plan, &rates, &mut par).map_err(curve_error)?;
    let expected_par = numbers(expected, "key_rate_dv01_par")?;
    buckets("key_rate_dv01_par", &par, &expected_par, n, (1e-10, 1e-13), &mut checks);
    Ok(checks)
}

/// The family `bonds_on_curve`, per 100 of face.
pub(super) fn bonds_on_curve(case: &Value, header: &Value) -> Result<Vec<Check>, String> {
    let (curve, _) = curve(case, header)?;
    let (terms, coupon_rate) = super::bonds::terms(case)?;
    let settlement = date(case, "settlement_date")?;
    let bond = BondFlows::with_coupon(&terms, coupon_rate, settlement).map_err(|error| error.to_string())?;
    let flows = bond.cash_flows(&terms, settlement);
    let expected = &case["expected"];
    let known = |name| number(expected, name);
    let dirty = flows.present_value(&curve);
    let spread = number(case, "z_spread")?;
    let clean_at_spread = flows.present_value_at(&curve, spread) - bond.accrued();
    let found = flows.z_spread(&curve, known("clean_at_z_spread")? + bond.accrued());

    let mut checks = vec![
        Check::absolute("dirty", dirty, known("dirty")?, 1e-9, 1e-12),
        Check::absolute("clean", dirty - bond.accrued(), known("clean")?, 1e-9, 1e-12),
        Check::absolute("accrued", bond.accrued(), known("accrued")?, 1e-9, 1e-12),
        Check::absolute("dv01", flows.dv01(&curve), known("dv01")?, 1e-9, 1e-12),
        Check::absolute("clean_at_z_spread", clean_at_spread, known("clean_at_z_spread")?, 1e-9, 1e-12),
        Check::absolute("z_spread", found.unwrap_or(f64::NAN), spread, 1e-9, 1e-13),
    ];
    let mut zero = vec![0.0; curve.node_times().len()];
    flows.key_rate_dv01(&curve, &mut zero);
    let expected_zero = numbers(expected, "key_rate_dv01_zero")?;
    buckets("key_rate_dv01_zero", &zero, &expected_zero, 1.0, (1e-9, 1e-12), &mut checks);
    Ok(checks)
}
