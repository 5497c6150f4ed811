//! Heap allocations of batches: a second valuation of a chain or a book makes
//! none, or as many for many items as for one. A separate binary, because the
//! counter is its global allocator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::hint::black_box;

use allocation_counter::measure;
use engine::instrument::{BondTerms, DayCount, Exercise, OptionRight};
use engine::pricing::american::{Precision, Valuer};
use engine::pricing::cash_flows::CashFlows;
use engine::pricing::curve::Curve;
use engine::pricing::european::batch::{
    ChainExpiry, OptionColumns, ValueColumns, value, value_chain, value_fully,
};
use engine::pricing::european::{SpotMarket, Vanilla};
use engine::pricing::flow_book::FlowBook;
use engine::pricing::implied_vol::batch::{Accuracy, PriceColumns, implied_vols, implied_vols_of_forwards};
use engine::pricing::surface::VolSurface;
use engine::risk::book::{Contract, RiskBook, RiskLine, Scenario, Underlier, Workspace};
use engine::risk::explain::explain;
use engine::risk::greeks::{SpotGreeks, by_underlier, dv01_by_bucket};
use engine::risk::margin::{Scan, ScanRange};
use engine::risk::plan::RevaluationPlan;
use engine::risk::stress::{StressGrid, grid};
use engine::time::Date;

const MARKET: SpotMarket = SpotMarket { spot: 100.0, rate: 0.03, div_yield: 0.05, vol: 0.25 };

/// Returns the number of allocations in `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

fn strike(at: usize) -> f64 {
    60.0 + 80.0 * at as f64 / 100.0
}

fn quotes(count: usize) -> OptionColumns {
    let mut quotes = OptionColumns::default();
    for at in 0..count {
        let right = if at % 2 == 0 { OptionRight::Call } else { OptionRight::Put };
        quotes.push(&Vanilla { right, strike: strike(at), years: 0.5 }, &MARKET);
    }
    quotes
}

/// Returns a book with `count` lines of each kind of contract.
fn book(count: usize) -> RiskBook {
    let today: Date = "2026-01-05".parse().unwrap();
    let mut net = CashFlows::default();
    for year in 1..=7 {
        net.push(f64::from(year), if year == 7 { 103.0 } else { 3.0 });
    }
    let terms = BondTerms {
        issue: today.add_months(-30),
        maturity: today.add_months(94),
        coupon_e9: 37_500_000,
        frequency: 2,
        day_count: DayCount::ActActIcma,
    };
    let mut lines = Vec::new();
    for at in 0..count {
        let option =
            |right, exercise| Contract::Option { right, exercise, strike: strike(at), days: 90, vol: 0.25 };
        let contracts = [
            Contract::Equity,
            option(OptionRight::Call, Exercise::European),
            option(OptionRight::Put, Exercise::American),
            Contract::Future { days: 60, trade_price: 99.0 },
            Contract::Bond {
                terms: terms.clone(),
                coupon_rate: 0.0375,
                settlement: today,
                annual_yield: 0.035,
            },
            Contract::Flows { net: net.clone(), spread: 0.001 },
        ];
        lines.extend(contracts.map(|contract| RiskLine { quantity: 3.0, underlier: 0, contract }));
    }
    let underliers = vec![Underlier { spot: 100.0, rate: 0.03, div_yield: 0.01 }];
    RiskBook { underliers, curve: Curve::flat(today, 0.03), lines }
}

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| drop(black_box(vec![0_u8; 8]))), 1);
}

#[test]
fn chains_are_valued_without_allocations() {
    let quotes = quotes(100);
    let (mut values, mut full) = (ValueColumns::default(), Vec::new());
    value(&quotes, &mut values);
    value_fully(&quotes, &mut full);
    let expiry = ChainExpiry { spot: 100.0, years: 0.5, rate: 0.03, div_yield: 0.01 };
    let surface =
        VolSurface::new(&[0.25, 1.0], &[-0.5, 0.0, 0.5], &[vec![0.3, 0.25, 0.28], vec![0.28, 0.25, 0.26]]);
    let (surface, mut vols) = (surface.unwrap(), vec![0.25; 100]);
    assert_eq!(
        allocations(|| {
            value(&quotes, &mut values);
            value_fully(&quotes, &mut full);
            surface.slice(0.5).vols(&quotes.vol, &mut vols);
            value_chain(&expiry, OptionRight::Call, &quotes.strike, &vols, &mut values);
        }),
        0
    );

    value(&quotes, &mut values);
    let OptionColumns { sign, spot, strike, years, rate, div_yield, .. } = quotes;
    let prices = PriceColumns { sign, spot, strike, years, rate, div_yield, price: values.price };
    assert_eq!(
        allocations(|| {
            implied_vols(&prices, Accuracy::Full, &mut vols);
            implied_vols_of_forwards(&prices, Accuracy::Marking, &mut vols);
        }),
        0
    );
}

#[test]
fn american_chains_are_valued_without_allocations() {
    for precision in [Precision::High, Precision::Fast] {
        let mut valuer = Valuer::new(precision);
        let work = allocations(|| {
            for at in (0..100).step_by(20) {
                let terms = Vanilla { right: OptionRight::Put, strike: strike(at), years: 0.5 };
                black_box(valuer.value(&terms, &MARKET).unwrap());
                black_box(valuer.sensitivities(&terms, &MARKET).unwrap());
            }
        });
        assert_eq!(work, 0, "{precision:?}");
    }
}

#[test]
fn a_book_is_revalued_without_allocations() {
    let mut plan = RevaluationPlan::new(book(20)).unwrap();
    let mut workspace = Workspace::default();
    let book = plan.book().clone();
    let mut values = vec![0.0; book.lines.len()];
    book.values(&Scenario::default(), &mut workspace, &mut values).unwrap();
    let crash = Scenario { spot: -0.3, vol: 0.2, rate: -0.005, days: 1 };
    let range = ScanRange { spot: 0.15, vol: 0.1, rate: 0.01 };
    let axes =
        StressGrid { spots: vec![-0.1, 0.1], vols: vec![0.0, 0.05], rates: vec![0.01], days: vec![0, 1] };
    let mut totals = vec![0.0; axes.len()];
    let mut greeks = [SpotGreeks::default()];
    assert_eq!(
        allocations(|| {
            book.values(&crash, &mut workspace, &mut values).unwrap();
            plan.values(&crash, &mut values).unwrap();
            plan.values(&Scenario::default(), &mut values).unwrap();
            grid(&mut plan, &axes, &mut totals).unwrap();
            by_underlier(&book, &mut workspace, &mut greeks).unwrap();
            for at in 0..book.lines.len() {
                black_box(Scan::of_line(&book, at, &range, &mut workspace).unwrap());
            }
        }),
        0
    );

    let nets: Vec<&CashFlows> = book
        .lines
        .iter()
        .filter_map(|line| match &line.contract {
            Contract::Flows { net, .. } => Some(net),
            _ => None,
        })
        .collect();
    let mut flows = FlowBook::new(nets.into_iter().map(|net| (net, 0.0)));
    let (mut presents, mut dv01s) = (vec![0.0; flows.len()], vec![0.0; flows.len()]);
    assert_eq!(allocations(|| flows.values_and_dv01s(&book.curve, &mut presents, &mut dv01s)), 0);
}

#[test]
fn allocations_per_call_do_not_depend_on_the_number_of_lines() {
    let per_call = |count| {
        let book = book(count);
        let mut buckets = vec![0.0; book.curve.node_times().len()];
        let dv01 = allocations(|| {
            black_box(dv01_by_bucket(&book, &mut buckets).unwrap());
        });
        let explained = allocations(|| {
            black_box(explain(&book, &book, 1).unwrap());
        });
        (dv01, explained)
    };
    per_call(1);
    let (one, many) = (per_call(1), per_call(20));
    assert_eq!(one, many);
    assert!(one.0 > 0, "{one:?}");
}
