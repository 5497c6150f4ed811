//! What a chart shows and where: bars, own fills and orders, the window of
//! time that is looked at, and the axes that follow from it.
//!
//! One scene for every picture: SVG on the server, a canvas in the browser.
//! Pure: knows no colours and no backend.

use std::ops::Range;

use engine::decimal::Decimal;
use engine::time::VenueTime;

use super::bars::Bars;
use super::scale::{Axis, multiples, nice_step, time_step, within};
use crate::components::format;
use protocol::candle_history::Bar;
use protocol::nav_history::Drawdown;

/// Height of the time axis.
const BOTTOM: f64 = 18.0;

/// Space above the highest price, where the legend stands.
const TOP: f64 = 22.0;

/// Width of a character of the labels.
const CHARACTER: f64 = 6.7;

/// Fewest and most bars that a window holds.
const WINDOW: (f64, f64) = (10.0, 1_500.0);

/// Bars that a window holds at first.
const AT_FIRST: f64 = 90.0;

/// Least height of what orders may be away from, in units of price.
const REACH: i64 = 8;

/// Empty space after the newest bar, in bars.
const AHEAD: f64 = 3.0;

/// How prices are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Candles.
    #[default]
    Candles,
    /// A line through the closes.
    Line,
}

/// What the lower pane shows of each bar's `volume`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lower {
    /// Columns that grow upwards.
    #[default]
    Volume,
    /// An area that hangs from the top, in per cent: of each bar, `open` is the
    /// best so far and `volume` how far below it the bar went.
    Drawdown,
}

/// One of the account's own fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// When.
    pub time: VenueTime,
    /// At which price.
    pub price: i64,
    /// Bought, or sold.
    pub bought: bool,
}

/// One of the account's own resting orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// At which price.
    pub price: i64,
    /// To buy, or to sell.
    pub buys: bool,
}

/// Everything that a chart shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartScene {
    /// The bars.
    pub bars: Bars,
    /// How they are drawn.
    pub style: Style,
    /// What the lower pane shows.
    pub lower: Lower,
    /// One unit of price.
    pub unit: Decimal,
    /// One unit of the lower pane.
    pub lower_unit: Decimal,
    /// The newest price.
    pub last: Option<i64>,
    /// The price that gains and losses are counted from.
    pub base: Option<i64>,
    /// Own fills.
    pub fills: Vec<Own>,
    /// Own resting orders.
    pub orders: Vec<Resting>,
    /// Width and height in CSS pixels.
    pub size: (f64, f64),
    /// What is added to a time before it is shown.
    pub zone_us: i64,
    /// Bars in the window; all there are where this is absent.
    wide: Option<f64>,
    /// What [`ChartScene::reset`] goes back to.
    home: Option<f64>,
    /// Where the window ends; it follows the newest bar where this is absent.
    end: Option<f64>,
}

/// The axes of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Times.
    pub x: Axis,
    /// Prices.
    pub y: Axis,
    /// The lower pane; absent where there is no room.
    pub below: Option<Axis>,
    /// Which bars can be seen.
    pub visible: Range<usize>,
    /// Prices with a line and a label.
    pub prices: Vec<i64>,
    /// Times with a line and a label.
    pub times: Vec<i64>,
    /// Time between two of them.
    pub time_step: i64,
}

impl Frame {
    /// Right edge of the plot, where the price labels begin.
    pub fn right(&self) -> f64 {
        self.x.pixels.1
    }

    /// Lower edge of the plot, where the time labels begin.
    pub fn bottom(&self) -> f64 {
        self.below.map_or(self.y.pixels.0, |below| below.pixels.0.max(below.pixels.1))
    }
}

impl ChartScene {
    /// A scene of `bars` with prices in `unit`.
    pub fn new(bars: Bars, unit: Decimal) -> Self {
        Self {
            bars,
            style: Style::default(),
            lower: Lower::default(),
            unit,
            lower_unit: Decimal::new(1, 0),
            last: None,
            base: None,
            fills: Vec::new(),
            orders: Vec::new(),
            size: (720.0, 360.0),
            zone_us: 0,
            wide: Some(AT_FIRST),
            home: Some(AT_FIRST),
            end: None,
        }
    }

    /// Shows other bars, following the newest.
    pub fn replace(&mut self, bars: Bars) {
        self.bars = bars;
        self.end = None;
    }

    /// Whether the window follows the newest bar.
    pub const fn follows(&self) -> bool {
        self.end.is_none()
    }

    /// Goes back to the newest bar and the first width.
    pub fn reset(&mut self) {
        (self.wide, self.end) = (self.home, None);
    }

    /// Shows everything there is, also when there will be more.
    pub fn fit(&mut self) {
        (self.wide, self.home, self.end) = (None, None, None);
    }

    /// Bars in the window.
    fn wide(&self) -> f64 {
        let (fewest, most) = WINDOW;
        self.wide.unwrap_or_else(|| {
            // Bars may be missing in between.
            let start = |bar: Option<&Bar>| bar.map_or(0, |bar| bar.start.0);
            let list = self.bars.list();
            let steps = (start(list.last()) - start(list.first())) / self.bars.step_us();
            within(steps as f64 + 1.0 + AHEAD, fewest, most)
        })
    }

    /// Moves the window by `pixels`; to the right shows older bars.
    pub fn pan(&mut self, pixels: f64) {
        let frame = self.frame();
        let (from, to) = frame.x.values;
        let end = to - pixels / frame.x.per_unit().max(f64::MIN_POSITIVE);
        self.settle(end, to - from);
    }

    /// Shows `factor` times as much time, keeping what is at pixel `x` there.
    pub fn zoom(&mut self, factor: f64, x: f64) {
        let frame = self.frame();
        let (from, to) = frame.x.values;
        let (fewest, most) = WINDOW;
        let before = self.wide();
        let wide = within(before * factor, fewest, most);
        let factor = wide / before;
        self.wide = Some(wide);
        if !self.follows() || x < frame.right() - 1.0 {
            let fixed = frame.x.value(within(x, frame.x.pixels.0, frame.right()));
            let newest_end = self.newest_end();
            let end = fixed + (to - fixed) * factor;
            // At the newest bar the window stays with it.
            if !(self.follows() && end >= newest_end) {
                self.settle(end, (to - from) * factor);
            }
        }
    }

    /// Where the window ends when it follows the newest bar.
    fn newest_end(&self) -> f64 {
        let step = self.bars.step_us() as f64;
        self.bars.list().last().map_or(0.0, |bar| bar.start.0 as f64) + step * AHEAD
    }

    /// Ends the window at `end`, but never where there is nothing.
    fn settle(&mut self, end: f64, span: f64) {
        let newest = self.newest_end();
        let oldest = self.bars.list().first().map_or(newest, |bar| bar.start.0 as f64);
        let least = (oldest + span / 2.0).min(newest);
        self.end = (end < newest).then_some(end.max(least));
    }

    /// The axes as the window and the size have them now.
    pub fn frame(&self) -> Frame {
        let step = self.bars.step_us() as f64;
        let end = self.end.unwrap_or_else(|| self.newest_end());
        let span = self.wide() * step;
        let from = end - span;
        let list = self.bars.list();
        let first = list.partition_point(|bar| bar.start.0 as f64 + step <= from);
        let after = list.partition_point(|bar| (bar.start.0 as f64) < end);
        let visible = first..after.max(first);
        let (low, high) = self.price_range(&visible, from..end);

        let (width, height) = self.size;
        let label = [low, high].map(|price| self.price(price as i64).chars().count()).into_iter().max();
        let right = (width - label.unwrap_or(0) as f64 * CHARACTER - 14.0).max(40.0);
        let bottom = (height - BOTTOM).max(40.0);
        let share = if self.lower == Lower::Volume { 0.2 } else { 0.3 };
        let split = if height >= 170.0 { (bottom - TOP) * share } else { 0.0 };
        let y_bottom = if split > 0.0 { bottom - split - 6.0 } else { bottom };
        let y = Axis { values: (low, high), pixels: (y_bottom, TOP) };
        let below = (split > 0.0).then(|| {
            let most = list.get(visible.clone()).into_iter().flatten().map(|bar| self.lower_value(bar)).max();
            let most = most.unwrap_or(0).max(1) as f64;
            let pixels = match self.lower {
                Lower::Volume => (bottom, bottom - split),
                Lower::Drawdown => (bottom - split, bottom),
            };
            Axis { values: (0.0, most), pixels }
        });
        let price_step = nice_step((high - low) as i64, (((y_bottom - TOP) / 36.0) as i64).max(2));
        let time_step = time_step(span as i64, ((right / 84.0) as i64).max(2));
        let zone = self.zone_us as f64;
        let times = multiples(from + zone, end + zone, time_step);
        Frame {
            x: Axis { values: (from, end), pixels: (0.0, right) },
            y,
            below,
            visible,
            prices: multiples(low, high, price_step),
            times: times.into_iter().map(|time| time - self.zone_us).collect(),
            time_step,
        }
    }

    /// The lowest and the highest price to show, with a margin: what traded,
    /// own fills, and own orders no farther away than all of that is high.
    fn price_range(&self, visible: &Range<usize>, times: Range<f64>) -> (f64, f64) {
        let seen = self.bars.list().get(visible.clone()).unwrap_or_default();
        let newest = if self.follows() { self.last } else { None };
        let low = seen.iter().map(|bar| bar.low).chain(newest).min();
        let high = seen.iter().map(|bar| bar.high).chain(newest).max();
        match low.zip(high) {
            None => (0.0, 1.0),
            Some((mut low, mut high)) => {
                for fill in self.fills.iter().filter(|fill| times.contains(&(fill.time.0 as f64))) {
                    (low, high) = (low.min(fill.price), high.max(fill.price));
                }
                let reach = (high - low).max(REACH);
                let near = low - reach..=high + reach;
                for order in self.orders.iter().filter(|order| near.contains(&order.price)) {
                    (low, high) = (low.min(order.price), high.max(order.price));
                }
                let margin = ((high - low) as f64 * 0.08).max(1.0);
                (low as f64 - margin, high as f64 + margin)
            }
        }
    }

    /// The bar that is drawn at pixel `x`: the one whose middle is nearest.
    pub fn bar_at(&self, frame: &Frame, x: f64) -> Option<&Bar> {
        let step = self.bars.step_us() as f64;
        let time = frame.x.value(x);
        let near = |bar: &&Bar| (bar.start.0 as f64 + step / 2.0 - time).abs();
        let seen = self.bars.list().get(frame.visible.clone())?;
        seen.iter().min_by(|a, b| near(a).total_cmp(&near(b)))
    }

    /// Where the middle of a bar is drawn.
    pub fn middle(&self, frame: &Frame, bar: &Bar) -> f64 {
        frame.x.at(bar.start.0 as f64 + self.bars.step_us() as f64 / 2.0)
    }

    /// A price to read.
    pub fn price(&self, price: i64) -> String {
        label(self.unit, price)
    }

    /// What the lower pane draws of a bar: what traded, or its fall in
    /// millionths of the best before it.
    pub fn lower_value(&self, bar: &Bar) -> i64 {
        match self.lower {
            Lower::Volume => bar.volume,
            Lower::Drawdown => -fall(bar).millionths(),
        }
    }

    /// A figure of the lower pane to read.
    pub fn lower_figure(&self, figure: i64) -> String {
        match self.lower {
            Lower::Volume => label(self.lower_unit, figure),
            Lower::Drawdown => format::percent(-figure),
        }
    }

    /// The same beside its axis, where there is little room.
    pub fn lower_label(&self, figure: i64) -> String {
        match self.lower {
            Lower::Volume => {
                let size = self.lower_unit.times(figure);
                size.map_or_else(|| format::ABSENT.to_owned(), format::short)
            }
            Lower::Drawdown => self.lower_figure(figure),
        }
    }

    /// A bar in words.
    pub fn legend(&self, bar: &Bar) -> String {
        let time = self.began(bar, self.bars.step_us());
        let [open, high, low, close] =
            [bar.open, bar.high, bar.low, bar.close].map(|price| self.price(price));
        match self.lower {
            Lower::Volume => {
                let volume = self.lower_figure(bar.volume);
                format!("{time}  O {open}  H {high}  L {low}  C {close}  V {volume}")
            }
            Lower::Drawdown => {
                let [gain, share, below] = self.gain(bar);
                format!("{time}  NAV {close}  P&L {gain}  drawdown {share} ({below})")
            }
        }
    }

    /// A bar's gain since the base, and its fall as a share and as an amount.
    pub fn gain(&self, bar: &Bar) -> [String; 3] {
        let cents = |cents| format::signed_cents(cents);
        let gain = bar.close - self.base.unwrap_or(bar.close);
        [cents(gain), format::percent(fall(bar).millionths()), cents(-bar.volume)]
    }

    /// When a bar began, to read: of one that is longer than an hour its day,
    /// of others no less exact than `step`.
    pub fn began(&self, bar: &Bar, step: i64) -> String {
        let long = self.lower == Lower::Volume && self.bars.step_us() > 3_600_000_000;
        self.time(bar.start, if long { 86_400_000_000 } else { step })
    }

    /// A time to read, as exact as labels `step` apart need it.
    pub fn time(&self, time: VenueTime, step: i64) -> String {
        const SECOND: i64 = 1_000_000;
        let shown = time.plus_micros(self.zone_us);
        let clock = format::clock(shown);
        let day = || engine::time::Date::of(shown).to_string().get(5..).unwrap_or_default().to_owned();
        let midnight = shown.0.rem_euclid(86_400 * SECOND) == 0;
        if step >= 86_400 * SECOND || (step >= 3_600 * SECOND && midnight) {
            day()
        } else if step >= 60 * SECOND {
            clock.get(..5).unwrap_or_default().to_owned()
        } else {
            clock
        }
    }
}

/// How far below the best a bar of a [`Lower::Drawdown`] went.
const fn fall(bar: &Bar) -> Drawdown {
    Drawdown { below: bar.volume, peak: bar.open }
}

fn label(unit: Decimal, count: i64) -> String {
    unit.times(count).map_or_else(|| format::ABSENT.to_owned(), format::decimal)
}
