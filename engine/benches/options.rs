//! Options against peers in one run: columns of European values and of implied
//! volatilities, American options in both precisions.
//!
//! Divide: `european/ours` by `european/black_scholes`, `implied_vol/*` by
//! `implied_vol/implied-vol`, `american/fast` by `american/high`. Every
//! benchmark is 4,096 options, the American ones 64.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench may fail")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::instrument::OptionRight::{Call, Put};
use engine::pricing::american::{Precision, Valuer};
use engine::pricing::european::batch::{self, ChainExpiry, OptionColumns, ValueColumns};
use engine::pricing::european::{SpotMarket, Vanilla};
use engine::pricing::implied_vol::batch::{Accuracy, PriceColumns, implied_vols_of_forwards};
use implied_vol::{DefaultSpecialFn, ImpliedBlackVolatility};

const OPTION_COUNT: usize = 4_096;
const AMERICAN: usize = 64;

/// The SplitMix64 generator of Steele, Lea and Flood, as numbers in (0, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn option(&mut self) -> (Vanilla, SpotMarket) {
        let (spot, years) = (50.0 + 100.0 * self.next(), 0.02 + 3.0 * self.next());
        let vol = 0.05 + 0.6 * self.next();
        let away = (6.0 * self.next() - 3.0) * vol * years.sqrt();
        let right = if self.next() < 0.5 { Call } else { Put };
        let (rate, div_yield) = (0.08 * self.next(), 0.05 * self.next());
        let terms = Vanilla { right, strike: spot * libm::exp(away), years };
        (terms, SpotMarket { spot, rate, div_yield, vol })
    }
}

fn quotes() -> OptionColumns {
    let (mut random, mut quotes) = (Random(1), OptionColumns::default());
    for _ in 0..OPTION_COUNT {
        let (terms, market) = random.option();
        quotes.push(&terms, &market);
    }
    quotes
}

fn european(criterion: &mut Criterion) {
    let (quotes, mut values) = (quotes(), ValueColumns::default());
    let mut group = criterion.benchmark_group("european");
    group.throughput(Throughput::Elements(OPTION_COUNT as u64));
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            batch::value(black_box(&quotes), &mut values);
            black_box(&values);
        });
    });
    group.bench_function("ours as one expiry", |bencher| {
        let expiry = ChainExpiry { spot: 100.0, years: 0.5, rate: 0.03, div_yield: 0.01 };
        bencher.iter(|| {
            batch::value_chain(black_box(&expiry), Call, &quotes.strike, &quotes.vol, &mut values);
            black_box(&values);
        });
    });
    group.bench_function("black_scholes", |bencher| {
        bencher.iter(|| {
            for row in 0..OPTION_COUNT {
                black_box(black_scholes::bsm_compute_all(
                    quotes.spot[row],
                    quotes.strike[row],
                    quotes.vol[row],
                    quotes.rate[row],
                    quotes.div_yield[row],
                    quotes.years[row],
                ));
            }
        });
    });
    group.finish();
}

/// Returns undiscounted prices on forwards, the inputs of the peer.
fn prices() -> PriceColumns {
    let (quotes, mut values) = (quotes(), ValueColumns::default());
    let zeros = vec![0.0; OPTION_COUNT];
    let undiscounted = OptionColumns { rate: zeros.clone(), div_yield: zeros.clone(), ..quotes.clone() };
    batch::value(&undiscounted, &mut values);
    let OptionColumns { sign, spot, strike, years, .. } = quotes;
    PriceColumns { sign, spot, strike, years, rate: zeros.clone(), div_yield: zeros, price: values.price }
}

fn implied_vol(criterion: &mut Criterion) {
    let (prices, mut vols) = (prices(), vec![0.0; OPTION_COUNT]);
    let mut group = criterion.benchmark_group("implied_vol");
    group.throughput(Throughput::Elements(OPTION_COUNT as u64));
    for (name, accuracy) in [("ours in full", Accuracy::Full), ("ours for marking", Accuracy::Marking)] {
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                implied_vols_of_forwards(black_box(&prices), accuracy, &mut vols);
                black_box(&vols);
            });
        });
    }
    // The inputs are checked and prepared outside the measurement.
    let problems: Vec<ImpliedBlackVolatility> = (0..OPTION_COUNT)
        .map(|row| {
            ImpliedBlackVolatility::builder()
                .option_price(prices.price[row])
                .forward(prices.spot[row])
                .strike(prices.strike[row])
                .expiry(prices.years[row])
                .is_call(prices.sign[row] > 0.0)
                .build()
                .unwrap()
        })
        .collect();
    group.bench_function("implied-vol", |bencher| {
        bencher.iter(|| {
            for problem in &problems {
                black_box(problem.calculate::<DefaultSpecialFn>());
            }
        });
    });
    group.finish();
}

fn american(criterion: &mut Criterion) {
    let mut random = Random(2);
    let options: Vec<(Vanilla, SpotMarket)> = (0..AMERICAN).map(|_| random.option()).collect();
    let mut group = criterion.benchmark_group("american");
    group.throughput(Throughput::Elements(AMERICAN as u64)).sample_size(20);
    for (name, precision) in [("high", Precision::High), ("fast", Precision::Fast)] {
        let mut valuer = Valuer::new(precision);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for (terms, market) in &options {
                    black_box(valuer.value(terms, market).unwrap());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, european, implied_vol, american);
criterion_main!(benches);
