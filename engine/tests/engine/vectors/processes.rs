//! Stochastic processes: closed-form moments, and exact paths for given draws.

use engine::instrument::OptionRight;
use engine::math::{exp, ln};
use engine::sim::processes::{
    Cir, Gbm, GbmLaw, HullWhite, MeanReverting, NelsonSiegel, TermStructure, Vasicek, cholesky, correlate,
};

use super::{Case, Checks, Result};

/// The family `process_moments`.
pub(super) fn moments(case: &Case<'_>, checks: &mut Checks) -> Result {
    match case.input.get("process")? {
        "gbm" => gbm(case, checks),
        "vasicek" => vasicek(case, checks),
        "cir" => cir(case, checks),
        "hull_white" => hull_white(case, checks),
        other => Err(format!("unknown process {other:?}").into()),
    }
}

/// Compares rates and probabilities (`absolute`) absolutely, all others relatively.
fn compare(
    case: &Case<'_>,
    actual: &[(&'static str, f64)],
    absolute: &[&str],
    checks: &mut Checks,
) -> Result {
    for (name, actual) in actual {
        let expected: f64 = case.expected.get(name)?;
        let scale = if absolute.contains(name) { 1.0 } else { expected };
        checks.scaled(name, *actual, expected, scale, 1e-9, 1e-12);
    }
    Ok(())
}

fn gbm(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, params) = (case.input, case.input.at("params"));
    let law = GbmLaw { spot: params.get("s0")?, drift: params.get("mu")?, volatility: params.get("sigma")? };
    let (s, t) = (input.get("s")?, input.get("t")?);
    let actual = [
        ("mean", law.mean(t)),
        ("variance", law.variance(t)),
        ("log_mean", law.log_mean(t)),
        ("log_variance", law.log_variance(t)),
        ("skewness", law.skewness(t)),
        ("excess_kurtosis", law.excess_kurtosis(t)),
        ("covariance_s_t", law.covariance(s, t)),
        ("log_covariance_s_t", law.log_covariance(s, t)),
        ("prob_below_k", law.probability_below(input.get("k")?, t)),
        ("quantile_05", law.quantile(0.05, t)),
        ("quantile_50", law.quantile(0.5, t)),
        ("quantile_95", law.quantile(0.95, t)),
    ];
    compare(case, &actual, &["prob_below_k"], checks)
}

fn vasicek(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, params) = (case.input, case.input.at("params"));
    let law = Vasicek {
        start: params.get("x0")?,
        speed: params.get("kappa")?,
        mean: params.get("theta")?,
        volatility: params.get("sigma")?,
    };
    let (s, t, horizon) = (input.get("s")?, input.get("t")?, input.get("bond_maturity")?);
    let actual = [
        ("mean", law.mean_at(t)),
        ("variance", law.variance(t)),
        ("covariance_s_t", law.covariance(s, t)),
        ("stationary_mean", law.mean),
        ("stationary_variance", law.stationary_variance()),
        ("half_life", law.half_life()),
        ("prob_below_k", law.probability_below(input.get("k")?, t)),
        ("integral_mean", law.integral_mean(horizon)),
        ("integral_variance", law.integral_variance(horizon)),
        ("zero_bond", law.zero_bond(horizon)),
    ];
    compare(case, &actual, &["mean", "stationary_mean", "prob_below_k", "integral_mean"], checks)
}

fn cir(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, params) = (case.input, case.input.at("params"));
    let law = Cir {
        start: params.get("x0")?,
        speed: params.get("kappa")?,
        mean: params.get("theta")?,
        volatility: params.get("sigma")?,
    };
    let t = input.get("t")?;
    let actual = [
        ("mean", law.mean_at(t)),
        ("variance", law.variance(t)),
        ("stationary_mean", law.mean),
        ("stationary_variance", law.stationary_variance()),
        ("zero_bond", law.zero_bond(input.get("bond_maturity")?)),
        ("prob_below_k", law.probability_below(input.get("k")?, t)),
    ];
    checks.holds("feller", law.stays_positive() == case.expected.get::<bool>("feller")?);
    compare(case, &actual, &["mean", "stationary_mean", "prob_below_k"], checks)
}

fn hull_white(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, params) = (case.input, case.input.at("params"));
    let curve = NelsonSiegel {
        level: params.get("ns_beta0")?,
        slope: params.get("ns_beta1")?,
        hump: params.get("ns_beta2")?,
        scale: params.get("ns_tau")?,
    };
    let model = HullWhite { curve, speed: params.get("kappa")?, volatility: params.get("sigma")? };
    let (t, maturity, strike) = (input.get("t")?, input.get("T")?, input.get("strike")?);
    let actual = [
        ("discount_t", exp(curve.log_discount(t))),
        ("discount_T", exp(curve.log_discount(maturity))),
        ("forward_t", curve.forward(t)),
        ("mean_r", model.mean(t)),
        ("variance_r", model.variance(t)),
        ("bond_t_T_given_r", model.bond(t, maturity, input.get("r_t")?)),
        ("bond_call", model.bond_option(OptionRight::Call, t, maturity, strike)?),
        ("bond_put", model.bond_option(OptionRight::Put, t, maturity, strike)?),
    ];
    compare(case, &actual, &["forward_t", "mean_r"], checks)
}

/// The family `process_paths`.
pub(super) fn paths(case: &Case<'_>, checks: &mut Checks) -> Result {
    let (input, params) = (case.input, case.input.at("params"));
    let dt = input.get("dt")?;
    let path = || -> Result<_> {
        let (normals, expected): (Vec<f64>, Vec<f64>) = (input.get("normals")?, input.get("expected")?);
        Ok(normals.into_iter().zip(expected))
    };
    match input.get("process")? {
        "gbm" => {
            let step = Gbm::new(params.get("mu")?, params.get("sigma")?, dt);
            let mut log_price = ln(params.get("s0")?);
            for (z, expected) in path()? {
                log_price = step.next(log_price, z);
                checks.relative("gbm", exp(log_price), expected, 1e-12, 1e-14);
            }
        }
        "vasicek" => {
            let (mean, speed) = (params.get("theta")?, params.get("kappa")?);
            let step = MeanReverting::new(mean, speed, params.get("sigma")?, dt);
            let mut x = params.get("x0")?;
            for (z, expected) in path()? {
                x = step.next(x, z);
                checks.absolute("vasicek", x, expected, 1e-12, 1e-14);
            }
        }
        "correlated_gbm" => correlated(case, dt, checks)?,
        other => return Err(format!("unknown process {other:?}").into()),
    }
    Ok(())
}

fn correlated(case: &Case<'_>, dt: f64, checks: &mut Checks) -> Result {
    type Rows = Vec<Vec<f64>>;
    let params = case.input.at("params");
    let (spots, drifts, volatilities): (Vec<f64>, Vec<f64>, Vec<f64>) =
        (params.get("s0")?, params.get("mu")?, params.get("sigma")?);
    let matrix = params.get::<Rows>("correlation")?.concat();
    let lower = cholesky(&matrix, spots.len()).ok_or("the correlations are not positive definite")?;
    for (actual, expected) in lower.iter().zip(params.get::<Rows>("cholesky")?.concat()) {
        checks.absolute("cholesky", *actual, expected, 1e-12, 1e-14);
    }
    let steps = drifts.iter().zip(&volatilities).map(|(drift, volatility)| Gbm::new(*drift, *volatility, dt));
    let steps: Vec<Gbm> = steps.collect();
    let mut logs: Vec<f64> = spots.iter().map(|spot| ln(*spot)).collect();
    let mut moves = vec![0.0; spots.len()];
    let expected: Rows = case.input.get("expected")?;
    for (normals, expected) in case.input.get::<Rows>("normals")?.iter().zip(expected) {
        correlate(&lower, normals, &mut moves);
        for (at, expected) in expected.into_iter().enumerate() {
            logs[at] = steps[at].next(logs[at], moves[at]);
            checks.relative("correlated", exp(logs[at]), expected, 1e-12, 1e-14);
        }
    }
    Ok(())
}
