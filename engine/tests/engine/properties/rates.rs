//! Properties of curves, swaps, bonds and futures: repricing, buckets, round
//! trips.

use engine::instrument::{BondTerms, DayCount};
use engine::pricing::bond::BondFlows;
use engine::pricing::cash_flows::CashFlows;
use engine::pricing::curve::{Bootstrap, Curve, CurveError, CurveInstrument, Interpolation};
use engine::pricing::future::{FutureCarry, fair_value};
use engine::pricing::swap::{Leg, SwapContract, SwapError};
use engine::time::Date;
use proptest::prelude::*;

const INTERPOLATIONS: [Interpolation; 3] =
    [Interpolation::LoglinearDf, Interpolation::LinearZero, Interpolation::NaturalCubicZero];

/// Deposits of 1, 3, 6 and 12 months and swaps of 2 to 30 years.
fn instruments(frequency: u8) -> Vec<CurveInstrument> {
    let deposits = [1, 3, 6, 12].map(|months| CurveInstrument::Deposit { months });
    let swaps =
        [2, 3, 5, 7, 10, 15, 20, 30].map(|years| CurveInstrument::Swap { months: 12 * years, frequency });
    deposits.into_iter().chain(swaps).collect()
}

prop_compose! {
    /// A reference date, a fixed frequency and smoothly varying quotes.
    fn market()(
        days in 15_000_i32..25_000,
        frequency in prop_oneof![Just(1_u8), Just(2), Just(4)],
        level in -0.005..0.08_f64,
        steps in proptest::collection::vec(-0.003..0.003_f64, 12),
    ) -> (Date, u8, Vec<f64>) {
        let mut rate = level;
        let rates = steps.into_iter().map(|step| { rate += step; rate }).collect();
        (Date::from_days(days), frequency, rates)
    }
}

fn curves(reference: Date, frequency: u8, rates: &[f64]) -> Vec<(Bootstrap, Curve)> {
    let made = INTERPOLATIONS.map(|interpolation| {
        let mut plan = Bootstrap::new(reference, interpolation, &instruments(frequency)).unwrap();
        let curve = plan.curve(rates).unwrap();
        (plan, curve)
    });
    made.into_iter().collect()
}

fn swap(reference: Date, months_ago: i32, years: i32, rate: f64, spread: f64) -> CashFlows {
    let leg = |rate, frequency, day_count| Leg { rate, frequency, day_count };
    let start = reference.add_months(-months_ago);
    let contract = SwapContract {
        notional: 1.0,
        receives_fixed: true,
        start,
        end: start.add_months(12 * years),
        fixed: leg(rate, 2, DayCount::Thirty360),
        floating: leg(spread, 4, DayCount::Act360),
    };
    contract.flows(reference, Some(0.02)).unwrap().net()
}

proptest! {
    #[test]
    fn a_curve_reprices_its_instruments((reference, frequency, rates) in market()) {
        for (plan, curve) in curves(reference, frequency, &rates) {
            for (quote, rate) in rates.iter().enumerate() {
                let error = (plan.rate_on(&curve, quote) - rate).abs();
                prop_assert!(error < 1e-13, "{:?} {quote}: {error:e}", curve.interpolation());
            }
        }
    }

    #[test]
    fn buckets_sum_to_the_parallel_dv01(
        (reference, frequency, rates) in market(),
        months_ago in 0_i32..30,
        years in 3_i32..25,
        rate in 0.0..0.1_f64,
    ) {
        let flows = swap(reference, months_ago, years, rate, 0.001);
        for (_, curve) in curves(reference, frequency, &rates) {
            let mut buckets = vec![0.0; rates.len()];
            flows.key_rate_dv01(&curve, &mut buckets);
            let (sum, parallel) = (buckets.iter().sum::<f64>(), flows.dv01(&curve));
            // The third order: (30 years × 1e-4)² / 6 of the whole.
            prop_assert!((sum - parallel).abs() < 2e-6 * parallel.abs() + 1e-11, "{sum} for {parallel}");
        }
    }

    #[test]
    fn the_dv01_is_a_difference_of_values(
        (reference, frequency, rates) in market(),
        years in 2_i32..25,
        rate in 0.0..0.1_f64,
    ) {
        let flows = swap(reference, 5, years, rate, 0.0);
        for (_, curve) in curves(reference, frequency, &rates) {
            let up = flows.present_value(&curve.shifted(1e-4));
            let down = flows.present_value(&curve.shifted(-1e-4));
            prop_assert!((0.5 * (down - up) - flows.dv01(&curve)).abs() < 1e-14);
            let change = flows.shift_change(&curve, 0.01);
            let full = flows.present_value(&curve.shifted(0.01)) - flows.present_value(&curve);
            prop_assert!((change - full).abs() < 1e-13);
        }
    }

    #[test]
    fn par_buckets_explain_quote_moves((reference, frequency, rates) in market(), years in 2_i32..20) {
        let flows = swap(reference, 0, years, 0.03, 0.0);
        for (mut plan, _) in curves(reference, frequency, &rates) {
            let mut buckets = vec![0.0; rates.len()];
            flows.quote_dv01(&mut plan, &rates, &mut buckets).unwrap();
            // All quotes a basis point down at once: the buckets' sum, to
            // second order.
            let moved: Vec<f64> = rates.iter().map(|rate| rate - 1e-4).collect();
            let all = flows.present_value(&plan.curve(&moved).unwrap())
                - flows.present_value(&plan.curve(&rates).unwrap());
            let sum: f64 = buckets.iter().sum();
            prop_assert!((all - sum).abs() < 2e-3 * sum.abs() + 1e-9, "{all} for {sum}");
        }
    }

    #[test]
    fn a_swap_at_its_par_rate_is_worth_nothing((reference, frequency, rates) in market(), years in 1_i32..25) {
        let leg = |rate, frequency, day_count| Leg { rate, frequency, day_count };
        let mut contract = SwapContract {
            notional: 1e6,
            receives_fixed: false,
            start: reference,
            end: reference.add_months(12 * years),
            fixed: leg(0.05, 2, DayCount::ActActIcma),
            floating: leg(0.0, 4, DayCount::Act360),
        };
        for (_, curve) in curves(reference, frequency, &rates) {
            contract.fixed.rate = contract.flows(reference, None).unwrap().value(&curve).par_rate;
            let value = contract.flows(reference, None).unwrap().value(&curve);
            prop_assert!(value.pv.abs() < 1e-8, "{value:?}");
            prop_assert!((value.fixed_leg_pv - value.float_leg_pv).abs() < 1e-8);
        }
    }

    #[test]
    fn forwards_and_discounts_agree((reference, frequency, rates) in market(), from in 0.0..29.0_f64, length in 0.01..1.0_f64) {
        for (_, curve) in curves(reference, frequency, &rates) {
            let to = from + length;
            let forward = curve.forward(from, to);
            prop_assert!((curve.df(from) * libm::exp(-forward * length) - curve.df(to)).abs() < 1e-14);
            let simple = curve.simple_forward(from, to, length);
            prop_assert!((curve.df(from) / curve.df(to) - 1.0 - simple * length).abs() < 1e-13);
            let mut dfs = [0.0; 3];
            curve.dfs(&[0.0, from, to], 0.0, &mut dfs);
            prop_assert_eq!(dfs, [1.0, curve.df(from), curve.df(to)]);
            // The instantaneous forward is a slope, away from the nodes.
            if curve.node_times().iter().all(|node| (node - to).abs() > 1e-4) {
                let slope = curve.forward(to - 1e-5, to + 1e-5);
                prop_assert!((curve.forward_at(to) - slope).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn the_z_spread_of_a_price_is_the_spread_that_gave_it(
        (reference, frequency, rates) in market(),
        years in 1_i32..29,
        coupon_e9 in 0_i64..120_000_000,
        spread in -0.02..0.1_f64,
    ) {
        let terms = BondTerms {
            issue: reference.add_months(-40),
            maturity: reference.add_months(12 * years - 2),
            coupon_e9,
            frequency: 2,
            day_count: DayCount::ActActIcma,
        };
        let bond = BondFlows::of(&terms, reference).unwrap();
        let flows = bond.cash_flows(&terms, reference);
        for (_, curve) in curves(reference, frequency, &rates) {
            let price = flows.present_value_at(&curve, spread);
            let found = flows.z_spread(&curve, price).unwrap();
            prop_assert!((found - spread).abs() < 1e-13, "{found} for {spread}");
        }
    }

    #[test]
    fn a_futures_sensitivities_are_its_slopes(
        spot in 10.0..10_000.0_f64,
        rate in -0.02..0.15_f64,
        div_yield in 0.0..0.08_f64,
        time in 0.01..3.0_f64,
        dividend in 0.0..0.02_f64,
    ) {
        let dividends = [(0.5 * time, dividend * spot), (time + 0.1, spot)];
        let carry = FutureCarry { spot, rate, div_yield, time, dividends: &dividends };
        let value = fair_value(&carry);
        let price = |carry| fair_value(&carry).price;
        let by_spot = price(FutureCarry { spot: spot + 0.5, ..carry }) - price(FutureCarry { spot: spot - 0.5, ..carry });
        prop_assert!((by_spot - value.delta).abs() < 1e-9 * spot);
        let by_rate = price(FutureCarry { rate: rate + 1e-6, ..carry }) - price(FutureCarry { rate: rate - 1e-6, ..carry });
        prop_assert!((by_rate / 2e-6 - value.rho).abs() < 1e-6 * spot, "{} for {}", by_rate / 2e-6, value.rho);
    }
}

#[test]
fn impossible_curves_are_errors() {
    let reference: Date = "2026-01-05".parse().unwrap();
    let plan = |instruments: &[CurveInstrument]| {
        Bootstrap::new(reference, Interpolation::LoglinearDf, instruments).map(|_| ())
    };
    let year = CurveInstrument::Deposit { months: 12 };
    assert_eq!(plan(&[]), Err(CurveError::Empty));
    assert_eq!(plan(&[CurveInstrument::Deposit { months: 0 }]), Err(CurveError::NoSchedule(0)));
    for frequency in [0, 3, 5] {
        let swap = CurveInstrument::Swap { months: 24, frequency };
        assert_eq!(plan(&[year, swap]), Err(CurveError::NoSchedule(1)));
    }
    let swap = CurveInstrument::Swap { months: 12, frequency: 1 };
    assert_eq!(plan(&[year, swap]), Err(CurveError::NotIncreasing(1)));
    for interpolation in INTERPOLATIONS {
        let mut plan = Bootstrap::new(reference, interpolation, &instruments(2)).unwrap();
        let mut rates = [0.03; 12];
        assert_eq!(plan.curve(&rates[..3]).unwrap_err(), CurveError::QuoteOutOfRange(3));
        for wrong in [f64::NAN, f64::INFINITY, -300.0] {
            rates[5] = wrong;
            assert!(plan.curve(&rates).is_err(), "{wrong} made a curve");
            rates[5] = 0.03;
        }
        assert!(plan.curve(&rates).is_ok());
    }
}

#[test]
fn a_started_swap_needs_its_fixing() {
    let reference: Date = "2026-01-05".parse().unwrap();
    let leg = |frequency| Leg { rate: 0.03, frequency, day_count: DayCount::Act365Fixed };
    let contract = SwapContract {
        notional: 1.0,
        receives_fixed: true,
        start: reference.add_months(-4),
        end: reference.add_months(20),
        fixed: leg(1),
        floating: leg(4),
    };
    assert_eq!(contract.flows(reference, None), Err(SwapError::FixingMissing));
    assert_eq!(contract.flows(contract.end, None), Err(SwapError::Matured));
    // On a payment date the next period's rate is a forward.
    assert!(contract.flows(reference.add_months(2), None).is_ok());
    let odd = SwapContract { fixed: leg(3), ..contract };
    assert_eq!(odd.flows(reference, Some(0.02)), Err(SwapError::Frequency));
}
