//! One instrument's market: its model price, its maker or dealers, and what
//! users did to all of them.
//!
//! Does not know other instruments, nor sequence numbers: it is told what it
//! may know.

use super::dealer::Dealer;
use super::maker::{HIGHEST_MID, MarketMaker, Thinning, fraction, whole};
use super::noise::Noise;
use super::processes::{Gbm, MeanReverting, years};
use super::rng::{Purpose, Seed, Stream};
use super::state::FeedState;
use crate::id::InstrumentId;
use crate::instrument::{BondTerms, Instrument, ListingError, Terms};
use crate::money::{Lots, Ticks};
use crate::pricing::bond::{BondFlows, BondValuation};
use crate::step::{DealerQuote, Tick};
use crate::time::{Date, VenueTime};
use crate::venue::{ConfigError, FeedSpec, Flow, ProcessSpec, VenueConfig};

/// A yield never leaves the range that a configuration may start it in.
const YIELD_RANGE: std::ops::RangeInclusive<f64> = -0.2..=1.0;

/// One basis point.
const BASIS_POINT: f64 = 1e-4;

/// An instrument's market.
pub(super) struct Feed {
    id: InstrumentId,
    every_steps: u64,
    model: Model,
    maker: MarketMaker,
    thinning: Thinning,
    /// Lots that users bought and sold since the last tick, as far as seen.
    bought: Lots,
    sold: Lots,
    moves: Stream,
    trades: Stream,
    noise: Noise,
    /// Who quotes it; there is an order book where nobody does.
    dealers: Vec<Dealer>,
    /// The model price of the last tick, in ticks.
    mid: f64,
}

/// What drives the price.
enum Model {
    Equity {
        process: Gbm,
        log_price: f64,
    },
    Bond {
        process: MeanReverting,
        annual_yield: f64,
        terms: BondTerms,
        /// In points per 100 of face.
        tick_size: f64,
        /// The flows left on the settlement date they were made for.
        flows: Option<(Date, BondFlows)>,
    },
}

impl Feed {
    pub(super) fn new(
        config: &VenueConfig,
        instrument: &Instrument,
        spec: &FeedSpec,
        seed: &Seed,
    ) -> Result<Self, ConfigError> {
        let dt = years(config.step_us as f64 * f64::from(spec.every_steps));
        let stream = |purpose| Stream::new(seed, &instrument.symbol, purpose);
        Ok(Self {
            id: instrument.id,
            every_steps: u64::from(spec.every_steps),
            model: Model::new(instrument, spec.price(), dt)?,
            maker: MarketMaker::new(&spec.maker),
            thinning: Thinning::default(),
            bought: Lots::ZERO,
            sold: Lots::ZERO,
            moves: stream(Purpose::Price),
            trades: stream(Purpose::Prints),
            noise: Noise::new(seed, &instrument.symbol),
            dealers: dealers(instrument, spec, seed),
            mid: 0.0,
        })
    }

    pub(super) fn id(&self) -> InstrumentId {
        self.id
    }

    /// Takes trading of users that the next tick knows.
    pub(super) fn apply_flow(&mut self, flow: &Flow) {
        let lots = flow.lots;
        if let Some(dealer) = flow.dealer.and_then(|place| self.dealers.get_mut(usize::from(place))) {
            dealer.record_trade(lots);
        }
        let side = if lots > Lots::ZERO { &mut self.bought } else { &mut self.sold };
        side.0 = side.0.saturating_add(lots.0.saturating_abs());
    }

    /// This instrument's part of step number `step`, if it ticks then: it does
    /// every so many steps, and no longer from its maturity on.
    pub(super) fn tick(&mut self, step: u64, date: Date) -> Option<Tick> {
        if !step.is_multiple_of(self.every_steps) {
            return None;
        }
        let net = Lots(self.bought.0.saturating_sub(self.sold.0));
        let impact_ticks = self.maker.impact_ticks(net);
        let z = self.moves.at(step).normal();
        let (mid, yield_e9) = self.model.advance(date, impact_ticks, z, &self.maker)?;
        self.thinning = self.maker.thin(self.thinning, self.bought, self.sold);
        (self.bought, self.sold) = (Lots::ZERO, Lots::ZERO);
        self.mid = mid;
        if !self.dealers.is_empty() {
            let (mark, nothing) = (Ticks(whole(mid)), Vec::new);
            let (bids, asks, prints) = (nothing(), nothing(), Vec::new());
            return Some(Tick { instrument: self.id, mark, yield_e9, bids, asks, prints });
        }
        self.noise.seek(step / self.every_steps);
        let gap = self.maker.level_gap();
        let noise = |price: Ticks| self.noise.at(price.0.div_euclid(gap));
        let target = self.maker.target(mid, self.thinning, noise);
        let prints = self.maker.prints(&target, &mut self.trades.at(step));
        Some(Tick {
            instrument: self.id,
            mark: Ticks(whole(mid)),
            yield_e9,
            bids: target.bids,
            asks: target.asks,
            prints,
        })
    }

    /// The quotes that its dealers make in a step in which it has ticked;
    /// `later` tells the time that lies so many steps ahead.
    pub(super) fn quotes(&mut self, step: u64, later: impl Fn(u64) -> VenueTime) -> Vec<DealerQuote> {
        let (id, mid) = (self.id, self.mid);
        self.dealers.iter_mut().filter_map(|dealer| dealer.quote(id, step, mid, &later)).collect()
    }

    pub(super) fn state(&self) -> FeedState {
        FeedState {
            instrument: self.id,
            model: self.model.level().to_bits(),
            thin_bids: self.thinning.bids.to_bits(),
            thin_asks: self.thinning.asks.to_bits(),
            bought: self.bought,
            sold: self.sold,
            dealers: self.dealers.iter().map(Dealer::state).collect(),
        }
    }

    pub(super) fn restore(&mut self, state: &FeedState) {
        *self.model.level_mut() = f64::from_bits(state.model);
        self.thinning =
            Thinning { bids: f64::from_bits(state.thin_bids), asks: f64::from_bits(state.thin_asks) };
        (self.bought, self.sold) = (state.bought, state.sold);
        self.dealers.iter_mut().zip(&state.dealers).for_each(|(dealer, state)| dealer.restore(state));
    }
}

fn dealers(instrument: &Instrument, spec: &FeedSpec, seed: &Seed) -> Vec<Dealer> {
    let specs = spec.dealers();
    let every = u64::from(spec.every_steps);
    let dealer = |(place, spec)| Dealer::new(seed, &instrument.symbol, place, specs.len(), spec, every);
    (0..).zip(specs).map(dealer).collect()
}

impl Model {
    fn new(instrument: &Instrument, spec: &ProcessSpec, dt: f64) -> Result<Self, ConfigError> {
        match (&instrument.terms, spec) {
            (Terms::Equity, ProcessSpec::Gbm { start, drift_e9, volatility_e9 }) => Ok(Self::Equity {
                process: Gbm::new(fraction(*drift_e9), fraction(*volatility_e9), dt),
                log_price: libm::log(start.0 as f64),
            }),
            (
                Terms::Bond(terms),
                ProcessSpec::MeanRevertingYield { start_e9, mean_e9, speed_e9, volatility_e9 },
            ) => Ok(Self::Bond {
                process: MeanReverting::new(
                    fraction(*mean_e9),
                    fraction(*speed_e9),
                    fraction(*volatility_e9),
                    dt,
                ),
                annual_yield: fraction(*start_e9),
                terms: terms.clone(),
                tick_size: instrument.tick_size.to_f64(),
                flows: None,
            }),
            _ => Err(ConfigError::Listing {
                symbol: instrument.symbol.clone(),
                error: ListingError::OutOfRange(
                    "process: gbm for an equity, mean_reverting_yield for a bond",
                ),
            }),
        }
    }

    /// First the users' impact, then the process; gives the model price in
    /// ticks (bond: clean) and a bond's yield. `None` once matured.
    fn advance(
        &mut self,
        date: Date,
        impact_ticks: f64,
        z: f64,
        maker: &MarketMaker,
    ) -> Option<(f64, Option<i64>)> {
        let lowest = maker.lowest_mid();
        match self {
            Self::Equity { process, log_price } => {
                if impact_ticks != 0.0 {
                    let moved = libm::exp(*log_price) + impact_ticks;
                    *log_price = libm::log(moved.clamp(lowest, HIGHEST_MID));
                }
                *log_price = process.next(*log_price, z);
                let price = libm::exp(*log_price);
                let mid = price.clamp(lowest, HIGHEST_MID);
                if mid != price {
                    *log_price = libm::log(mid);
                }
                Some((mid, None))
            }
            Self::Bond { process, annual_yield, terms, tick_size, flows } => {
                let flows = match flows {
                    Some((made_for, flows)) if *made_for == date => flows,
                    _ => &mut flows.insert((date, BondFlows::of(terms, date).ok()?)).1,
                };
                if impact_ticks != 0.0 {
                    let points = impact_ticks * *tick_size;
                    *annual_yield += yield_change(flows.value(*annual_yield).ok()?, points);
                }
                let next = process.next(*annual_yield, z);
                *annual_yield = next.clamp(*YIELD_RANGE.start(), *YIELD_RANGE.end());
                let clean = flows.value(*annual_yield).ok()?.clean;
                let mid = (clean / *tick_size).clamp(lowest, HIGHEST_MID);
                Some((mid, Some(whole(*annual_yield * 1e9))))
            }
        }
    }

    /// The number that the process moves.
    fn level(&self) -> f64 {
        match self {
            Self::Equity { log_price, .. } => *log_price,
            Self::Bond { annual_yield, .. } => *annual_yield,
        }
    }

    fn level_mut(&mut self) -> &mut f64 {
        match self {
            Self::Equity { log_price, .. } => log_price,
            Self::Bond { annual_yield, .. } => annual_yield,
        }
    }
}

/// The change of yield that moves the price by `points`, to first order; within
/// the range of yields, however little a bond near its end answers to them.
fn yield_change(value: BondValuation, points: f64) -> f64 {
    let width = YIELD_RANGE.end() - YIELD_RANGE.start();
    let change = -points * BASIS_POINT / value.dv01;
    if change.is_nan() { 0.0 } else { change.clamp(-width, width) }
}
