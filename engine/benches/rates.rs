//! Rates and books: bond DV01, bootstraps, revaluations.
//!
//! `quantlib.py` in this folder runs the same with QuantLib's wheel and prints
//! the ratios. Every benchmark here is one unit of work of that script.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench may fail")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use engine::instrument::{BondTerms, DayCount, Exercise, OptionRight};
use engine::pricing::bond::BondFlows;
use engine::pricing::cash_flows::CashFlows;
use engine::pricing::curve::{Bootstrap, Curve, CurveInstrument, Interpolation};
use engine::pricing::swap::{Leg, SwapContract};
use engine::risk::book::{Contract, RiskBook, RiskLine, Scenario, Underlier};
use engine::risk::plan::RevaluationPlan;
use engine::time::Date;

/// Contracts of a kind in the book.
const CONTRACTS_PER_KIND: i32 = 100;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn bond(years: i32) -> BondTerms {
    BondTerms {
        issue: date("2024-02-15"),
        maturity: date("2026-02-15").add_months(12 * years),
        coupon_e9: 45_000_000,
        frequency: 2,
        day_count: DayCount::ActActIcma,
    }
}

/// Returns five deposits and ten annual swaps.
fn instruments() -> (Vec<CurveInstrument>, Vec<f64>) {
    let deposits = [1_u16, 3, 6, 9, 12].map(|months| CurveInstrument::Deposit { months });
    let swaps = [2_u16, 3, 4, 5, 7, 10, 12, 15, 20, 30]
        .map(|years| CurveInstrument::Swap { months: 12 * years, frequency: 1 });
    let all: Vec<CurveInstrument> = deposits.into_iter().chain(swaps).collect();
    let rates = (0..all.len()).map(|at| 0.03 + 0.001 * at as f64).collect();
    (all, rates)
}

fn curve() -> Curve {
    let (instruments, rates) = instruments();
    let mut plan = Bootstrap::new(date("2026-01-05"), Interpolation::LoglinearDf, &instruments).unwrap();
    plan.curve(&rates).unwrap()
}

/// Returns a hundred each of options, bonds on the curve and swaps.
fn book() -> RiskBook {
    let curve = curve();
    let mut lines = Vec::new();
    for at in 0..CONTRACTS_PER_KIND {
        let contract = Contract::Option {
            right: if at % 2 == 0 { OptionRight::Call } else { OptionRight::Put },
            exercise: Exercise::European,
            strike: 80.0 + 0.4 * f64::from(at),
            days: 30 + 7 * at,
            vol: 0.2 + 0.001 * f64::from(at),
        };
        lines.push(RiskLine { quantity: 1.0, underlier: 0, contract });
        let terms = bond(2 + at % 28);
        let flows = BondFlows::of(&terms, curve.reference()).unwrap();
        let net = flows.cash_flows(&terms, curve.reference());
        lines.push(RiskLine { quantity: 1.0, underlier: 0, contract: Contract::Flows { net, spread: 0.0 } });
        let net = swap(2 + at % 28, curve.reference());
        lines.push(RiskLine { quantity: 1.0, underlier: 0, contract: Contract::Flows { net, spread: 0.0 } });
    }
    RiskBook { underliers: vec![Underlier { spot: 100.0, rate: 0.03, div_yield: 0.01 }], curve, lines }
}

fn swap(years: i32, today: Date) -> CashFlows {
    let leg = |rate, frequency, day_count| Leg { rate, frequency, day_count };
    let contract = SwapContract {
        notional: 1e6,
        receives_fixed: true,
        start: today,
        end: today.add_months(12 * years),
        fixed: leg(0.04, 1, DayCount::Thirty360),
        floating: leg(0.0, 2, DayCount::Act360),
    };
    contract.flows(today, None).unwrap().net()
}

fn rates(criterion: &mut Criterion) {
    let settlement = date("2026-01-05");
    let ten_years = bond(10);
    let flows = BondFlows::of(&ten_years, settlement).unwrap();
    criterion.bench_function("bond dv01", |bench| {
        bench.iter(|| black_box(&flows).value(black_box(0.043)).unwrap().dv01);
    });
    criterion.bench_function("bond dv01, dates included", |bench| {
        bench.iter(|| {
            let flows = BondFlows::of(black_box(&ten_years), settlement).unwrap();
            flows.value(black_box(0.043)).unwrap().dv01
        });
    });

    let (instruments, quotes) = instruments();
    for (name, interpolation) in [
        ("bootstrap of 15, log-linear", Interpolation::LoglinearDf),
        ("bootstrap of 15, linear zeros", Interpolation::LinearZero),
        ("bootstrap of 15, natural cubic", Interpolation::NaturalCubicZero),
    ] {
        let mut plan = Bootstrap::new(settlement, interpolation, &instruments).unwrap();
        let mut made = plan.curve(&quotes).unwrap();
        criterion.bench_function(name, |bench| {
            bench.iter(|| plan.solve_into(black_box(&quotes), &mut made).unwrap());
        });
    }
    criterion.bench_function("bootstrap of 15, dates included", |bench| {
        bench.iter(|| {
            let plan = Bootstrap::new(settlement, Interpolation::LoglinearDf, black_box(&instruments));
            plan.unwrap().curve(&quotes).unwrap()
        });
    });

    let mut plan = RevaluationPlan::new(book()).unwrap();
    let mut values = vec![0.0; 3 * CONTRACTS_PER_KIND as usize];
    let mut tick = 0.0;
    criterion.bench_function("book of 300 revalued", |bench| {
        bench.iter(|| {
            tick = 1e-4 - tick; // spot and curve move every time
            let scenario = Scenario { spot: tick, rate: tick, ..Scenario::default() };
            plan.values(black_box(&scenario), &mut values).unwrap();
            values[0]
        });
    });
}

criterion_group!(benches, rates);
criterion_main!(benches);
