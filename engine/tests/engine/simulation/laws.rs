//! Configured volatility and reversion measured on simulated paths, within four
//! standard errors on a fixed seed.

use super::equity_and_bond;
use engine::money::Ticks;
use engine::time::MICROS_PER_SECOND;
use engine::venue::{ProcessSpec, VenueConfig};

use super::{EQUITY, id, run, simulator, ticks_of};

/// Returns the variance of `values` about `mean`.
fn variance(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
}

#[test]
fn the_equitys_realized_volatility_is_the_configured_one() {
    let mut config = equity_and_bond();
    config.listings.truncate(1);
    let listing = &mut config.listings[EQUITY];
    // The tick is so fine that rounding the mark has no effect.
    listing.feed.process =
        ProcessSpec::Gbm { start: Ticks(1_000_000_000), drift_e9: 0, volatility_e9: 300_000_000 };
    let path = run(&mut simulator(&config, 7), 100_000);
    let marks = ticks_of(&path, id(&config, EQUITY));
    let logs: Vec<f64> = marks.iter().map(|tick| libm::log(tick.mark.0 as f64)).collect();
    let moves: Vec<f64> = logs.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // A tick every 0.2 s of a year of 252 × 23,400 s: 0.09 × 0.2 / 5,896,800
    let expected = 0.09 * 0.2 / 5_896_800.0;
    let error = expected * libm::sqrt(2.0 / moves.len() as f64);
    assert!((variance(&moves, 0.0) - expected).abs() < 4.0 * error);
}

#[test]
fn the_bonds_yield_follows_its_stationary_law() {
    let mut config = VenueConfig { step_us: 3_600 * MICROS_PER_SECOND, ..equity_and_bond() };
    config.listings.remove(EQUITY);
    config.listings[0].feed.every_steps = 1;
    config.listings[0].feed.process = ProcessSpec::MeanRevertingYield {
        start_e9: 43_000_000,
        mean_e9: 43_000_000,
        speed_e9: 1_000_000_000_000,
        volatility_e9: 100_000_000,
    };
    let path = run(&mut simulator(&config, 7), 20_000);
    let ticks = ticks_of(&path, id(&config, 0));
    let yields: Vec<f64> = ticks.iter().map(|tick| tick.yield_e9.unwrap() as f64 / 1e9).collect();
    let n = yields.len() as f64;
    // σ² / 2κ; one step of an hour keeps e^(−1000 × 3,600 / 5,896,800) of a gap
    let (v, kept) = (0.01 / 2_000.0, libm::exp(-3_600_000.0 / 5_896_800.0));
    let mean = yields.iter().sum::<f64>() / n;
    let error = libm::sqrt(v / n * (1.0 + kept) / (1.0 - kept));
    assert!((mean - 0.043).abs() < 4.0 * error, "mean {mean}");
    let error = v * libm::sqrt(2.0 / n * (1.0 + kept * kept) / (1.0 - kept * kept));
    let found = variance(&yields, 0.043);
    assert!((found - v).abs() < 4.0 * error, "variance {found} for {v}");
}
