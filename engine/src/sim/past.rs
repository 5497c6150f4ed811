//! Candles of the time before a venue's first step, so that a new venue's charts are
//! not empty.
//!
//! Walks each instrument's process backwards from its configured start, so the last
//! close is the start, and more days only reach further back. Its draws have a purpose
//! of their own: no step depends on them. Knows neither books nor accounts.

use super::feed::Model;
use super::listed;
use super::maker::{MarketMaker, whole};
use super::processes::years;
use super::rng::{Draws, Purpose, Seed, Stream};
use crate::candle::Candle;
use crate::id::InstrumentId;
use crate::instrument::Instrument;
use crate::money::Lots;
use crate::time::{Date, MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY};
use crate::venue::{ConfigError, FeedSpec, VenueConfig};

/// Length of a candle, in microseconds.
const MINUTE_MICROS: i64 = 60 * MICROS_PER_SECOND;

/// Candles of a trading day.
const MINUTES_PER_DAY: i64 = SECONDS_PER_TRADING_DAY / 60;

/// Returns the one-minute candles of the `days` trading days before the venue's start,
/// oldest first, by instrument.
///
/// # Errors
/// As [`Simulator::new`](super::Simulator::new).
pub fn past(
    config: &VenueConfig,
    seed: &Seed,
    days: u32,
) -> Result<Vec<(InstrumentId, Vec<Candle>)>, ConfigError> {
    let of = |(instrument, spec): (Instrument, _)| {
        let mut candles = minutes(config, seed, &instrument, spec, days)?;
        candles.reverse();
        Ok((instrument.id, candles))
    };
    listed(config)?.into_iter().map(of).collect()
}

/// Returns an instrument's candles, newest first.
fn minutes(
    config: &VenueConfig,
    seed: &Seed,
    instrument: &Instrument,
    spec: &FeedSpec,
    days: u32,
) -> Result<Vec<Candle>, ConfigError> {
    let mut model = Model::new(instrument, spec.price(), years(MINUTE_MICROS as f64))?;
    let maker = MarketMaker::new(&spec.maker);
    let mut stream = Stream::new(seed, &instrument.symbol, Purpose::Past);
    let tick_us = config.step_us.saturating_mul(i64::from(spec.every_steps)).min(MINUTE_MICROS);
    let is_dealt = !spec.dealers().is_empty();
    let (mean, variance) = match is_dealt {
        true => (0.0, 0.0),
        false => maker.print_moments(MINUTE_MICROS as f64 / tick_us as f64),
    };
    let today = Date::of(config.t0);
    let mut close = model.level();
    let mut candle = |minute: i64| {
        let mut draws = stream.at(minute.unsigned_abs());
        let open = model.earlier(close, draws.normal());
        let (low, high) = extremes(open, close, model.deviation(), &mut draws);
        let lots = Lots(whole((mean + libm::sqrt(variance) * draws.normal()).max(0.0)));
        let date = today.plus_days(((1 - minute) / MINUTES_PER_DAY - 1) as i32);
        let start = config.t0.plus_micros(-minute * MINUTE_MICROS);
        let through = start.plus_micros(MINUTE_MICROS - tick_us);
        // A bond's price falls as its yield rises.
        let prices = [close, open, low, high].map(|level| model.price(level, date, &maker));
        let [Some(last), Some(first), Some(one), Some(other)] = prices else { return None };
        close = open;
        let range = Candle::of(start, first, lots).then(Candle::of(start, one, Lots::ZERO));
        let range = range.then(Candle::of(start, other, Lots::ZERO));
        Some(range.then(Candle::of(through, last, Lots::ZERO)))
    };
    Ok((1..=i64::from(days) * MINUTES_PER_DAY).map_while(&mut candle).collect())
}

/// Draws the lowest and the highest level of a minute in which a Brownian motion of
/// that `deviation` goes from `open` to `close`.
fn extremes(open: f64, close: f64, deviation: f64, draws: &mut Draws<'_>) -> (f64, f64) {
    let (sum, change) = (open + close, close - open);
    let mut reach = || {
        let spread = -2.0 * deviation * deviation * libm::log(draws.uniform());
        libm::sqrt(change * change + spread)
    };
    (0.5 * (sum - reach()), 0.5 * (sum + reach()))
}
