//! Synthetic market maker: computes a target book from a model price.
//!
//! Pure: holds only its specification and knows neither processes nor the order
//! book.

use super::rng::Draws;
use crate::instrument::E9;
use crate::money::{Lots, Ticks, round_half_even};
use crate::order::Side;
use crate::step::{Print, TargetLevel};
use crate::venue::{DEPTH_UNITS, MakerSpec};

/// Maximum model price, in ticks: a hundred times the highest start.
pub(super) const MAX_MARK: f64 = 1e11;

/// Largest part of the size that a side loses after users traded against it.
const MAX_THINNING: f64 = 0.9;

/// Part of the thinning left after a tick: half after about 11 ticks.
const THINNING_RETENTION: f64 = 15.0 / 16.0;

/// Smaller thinning counts as none.
const MIN_THINNING: f64 = 1e-6;

/// Growth of the size per level, as a part of the touch size.
const DEPTH_GROWTH_PER_LEVEL: f64 = 1.0 / DEPTH_UNITS as f64;

/// Sizes are multiples of this part of the touch size, so that a level does not
/// change with every tick.
const SIZE_STEPS_PER_TOUCH: i64 = 20;

/// Thinning of each side, from 0 (as specified) to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Thinning {
    pub(super) bids: f64,
    pub(super) asks: f64,
}

/// Target of the synthetic book: best first, never crossed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TargetBook {
    pub(super) bids: Vec<TargetLevel>,
    pub(super) asks: Vec<TargetLevel>,
}

/// Market maker of one instrument.
#[derive(Clone, Debug)]
pub(super) struct MarketMaker {
    spec: MakerSpec,
}

impl MarketMaker {
    pub(super) fn new(spec: &MakerSpec) -> Self {
        Self { spec: spec.clone() }
    }

    /// Returns the minimum model price, in ticks, around which both sides have
    /// positive prices.
    pub(super) fn min_mark(&self) -> f64 {
        // Half a spread and at most one spread of widening lie below the mark;
        // rounding may take one tick more.
        (2 * self.spec.spread_ticks + 1) as f64
    }

    /// Returns the ticks between levels.
    pub(super) fn level_gap(&self) -> i64 {
        self.spec.level_gap_ticks
    }

    /// Returns the permanent move of the model price by net buying of `lots`, in
    /// ticks; negative for net selling.
    pub(super) fn impact_ticks(&self, lots: Lots) -> f64 {
        fraction(self.spec.impact_ticks_e9) * (lots.0 as f64 / self.spec.touch_lots.0 as f64)
    }

    /// Returns the thinning after a tick in which users bought and sold. Buying the
    /// touch size thins the asks half of the way to 1, and the bids, which follow
    /// the price up, a quarter: liquidity comes back over time on both sides.
    pub(super) fn thin(&self, before: Thinning, bought: Lots, sold: Lots) -> Thinning {
        let touch = self.spec.touch_lots.0 as f64;
        let part = |traded: Lots| traded.0 as f64 / (traded.0 as f64 + touch);
        let side = |before: f64, hit: f64, other: f64| {
            let decayed = before * THINNING_RETENTION;
            let left = if decayed < MIN_THINNING { 0.0 } else { decayed };
            left + (1.0 - left) * hit.max(0.5 * other)
        };
        let (bought, sold) = (part(bought), part(sold));
        Thinning { bids: side(before.bids, sold, bought), asks: side(before.asks, bought, sold) }
    }

    /// Returns the target around `mark` (in ticks, from [`MarketMaker::min_mark`] to
    /// [`MAX_MARK`]). `noise` returns −1 to 1 at a price.
    ///
    /// A thinned side moves away by up to a spread. Levels below one tick are left
    /// out.
    pub(super) fn target(&self, mark: f64, thinning: Thinning, noise: impl Fn(Ticks) -> f64) -> TargetBook {
        let spread = self.spec.spread_ticks;
        let widening = |thin: f64| ((spread as f64 * thin) as i64).min(spread - 1);
        let bid = whole(mark - 0.5 * spread as f64);
        let ask = bid + spread + widening(thinning.asks);
        let bid = bid - widening(thinning.bids);
        let levels = |touch: i64, step: i64, thin: f64| {
            let mut levels = Vec::with_capacity(self.spec.levels as usize);
            for level in 0..i64::from(self.spec.levels) {
                let price = Ticks(touch + level * step);
                if price <= Ticks::ZERO {
                    break;
                }
                let lots = self.size(level, noise(price), thin);
                levels.push(TargetLevel { price, lots });
            }
            levels
        };
        let gap = self.spec.level_gap_ticks;
        TargetBook { bids: levels(bid, -gap, thinning.bids), asks: levels(ask, gap, thinning.asks) }
    }

    /// Returns the trade of the simulated public in this tick, if there is one: it
    /// takes the target's touch, or users' orders at better prices.
    pub(super) fn prints(&self, target: &TargetBook, draws: &mut Draws<'_>) -> Vec<Print> {
        if draws.uniform() >= fraction(self.spec.print_chance_e9) {
            return Vec::new();
        }
        let (side, touch) = if draws.uniform() < 0.5 {
            (Side::Buy, target.asks.first())
        } else {
            (Side::Sell, target.bids.first())
        };
        // The square makes small trades frequent: the mean is a third.
        let part = draws.uniform();
        let largest = self.spec.print_lots.0;
        let lots = Lots((1 + (largest as f64 * part * part) as i64).min(largest));
        touch.map(|touch| Print { side, lots, limit: touch.price }).into_iter().collect()
    }

    /// Returns mean and variance of the lots that the simulated public trades in
    /// `ticks` ticks.
    pub(super) fn print_moments(&self, ticks: f64) -> (f64, f64) {
        let (chance, largest) = (fraction(self.spec.print_chance_e9), self.spec.print_lots.0 as f64);
        // The square of a uniform has the mean 1/3 and the second moment 1/5.
        let (mean, square) = (chance * largest / 3.0, chance * largest * largest / 5.0);
        (ticks * mean, ticks * (square - mean * mean))
    }

    /// Returns the size of level number `level`.
    fn size(&self, level: i64, noise: f64, thin: f64) -> Lots {
        let touch = self.spec.touch_lots.0;
        let unit = (touch / SIZE_STEPS_PER_TOUCH).max(1);
        let full = touch as f64 * (1.0 + DEPTH_GROWTH_PER_LEVEL * level as f64);
        let size = full * (1.0 + fraction(self.spec.size_noise_e9) * noise) * (1.0 - MAX_THINNING * thin);
        Lots(whole(size / unit as f64).max(1) * unit)
    }
}

/// Returns the nearest integer; every caller's values fit.
pub(super) fn whole(value: f64) -> i64 {
    round_half_even(value).unwrap_or(0)
}

/// Converts a configured fraction from units of 1e-9.
pub(super) fn fraction(e9: E9) -> f64 {
    e9 as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::super::rng::{Purpose, Stream};
    use super::*;

    const NO_THINNING: Thinning = Thinning { bids: 0.0, asks: 0.0 };

    fn maker(change: impl FnOnce(&mut MakerSpec)) -> MarketMaker {
        let mut spec = MakerSpec {
            spread_ticks: 2,
            levels: 3,
            level_gap_ticks: 1,
            touch_lots: Lots(400),
            size_noise_e9: 0,
            impact_ticks_e9: 1_000_000_000,
            print_chance_e9: 500_000_000,
            print_lots: Lots(300),
        };
        change(&mut spec);
        MarketMaker::new(&spec)
    }

    fn ladder(levels: &[TargetLevel]) -> Vec<(i64, i64)> {
        levels.iter().map(|level| (level.price.0, level.lots.0)).collect()
    }

    #[test]
    fn an_unthinned_book_is_symmetric_and_grows_with_depth() {
        let target = maker(|_| {}).target(10_000.3, NO_THINNING, |_| 0.0);
        // 400, 400 × 1.25, 400 × 1.5
        assert_eq!(ladder(&target.bids), [(9_999, 400), (9_998, 500), (9_997, 600)]);
        assert_eq!(ladder(&target.asks), [(10_001, 400), (10_002, 500), (10_003, 600)]);
    }

    #[test]
    fn a_spread_of_one_tick_encloses_the_mark() {
        for mark in [100.0, 100.3, 100.5, 100.7, 101.5] {
            let target = maker(|spec| spec.spread_ticks = 1).target(mark, NO_THINNING, |_| 0.0);
            let (bid, ask) = (target.bids[0].price.0, target.asks[0].price.0);
            assert_eq!(ask - bid, 1, "at {mark}");
            assert!(bid as f64 <= mark && mark <= ask as f64, "at {mark}");
        }
    }

    #[test]
    fn noise_moves_sizes_in_units_of_the_touch() {
        let maker = maker(|spec| spec.size_noise_e9 = 400_000_000);
        let target = maker.target(10_000.0, NO_THINNING, |price| if price.0 > 10_000 { 1.0 } else { -0.51 });
        // 400 × 1.4; 400 × (1 − 0.4 × 0.51) = 318.4, in multiples of 20
        assert_eq!((target.asks[0].lots, target.bids[0].lots), (Lots(560), Lots(320)));
    }

    #[test]
    fn a_side_that_was_hit_is_thinned_and_recovers() {
        let maker = maker(|_| {});
        let hit = maker.thin(NO_THINNING, Lots(400), Lots::ZERO);
        // 400 / (400 + 400)
        assert_eq!(hit, Thinning { bids: 0.25, asks: 0.5 });
        let target = maker.target(10_000.0, hit, |_| 0.0);
        // 400 × (1 − 0.9 × 0.5) = 220, one tick further out
        assert_eq!(ladder(&target.asks)[0], (10_002, 220));
        // 400 × (1 − 0.9 × 0.25) = 310, in multiples of 20
        assert_eq!(ladder(&target.bids)[0], (9_999, 320));
        let mut thinning = hit;
        for _ in 0..11 {
            thinning = maker.thin(thinning, Lots::ZERO, Lots::ZERO);
        }
        // 0.5 × (15/16)^11 = 0.246
        assert!(thinning.asks > 0.24 && thinning.asks < 0.25, "{thinning:?}");
        for _ in 0..300 {
            thinning = maker.thin(thinning, Lots::ZERO, Lots::ZERO);
        }
        assert_eq!(thinning, NO_THINNING);
    }

    #[test]
    fn impact_is_proportional_to_net_buying() {
        let maker = maker(|spec| spec.impact_ticks_e9 = 500_000_000);
        // 0.5 ticks a touch of 400: 1,200 lots are three
        assert_eq!(maker.impact_ticks(Lots(1_200)), 1.5);
        assert_eq!(maker.impact_ticks(Lots(-400)), -0.5);
    }

    #[test]
    fn near_zero_the_lowest_levels_are_left_out() {
        let maker = maker(|spec| spec.levels = 10);
        assert_eq!(maker.min_mark(), 5.0);
        let hit = Thinning { bids: 0.999, asks: 0.0 };
        let target = maker.target(5.0, hit, |_| 0.0);
        assert_eq!(target.bids.last().map(|level| level.price), Some(Ticks(1)));
        assert_eq!(target.asks.len(), 10);
    }

    #[test]
    fn prints_take_the_touch_with_their_probability() {
        let maker = maker(|_| {});
        let target = maker.target(10_000.0, NO_THINNING, |_| 0.0);
        let mut stream = Stream::new(&"7".parse().unwrap(), "ACME", Purpose::Prints);
        let prints: Vec<Print> =
            (0..10_000).flat_map(|step| maker.prints(&target, &mut stream.at(step))).collect();
        // 10,000 × 0.5 within four standard errors of √(10,000 / 4) = 50
        assert!((4_800..=5_200).contains(&prints.len()), "{}", prints.len());
        let buys = prints.iter().filter(|print| print.side == Side::Buy).count();
        assert!(buys.abs_diff(prints.len() / 2) < 150, "{buys} buys");
        for print in prints {
            assert!((1..=300).contains(&print.lots.0));
            let touch = if print.side == Side::Buy { 10_001 } else { 9_999 };
            assert_eq!(print.limit, Ticks(touch));
        }
    }
}
