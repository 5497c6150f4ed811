//! European options: values and Greeks, at the edges too, and on futures.

use engine::instrument::OptionRight;
use engine::pricing::american::{Precision, Valuer};
use engine::pricing::european::{FutureMarket, SpotMarket, Vanilla, value, value_on_future};
use engine::pricing::implied_vol::{ImpliedVolError, SpotCarry, implied_vol, implied_vol_of_forward};
use serde_json::Value;

use super::Check;
use super::read::{number, text};

/// Where no "must" is asked for.
const ANY: f64 = 1e300;
/// Relative errors count above this size.
const LEAST: f64 = 1e-200;

/// Strike, right and years of a case.
pub(super) fn terms(case: &Value) -> Result<Vanilla, String> {
    let right = match text(case, "type")? {
        "call" => OptionRight::Call,
        "put" => OptionRight::Put,
        other => return Err(format!("malformed: no type {other:?}")),
    };
    Ok(Vanilla { right, strike: number(case, "strike")?, years: number(case, "t")? })
}

/// Spot, rates and volatility of a case.
pub(super) fn market(case: &Value) -> Result<SpotMarket, String> {
    Ok(SpotMarket {
        spot: number(case, "spot")?,
        rate: number(case, "rate")?,
        div_yield: number(case, "div_yield")?,
        vol: number(case, "vol")?,
    })
}

/// A first-order Greek: scaled, and relative to itself where it is not tiny.
fn first_order(names: [&'static str; 2], got: f64, known: f64, scale: f64) -> Vec<Check> {
    let mut checks = vec![Check::scaled(names[0], got, known, scale, 1e-11, 1e-13)];
    if known.abs() > LEAST {
        checks.push(Check::relative(names[1], got, known, ANY, 1e-11));
    }
    checks
}

/// The family `european_options`.
pub(super) fn european(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let (terms, market) = (terms(case)?, market(case)?);
    let got = value(&terms, &market).map_err(|error| error.to_string())?;
    let known = |name| number(&case["expected"], name);
    let SpotMarket { spot, rate, div_yield, vol } = market;
    let total = spot + terms.strike;
    let root = terms.years.sqrt();
    let goal = 4.0 * number(case, "price_eps")?;
    let mut checks = vec![
        Check::absolute("price", got.price, known("price")?, 1e-12 * total, goal),
        Check::relative("gamma", got.gamma, known("gamma")?, 1e-9, 1e-11),
        Check::relative("vanna", got.vanna, known("vanna")?, 1e-9, 2e-11),
        Check::relative("volga", got.volga, known("volga")?, 1e-9, 2e-11),
        Check::relative("charm", got.charm, known("charm")?, 1e-9, 2e-11),
    ];
    let rates = terms.years * total;
    let decay = total * (vol / root + rate.abs() + div_yield);
    for (names, got, known, scale) in [
        (["delta", "delta rel"], got.delta, known("delta")?, 1.0),
        (["vega", "vega rel"], got.vega, known("vega")?, spot * root),
        (["rho", "rho rel"], got.rho, known("rho")?, rates),
        (["dividend_rho", "dividend_rho rel"], got.dividend_rho, known("dividend_rho")?, rates),
        (["theta", "theta rel"], got.theta, known("theta")?, decay),
    ] {
        checks.extend(first_order(names, got, known, scale));
    }
    Ok(checks)
}

/// The family `european_edge`: no time or no volatility left.
pub(super) fn edge(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let (terms, market) = (terms(case)?, market(case)?);
    let got = value(&terms, &market).map_err(|error| error.to_string())?;
    let known = number(&case["expected"], "price")?;
    let greeks = [got.delta, got.gamma, got.vega, got.theta, got.rho, got.dividend_rho];
    let finite = greeks.iter().chain(&[got.vanna, got.volga, got.charm]).all(|greek| greek.is_finite());
    Ok(vec![
        Check::scaled("price", got.price, known, market.spot + terms.strike, 1e-12, 1e-15),
        Check::holds("finite Greeks", finite),
    ])
}

/// The family `black76`.
pub(super) fn black76(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let terms = terms(case)?;
    let market = FutureMarket {
        future: number(case, "futures")?,
        rate: number(case, "rate")?,
        vol: number(case, "vol")?,
    };
    let got = value_on_future(&terms, &market).map_err(|error| error.to_string())?;
    let known = |name| number(&case["expected"], name);
    let total = market.future + terms.strike;
    let root = terms.years.sqrt();
    let goal = 4.0 * number(case, "price_eps")?;
    let mut checks = vec![
        Check::absolute("price", got.price, known("price")?, 1e-12 * total, goal),
        Check::relative("gamma", got.gamma, known("gamma")?, 1e-9, 1e-11),
    ];
    let decay = total * (market.vol / root + market.rate.abs());
    for (names, got, known, scale) in [
        (["delta", "delta rel"], got.delta, known("delta")?, 1.0),
        (["vega", "vega rel"], got.vega, known("vega")?, market.future * root),
        (["rho", "rho rel"], got.rho, known("rho")?, terms.years * total),
        (["theta", "theta rel"], got.theta, known("theta")?, decay),
    ] {
        checks.extend(first_order(names, got, known, scale));
    }
    Ok(checks)
}

/// The family `implied_vol`.
pub(super) fn implied(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let terms = terms(case)?;
    let price = if case["price"].is_null() { f64::NAN } else { number(case, "price")? };
    let got = match text(case, "form")? {
        "black" => implied_vol_of_forward(&terms, number(case, "forward")?, price),
        "bsm" => {
            let (rate, div_yield) = (number(case, "rate")?, number(case, "div_yield")?);
            implied_vol(&terms, &SpotCarry { spot: number(case, "spot")?, rate, div_yield }, price)
        }
        other => return Err(format!("malformed: no form {other:?}")),
    };
    let status = match got {
        Ok(_) => "ok",
        Err(ImpliedVolError::BelowIntrinsic) => "below_intrinsic",
        Err(ImpliedVolError::AboveMaximum) => "above_maximum",
        Err(ImpliedVolError::Invalid) => "invalid",
        Err(ImpliedVolError::NotConverged) => "not converged",
    };
    let expected = text(&case["expected"], "status")?;
    let Ok(vol) = got else {
        return Ok(vec![
            Check::holds("accepted or refused", expected != "ok"),
            Check::should_hold("reason", status == expected),
        ]);
    };
    let mut checks = vec![Check::holds("accepted or refused", expected == "ok")];
    if expected == "ok" {
        let (known, unit) = (number(&case["expected"], "vol")?, number(case, "vol_eps")?);
        checks.push(Check::absolute("vol", vol, known, 1e-8 + 16.0 * unit, 4.0 * unit));
    }
    Ok(checks)
}

/// The family `american_options`.
pub(super) fn american(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let (terms, market) = (terms(case)?, market(case)?);
    let mut valuer = Valuer::new(Precision::High);
    let got = valuer.value(&terms, &market).map_err(|error| error.to_string())?;
    let more = valuer.sensitivities(&terms, &market).map_err(|error| error.to_string())?;
    let known = |name| number(&case["expected"], name);
    let total = market.spot + terms.strike;
    let on_future = text(case, "underlying")? == "futures";
    let rho = if on_future { more.rho + more.dividend_rho } else { more.rho };
    let theta = known("theta")?;
    let decay = theta.abs() + 1e-3 * market.spot;
    let premium = known("early_exercise_premium")?;
    let (vega_scale, rho_scale) = (market.spot * terms.years.sqrt(), total * terms.years);
    let mut checks = vec![
        Check::scaled("price", got.price, known("price")?, total, 1e-6, 1e-9),
        Check::scaled("premium", got.early_exercise_premium, premium, total, 1e-6, 1e-9),
        Check::absolute("delta", got.delta, known("delta")?, 1e-4, 1e-7),
        Check::scaled("gamma", got.gamma, known("gamma")?, 1.0 / market.spot, 1e-4, 1e-7),
        Check::scaled("vega", more.vega, known("vega")?, vega_scale, 1e-4, 1e-7),
        Check::scaled("theta", got.theta, theta, decay, 1e-4, 1e-6),
        Check::scaled("rho", rho, known("rho")?, rho_scale, 1e-4, 1e-7),
    ];
    let critical = &case["expected"]["critical_price"];
    checks.push(match (got.critical_price, critical.as_f64()) {
        (Some(got), Some(known)) => Check::relative("critical price", got, known, 1e-3, 1e-7),
        (got, known) => Check::holds("never exercised", got.is_none() && known.is_none()),
    });
    Ok(checks)
}
