//! A synthetic market maker: from a model price to the book it wants to show.
//!
//! Pure: holds its specification alone and knows neither processes nor the
//! merged book.

use super::rng::Draws;
use crate::instrument::E9;
use crate::money::{Lots, Ticks, round_half_even};
use crate::order::Side;
use crate::step::{Depth, Print};
use crate::venue::MakerSpec;

/// The highest model price, in ticks: a hundred times the highest start.
pub(super) const HIGHEST_MID: f64 = 1e11;

/// A side that users traded against shows less: up to this part is gone.
const MAX_THINNING: f64 = 0.9;

/// What is left of a thinning one tick later: half in about 11 ticks.
const THINNING_RETENTION: f64 = 15.0 / 16.0;

/// Thinning below this is over.
const MIN_THINNING: f64 = 1e-6;

/// How much more each deeper level shows, as a part of the touch.
const DEPTH_GROWTH_PER_LEVEL: f64 = 0.25;

/// Sizes are shown in twentieths of the touch size, so that a level does not
/// flicker with every tick.
const SIZE_STEPS_PER_TOUCH: i64 = 20;

/// How thin each side is, from 0 (as specified) to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Thinning {
    pub(super) bids: f64,
    pub(super) asks: f64,
}

/// A book that the maker wants to show: best first, never crossed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) bids: Vec<Depth>,
    pub(super) asks: Vec<Depth>,
}

/// The maker of one instrument.
#[derive(Clone, Debug)]
pub(super) struct MarketMaker {
    spec: MakerSpec,
}

impl MarketMaker {
    pub(super) fn new(spec: &MakerSpec) -> Self {
        Self { spec: spec.clone() }
    }

    /// The lowest model price, in ticks, around which both sides still have
    /// positive prices.
    pub(super) fn lowest_mid(&self) -> f64 {
        // Half a spread and at most one spread of widening lie below the mid,
        // and rounding may take one tick more.
        (2 * self.spec.spread_ticks + 1) as f64
    }

    /// Ticks between levels: a price's neighbours on the ladder.
    pub(super) fn level_gap(&self) -> i64 {
        self.spec.level_gap_ticks
    }

    /// How far net buying of `lots` moves the model price for good, in ticks;
    /// negative for net selling.
    pub(super) fn impact_ticks(&self, lots: Lots) -> f64 {
        fraction(self.spec.impact_ticks_e9) * (lots.0 as f64 / self.spec.touch_lots.0 as f64)
    }

    /// The thinning after one more tick, in which users bought and sold.
    ///
    /// Buying the touch size takes half of what was left of the asks' fullness.
    pub(super) fn thin(&self, before: Thinning, bought: Lots, sold: Lots) -> Thinning {
        let touch = self.spec.touch_lots.0 as f64;
        let side = |before: f64, traded: Lots| {
            let kept = before * THINNING_RETENTION;
            let rest = if kept < MIN_THINNING { 0.0 } else { kept };
            rest + (1.0 - rest) * (traded.0 as f64 / (traded.0 as f64 + touch))
        };
        Thinning { bids: side(before.bids, sold), asks: side(before.asks, bought) }
    }

    /// The book around `mid` (in ticks, between [`MarketMaker::lowest_mid`] and
    /// [`HIGHEST_MID`]). `noise` gives −1 to 1 at a price.
    ///
    /// A thin side steps back by up to a spread. Levels that would fall below
    /// one tick are left out.
    pub(super) fn target(&self, mid: f64, thinning: Thinning, noise: impl Fn(Ticks) -> f64) -> Target {
        let spread = self.spec.spread_ticks;
        let widening = |thin: f64| ((spread as f64 * thin) as i64).min(spread - 1);
        let bid = whole(mid - 0.5 * spread as f64);
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
                levels.push(Depth { price, lots });
            }
            levels
        };
        let gap = self.spec.level_gap_ticks;
        Target { bids: levels(bid, -gap, thinning.bids), asks: levels(ask, gap, thinning.asks) }
    }

    /// A trade of the rest of the world, if one happens in this tick: it takes
    /// what the target shows at the touch, or rests of users better than that.
    pub(super) fn prints(&self, target: &Target, draws: &mut Draws<'_>) -> Vec<Print> {
        if draws.uniform() >= fraction(self.spec.print_chance_e9) {
            return Vec::new();
        }
        let (side, touch) = if draws.uniform() < 0.5 {
            (Side::Buy, target.asks.first())
        } else {
            (Side::Sell, target.bids.first())
        };
        // Small trades are the rule: the square makes the mean a third.
        let part = draws.uniform();
        let largest = self.spec.print_lots.0;
        let lots = Lots((1 + (largest as f64 * part * part) as i64).min(largest));
        touch.map(|touch| Print { side, lots, limit: touch.price }).into_iter().collect()
    }

    /// What level number `level` shows.
    fn size(&self, level: i64, noise: f64, thin: f64) -> Lots {
        let touch = self.spec.touch_lots.0;
        let grain = (touch / SIZE_STEPS_PER_TOUCH).max(1);
        let full = touch as f64 * (1.0 + DEPTH_GROWTH_PER_LEVEL * level as f64);
        let wanted = full * (1.0 + fraction(self.spec.size_noise_e9) * noise) * (1.0 - MAX_THINNING * thin);
        Lots(whole(wanted / grain as f64).max(1) * grain)
    }
}

/// The nearest whole number; every caller's values fit.
pub(super) fn whole(value: f64) -> i64 {
    round_half_even(value).unwrap_or(0)
}

/// A configured fraction as a number.
pub(super) fn fraction(e9: E9) -> f64 {
    e9 as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::super::rng::{Purpose, Stream};
    use super::*;

    const CALM: Thinning = Thinning { bids: 0.0, asks: 0.0 };

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

    fn ladder(levels: &[Depth]) -> Vec<(i64, i64)> {
        levels.iter().map(|d| (d.price.0, d.lots.0)).collect()
    }

    #[test]
    fn a_calm_book_is_even_and_deepens() {
        let target = maker(|_| {}).target(10_000.3, CALM, |_| 0.0);
        // 400, 400 × 1.25, 400 × 1.5
        assert_eq!(ladder(&target.bids), [(9_999, 400), (9_998, 500), (9_997, 600)]);
        assert_eq!(ladder(&target.asks), [(10_001, 400), (10_002, 500), (10_003, 600)]);
    }

    #[test]
    fn a_spread_of_one_tick_holds_the_price_between() {
        for mid in [100.0, 100.3, 100.5, 100.7, 101.5] {
            let target = maker(|spec| spec.spread_ticks = 1).target(mid, CALM, |_| 0.0);
            let (bid, ask) = (target.bids[0].price.0, target.asks[0].price.0);
            assert_eq!(ask - bid, 1, "at {mid}");
            assert!(bid as f64 <= mid && mid <= ask as f64, "at {mid}");
        }
    }

    #[test]
    fn noise_moves_sizes_in_grains() {
        let maker = maker(|spec| spec.size_noise_e9 = 400_000_000);
        let target = maker.target(10_000.0, CALM, |price| if price.0 > 10_000 { 1.0 } else { -0.51 });
        // 400 × 1.4; 400 × (1 − 0.4 × 0.51) = 318.4, in grains of 20
        assert_eq!((target.asks[0].lots, target.bids[0].lots), (Lots(560), Lots(320)));
    }

    #[test]
    fn the_side_that_was_hit_is_thin_and_recovers() {
        let maker = maker(|_| {});
        let hit = maker.thin(CALM, Lots(400), Lots::ZERO);
        // 400 / (400 + 400)
        assert_eq!(hit, Thinning { bids: 0.0, asks: 0.5 });
        let target = maker.target(10_000.0, hit, |_| 0.0);
        // 400 × (1 − 0.9 × 0.5) = 220, one tick further out
        assert_eq!(ladder(&target.asks)[0], (10_002, 220));
        assert_eq!(ladder(&target.bids)[0], (9_999, 400));
        let mut thinning = hit;
        for _ in 0..11 {
            thinning = maker.thin(thinning, Lots::ZERO, Lots::ZERO);
        }
        // 0.5 × (15/16)^11 = 0.246
        assert!(thinning.asks > 0.24 && thinning.asks < 0.25, "{thinning:?}");
        for _ in 0..300 {
            thinning = maker.thin(thinning, Lots::ZERO, Lots::ZERO);
        }
        assert_eq!(thinning, CALM);
    }

    #[test]
    fn impact_is_in_proportion_to_net_buying() {
        let maker = maker(|spec| spec.impact_ticks_e9 = 500_000_000);
        // 0.5 ticks a touch of 400: 1,200 lots are three
        assert_eq!(maker.impact_ticks(Lots(1_200)), 1.5);
        assert_eq!(maker.impact_ticks(Lots(-400)), -0.5);
    }

    #[test]
    fn near_zero_the_lowest_levels_are_left_out() {
        let maker = maker(|spec| spec.levels = 10);
        assert_eq!(maker.lowest_mid(), 5.0);
        let hit = Thinning { bids: 0.999, asks: 0.0 };
        let target = maker.target(5.0, hit, |_| 0.0);
        assert_eq!(target.bids.last().map(|depth| depth.price), Some(Ticks(1)));
        assert_eq!(target.asks.len(), 10);
    }

    #[test]
    fn prints_take_the_touch_and_keep_their_chance() {
        let maker = maker(|_| {});
        let target = maker.target(10_000.0, CALM, |_| 0.0);
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
