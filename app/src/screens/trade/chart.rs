//! The chart of the selected instrument: stored candles, continued by live marks
//! and prints.
//!
//! The store lags behind the market: candles are read again until they reach the
//! time of the first read, and after every reconnect; what was seen live since is
//! added to them. Knows no pixels; the scene does.

use std::collections::VecDeque;
use std::time::Duration;

use engine::candle::Interval;
use engine::decimal::Decimal;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::Ticks;
use engine::order::Side;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::Fill;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::candle_history::CandleHistory;

use crate::api::{self, PageData};
use crate::chart::{Bars, Chart, ChartScene, ChartView, OwnFill, OwnOrder, Style};
use crate::live::Live;

/// Interval of a new chart.
const DEFAULT_INTERVAL: Interval = Interval::S1;

/// Delay before candles that lag behind are read again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Reads of the same candles at most.
const MAX_READS: u32 = 6;

/// Time between two marks at most.
const MARK_INTERVAL_US: i64 = MICROS_PER_SECOND;

/// Marks kept for the time that the store lags behind.
const MARKS_CAPACITY: usize = 200;

/// The candles of a chart.
type Series = (InstrumentId, Interval);

/// The panel, once its candles are loaded.
#[component]
pub(super) fn ChartPanel(live: Live, is_large: RwSignal<bool>) -> impl IntoView {
    let id = live.selected.get_untracked();
    let opening: PageData<CandleHistory> = PageData::new_with_options(
        || (),
        move |()| api::read_candles(id.to_string(), DEFAULT_INTERVAL),
        true,
    );
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                let candles = opening.await.unwrap_or_default();
                view! { <InstrumentChart live id candles is_large /> }
            })}
        </Suspense>
    }
}

#[component]
fn InstrumentChart(
    live: Live,
    /// The instrument that `candles` are of.
    id: InstrumentId,
    candles: CandleHistory,
    is_large: RwSignal<bool>,
) -> impl IntoView {
    let interval = RwSignal::new(DEFAULT_INTERVAL);
    let chart = Chart::new(opening_scene(live, id, candles));
    CandleFeed {
        live,
        chart,
        series: StoredValue::new((id, DEFAULT_INTERVAL)),
        marks: StoredValue::default(),
    }
    .follow(interval);
    let symbol = move || live.instrument(live.selected.get()).map(|i| i.symbol).unwrap_or_default();
    let is_line = RwSignal::new(false);
    let restyle = move |_| {
        is_line.update(|line| *line = !*line);
        let style = if is_line.get_untracked() { Style::Line } else { Style::Candles };
        chart.change(|scene| std::mem::replace(&mut scene.style, style) != style);
    };
    let choose = move |event| {
        if let Some(chosen) = Interval::from_word(&event_target_value(&event)) {
            interval.set(chosen);
        }
    };
    let newest = move |_| {
        chart.change(|scene| {
            scene.reset();
            true
        });
    };
    let option = |interval: Interval| {
        view! {
            <option value=interval.as_str() selected=interval == DEFAULT_INTERVAL>
                {label(interval)}
            </option>
        }
    };
    view! {
        <header>
            <h2 id="chart-title">
                "Chart " <span data-testid="chart-symbol">{symbol}</span>
            </h2>
            <div class="tools">
                <select
                    aria-label="Length of a bar"
                    data-testid="chart-interval"
                    on:change=choose
                    prop:value=move || interval.get().as_str()
                >
                    {Interval::ALL.map(option).collect_view()}
                </select>
                <ToggleButton name="Line" testid="chart-line" pressed=is_line press=restyle />
                <ToggleButton
                    name="Table"
                    testid="chart-as-table"
                    pressed=chart.table
                    press=move |_| chart.table.update(|table| *table = !*table)
                />
                <button type="button" class="small" data-testid="chart-newest" on:click=newest>
                    "Newest"
                </button>
                <ToggleButton
                    name="Enlarge"
                    testid="chart-enlarge"
                    pressed=is_large
                    press=move |_| is_large.update(|is_large| *is_large = !*is_large)
                />
            </div>
        </header>
        <ChartView
            chart
            label=Signal::derive(move || format!("Chart of {}", symbol()))
            name=Signal::derive(symbol)
            testid="chart"
        />
    }
}

#[component]
fn ToggleButton<F: Fn(MouseEvent) + Send + 'static>(
    name: &'static str,
    testid: &'static str,
    pressed: RwSignal<bool>,
    press: F,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=format!("small {}", name.to_ascii_lowercase())
            aria-pressed=move || pressed.get().to_string()
            data-testid=testid
            on:click=press
        >
            {name}
        </button>
    }
}

/// The scene of the first paint.
fn opening_scene(live: Live, id: InstrumentId, candles: CandleHistory) -> ChartScene {
    let mut scene = scene_of(live, id, bars(live, DEFAULT_INTERVAL, candles));
    (scene.fills, scene.orders) = untrack(|| own(live, id));
    scene.zone_us = untrack(|| live.preferences.zone_us());
    let now = live.moment.get_untracked().time;
    if let Some(mark) = live.figures(id).and_then(|figures| figures.mark.get_untracked()) {
        take_mark(&mut scene, now, mark);
    }
    scene
}

fn scene_of(live: Live, id: InstrumentId, bars: Bars) -> ChartScene {
    let instrument = live.instrument(id);
    let unit = |of: fn(&Instrument) -> Decimal| instrument.as_ref().map_or(Decimal::new(1, 2), of);
    let mut scene = ChartScene::new(bars, unit(|instrument| instrument.tick_size));
    scene.lower_unit = unit(|instrument| instrument.lot_size);
    scene
}

fn bars(live: Live, interval: Interval, candles: CandleHistory) -> Bars {
    Bars::resume(live.t0(), interval.seconds() * MICROS_PER_SECOND, candles)
}

const fn label(interval: Interval) -> &'static str {
    match interval {
        Interval::S1 => "1 s",
        Interval::S5 => "5 s",
        Interval::S15 => "15 s",
        Interval::M1 => "1 min",
        Interval::M5 => "5 min",
        Interval::M15 => "15 min",
        Interval::H1 => "1 h",
        Interval::D1 => "1 d",
    }
}

/// Feeds a chart with candles, marks, prints and the account's own trades.
#[derive(Clone, Copy)]
struct CandleFeed {
    live: Live,
    chart: Chart,
    /// The candles in the chart.
    series: StoredValue<Series>,
    /// Marks since they were selected.
    marks: StoredValue<VecDeque<(VenueTime, Ticks)>>,
}

impl CandleFeed {
    fn follow(self, interval: RwSignal<Interval>) {
        let Self { live, chart, series, .. } = self;
        Effect::new(move |before: Option<Series>| {
            let selected = (live.selected.get(), interval.get());
            match before {
                // The page came with candles: they stay until there are newer ones.
                None if selected == series.get_value() => self.read(selected),
                before if before != Some(selected) => self.select(selected),
                _ => {}
            }
            selected
        });
        Effect::new(move |before: Option<bool>| {
            let is_fresh = live.link.with(|link| link.phase.is_fresh());
            if is_fresh && before == Some(false) {
                self.read(series.get_value());
            }
            is_fresh
        });
        Effect::new(move || {
            let id = live.selected.get();
            let mark = live.figures(id).and_then(|figures| figures.mark.get());
            let now = live.moment.get().time;
            if let Some(mark) = mark.filter(|_| series.get_value().0 == id) {
                self.remember(now, mark);
                chart.change(|scene| take_mark(scene, now, mark));
            }
        });
        Effect::new(move || {
            let id = live.selected.get();
            let prints = prints(live, id);
            if series.get_value().0 == id {
                chart.change(|scene| scene.bars.print(&prints));
            }
        });
        Effect::new(move || {
            let own = own(live, live.selected.get());
            chart.change(|scene| {
                let changed = (&scene.fills, &scene.orders) != (&own.0, &own.1);
                (scene.fills, scene.orders) = own;
                changed
            });
        });
        Effect::new(move || {
            let zone_us = live.preferences.zone_us();
            chart.change(|scene| std::mem::replace(&mut scene.zone_us, zone_us) != zone_us);
        });
    }

    /// Empties the chart and reads the candles of `series`.
    fn select(self, series: Series) {
        self.series.set_value(series);
        self.marks.set_value(VecDeque::new());
        self.chart.change(|shown| {
            shown.replace(bars(self.live, series.1, CandleHistory::default()));
            false
        });
        self.show(series, CandleHistory::default());
        self.read(series);
    }

    /// Reads the candles of `series` and shows them, unless others are selected
    /// meanwhile.
    fn read(self, series: Series) {
        let now = self.live.moment.get_untracked().time;
        self.read_until(series, VenueTime(now.0 - MARK_INTERVAL_US), MAX_READS);
    }

    fn read_until(self, series: Series, wanted: VenueTime, reads: u32) {
        let is_selected = move || self.series.try_get_value() == Some(series);
        spawn_local(async move {
            let answer = api::read_candles(series.0.to_string(), series.1).await;
            if !is_selected() {
                return;
            }
            match answer {
                Ok(candles) => {
                    if candles.through < wanted && reads > 1 {
                        let retry = move || {
                            if is_selected() {
                                self.read_until(series, wanted, reads - 1);
                            }
                        };
                        set_timeout(retry, RETRY_DELAY);
                    }
                    self.show(series, candles);
                }
                Err(error) => {
                    self.live.announce(format!("The chart's history is missing: {}", error.message))
                }
            }
        });
    }

    /// Shows `candles`, continued by the marks and prints seen since.
    fn show(self, (id, interval): Series, candles: CandleHistory) {
        let live = self.live;
        let through = candles.through;
        let mut scene = scene_of(live, id, bars(live, interval, candles));
        self.marks.with_value(|marks| {
            for (time, mark) in marks.iter().filter(|(time, _)| *time > through) {
                scene.bars.mark(*time, mark.0);
            }
        });
        scene.bars.print(&untrack(|| prints(live, id)));
        let mark = live.figures(id).and_then(|figures| figures.mark.get_untracked());
        let now = live.moment.get_untracked().time;
        let own = untrack(|| own(live, id));
        self.chart.change(|shown| {
            (shown.unit, shown.lower_unit, shown.last) = (scene.unit, scene.lower_unit, None);
            shown.bars = scene.bars;
            (shown.fills, shown.orders) = own;
            if let Some(mark) = mark {
                take_mark(shown, now, mark);
            }
            true
        });
    }

    fn remember(self, now: VenueTime, mark: Ticks) {
        self.marks.update_value(|marks| {
            marks.push_back((now, mark));
            if marks.len() > MARKS_CAPACITY {
                marks.pop_front();
            }
        });
    }
}

/// Takes the newest mark; returns true if it changed the scene.
fn take_mark(scene: &mut ChartScene, now: VenueTime, mark: Ticks) -> bool {
    let moved = scene.last.replace(mark.0) != Some(mark.0);
    scene.bars.mark(now, mark.0) || moved
}

/// Times and lots of an instrument's prints, oldest first.
fn prints(live: Live, id: InstrumentId) -> Vec<(VenueTime, i64)> {
    let Some(figures) = live.figures(id) else { return Vec::new() };
    figures.tape.with(|tape| tape.iter().rev().map(|update| (update.time, update.print.lots.0)).collect())
}

/// The account's fills and resting orders in an instrument.
fn own(live: Live, id: InstrumentId) -> (Vec<OwnFill>, Vec<OwnOrder>) {
    let fills = live.fills.with(|fills| {
        let mine = fills.iter().filter(|fill| fill.instrument == id);
        let own =
            |fill: &Fill| OwnFill { time: fill.time, price: fill.price.0, is_buy: fill.side == Side::Buy };
        mine.map(own).collect()
    });
    let orders = live.order_ids.with(|ids| {
        let orders = ids.iter().filter_map(|order| live.order(*order));
        orders
            .filter_map(|order| {
                order.with(|order| {
                    let rests = order.instrument == id && order.status.is_live();
                    let price = order.price.limit().filter(|_| rests)?;
                    Some(OwnOrder { price: price.0, is_buy: order.side == Side::Buy })
                })
            })
            .collect()
    });
    (fills, orders)
}
