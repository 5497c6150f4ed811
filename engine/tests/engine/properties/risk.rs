//! Properties of risk books: sums of explanations and buckets, grids, simulations
//! against closed forms.

use crate::properties::cases;
use engine::instrument::{BondTerms, DayCount, Exercise, InstrumentKind, OptionRight};
use engine::pricing::cash_flows::CashFlows;
use engine::pricing::curve::{Curve, Interpolation};
use engine::risk::book::{Contract, RiskBook, RiskLine, Scenario, Underlier, Workspace};
use engine::risk::explain::explain;
use engine::risk::exposure::Exposures;
use engine::risk::greeks::{SpotGreeks, by_underlier, dv01_by_bucket};
use engine::risk::normal_var::{LognormalPosition, NormalFactors, lognormal, parametric, simulate};
use engine::risk::plan::RevaluationPlan;
use engine::risk::stress::{StressGrid, grid, profit as profit_of};
use engine::risk::var::historical;
use engine::sim::rng::{Purpose, Seed, Stream};
use engine::time::Date;
use proptest::prelude::*;

fn today() -> Date {
    "2026-01-05".parse().unwrap()
}

fn curve(shift: f64) -> Curve {
    let nodes: Vec<(Date, f64)> = [1, 2, 5, 10, 30]
        .map(|years| {
            let date = today().add_months(12 * years);
            (date, libm::exp(-(0.02 + 0.001 * f64::from(years) + shift) * f64::from(years)))
        })
        .to_vec();
    Curve::through(today(), Interpolation::LoglinearDf, &nodes).unwrap()
}

/// Returns a book of all kinds of contracts in the given quantities.
fn book(quantities: &[f64; 7]) -> RiskBook {
    let option =
        |right, exercise, strike, days| Contract::Option { right, exercise, strike, days, vol: 0.25 };
    let bond = BondTerms {
        issue: today().add_months(-30),
        maturity: today().add_months(94),
        coupon_e9: 37_500_000,
        frequency: 2,
        day_count: DayCount::ActActIcma,
    };
    let mut net = CashFlows::default();
    for year in 1..=7 {
        net.push(f64::from(year), if year == 7 { 103.0 } else { 3.0 });
    }
    net.push(0.25, -101.0);
    let contracts = [
        Contract::Equity,
        option(OptionRight::Call, Exercise::European, 110.0, 90),
        option(OptionRight::Put, Exercise::American, 95.0, 200),
        Contract::Future { days: 60, trade_price: 99.0 },
        Contract::Bond { terms: bond, coupon_rate: 0.0375, settlement: today(), annual_yield: 0.035 },
        Contract::Flows { net, spread: 0.001 },
        Contract::Equity,
    ];
    let lines = contracts.into_iter().zip(quantities).enumerate();
    RiskBook {
        underliers: vec![
            Underlier { spot: 100.0, rate: 0.03, div_yield: 0.01 },
            Underlier { spot: 40.0, rate: 0.03, div_yield: 0.0 },
        ],
        curve: curve(0.0),
        lines: lines
            .map(|(at, (contract, quantity))| RiskLine { quantity: *quantity, underlier: at / 6, contract })
            .collect(),
    }
}

/// Returns the book after a market move.
fn moved(book: &RiskBook, spot: f64, vol: f64, rate: f64) -> RiskBook {
    let mut after = book.clone();
    for underlier in &mut after.underliers {
        underlier.spot *= 1.0 + spot;
        underlier.rate += rate;
    }
    after.curve = curve(rate);
    for line in &mut after.lines {
        match &mut line.contract {
            Contract::Option { vol: known, .. } => *known += vol,
            Contract::Bond { annual_yield, .. } => *annual_yield += rate,
            _ => {}
        }
    }
    after
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn an_explanation_sums_exactly(
        quantities in proptest::array::uniform7(-1_000.0..1_000.0_f64),
        spot in -0.2..0.2_f64,
        vol in -0.1..0.1_f64,
        rate in -0.01..0.01_f64,
        days in 0_i32..10,
    ) {
        let before = book(&quantities);
        let after = moved(&before, spot, vol, rate);
        let parts = explain(&before, &after, days).unwrap();
        prop_assert_eq!(parts.explained() + parts.residual, parts.total);
        // The total is a revaluation.
        let mut workspace = Workspace::default();
        let (mut old, mut new) = ([0.0; 7], [0.0; 7]);
        before.values(&Scenario::default(), &mut workspace, &mut old).unwrap();
        after.values(&Scenario { days, ..Scenario::default() }, &mut workspace, &mut new).unwrap();
        let gain: f64 = new.iter().sum::<f64>() - old.iter().sum::<f64>();
        prop_assert!((gain - parts.total.0 as f64 / 1e6).abs() < 1e-5, "{gain} for {}", parts.total);
    }

    #[test]
    fn small_moves_leave_small_residuals(quantities in proptest::array::uniform7(1.0..1_000.0_f64)) {
        let before = book(&quantities);
        let after = moved(&before, 0.001, 0.001, 0.000_1);
        let parts = explain(&before, &after, 1).unwrap();
        let size = parts.delta.0.abs() + parts.curve.0.abs();
        prop_assert!(parts.residual.0.abs() * 50 < size, "{parts:?}");
    }

    #[test]
    fn dv01_buckets_sum_to_the_parallel(quantities in proptest::array::uniform7(-1_000.0..1_000.0_f64)) {
        let book = book(&quantities);
        let mut buckets = [0.0; 5];
        let parallel = dv01_by_bucket(&book, &mut buckets).unwrap();
        let sum: f64 = buckets.iter().sum();
        let size: f64 = buckets.iter().map(|bucket| bucket.abs()).sum();
        prop_assert!((sum - parallel).abs() < 2e-6 * size + 1e-12, "{sum} for {parallel}");
    }

    #[test]
    fn greeks_are_slopes_of_the_book(quantities in proptest::array::uniform7(1.0..1_000.0_f64)) {
        let book = book(&quantities);
        let mut workspace = Workspace::default();
        let mut greeks = [SpotGreeks::default(); 2];
        by_underlier(&book, &mut workspace, &mut greeks).unwrap();
        let mut worth = |scenario: Scenario| -> f64 {
            let mut values = [0.0; 7];
            book.values(&scenario, &mut workspace, &mut values).unwrap();
            values.iter().take(6).sum()
        };
        let still = Scenario::default();
        let h = 1e-4;
        let (up, down) = (worth(Scenario { spot: h, ..still }), worth(Scenario { spot: -h, ..still }));
        let delta = (up - down) / (2.0 * h * 100.0);
        prop_assert!((delta - greeks[0].delta).abs() < 1e-3 * greeks[0].delta.abs() + 1e-3, "{delta}");
        let (up, down) = (worth(Scenario { vol: h, ..still }), worth(Scenario { vol: -h, ..still }));
        let vega = (up - down) / (2.0 * h);
        prop_assert!((vega - greeks[0].vega).abs() < 1e-3 * greeks[0].vega.abs(), "{vega}");
        prop_assert_eq!(greeks[1].delta, quantities[6]);
    }

    #[test]
    fn a_grid_equals_single_scenarios(quantities in proptest::array::uniform7(-1_000.0..1_000.0_f64)) {
        let book = book(&quantities);
        let axes = StressGrid {
            spots: vec![-0.2, 0.0, 0.1],
            vols: vec![0.0, 0.05],
            rates: vec![-0.01, 0.0],
            days: vec![0, 1],
        };
        let mut totals = vec![0.0; axes.len()];
        grid(&mut RevaluationPlan::new(book.clone()).unwrap(), &axes, &mut totals).unwrap();
        let mut workspace = Workspace::default();
        let (mut base, mut profit) = ([0.0; 7], [0.0; 7]);
        book.values(&Scenario::default(), &mut workspace, &mut base).unwrap();
        for (cell, total) in axes.cells().zip(&totals) {
            profit_of(&book, &base, &cell, &mut workspace, &mut profit).unwrap();
            let gain: f64 = profit.iter().sum();
            prop_assert!((gain - total).abs() < 1e-7, "{cell:?}: {gain} for {total}");
        }
        // spots 3 × vols 2 × rates 2 × days 2; the unmoved cell
        prop_assert_eq!(totals.len(), 24);
        prop_assert!(totals[10].abs() < 1e-9);
    }

    #[test]
    fn components_sum_to_the_var(
        exposures in proptest::array::uniform3(-1e6..1e6_f64),
        vols in proptest::array::uniform3(0.001..0.05_f64),
        correlation in -0.45..0.9_f64,
        confidence in 5_000_u32..9_999,
    ) {
        let covariance: Vec<f64> = (0..9)
            .map(|at| vols[at / 3] * vols[at % 3] * if at / 3 == at % 3 { 1.0 } else { correlation })
            .collect();
        let means = [1e-4, -2e-4, 3e-4];
        let factors = NormalFactors { exposures: &exposures, means: &means, covariance: &covariance, horizon: 10.0 };
        let mut components = [0.0; 3];
        let risk = parametric(&factors, confidence, &mut components).unwrap();
        let sum: f64 = components.iter().sum();
        prop_assert!((sum - risk.var).abs() < 1e-9 * risk.sigma, "{sum} for {}", risk.var);
        prop_assert!(risk.expected_shortfall >= risk.var - 1e-9 * risk.sigma);
    }
}

#[test]
fn exposures_are_by_class() {
    let book = book(&[10.0, 0.0, 0.0, 0.0, -2.0, 0.0, -5.0]);
    let exposures = Exposures::of(&book).unwrap();
    // 10 × 100 − 5 × 40 = 800 net, 1,200 gross
    let equity = exposures.class(InstrumentKind::Equity);
    assert_eq!((equity.net, equity.gross), (800.0, 1_200.0));
    assert!(exposures.class(InstrumentKind::Bond).net < -180.0);
    assert_eq!(exposures.largest, 1_000.0);
    assert_eq!(exposures.leverage(exposures.total.gross / 2.0), Some(2.0));
    assert_eq!((exposures.leverage(0.0), exposures.leverage(-1.0)), (None, None));
    assert_eq!(exposures.concentration(), 1_000.0 / exposures.total.gross);
}

/// Draws standard normals from the engine's generator.
fn normals() -> impl FnMut() -> f64 {
    let seed: Seed = "20260105".parse().unwrap();
    let mut stream = Stream::new(&seed, "RISK", Purpose::Price);
    let mut address = 0;
    move || {
        address += 1;
        stream.at(address).normal()
    }
}

const PATH_COUNT: usize = 60_000;

#[test]
fn a_simulation_agrees_with_the_lognormal_formula() {
    let position = LognormalPosition { value: 1e6, long: true, drift: 0.05, volatility: 0.3, horizon: 0.25 };
    let means = [(position.drift - 0.045) * 0.25];
    let covariance = [0.09 * 0.25];
    let factors = NormalFactors { exposures: &[], means: &means, covariance: &covariance, horizon: 1.0 };
    let mut pnl = vec![0.0; PATH_COUNT];
    simulate(&factors, normals(), |moves| 1e6 * libm::expm1(moves[0]), &mut pnl).unwrap();
    for confidence in [9_000, 9_900] {
        let exact = lognormal(&position, confidence).unwrap();
        let sample = historical(&mut pnl, confidence).unwrap();
        let error = 4.0 * exact.simulation_error / (PATH_COUNT as f64).sqrt();
        assert!((sample.var - exact.var).abs() < error, "{} for {}", sample.var, exact.var);
        assert!((sample.expected_shortfall - exact.expected_shortfall).abs() < 2.0 * error);
    }
}

#[test]
fn a_simulation_of_linear_factors_agrees_with_the_parametric_formula() {
    let exposures = [3e5, -2e5];
    let (means, covariance) = ([1e-4, 2e-4], [4e-4, 1e-4, 1e-4, 9e-4]);
    let factors =
        NormalFactors { exposures: &exposures, means: &means, covariance: &covariance, horizon: 2.0 };
    let mut components = [0.0; 2];
    let exact = parametric(&factors, 9_500, &mut components).unwrap();
    let mut pnl = vec![0.0; PATH_COUNT];
    let gain = |moves: &[f64]| moves.iter().zip(&exposures).map(|(change, held)| change * held).sum();
    simulate(&factors, normals(), gain, &mut pnl).unwrap();
    let sample = historical(&mut pnl, 9_500).unwrap();
    // √(α(1 − α)) / φ(z) · σ, the standard error of a normal quantile
    let error = 4.0 * (0.05_f64 * 0.95).sqrt() / 0.103_135_6 * exact.sigma / (PATH_COUNT as f64).sqrt();
    assert!((sample.var - exact.var).abs() < error, "{} for {}", sample.var, exact.var);
}
