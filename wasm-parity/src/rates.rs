//! Curves, swaps, bonds, processes and risk books, from random quotes.

use engine::instrument::{BondTerms, DayCount, Exercise, OptionRight};
use engine::math::noncentral_chi_square_cdf;
use engine::pricing::bond::BondFlows;
use engine::pricing::curve::{Bootstrap, CurveInstrument, Interpolation};
use engine::pricing::flow_book::FlowBook;
use engine::pricing::future::{FutureCarry, fair_value};
use engine::pricing::swap::{Leg, SwapContract};
use engine::risk::book::{Contract, RiskBook, RiskLine, Scenario, Underlier, Workspace};
use engine::risk::explain::{Explained, explain};
use engine::risk::greeks::dv01_by_bucket;
use engine::risk::margin::{Scan, ScanRange};
use engine::risk::normal_var::{LognormalPosition, NormalFactors, lognormal, parametric};
use engine::risk::plan::RevaluationPlan;
use engine::sim::processes::{Cir, GbmLaw, Heston, HullWhite, JumpDiffusion, NelsonSiegel, Vasicek};
use engine::time::Date;
use sha2::{Digest, Sha256};

use crate::trading::Random;
use crate::update;

/// Draws a number in [low, high), in steps of a millionth of the width.
fn between(random: &mut Random, low: f64, high: f64) -> f64 {
    low + (high - low) * (random.below(1_000_000) as f64 / 1e6)
}

const INTERPOLATIONS: [Interpolation; 3] =
    [Interpolation::LoglinearDf, Interpolation::LinearZero, Interpolation::NaturalCubicZero];

/// Bootstraps `cases` curves and values swaps and bonds on them.
pub(crate) fn curves(cases: u64, hash: &mut Sha256) {
    let mut random = Random(0xc0ffee);
    for case in 0..cases {
        let reference = Date::from_days(15_000 + random.below(9_000) as i32);
        let frequency = [1, 2, 4][random.below(3) as usize];
        let deposits = [1, 3, 6, 12].map(|months| CurveInstrument::Deposit { months });
        let swaps = [2, 3, 5, 10, 30].map(|years| CurveInstrument::Swap { months: 12 * years, frequency });
        let instruments: Vec<CurveInstrument> = deposits.into_iter().chain(swaps).collect();
        let mut rate = between(&mut random, -0.01, 0.08);
        let mut rates = Vec::new();
        for _ in &instruments {
            rate += between(&mut random, -0.003, 0.003);
            rates.push(rate);
        }
        let leg = |rate, frequency, day_count| Leg { rate, frequency, day_count };
        let start = reference.add_months(-(random.below(20) as i32));
        let contract = SwapContract {
            notional: 1e6,
            receives_fixed: random.below(2) == 0,
            start,
            end: start.add_months(24 + 6 * random.below(40) as i32),
            fixed: leg(between(&mut random, 0.0, 0.1), 2, DayCount::Thirty360),
            floating: leg(between(&mut random, 0.0, 0.01), 4, DayCount::Act360),
        };
        let Ok(mut plan) = Bootstrap::new(reference, INTERPOLATIONS[case as usize % 3], &instruments) else {
            return;
        };
        let Ok(curve) = plan.curve(&rates) else { return };
        update(hash, &[0.1, 0.9, 3.3, 17.0, 29.9, 35.0].map(|time| curve.df(time)));
        update(hash, &[0.1, 0.9, 3.3, 17.0, 29.9].map(|time| curve.forward_at(time)));
        let Ok(flows) = contract.flows(reference, Some(0.02)) else { continue };
        let (value, net) = (flows.value(&curve), flows.net());
        let mut buckets = vec![0.0; rates.len()];
        net.key_rate_dv01(&curve, &mut buckets);
        update(hash, &[value.pv, value.par_rate, value.annuity, net.dv01(&curve)]);
        update(hash, &[net.shift_change(&curve, 0.01)]);
        update(hash, &buckets);
        if case % 8 == 0 && net.quote_dv01(&mut plan, &rates, &mut buckets).is_ok() {
            update(hash, &buckets);
        }
        let terms = BondTerms {
            issue: start,
            maturity: start.add_months(40 + random.below(300) as i32),
            coupon_e9: random.below(120_000_000) as i64,
            frequency: [1, 2, 4][random.below(3) as usize],
            day_count: [DayCount::ActActIcma, DayCount::Thirty360][random.below(2) as usize],
        };
        let Ok(bond) = BondFlows::of(&terms, reference) else { continue };
        let on_curve = bond.cash_flows(&terms, reference);
        let dirty = on_curve.present_value(&curve) * between(&mut random, 0.8, 1.2);
        update(hash, &[dirty, on_curve.z_spread(&curve, dirty).unwrap_or(f64::MAX)]);
        if let Ok(value) = bond.yield_from_clean(dirty - bond.accrued()).and_then(|rate| bond.value(rate)) {
            update(hash, &[value.clean, value.macaulay, value.convexity, value.dv01]);
        }
        let mut book = FlowBook::new([(&net, 0.0), (&on_curve, 0.01)]);
        let (mut values, mut dv01s) = ([0.0; 2], [0.0; 2]);
        book.values_and_dv01s(&curve, &mut values, &mut dv01s);
        update(hash, &values);
        update(hash, &dv01s);
    }
}

/// Revalues, explains and scans `cases` random books.
pub(crate) fn risk(cases: u64, hash: &mut Sha256) {
    let mut random = Random(0x0b00_c0de);
    for _ in 0..cases {
        let before = book(&mut random);
        let mut after = before.clone();
        after.underliers[0].spot *= between(&mut random, 0.8, 1.2);
        after.curve = before.curve.shifted(between(&mut random, -0.01, 0.01));
        if let Ok(parts) = explain(&before, &after, random.below(5) as i32) {
            let Explained { delta, gamma, vega, theta, carry_and_roll, curve, residual, total } = parts;
            for money in [delta, gamma, vega, theta, carry_and_roll, curve, residual, total] {
                hash.update(money.0.to_le_bytes());
            }
        }
        let mut workspace = Workspace::default();
        let range = ScanRange { spot: between(&mut random, 0.05, 0.3), vol: 0.1, rate: 0.01 };
        for line in 0..before.lines.len() {
            let Ok(scan) = Scan::of_line(&before, line, &range, &mut workspace) else { continue };
            scan.0.iter().for_each(|money| hash.update(money.0.to_le_bytes()));
        }
        let mut buckets = vec![0.0; before.curve.node_times().len()];
        if let Ok(parallel) = dv01_by_bucket(&before, &mut buckets) {
            update(hash, &buckets);
            update(hash, &[parallel]);
        }
        let mut values = vec![0.0; before.lines.len()];
        if let Ok(mut plan) = RevaluationPlan::new(before) {
            let spot = between(&mut random, -0.3, 0.3);
            let scenario = Scenario { spot, vol: 0.05, rate: -0.002, days: random.below(2) as i32 };
            if plan.values(&scenario, &mut values).is_ok() {
                update(hash, &values);
            }
        }
        closed_forms(&mut random, hash);
    }
}

fn book(random: &mut Random) -> RiskBook {
    let today = Date::from_days(20_458);
    let mut lines = Vec::new();
    for at in 0..6 {
        let option = Contract::Option {
            right: if random.below(2) == 0 { OptionRight::Call } else { OptionRight::Put },
            exercise: if random.below(4) == 0 { Exercise::American } else { Exercise::European },
            strike: between(random, 70.0, 130.0),
            days: 1 + random.below(700) as i32,
            vol: between(random, 0.05, 0.8),
        };
        let bond = Contract::Bond {
            terms: BondTerms {
                issue: today.add_months(-7),
                maturity: today.add_months(13 + random.below(200) as i32),
                coupon_e9: 0,
                frequency: 2,
                day_count: DayCount::ActActIcma,
            },
            coupon_rate: between(random, 0.0, 0.1),
            settlement: today,
            annual_yield: between(random, -0.01, 0.1),
        };
        let future =
            Contract::Future { days: random.below(300) as i32, trade_price: between(random, 90.0, 110.0) };
        let contract = [Contract::Equity, option, bond, future][at % 4].clone();
        lines.push(RiskLine { quantity: between(random, -1e3, 1e3), underlier: 0, contract });
    }
    let nodes: Vec<(Date, f64)> =
        (1..=5).map(|years| (today.add_months(48 * years), 1.0 - 0.11 * f64::from(years))).collect();
    let curve = engine::pricing::curve::Curve::through(today, Interpolation::NaturalCubicZero, &nodes);
    RiskBook {
        underliers: vec![Underlier {
            spot: between(random, 80.0, 120.0),
            rate: between(random, 0.0, 0.06),
            div_yield: between(random, 0.0, 0.04),
        }],
        curve: curve.unwrap_or_else(|_| engine::pricing::curve::Curve::flat(today, 0.03)),
        lines,
    }
}

/// Hashes closed forms of processes and risk, and one step of each scheme.
fn closed_forms(random: &mut Random, hash: &mut Sha256) {
    let (t, horizon) = (between(random, 0.01, 5.0), between(random, 0.1, 10.0));
    let (speed, mean) = (between(random, 0.05, 3.0), between(random, 0.01, 0.1));
    let (start, volatility) = (between(random, 0.005, 0.1), between(random, 0.01, 0.3));
    let cir = Cir { start, speed, mean, volatility };
    let vasicek = Vasicek { start, speed, mean, volatility };
    let z = between(random, -3.0, 3.0);
    update(hash, &[cir.variance(t), cir.zero_bond(horizon), cir.probability_below(mean, t)]);
    update(hash, &[vasicek.integral_variance(horizon), vasicek.zero_bond(horizon), vasicek.variance(t)]);
    update(hash, &[noncentral_chi_square_cdf(50.0 * t, horizon, 100.0 * mean)]);
    let curve = NelsonSiegel { level: mean, slope: start - mean, hump: 0.01, scale: 2.0 };
    let model = HullWhite { curve, speed, volatility: 0.1 * volatility };
    update(hash, &[model.mean(t), model.bond(t, t + 1.0, start), model.next(t, 0.1, start, z)]);
    update(hash, &[model.bond_option(OptionRight::Call, t, t + 1.0, 0.95).unwrap_or(f64::MAX)]);
    let gbm = GbmLaw { spot: 100.0, drift: mean, volatility };
    update(hash, &[gbm.excess_kurtosis(t), gbm.quantile(0.05, t), gbm.probability_below(90.0, t)]);
    let (log_price, variance) = Heston::new(mean, cir, -0.6, 0.02).next(4.6, start, z, -0.7 * z);
    let jumped = JumpDiffusion::new(mean, volatility, 5.0, (-0.02, 0.05), 0.2);
    update(hash, &[log_price, variance, jumped.next(4.6, z, between(random, 0.0, 1.0), -z)]);

    let covariance = [4e-4, 1e-4, 1e-4, 9e-4];
    let exposures = [between(random, -1e6, 1e6), 1e6 * mean];
    let factors =
        NormalFactors { exposures: &exposures, means: &[1e-4, 0.0], covariance: &covariance, horizon };
    let mut components = [0.0; 2];
    let confidence = 9_000 + random.below(990) as u32;
    if let Ok(risk) = parametric(&factors, confidence, &mut components) {
        update(hash, &[risk.var, risk.expected_shortfall, components[0], components[1]]);
    }
    let position = LognormalPosition { value: 1e6, long: z > 0.0, drift: mean, volatility, horizon };
    if let Ok(risk) = lognormal(&position, confidence) {
        update(hash, &[risk.var, risk.expected_shortfall, risk.simulation_error]);
    }
    let dividends = [(0.3 * t, 1.0), (0.7 * t, 2.0)];
    let carry = FutureCarry { spot: 100.0, rate: mean, div_yield: 0.0, time: t, dividends: &dividends };
    let value = fair_value(&carry);
    update(hash, &[value.price, value.rho]);
}
