//! Simulation of one instrument: its model price, its market maker or dealers,
//! and the effect of users' trading on them.
//!
//! Does not know other instruments, nor sequence numbers.

use super::dealer::Dealer;
use super::maker::{MAX_MARK, MarketMaker, TargetBook, Thinning, fraction, whole};
use super::noise::Noise;
use super::processes::{Gbm, MeanReverting, years};
use super::rng::{Purpose, Seed, Stream};
use super::state::FeedState;
use crate::id::InstrumentId;
use crate::instrument::{BondTerms, Instrument, ListingError, Terms};
use crate::money::{Lots, Ticks};
use crate::pricing::BASIS_POINT;
use crate::pricing::bond::{BondFlows, BondValuation};
use crate::step::{DealerQuote, Tick};
use crate::time::{Date, VenueTime};
use crate::venue::{ConfigError, FeedSpec, Flow, ProcessSpec, VenueConfig};

/// Range of simulated yields, that of a configuration's start.
const YIELD_RANGE: std::ops::RangeInclusive<f64> = -0.2..=1.0;

/// Simulation of one instrument.
pub(super) struct Feed {
    id: InstrumentId,
    every_steps: u64,
    model: Model,
    maker: MarketMaker,
    thinning: Thinning,
    /// Lots that users bought and sold since the last tick.
    bought: Lots,
    sold: Lots,
    price_draws: Stream,
    print_draws: Stream,
    noise: Noise,
    /// Dealers that quote it; empty for an instrument with an order book.
    dealers: Vec<Dealer>,
    /// Model price of the last tick, in ticks.
    mark: f64,
}

/// Model of the price.
pub(super) enum Model {
    Equity {
        process: Gbm,
        log_price: f64,
    },
    Bond {
        process: MeanReverting,
        annual_yield: f64,
        terms: BondTerms,
        /// Points per 100 of face.
        tick_size: f64,
        /// Remaining cash flows, with the settlement date they were made for.
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
            price_draws: stream(Purpose::Price),
            print_draws: stream(Purpose::Prints),
            noise: Noise::new(seed, &instrument.symbol),
            dealers: dealers(instrument, spec, seed),
            mark: 0.0,
        })
    }

    pub(super) fn id(&self) -> InstrumentId {
        self.id
    }

    /// Adds users' trading to the input of the next tick.
    pub(super) fn apply_flow(&mut self, flow: &Flow) {
        let lots = flow.lots;
        if let Some(dealer) = flow.dealer.and_then(|index| self.dealers.get_mut(usize::from(index))) {
            dealer.record_trade(lots);
        }
        let side = if lots > Lots::ZERO { &mut self.bought } else { &mut self.sold };
        side.0 = side.0.saturating_add(lots.0.saturating_abs());
    }

    /// Returns this instrument's tick in step number `step`; `None` between its
    /// ticks and from its maturity on.
    pub(super) fn tick(&mut self, step: u64, date: Date) -> Option<Tick> {
        if !step.is_multiple_of(self.every_steps) {
            return None;
        }
        let net = Lots(self.bought.0.saturating_sub(self.sold.0));
        let impact_ticks = self.maker.impact_ticks(net);
        let z = self.price_draws.at(step).normal();
        let (mark, yield_e9) = self.model.advance(date, impact_ticks, z, &self.maker)?;
        self.thinning = self.maker.thin(self.thinning, self.bought, self.sold);
        (self.bought, self.sold) = (Lots::ZERO, Lots::ZERO);
        self.mark = mark;
        let instrument = self.id;
        if !self.dealers.is_empty() {
            let (bids, asks, prints) = (Vec::new(), Vec::new(), Vec::new());
            return Some(Tick { instrument, mark: Ticks(whole(mark)), yield_e9, bids, asks, prints });
        }
        self.noise.seek(step / self.every_steps);
        let gap = self.maker.level_gap();
        let noise = |price: Ticks| self.noise.at(price.0.div_euclid(gap));
        let target = self.maker.target(mark, self.thinning, noise);
        let prints = self.maker.prints(&target, &mut self.print_draws.at(step));
        let TargetBook { bids, asks } = target;
        Some(Tick { instrument, mark: Ticks(whole(mark)), yield_e9, bids, asks, prints })
    }

    /// Returns the quotes that its dealers make in a step in which it has ticked;
    /// `time_after` maps a number of steps to the time that far ahead.
    pub(super) fn quotes(&mut self, step: u64, time_after: impl Fn(u64) -> VenueTime) -> Vec<DealerQuote> {
        let (id, mark) = (self.id, self.mark);
        self.dealers.iter_mut().filter_map(|dealer| dealer.quote(id, step, mark, &time_after)).collect()
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
    let dealer = |(index, spec)| Dealer::new(seed, &instrument.symbol, index, specs.len(), spec, every);
    (0..).zip(specs).map(dealer).collect()
}

impl Model {
    /// Creates the model at the configured start, in steps of `dt` years.
    pub(super) fn new(instrument: &Instrument, spec: &ProcessSpec, dt: f64) -> Result<Self, ConfigError> {
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

    /// Applies users' impact, then the process; returns the model price in ticks
    /// (bond: clean) and a bond's yield. `None` once matured.
    fn advance(
        &mut self,
        date: Date,
        impact_ticks: f64,
        z: f64,
        maker: &MarketMaker,
    ) -> Option<(f64, Option<i64>)> {
        let lowest = maker.min_mark();
        match self {
            Self::Equity { process, log_price } => {
                if impact_ticks != 0.0 {
                    let moved = libm::exp(*log_price) + impact_ticks;
                    *log_price = libm::log(moved.clamp(lowest, MAX_MARK));
                }
                *log_price = process.next(*log_price, z);
                let price = libm::exp(*log_price);
                let mark = price.clamp(lowest, MAX_MARK);
                if mark != price {
                    *log_price = libm::log(mark);
                }
                Some((mark, None))
            }
            Self::Bond { process, annual_yield, terms, tick_size, flows } => {
                let flows = flows_on(date, terms, flows)?;
                if impact_ticks != 0.0 {
                    let points = impact_ticks * *tick_size;
                    *annual_yield += yield_change(flows.value(*annual_yield).ok()?, points);
                }
                let next = process.next(*annual_yield, z);
                *annual_yield = next.clamp(*YIELD_RANGE.start(), *YIELD_RANGE.end());
                let clean = flows.value(*annual_yield).ok()?.clean;
                let mark = (clean / *tick_size).clamp(lowest, MAX_MARK);
                Some((mark, Some(whole(*annual_yield * 1e9))))
            }
        }
    }

    /// Returns a level one step before `level`, given that. A mean-reverting process
    /// has the same law backwards.
    pub(super) fn earlier(&self, level: f64, z: f64) -> f64 {
        match self {
            Self::Equity { process, .. } => process.previous(level, z),
            Self::Bond { process, .. } => {
                process.next(level, z).clamp(*YIELD_RANGE.start(), *YIELD_RANGE.end())
            }
        }
    }

    /// Returns the standard deviation of a step.
    pub(super) fn deviation(&self) -> f64 {
        match self {
            Self::Equity { process, .. } => process.deviation(),
            Self::Bond { process, .. } => process.deviation(),
        }
    }

    /// Returns the price at `level`, in ticks; `None` once matured.
    pub(super) fn price(&mut self, level: f64, date: Date, maker: &MarketMaker) -> Option<Ticks> {
        let mark = match self {
            Self::Equity { .. } => libm::exp(level),
            Self::Bond { terms, tick_size, flows, .. } => {
                flows_on(date, terms, flows)?.value(level).ok()?.clean / *tick_size
            }
        };
        Some(Ticks(whole(mark.clamp(maker.min_mark(), MAX_MARK))))
    }

    /// Returns the variable of the process.
    pub(super) fn level(&self) -> f64 {
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

/// Returns the cash flows after `date`, made anew when the date changes; `None` once
/// matured.
fn flows_on<'a>(
    date: Date,
    terms: &BondTerms,
    made: &'a mut Option<(Date, BondFlows)>,
) -> Option<&'a BondFlows> {
    if made.as_ref().is_none_or(|(made_for, _)| *made_for != date) {
        *made = Some((date, BondFlows::of(terms, date).ok()?));
    }
    made.as_ref().map(|(_, flows)| flows)
}

/// Returns the change of yield that moves the price by `points`, to first order,
/// limited to the width of the yield range (a bond near maturity hardly reacts).
fn yield_change(value: BondValuation, points: f64) -> f64 {
    let width = YIELD_RANGE.end() - YIELD_RANGE.start();
    let change = -points * BASIS_POINT / value.dv01;
    if change.is_nan() { 0.0 } else { change.clamp(-width, width) }
}
