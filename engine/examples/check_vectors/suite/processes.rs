//! Stochastic processes: closed-form moments, and exact paths for given draws.

use engine::instrument::OptionRight;
use engine::sim::processes::{
    Cir, Gbm, GbmLaw, HullWhite, MeanReverting, NelsonSiegel, TermStructure, Vasicek, cholesky, correlate,
};
use serde_json::Value;

use super::Check;
use super::read::{list, number, numbers, text};

const MUST: f64 = 1e-9;
const GOAL: f64 = 1e-12;

/// What is compared and how: rates and probabilities absolutely, the rest
/// relative to the expected value.
fn compare(expected: &Value, got: &[(&'static str, f64)], absolute: &[&str]) -> Result<Vec<Check>, String> {
    let check = |(name, got): &(&'static str, f64)| {
        let expected = number(expected, name)?;
        Ok(if absolute.contains(name) {
            Check::absolute(name, *got, expected, MUST, GOAL)
        } else {
            Check::relative(name, *got, expected, MUST, GOAL)
        })
    };
    got.iter().map(check).collect()
}

/// The family `process_moments`.
pub(super) fn moments(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    match text(case, "process")? {
        "gbm" => gbm(case),
        "vasicek" => vasicek(case),
        "cir" => cir(case),
        "hull_white" => hull_white(case),
        other => Err(format!("unknown process {other:?}")),
    }
}

fn gbm(case: &Value) -> Result<Vec<Check>, String> {
    let param = |name| number(&case["params"], name);
    let law = GbmLaw { spot: param("s0")?, drift: param("mu")?, volatility: param("sigma")? };
    let (s, t) = (number(case, "s")?, number(case, "t")?);
    let got = [
        ("mean", law.mean(t)),
        ("variance", law.variance(t)),
        ("log_mean", law.log_mean(t)),
        ("log_variance", law.log_variance(t)),
        ("skewness", law.skewness(t)),
        ("excess_kurtosis", law.excess_kurtosis(t)),
        ("covariance_s_t", law.covariance(s, t)),
        ("log_covariance_s_t", law.log_covariance(s, t)),
        ("prob_below_k", law.probability_below(number(case, "k")?, t)),
        ("quantile_05", law.quantile(0.05, t)),
        ("quantile_50", law.quantile(0.5, t)),
        ("quantile_95", law.quantile(0.95, t)),
    ];
    compare(&case["expected"], &got, &["prob_below_k"])
}

fn vasicek(case: &Value) -> Result<Vec<Check>, String> {
    let param = |name| number(&case["params"], name);
    let law = Vasicek {
        start: param("x0")?,
        speed: param("kappa")?,
        mean: param("theta")?,
        volatility: param("sigma")?,
    };
    let (s, t, horizon) = (number(case, "s")?, number(case, "t")?, number(case, "bond_maturity")?);
    let got = [
        ("mean", law.mean_at(t)),
        ("variance", law.variance(t)),
        ("covariance_s_t", law.covariance(s, t)),
        ("stationary_mean", law.mean),
        ("stationary_variance", law.stationary_variance()),
        ("half_life", law.half_life()),
        ("prob_below_k", law.probability_below(number(case, "k")?, t)),
        ("integral_mean", law.integral_mean(horizon)),
        ("integral_variance", law.integral_variance(horizon)),
        ("zero_bond", law.zero_bond(horizon)),
    ];
    compare(&case["expected"], &got, &["mean", "stationary_mean", "prob_below_k", "integral_mean"])
}

fn cir(case: &Value) -> Result<Vec<Check>, String> {
    let param = |name| number(&case["params"], name);
    let law = Cir {
        start: param("x0")?,
        speed: param("kappa")?,
        mean: param("theta")?,
        volatility: param("sigma")?,
    };
    let t = number(case, "t")?;
    let got = [
        ("mean", law.mean_at(t)),
        ("variance", law.variance(t)),
        ("stationary_mean", law.mean),
        ("stationary_variance", law.stationary_variance()),
        ("zero_bond", law.zero_bond(number(case, "bond_maturity")?)),
        ("prob_below_k", law.probability_below(number(case, "k")?, t)),
    ];
    let expected = &case["expected"];
    let mut checks = compare(expected, &got, &["mean", "stationary_mean", "prob_below_k"])?;
    checks.push(Check::holds("feller", expected["feller"] == law.stays_positive()));
    Ok(checks)
}

fn hull_white(case: &Value) -> Result<Vec<Check>, String> {
    let param = |name| number(&case["params"], name);
    let curve = NelsonSiegel {
        level: param("ns_beta0")?,
        slope: param("ns_beta1")?,
        hump: param("ns_beta2")?,
        scale: param("ns_tau")?,
    };
    let model = HullWhite { curve, speed: param("kappa")?, volatility: param("sigma")? };
    let (t, maturity, strike) = (number(case, "t")?, number(case, "T")?, number(case, "strike")?);
    let option = |right| {
        model.bond_option(right, t, maturity, strike).map_err(|error| format!("bond option: {error}"))
    };
    let discount = |t| libm_exp(curve.log_discount(t));
    let got = [
        ("discount_t", discount(t)),
        ("discount_T", discount(maturity)),
        ("forward_t", curve.forward(t)),
        ("mean_r", model.mean(t)),
        ("variance_r", model.variance(t)),
        ("bond_t_T_given_r", model.bond(t, maturity, number(case, "r_t")?)),
        ("bond_call", option(OptionRight::Call)?),
        ("bond_put", option(OptionRight::Put)?),
    ];
    compare(&case["expected"], &got, &["forward_t", "mean_r"])
}

/// The engine's exponential.
fn libm_exp(x: f64) -> f64 {
    engine::math::exp(x)
}

/// The family `process_paths`.
pub(super) fn paths(case: &Value, _: &Value) -> Result<Vec<Check>, String> {
    let params = &case["params"];
    let dt = number(case, "dt")?;
    match text(case, "process")? {
        "gbm" => {
            let step = Gbm::new(number(params, "mu")?, number(params, "sigma")?, dt);
            let mut log_price = engine::math::ln(number(params, "s0")?);
            follow(case, "gbm", |z| {
                log_price = step.next(log_price, z);
                libm_exp(log_price)
            })
        }
        "vasicek" => {
            let (mean, speed) = (number(params, "theta")?, number(params, "kappa")?);
            let step = MeanReverting::new(mean, speed, number(params, "sigma")?, dt);
            let mut x = number(params, "x0")?;
            follow(case, "vasicek", |z| {
                x = step.next(x, z);
                x
            })
        }
        "correlated_gbm" => correlated(case, params, dt),
        other => Err(format!("unknown process {other:?}")),
    }
}

fn follow(
    case: &Value,
    quantity: &'static str,
    mut next: impl FnMut(f64) -> f64,
) -> Result<Vec<Check>, String> {
    let steps = numbers(case, "normals")?.into_iter().zip(numbers(case, "expected")?);
    Ok(steps
        .map(|(z, expected)| match quantity {
            "vasicek" => Check::absolute(quantity, next(z), expected, 1e-12, 1e-14),
            _ => Check::relative(quantity, next(z), expected, 1e-12, 1e-14),
        })
        .collect())
}

fn rows(of: &Value, name: &str) -> Result<Vec<Vec<f64>>, String> {
    let row = |row: &Value| serde_json::from_value(row.clone()).map_err(|error| error.to_string());
    list(of, name)?.iter().map(row).collect()
}

fn correlated(case: &Value, params: &Value, dt: f64) -> Result<Vec<Check>, String> {
    let (spots, drifts, volatilities) =
        (numbers(params, "s0")?, numbers(params, "mu")?, numbers(params, "sigma")?);
    let matrix = rows(params, "correlation")?.concat();
    let lower = cholesky(&matrix, spots.len()).ok_or("the correlations are not positive definite")?;
    let mut checks = Vec::new();
    for (got, expected) in lower.iter().zip(rows(params, "cholesky")?.concat()) {
        checks.push(Check::absolute("cholesky", *got, expected, 1e-12, 1e-14));
    }
    let steps: Vec<Gbm> = drifts
        .iter()
        .zip(&volatilities)
        .map(|(drift, volatility)| Gbm::new(*drift, *volatility, dt))
        .collect();
    let mut logs: Vec<f64> = spots.iter().map(|spot| engine::math::ln(*spot)).collect();
    let mut moves = vec![0.0; spots.len()];
    for (normals, expected) in rows(case, "normals")?.iter().zip(rows(case, "expected")?) {
        correlate(&lower, normals, &mut moves);
        for (at, expected) in expected.iter().enumerate() {
            logs[at] = steps[at].next(logs[at], moves[at]);
            checks.push(Check::relative("correlated", libm_exp(logs[at]), *expected, 1e-12, 1e-14));
        }
    }
    Ok(checks)
}
