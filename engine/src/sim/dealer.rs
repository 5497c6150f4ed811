//! A dealer of one instrument: firm two-sided quotes around its own view of the
//! price, skewed by its inventory.
//!
//! Buying from it makes it short: it raises both prices and offers less until the
//! inventory has decayed. Does not know other dealers, nor the remaining sizes of
//! its quotes.

use super::maker::{fraction, whole};
use super::rng::{Purpose, Seed, Stream};
use super::state::DealerState;
use crate::id::InstrumentId;
use crate::money::{Lots, Ticks};
use crate::step::DealerQuote;
use crate::time::VenueTime;
use crate::venue::DealerSpec;

/// Part of the inventory left after a tick: half after about 44 ticks.
const INVENTORY_RETENTION: f64 = 63.0 / 64.0;

/// Quoted sizes are multiples of this part of the average.
const SIZE_STEPS_PER_AVERAGE: i64 = 20;

/// One dealer.
pub(super) struct Dealer {
    index: u8,
    spec: DealerSpec,
    /// Step within its cadence at which it quotes.
    phase: u64,
    stream: Stream,
    inventory: f64,
    /// True if it has traded since its last quote.
    traded: bool,
}

impl Dealer {
    /// Creates dealer number `index` of `count`, in an instrument that ticks every
    /// `tick_steps`.
    pub(super) fn new(
        seed: &Seed,
        symbol: &str,
        index: u8,
        count: usize,
        spec: &DealerSpec,
        tick_steps: u64,
    ) -> Self {
        // No symbol contains a slash, so no two streams are equal.
        let stream = Stream::new(seed, &format!("{symbol}/{index}"), Purpose::Quotes);
        let every = u64::from(spec.every_steps);
        let share = every * u64::from(index) / (count as u64).max(1);
        let phase = share - share % tick_steps.max(1);
        Self { index, spec: spec.clone(), phase, stream, inventory: 0.0, traded: false }
    }

    /// Records lots that users bought from it (negative: sold to it).
    pub(super) fn record_trade(&mut self, lots: Lots) {
        self.inventory -= lots.0 as f64;
        self.traded = true;
    }

    /// Returns its quote in the tick of `step`, if it makes one: in its cadence, and
    /// at once after it has traded. `mark` is in ticks; `time_after` maps a number
    /// of steps to the time that far ahead.
    pub(super) fn quote(
        &mut self,
        instrument: InstrumentId,
        step: u64,
        mark: f64,
        time_after: impl FnOnce(u64) -> VenueTime,
    ) -> Option<DealerQuote> {
        self.inventory *= INVENTORY_RETENTION;
        if step % u64::from(self.spec.every_steps) != self.phase && !self.traded {
            return None;
        }
        self.traded = false;
        let mut draws = self.stream.at(step);
        let view_error = fraction(self.spec.view_ticks_e9) * draws.normal();
        let fullness = (self.inventory / self.spec.inventory_lots.0 as f64).clamp(-1.0, 1.0);
        let centre = mark + view_error - self.spec.skew_ticks as f64 * fullness;
        let half = self.spec.half_spread_ticks;
        let bid = whole(centre - half as f64).max(1);
        let ask = whole(centre + half as f64).max(bid + 1);
        let (bid_draw, ask_draw) = (draws.uniform(), draws.uniform());
        Some(DealerQuote {
            instrument,
            dealer: self.index,
            bid: Ticks(bid),
            ask: Ticks(ask),
            bid_lots: self.size(bid_draw, fullness),
            ask_lots: self.size(ask_draw, -fullness),
            expires_at: time_after(u64::from(self.spec.life_steps)),
        })
    }

    /// Returns half to one and a half of the average, less on the side on which the
    /// inventory is near its limit (`fullness` 1).
    fn size(&self, draw: f64, fullness: f64) -> Lots {
        let average = self.spec.lots.0;
        let unit = (average / SIZE_STEPS_PER_AVERAGE).max(1);
        let size = average as f64 * (0.5 + draw) * (1.0 - fullness.max(0.0));
        Lots(whole(size / unit as f64).max(1) * unit)
    }

    pub(super) fn state(&self) -> DealerState {
        DealerState { inventory: self.inventory.to_bits(), traded: self.traded }
    }

    pub(super) fn restore(&mut self, state: &DealerState) {
        (self.inventory, self.traded) = (f64::from_bits(state.inventory), state.traded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::VenueId;

    fn dealer(index: u8) -> Dealer {
        let spec = DealerSpec {
            name: "Quillon Markets".to_owned(),
            every_steps: 40,
            life_steps: 60,
            half_spread_ticks: 10,
            view_ticks_e9: 0,
            lots: Lots(100),
            inventory_lots: Lots(200),
            skew_ticks: 8,
        };
        Dealer::new(&"7".parse().unwrap(), "OTC", index, 3, &spec, 10)
    }

    fn quote(dealer: &mut Dealer, step: u64, mark: f64) -> Option<DealerQuote> {
        let id = InstrumentId::derive(VenueId::from_name("main"), "OTC");
        dealer.quote(id, step, mark, |steps| VenueTime((step + steps) as i64))
    }

    #[test]
    fn dealers_quote_in_turn_at_their_cadence() {
        for (index, expected) in [(0, [40, 80]), (1, [10, 50]), (2, [20, 60])] {
            let mut dealer = dealer(index);
            let steps: Vec<u64> =
                (10..=80).step_by(10).filter(|s| quote(&mut dealer, *s, 1e4).is_some()).collect();
            assert_eq!(steps, expected, "dealer {index}");
        }
    }

    #[test]
    fn a_flat_dealer_quotes_symmetrically_around_the_mark() {
        let found = quote(&mut dealer(0), 40, 10_000.0).unwrap();
        assert_eq!((found.bid, found.ask), (Ticks(9_990), Ticks(10_010)));
        assert_eq!(found.expires_at, VenueTime(100));
        for lots in [found.bid_lots, found.ask_lots] {
            assert!((50..=150).contains(&lots.0) && lots.0 % 5 == 0, "{lots:?}");
        }
    }

    #[test]
    fn a_dealer_that_sold_requotes_at_once_higher_and_smaller() {
        let mut dealer = dealer(0);
        dealer.record_trade(Lots(200));
        let found = quote(&mut dealer, 50, 10_000.0).unwrap();
        // Short 200 × 63/64 = 196.875 of 200: 8 × 0.984 = 7.9 higher
        assert_eq!((found.bid, found.ask), (Ticks(9_998), Ticks(10_018)));
        // At most 150 × (1 − 0.984) = 2.3, and never nothing
        assert_eq!(found.ask_lots, Lots(5));
        assert!(found.bid_lots >= Lots(50));
        // Ten minutes later it is flat again.
        let quiet = (60..=6_000).step_by(10).filter_map(|step| quote(&mut dealer, step, 10_000.0)).last();
        let quiet = quiet.unwrap();
        assert_eq!((quiet.bid, quiet.ask), (Ticks(9_990), Ticks(10_010)));
    }

    #[test]
    fn prices_stay_positive_and_uncrossed() {
        let found = quote(&mut dealer(0), 40, 3.0).unwrap();
        assert_eq!((found.bid, found.ask), (Ticks(1), Ticks(13)));
    }
}
