//! Options: European with edge cases, on futures, implied volatilities, American.

use engine::pricing::american::{Precision, Valuer};
use engine::pricing::european::{FutureMarket, SpotMarket, Vanilla, value, value_on_future};
use engine::pricing::implied_vol::{ImpliedVolError, SpotCarry, implied_vol, implied_vol_of_forward};

use super::{Case, Checks, Fields, Result};

/// Tolerance of a quantity without a release gate.
const NO_GATE: f64 = 1e300;
/// Minimum size of a Greek for a relative error.
const MIN_RELATIVE: f64 = 1e-200;

fn terms(input: Fields<'_>) -> Result<Vanilla> {
    Ok(Vanilla { right: input.get("type")?, strike: input.get("strike")?, years: input.get("t")? })
}

fn market(input: Fields<'_>) -> Result<SpotMarket> {
    Ok(SpotMarket {
        spot: input.get("spot")?,
        rate: input.get("rate")?,
        div_yield: input.get("div_yield")?,
        vol: input.get("vol")?,
    })
}

/// Checks a first-order Greek in `scale`, and relative to itself unless it is tiny.
fn first_order(
    names: [&'static str; 2],
    actual: f64,
    scale: f64,
    expected: Fields<'_>,
    checks: &mut Checks,
) -> Result {
    let expected: f64 = expected.get(names[0])?;
    checks.scaled(names[0], actual, expected, scale, 1e-11, 1e-13);
    if expected.abs() > MIN_RELATIVE {
        checks.relative(names[1], actual, expected, NO_GATE, 1e-11);
    }
    Ok(())
}

/// The family `european_options`.
pub(super) fn european(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (terms, market, expected) = (terms(case.input)?, market(case.input)?, case.expected);
    let got = value(&terms, &market)?;
    let SpotMarket { spot, rate, div_yield, vol } = market;
    let (total, root) = (spot + terms.strike, terms.years.sqrt());
    let goal = 4.0 * case.input.get::<f64>("price_eps")?;
    checks.absolute("price", got.price, expected.get("price")?, 1e-12 * total, goal);
    checks.relative("gamma", got.gamma, expected.get("gamma")?, 1e-9, 1e-11);
    checks.relative("vanna", got.vanna, expected.get("vanna")?, 1e-9, 2e-11);
    checks.relative("volga", got.volga, expected.get("volga")?, 1e-9, 2e-11);
    checks.relative("charm", got.charm, expected.get("charm")?, 1e-9, 2e-11);
    let (rates, decay) = (terms.years * total, total * (vol / root + rate.abs() + div_yield));
    for (names, actual, scale) in [
        (["delta", "delta rel"], got.delta, 1.0),
        (["vega", "vega rel"], got.vega, spot * root),
        (["rho", "rho rel"], got.rho, rates),
        (["dividend_rho", "dividend_rho rel"], got.dividend_rho, rates),
        (["theta", "theta rel"], got.theta, decay),
    ] {
        first_order(names, actual, scale, expected, checks)?;
    }
    Ok(())
}

/// The family `european_edge`: no time or no volatility.
pub(super) fn edge(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (terms, market) = (terms(case.input)?, market(case.input)?);
    let got = value(&terms, &market)?;
    checks.scaled("price", got.price, case.expected.get("price")?, market.spot + terms.strike, 1e-12, 1e-15);
    let greeks = [got.delta, got.gamma, got.vega, got.theta, got.rho, got.dividend_rho];
    let finite = greeks.iter().chain(&[got.vanna, got.volga, got.charm]).all(|greek| greek.is_finite());
    checks.holds("finite Greeks", finite);
    Ok(())
}

/// The family `black76`.
pub(super) fn black76(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, expected) = (case.input, case.expected);
    let terms = terms(input)?;
    let (future, rate, vol) = (input.get("futures")?, input.get("rate")?, input.get("vol")?);
    let got = value_on_future(&terms, &FutureMarket { future, rate, vol })?;
    let (total, root) = (future + terms.strike, terms.years.sqrt());
    let goal = 4.0 * input.get::<f64>("price_eps")?;
    checks.absolute("price", got.price, expected.get("price")?, 1e-12 * total, goal);
    checks.relative("gamma", got.gamma, expected.get("gamma")?, 1e-9, 1e-11);
    for (names, actual, scale) in [
        (["delta", "delta rel"], got.delta, 1.0),
        (["vega", "vega rel"], got.vega, future * root),
        (["rho", "rho rel"], got.rho, terms.years * total),
        (["theta", "theta rel"], got.theta, total * (vol / root + rate.abs())),
    ] {
        first_order(names, actual, scale, expected, checks)?;
    }
    Ok(())
}

/// The family `implied_vol`.
pub(super) fn implied(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, expected) = (case.input, case.expected);
    let terms = terms(input)?;
    let price = input.get::<Option<f64>>("price")?.unwrap_or(f64::NAN);
    let got = match input.get("form")? {
        "black" => implied_vol_of_forward(&terms, input.get("forward")?, price),
        "bsm" => {
            let (spot, rate, div_yield) = (input.get("spot")?, input.get("rate")?, input.get("div_yield")?);
            implied_vol(&terms, &SpotCarry { spot, rate, div_yield }, price)
        }
        other => return Err(format!("malformed: no form {other:?}").into()),
    };
    let status = match got {
        Ok(_) => "ok",
        Err(ImpliedVolError::BelowIntrinsic) => "below_intrinsic",
        Err(ImpliedVolError::AboveMaximum) => "above_maximum",
        Err(ImpliedVolError::Invalid) => "invalid",
        Err(ImpliedVolError::NotConverged) => "not converged",
    };
    let expected_status: &str = expected.get("status")?;
    checks.holds("accepted or refused", (status == "ok") == (expected_status == "ok"));
    match got {
        Ok(vol) if expected_status == "ok" => {
            let unit: f64 = input.get("vol_eps")?;
            checks.absolute("vol", vol, expected.get("vol")?, 1e-8 + 16.0 * unit, 4.0 * unit);
        }
        Ok(_) => {}
        Err(_) => checks.should_hold("reason", status == expected_status),
    }
    Ok(())
}

/// The family `american_options`.
pub(super) fn american(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (terms, market, expected) = (terms(case.input)?, market(case.input)?, case.expected);
    let mut valuer = Valuer::new(Precision::High);
    let got = valuer.value(&terms, &market)?;
    let more = valuer.sensitivities(&terms, &market)?;
    let (total, spot) = (market.spot + terms.strike, market.spot);
    let on_future = case.input.get::<&str>("underlying")? == "futures";
    let rho = if on_future { more.rho + more.dividend_rho } else { more.rho };
    let (premium, theta) = (expected.get("early_exercise_premium")?, expected.get::<f64>("theta")?);
    checks.scaled("price", got.price, expected.get("price")?, total, 1e-6, 1e-9);
    checks.scaled("premium", got.early_exercise_premium, premium, total, 1e-6, 1e-9);
    checks.absolute("delta", got.delta, expected.get("delta")?, 1e-4, 1e-7);
    checks.scaled("gamma", got.gamma, expected.get("gamma")?, 1.0 / spot, 1e-4, 1e-7);
    checks.scaled("vega", more.vega, expected.get("vega")?, spot * terms.years.sqrt(), 1e-4, 1e-7);
    checks.scaled("theta", got.theta, theta, theta.abs() + 1e-3 * spot, 1e-4, 1e-6);
    checks.scaled("rho", rho, expected.get("rho")?, total * terms.years, 1e-4, 1e-7);
    match (got.critical_price, expected.get("critical_price")?) {
        (Some(got), Some(expected)) => checks.relative("critical price", got, expected, 1e-3, 1e-7),
        (got, expected) => checks.holds("never exercised", got.is_none() && expected.is_none()),
    }
    Ok(())
}
