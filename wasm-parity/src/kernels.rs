//! Kernels of the engine to be timed on both targets by the caller. Inputs are
//! drawn before the first round. Knows no hashes and no clock.

use engine::pricing::american::{Precision, Valuer};
use engine::pricing::curve::{Bootstrap, CurveInstrument, Interpolation};
use engine::pricing::european::batch::{self, OptionColumns, ValueColumns};
use engine::pricing::european::{SpotMarket, Vanilla};
use engine::pricing::implied_vol::batch::{Accuracy, PriceColumns, implied_vols};

use crate::options::draw;
use crate::trading::Random;

/// Runs a number of rounds; the result depends on every one of them.
type Kernel = fn(u32) -> f64;

/// The kernels by name.
pub(crate) const KERNELS: &[(&str, Kernel)] = &[
    ("European options, 4,096", european),
    ("implied volatilities, 4,096", implied),
    ("American options, 16", |rounds| american(rounds, Precision::High)),
    ("American options for marking, 16", |rounds| american(rounds, Precision::Fast)),
    ("bootstrap of 15", bootstrap),
];

const COLUMN_LEN: usize = 4_096;
/// Change of an input from one round to the next.
const ROUND_STEP: f64 = 1e-6;

fn quotes() -> OptionColumns {
    let (mut random, mut quotes) = (Random(21), OptionColumns::default());
    for _ in 0..COLUMN_LEN {
        let (terms, market) = draw(&mut random);
        quotes.push(&terms, &market);
    }
    quotes
}

fn european(rounds: u32) -> f64 {
    let (mut quotes, mut values, mut sum) = (quotes(), ValueColumns::default(), 0.0);
    for round in 0..rounds as usize {
        quotes.spot[round % COLUMN_LEN] += ROUND_STEP;
        batch::value(&quotes, &mut values);
        sum += values.price[round % COLUMN_LEN] + values.theta[COLUMN_LEN - 1];
    }
    sum
}

fn implied(rounds: u32) -> f64 {
    let (quotes, mut values, mut sum) = (quotes(), ValueColumns::default(), 0.0);
    batch::value(&quotes, &mut values);
    let OptionColumns { sign, spot, strike, years, rate, div_yield, .. } = quotes;
    let mut prices = PriceColumns { sign, spot, strike, years, rate, div_yield, price: values.price };
    let mut vols = vec![0.0; COLUMN_LEN];
    for round in 0..rounds as usize {
        prices.price[round % COLUMN_LEN] *= 1.0 + ROUND_STEP;
        implied_vols(&prices, Accuracy::Full, &mut vols);
        sum += vols.iter().filter(|vol| vol.is_finite()).sum::<f64>();
    }
    sum
}

fn american(rounds: u32, precision: Precision) -> f64 {
    let (mut random, mut valuer, mut sum) = (Random(22), Valuer::new(precision), 0.0);
    let options: Vec<(Vanilla, SpotMarket)> = (0..16).map(|_| draw(&mut random)).collect();
    for round in 0..rounds {
        for (terms, market) in &options {
            let market = SpotMarket { vol: market.vol + ROUND_STEP * f64::from(round), ..*market };
            sum += valuer.value(terms, &market).map_or(0.0, |value| value.price);
        }
    }
    sum
}

fn bootstrap(rounds: u32) -> f64 {
    let deposits = [1_u16, 3, 6, 9, 12].map(|months| CurveInstrument::Deposit { months });
    let swaps = [2_u16, 3, 4, 5, 7, 10, 12, 15, 20, 30]
        .map(|years| CurveInstrument::Swap { months: 12 * years, frequency: 1 });
    let instruments: Vec<CurveInstrument> = deposits.into_iter().chain(swaps).collect();
    let mut rates: Vec<f64> = (0..15).map(|at| 0.03 + 0.001 * f64::from(at)).collect();
    let today = engine::time::Date::from_days(20_458);
    let Ok(mut plan) = Bootstrap::new(today, Interpolation::LoglinearDf, &instruments) else {
        return f64::NAN;
    };
    let Ok(mut curve) = plan.curve(&rates) else { return f64::NAN };
    let mut sum = 0.0;
    for _ in 0..rounds {
        rates[0] += ROUND_STEP * ROUND_STEP;
        if plan.solve_into(&rates, &mut curve).is_err() {
            return f64::NAN;
        }
        sum += curve.log_df(30.0);
    }
    sum
}
