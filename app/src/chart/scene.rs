//! The scene of a chart: bars, own fills and orders, the visible window of time,
//! and the axes that follow from it.
//!
//! Drawn as SVG on the server and on a canvas in the browser. Pure: knows no
//! colours and no backend.

use std::ops::Range;

use engine::decimal::Decimal;
use engine::time::VenueTime;

use super::axes::{Axis, multiples, nice_step, time_step, within};
use super::bars::Bars;
use crate::format;
use protocol::bar::Bar;
use protocol::nav_history::Drawdown;

/// Height of the time axis in pixels.
const TIME_AXIS_HEIGHT: f64 = 18.0;

/// Height of the legend in pixels.
const LEGEND_HEIGHT: f64 = 22.0;

/// Width of a character of the labels in pixels.
const CHARACTER_WIDTH: f64 = 6.7;

/// Minimum and maximum of bars in the window.
const WINDOW_LIMITS: (f64, f64) = (10.0, 1_500.0);

/// Bars in a new window.
const DEFAULT_WINDOW: f64 = 90.0;

/// Height, at least, of the range above and below the prices in which orders are
/// shown, in units of price.
const ORDER_RANGE_MIN: i64 = 8;

/// Empty space after the newest bar, in bars.
const MARGIN_BARS: f64 = 3.0;

/// Style of the price pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Candles.
    #[default]
    Candles,
    /// A line through the closes.
    Line,
}

/// Content of the lower pane, from each bar's `volume`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lower {
    /// Volume as columns.
    #[default]
    Volume,
    /// Drawdown in per cent as an area below the top: `open` is the running
    /// maximum and `volume` the fall below it.
    Drawdown,
}

/// A fill of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnFill {
    /// Venue time.
    pub time: VenueTime,
    /// Price.
    pub price: i64,
    /// True if bought.
    pub is_buy: bool,
}

/// A resting order of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnOrder {
    /// Price.
    pub price: i64,
    /// True for a buy order.
    pub is_buy: bool,
}

/// Everything that a chart shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartScene {
    /// The bars.
    pub bars: Bars,
    /// Their style.
    pub style: Style,
    /// Content of the lower pane.
    pub lower: Lower,
    /// One unit of price.
    pub unit: Decimal,
    /// One unit of the lower pane.
    pub lower_unit: Decimal,
    /// The newest price.
    pub last: Option<i64>,
    /// The price that gains are measured from.
    pub base: Option<i64>,
    /// The account's fills.
    pub fills: Vec<OwnFill>,
    /// The account's resting orders.
    pub orders: Vec<OwnOrder>,
    /// Width and height in CSS pixels.
    pub size: (f64, f64),
    /// Offset of the displayed time zone.
    pub zone_us: i64,
    /// Bars in the window; `None` for all.
    wide: Option<f64>,
    /// Value of `wide` after [`ChartScene::reset`].
    home: Option<f64>,
    /// End of the window; `None` follows the newest bar.
    end: Option<f64>,
}

/// The axes of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotArea {
    /// Time axis.
    pub x: Axis,
    /// Price axis.
    pub y: Axis,
    /// Axis of the lower pane; `None` if the picture is too low for one.
    pub below: Option<Axis>,
    /// Indices of the visible bars.
    pub visible: Range<usize>,
    /// Prices with a line and a label.
    pub prices: Vec<i64>,
    /// Times with a line and a label.
    pub times: Vec<i64>,
    /// Time between two labels.
    pub time_step: i64,
}

impl PlotArea {
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
            wide: Some(DEFAULT_WINDOW),
            home: Some(DEFAULT_WINDOW),
            end: None,
        }
    }

    /// Moves the window to the newest bar.
    pub fn follow_newest(&mut self) {
        self.end = None;
    }

    /// Returns true if the window follows the newest bar.
    pub const fn follows(&self) -> bool {
        self.end.is_none()
    }

    /// Returns to the newest bar and the default width.
    pub fn reset(&mut self) {
        (self.wide, self.end) = (self.home, None);
    }

    /// Shows all bars, also later ones.
    pub fn fit(&mut self) {
        (self.wide, self.home, self.end) = (None, None, None);
    }

    /// Bars in the window.
    fn wide(&self) -> f64 {
        let (fewest, most) = WINDOW_LIMITS;
        self.wide.unwrap_or_else(|| {
            // There may be gaps between bars.
            let start = |bar: Option<&Bar>| bar.map_or(0, |bar| bar.start.0);
            let list = self.bars.list();
            let steps = (start(list.last()) - start(list.first())) / self.bars.step_us();
            within(steps as f64 + 1.0 + MARGIN_BARS, fewest, most)
        })
    }

    /// Moves the window by `pixels`; positive shows older bars.
    pub fn pan(&mut self, pixels: f64) {
        let plot = self.plot_area();
        let (from, to) = plot.x.values;
        let end = to - pixels / plot.x.per_unit().max(f64::MIN_POSITIVE);
        self.set_end(end, to - from);
    }

    /// Shows `factor` times as much time around pixel `x`.
    pub fn zoom(&mut self, factor: f64, x: f64) {
        let plot = self.plot_area();
        let (from, to) = plot.x.values;
        let (fewest, most) = WINDOW_LIMITS;
        let before = self.wide();
        let wide = within(before * factor, fewest, most);
        let factor = wide / before;
        self.wide = Some(wide);
        if !self.follows() || x < plot.right() - 1.0 {
            let fixed = plot.x.value(within(x, plot.x.pixels.0, plot.right()));
            let newest_end = self.newest_end();
            let end = fixed + (to - fixed) * factor;
            // A window at the newest bar stays there.
            if !(self.follows() && end >= newest_end) {
                self.set_end(end, (to - from) * factor);
            }
        }
    }

    /// End of a window that follows the newest bar.
    fn newest_end(&self) -> f64 {
        let step = self.bars.step_us() as f64;
        self.bars.list().last().map_or(0.0, |bar| bar.start.0 as f64) + step * MARGIN_BARS
    }

    /// Ends the window at `end`, but not before or after all bars.
    fn set_end(&mut self, end: f64, span: f64) {
        let newest = self.newest_end();
        let oldest = self.bars.list().first().map_or(newest, |bar| bar.start.0 as f64);
        let least = (oldest + span / 2.0).min(newest);
        self.end = (end < newest).then_some(end.max(least));
    }

    /// Axes for the current window and size.
    pub fn plot_area(&self) -> PlotArea {
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
        let right = (width - label.unwrap_or(0) as f64 * CHARACTER_WIDTH - 14.0).max(40.0);
        let bottom = (height - TIME_AXIS_HEIGHT).max(40.0);
        let share = if self.lower == Lower::Volume { 0.2 } else { 0.3 };
        let split = if height >= 170.0 { (bottom - LEGEND_HEIGHT) * share } else { 0.0 };
        let y_bottom = if split > 0.0 { bottom - split - 6.0 } else { bottom };
        let y = Axis { values: (low, high), pixels: (y_bottom, LEGEND_HEIGHT) };
        let below = (split > 0.0).then(|| {
            let most = list.get(visible.clone()).into_iter().flatten().map(|bar| self.lower_value(bar)).max();
            let most = most.unwrap_or(0).max(1) as f64;
            let pixels = match self.lower {
                Lower::Volume => (bottom, bottom - split),
                Lower::Drawdown => (bottom - split, bottom),
            };
            Axis { values: (0.0, most), pixels }
        });
        let price_step = nice_step((high - low) as i64, (((y_bottom - LEGEND_HEIGHT) / 36.0) as i64).max(2));
        let time_step = time_step(span as i64, ((right / 84.0) as i64).max(2));
        let zone = self.zone_us as f64;
        let times = multiples(from + zone, end + zone, time_step);
        PlotArea {
            x: Axis { values: (from, end), pixels: (0.0, right) },
            y,
            below,
            visible,
            prices: multiples(low, high, price_step),
            times: times.into_iter().map(|time| time - self.zone_us).collect(),
            time_step,
        }
    }

    /// Lowest and highest price to show, with a margin: bars, own fills, and own
    /// orders no farther away than the height of these.
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
                let reach = (high - low).max(ORDER_RANGE_MIN);
                let near = low - reach..=high + reach;
                for order in self.orders.iter().filter(|order| near.contains(&order.price)) {
                    (low, high) = (low.min(order.price), high.max(order.price));
                }
                let margin = ((high - low) as f64 * 0.08).max(1.0);
                (low as f64 - margin, high as f64 + margin)
            }
        }
    }

    /// The bar whose middle is nearest to pixel `x`.
    pub fn bar_at(&self, plot: &PlotArea, x: f64) -> Option<&Bar> {
        let step = self.bars.step_us() as f64;
        let time = plot.x.value(x);
        let near = |bar: &&Bar| (bar.start.0 as f64 + step / 2.0 - time).abs();
        let seen = self.bars.list().get(plot.visible.clone())?;
        seen.iter().min_by(|a, b| near(a).total_cmp(&near(b)))
    }

    /// Pixel of the middle of a bar.
    pub fn middle(&self, plot: &PlotArea, bar: &Bar) -> f64 {
        plot.x.at(bar.start.0 as f64 + self.bars.step_us() as f64 / 2.0)
    }

    /// A price for display.
    pub fn price(&self, price: i64) -> String {
        label(self.unit, price)
    }

    /// A bar's value in the lower pane: its volume, or its drawdown in millionths.
    pub fn lower_value(&self, bar: &Bar) -> i64 {
        match self.lower {
            Lower::Volume => bar.volume,
            Lower::Drawdown => -drawdown(bar).millionths(),
        }
    }

    /// A figure of the lower pane for display.
    pub fn lower_figure(&self, figure: i64) -> String {
        match self.lower {
            Lower::Volume => label(self.lower_unit, figure),
            Lower::Drawdown => format::percent(-figure),
        }
    }

    /// A figure of the lower pane in few characters, for its axis.
    pub fn lower_label(&self, figure: i64) -> String {
        match self.lower {
            Lower::Volume => {
                let size = self.lower_unit.times(figure);
                size.map_or_else(|| format::ABSENT.to_owned(), format::short)
            }
            Lower::Drawdown => self.lower_figure(figure),
        }
    }

    /// The legend of a bar.
    pub fn legend(&self, bar: &Bar) -> String {
        let time = self.start_text(bar, self.bars.step_us());
        let [open, high, low, close] =
            [bar.open, bar.high, bar.low, bar.close].map(|price| self.price(price));
        match self.lower {
            Lower::Volume => {
                let volume = self.lower_figure(bar.volume);
                format!("{time}  O {open}  H {high}  L {low}  C {close}  V {volume}")
            }
            Lower::Drawdown => {
                let [gain, share, below] = self.gain(bar);
                format!("{time}  NAV {close}  P&L {gain}  deepest drawdown {share} ({below})")
            }
        }
    }

    /// A bar's gain since the base, and its drawdown as a share and as an amount.
    pub fn gain(&self, bar: &Bar) -> [String; 3] {
        let cents = |cents| format::signed_cents(cents);
        let gain = bar.close - self.base.unwrap_or(bar.close);
        [cents(gain), format::percent(drawdown(bar).millionths()), cents(-bar.volume)]
    }

    /// Start of a bar for display: its day if it is longer than an hour, else as
    /// precise as `step`.
    pub fn start_text(&self, bar: &Bar, step: i64) -> String {
        let long = self.lower == Lower::Volume && self.bars.step_us() > 3_600_000_000;
        self.time(bar.start, if long { 86_400_000_000 } else { step })
    }

    /// A time for display, as precise as labels `step` apart need it.
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

/// Drawdown of a bar of a [`Lower::Drawdown`].
const fn drawdown(bar: &Bar) -> Drawdown {
    Drawdown { below: bar.volume, peak: bar.open }
}

fn label(unit: Decimal, count: i64) -> String {
    unit.times(count).map_or_else(|| format::ABSENT.to_owned(), format::decimal)
}
