//! Exact steps of the simulated processes against reference moments, and samples
//! against their laws. The laws are compared in `vectors`.

use engine::math::{inverse_normal_cdf, normal_cdf};
use engine::sim::processes::{Gbm, MeanReverting};
use engine::sim::rng::{Purpose, Seed, Stream};
use serde_json::Value;

/// A case of the reference moments.
struct Case(Value);

impl Case {
    fn param(&self, name: &str) -> f64 {
        self.0["params"][name].as_f64().unwrap()
    }

    fn number(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap()
    }

    fn expected(&self, name: &str) -> f64 {
        self.0["expected"][name].as_f64().unwrap()
    }

    fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    fn gbm(&self, dt: f64) -> Gbm {
        Gbm::new(self.param("mu"), self.param("sigma"), dt)
    }

    fn vasicek(&self, dt: f64) -> MeanReverting {
        let (theta, kappa) = (self.param("theta"), self.param("kappa"));
        MeanReverting::new(theta, kappa, self.param("sigma"), dt)
    }

    fn near(&self, what: &str, got: f64, expected: f64, tolerance: f64) {
        let error = (got - expected).abs();
        assert!(error <= tolerance, "{} {what}: {got} for {expected}, off by {error:e}", self.id());
    }
}

fn cases(text: &str, process: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let found: Vec<Case> =
        cases.iter().filter(|case| case["process"] == process).map(|case| Case(case.clone())).collect();
    assert!(!found.is_empty(), "no {process}");
    found
}

const MOMENTS: &str = include_str!("../../vectors/process_moments.json");

/// must 1e-9, goal 1e-12; probabilities and rates absolute, the rest relative.
const GOAL: f64 = 1e-12;

#[test]
fn a_gbm_step_has_the_moments_of_its_law() {
    for case in cases(MOMENTS, "gbm") {
        let (s, t) = (case.number("s"), case.number("t"));
        let start = libm::log(case.param("s0"));
        let (process, until_s) = (case.gbm(t), case.gbm(s));
        let log_mean = process.next(start, 0.0);
        let square = |process: &Gbm| process.deviation() * process.deviation();
        let (v, v_s) = (square(&process), square(&until_s));
        let mean = libm::exp(log_mean + 0.5 * v);
        let mean_s = libm::exp(until_s.next(start, 0.0) + 0.5 * v_s);
        let (e, e_s) = (libm::expm1(v), libm::expm1(v_s));
        let got = [
            ("log_mean", log_mean),
            ("log_variance", v),
            ("mean", mean),
            ("variance", mean * mean * e),
            ("skewness", (libm::exp(v) + 2.0) * libm::sqrt(e)),
            ("covariance_s_t", mean_s * mean * e_s),
            ("log_covariance_s_t", v_s),
            ("quantile_05", libm::exp(process.next(start, inverse_normal_cdf(0.05)))),
            ("quantile_50", libm::exp(process.next(start, inverse_normal_cdf(0.5)))),
            ("quantile_95", libm::exp(process.next(start, inverse_normal_cdf(0.95)))),
        ];
        for (what, got) in got {
            let expected = case.expected(what);
            case.near(what, got, expected, GOAL * expected.abs());
        }
        let below = (libm::log(case.number("k")) - log_mean) / process.deviation();
        case.near("prob_below_k", normal_cdf(below), case.expected("prob_below_k"), GOAL);
    }
}

#[test]
fn a_vasicek_step_has_the_moments_of_its_law() {
    for case in cases(MOMENTS, "vasicek") {
        let (s, t) = (case.number("s"), case.number("t"));
        let process = case.vasicek(t);
        let mean = process.next(case.param("x0"), 0.0);
        let square = |process: &MeanReverting| process.deviation() * process.deviation();
        // Remainder at t of a unit at s.
        let later = case.vasicek(t - s);
        let left = later.next(case.param("theta") + 1.0, 0.0) - case.param("theta");
        let forever = case.vasicek(1e6);
        case.near("mean", mean, case.expected("mean"), GOAL);
        let stationary = forever.next(case.param("x0"), 0.0);
        case.near("stationary_mean", stationary, case.expected("stationary_mean"), GOAL);
        for (what, got) in [("variance", square(&process)), ("stationary_variance", square(&forever))] {
            let expected = case.expected(what);
            case.near(what, got, expected, GOAL * expected);
        }
        // Relative to the variance: `left` may be a rounding error of one.
        let (covariance, variance) = (square(&case.vasicek(s)) * left, square(&process));
        case.near("covariance_s_t", covariance, case.expected("covariance_s_t"), GOAL * variance);
        let below = (case.number("k") - mean) / process.deviation();
        case.near("prob_below_k", normal_cdf(below), case.expected("prob_below_k"), GOAL);
    }
}

/// Returns sample mean and variance of `draw` over a case's own stream.
fn sample(case: &Case, draw: impl Fn(f64) -> f64) -> (f64, f64) {
    let seed: Seed = "20260105".parse().unwrap();
    let mut stream = Stream::new(&seed, case.id(), Purpose::Price);
    let values: Vec<f64> = (0..SAMPLE_COUNT).map(|path| draw(stream.at(path).normal())).collect();
    let mean = values.iter().sum::<f64>() / SAMPLE_COUNT as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, squares / (SAMPLE_COUNT - 1) as f64)
}

const SAMPLE_COUNT: u64 = 20_000;

#[test]
fn sampled_gbm_moments_are_within_four_standard_errors() {
    let n = SAMPLE_COUNT as f64;
    for case in cases(MOMENTS, "gbm") {
        let process = case.gbm(case.number("t"));
        let start = libm::log(case.param("s0"));
        let (log_mean, log_variance) = sample(&case, |z| process.next(start, z));
        let v = case.expected("log_variance");
        case.near("log mean", log_mean, case.expected("log_mean"), 4.0 * libm::sqrt(v / n));
        case.near("log variance", log_variance, v, 4.0 * v * libm::sqrt(2.0 / n));
        let (mean, _) = sample(&case, |z| libm::exp(process.next(start, z)));
        let error = libm::sqrt(case.expected("variance") / n);
        case.near("mean", mean, case.expected("mean"), 4.0 * error);
    }
}

#[test]
fn sampled_vasicek_moments_are_within_four_standard_errors() {
    let n = SAMPLE_COUNT as f64;
    for case in cases(MOMENTS, "vasicek") {
        let process = case.vasicek(case.number("t"));
        let (mean, variance) = sample(&case, |z| process.next(case.param("x0"), z));
        let v = case.expected("variance");
        case.near("mean", mean, case.expected("mean"), 4.0 * libm::sqrt(v / n));
        case.near("variance", variance, v, 4.0 * v * libm::sqrt(2.0 / n));
    }
}
