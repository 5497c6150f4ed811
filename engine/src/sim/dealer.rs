//! A dealer of one instrument: firm two-sided quotes around its own view of the
//! price, shaded by what it holds.
//!
//! Buying from it makes it short: it asks and pays more, and offers less, until
//! it has laid the position off. Does not know other dealers, nor what is left
//! of its quotes.

use super::maker::{fraction, whole};
use super::rng::{Purpose, Seed, Stream};
use super::state::DealerState;
use crate::id::InstrumentId;
use crate::money::{Lots, Ticks};
use crate::step::DealerQuote;
use crate::time::VenueTime;
use crate::venue::DealerSpec;

/// What is left of an inventory one tick later: half in about 44 ticks.
const INVENTORY_RETENTION: f64 = 63.0 / 64.0;

/// Sizes are quoted in twentieths of the average.
const SIZE_STEPS_PER_AVERAGE: i64 = 20;

/// One dealer.
pub(super) struct Dealer {
    place: u8,
    spec: DealerSpec,
    /// The step within its cadence at which it quotes.
    phase: u64,
    stream: Stream,
    inventory: f64,
    /// It has traded since its last quote, as far as it is seen.
    traded: bool,
}

impl Dealer {
    /// Dealer number `place` of `among`, in an instrument that ticks every
    /// `tick_steps`.
    pub(super) fn new(
        seed: &Seed,
        symbol: &str,
        place: u8,
        among: usize,
        spec: &DealerSpec,
        tick_steps: u64,
    ) -> Self {
        // No symbol holds a slash, so no two streams run together.
        let stream = Stream::new(seed, &format!("{symbol}/{place}"), Purpose::Quotes);
        let every = u64::from(spec.every_steps);
        let share = every * u64::from(place) / (among as u64).max(1);
        let phase = share - share % tick_steps.max(1);
        Self { place, spec: spec.clone(), phase, stream, inventory: 0.0, traded: false }
    }

    /// Takes what users bought from it (negative: sold to it).
    pub(super) fn record_trade(&mut self, lots: Lots) {
        self.inventory -= lots.0 as f64;
        self.traded = true;
    }

    /// Its quote in the tick of `step`, if it makes one: in its cadence, and at
    /// once after it has traded. `mid` is in ticks, `expires` tells the time
    /// that lies so many steps ahead.
    pub(super) fn quote(
        &mut self,
        instrument: InstrumentId,
        step: u64,
        mid: f64,
        expires: impl FnOnce(u64) -> VenueTime,
    ) -> Option<DealerQuote> {
        self.inventory *= INVENTORY_RETENTION;
        if step % u64::from(self.spec.every_steps) != self.phase && !self.traded {
            return None;
        }
        self.traded = false;
        let mut draws = self.stream.at(step);
        let strayed = fraction(self.spec.view_ticks_e9) * draws.normal();
        let full = (self.inventory / self.spec.inventory_lots.0 as f64).clamp(-1.0, 1.0);
        let own = mid + strayed - self.spec.skew_ticks as f64 * full;
        let half = self.spec.half_spread_ticks;
        let bid = whole(own - half as f64).max(1);
        let ask = whole(own + half as f64).max(bid + 1);
        let (more, less) = (draws.uniform(), draws.uniform());
        Some(DealerQuote {
            instrument,
            dealer: self.place,
            bid: Ticks(bid),
            ask: Ticks(ask),
            bid_lots: self.size(more, full),
            ask_lots: self.size(less, -full),
            expires_at: expires(u64::from(self.spec.life_steps)),
        })
    }

    /// Half to one and a half of the average, and less on the side on which the
    /// dealer is `full`.
    fn size(&self, draw: f64, full: f64) -> Lots {
        let average = self.spec.lots.0;
        let grain = (average / SIZE_STEPS_PER_AVERAGE).max(1);
        let wanted = average as f64 * (0.5 + draw) * (1.0 - full.max(0.0));
        Lots(whole(wanted / grain as f64).max(1) * grain)
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

    fn dealer(place: u8) -> Dealer {
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
        Dealer::new(&"7".parse().unwrap(), "OTC", place, 3, &spec, 10)
    }

    fn quote(dealer: &mut Dealer, step: u64, mid: f64) -> Option<DealerQuote> {
        let id = InstrumentId::derive(VenueId::from_name("main"), "OTC");
        dealer.quote(id, step, mid, |steps| VenueTime((step + steps) as i64))
    }

    #[test]
    fn it_quotes_in_its_cadence_each_dealer_in_its_own_turn() {
        for (place, expected) in [(0, [40, 80]), (1, [10, 50]), (2, [20, 60])] {
            let mut dealer = dealer(place);
            let steps: Vec<u64> =
                (10..=80).step_by(10).filter(|s| quote(&mut dealer, *s, 1e4).is_some()).collect();
            assert_eq!(steps, expected, "place {place}");
        }
    }

    #[test]
    fn a_calm_dealer_quotes_evenly_around_the_middle() {
        let found = quote(&mut dealer(0), 40, 10_000.0).unwrap();
        assert_eq!((found.bid, found.ask), (Ticks(9_990), Ticks(10_010)));
        assert_eq!(found.expires_at, VenueTime(100));
        for lots in [found.bid_lots, found.ask_lots] {
            assert!((50..=150).contains(&lots.0) && lots.0 % 5 == 0, "{lots:?}");
        }
    }

    #[test]
    fn who_has_sold_quotes_again_at_once_higher_and_less() {
        let mut dealer = dealer(0);
        dealer.record_trade(Lots(200));
        let found = quote(&mut dealer, 50, 10_000.0).unwrap();
        // Short 200 × 63/64 = 196.875 of 200: 8 × 0.984 = 7.9 higher
        assert_eq!((found.bid, found.ask), (Ticks(9_998), Ticks(10_018)));
        // At most 150 × (1 − 0.984) = 2.3, and never nothing
        assert_eq!(found.ask_lots, Lots(5));
        assert!(found.bid_lots >= Lots(50));
        // Ten minutes later it is as before.
        let quiet = (60..=6_000).step_by(10).filter_map(|step| quote(&mut dealer, step, 10_000.0)).last();
        let quiet = quiet.unwrap();
        assert_eq!((quiet.bid, quiet.ask), (Ticks(9_990), Ticks(10_010)));
    }

    #[test]
    fn prices_stay_positive_and_apart() {
        let found = quote(&mut dealer(0), 40, 3.0).unwrap();
        assert_eq!((found.bid, found.ask), (Ticks(1), Ticks(13)));
    }
}
