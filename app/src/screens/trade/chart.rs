//! The chart of the selected instrument: stored candles, and over them the venue's
//! newest candles as they arrive.
//!
//! Both are folded by the venue from the same journal, so a reload changes nothing.
//! The store lags behind: while a candle between the two is missing, the stored
//! ones are read again. Knows no pixels; the scene does.

use std::time::Duration;

use engine::candle::Interval;
use engine::decimal::Decimal;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::order::Side;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::Fill;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::bar::Bar;

use crate::api::{self, PageData};
use crate::chart::{Bars, Chart, ChartScene, ChartView, OwnFill, OwnOrder, Style};
use crate::live::Live;
use crate::live::state::Series;

/// Delay before stored candles are read again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The panel, once its candles are loaded.
#[component]
pub(super) fn ChartPanel(live: Live) -> impl IntoView {
    let series = live.series.get_untracked();
    let opening: PageData<Vec<Bar>> =
        PageData::new_with_options(|| (), move |()| api::read_candles(series.0.to_string(), series.1), true);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                let stored = opening.await.ok();
                view! { <InstrumentChart live series stored /> }
            })}
        </Suspense>
    }
}

#[component]
fn InstrumentChart(
    live: Live,
    /// The candles that `stored` are.
    series: Series,
    stored: Option<Vec<Bar>>,
) -> impl IntoView {
    let is_loaded = stored.is_some();
    let chart = Chart::new(opening_scene(live, series, stored.unwrap_or_default()));
    let feed = CandleFeed {
        live,
        chart,
        series: StoredValue::new(series),
        applied: StoredValue::new(VenueTime(i64::MIN)),
        is_reading: StoredValue::new(false),
    };
    feed.follow(is_loaded);
    let symbol = move || live.instrument(live.selected.get()).map(|i| i.symbol).unwrap_or_default();
    let is_line = RwSignal::new(false);
    let restyle = move |_| {
        is_line.update(|line| *line = !*line);
        let style = if is_line.get_untracked() { Style::Line } else { Style::Candles };
        chart.change(|scene| std::mem::replace(&mut scene.style, style) != style);
    };
    let choose = move |event| {
        if let Some(chosen) = Interval::from_word(&event_target_value(&event)) {
            live.change_address(|address| address.interval = chosen);
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
            <option value=interval.as_str() selected=interval == series.1>
                {label(interval)}
            </option>
        }
    };
    let is_large = move || live.address.with(|address| address.is_large);
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
                    prop:value=move || live.series.get().1.as_str()
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
                <button
                    type="button"
                    class="small enlarge"
                    aria-expanded=move || is_large().to_string()
                    data-dismiss=move || is_large().then_some("")
                    data-testid="chart-enlarge"
                    on:click=move |_| live.change_address(|address| address.is_large = !address.is_large)
                >
                    {move || if is_large() { "Shrink" } else { "Enlarge" }}
                </button>
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
            class="small"
            aria-pressed=move || pressed.get().to_string()
            data-testid=testid
            on:click=press
        >
            {name}
        </button>
    }
}

/// The scene of the first paint.
fn opening_scene(live: Live, series: Series, stored: Vec<Bar>) -> ChartScene {
    let mut scene = ChartScene::new(bars(series, stored), Decimal::new(1, 2));
    set_units(&mut scene, live.instrument(series.0));
    (scene.fills, scene.orders) = untrack(|| own(live, series.0));
    scene.zone_us = untrack(|| live.preferences.zone_us());
    scene.last = last(&scene);
    scene
}

fn set_units(scene: &mut ChartScene, instrument: Option<Instrument>) {
    if let Some(instrument) = instrument {
        (scene.unit, scene.lower_unit) = (instrument.tick_size, instrument.lot_size);
    }
}

fn bars((_, interval): Series, stored: Vec<Bar>) -> Bars {
    Bars::new(interval.seconds() * MICROS_PER_SECOND, stored)
}

/// The newest candle's close.
fn last(scene: &ChartScene) -> Option<i64> {
    scene.bars.list().last().map(|bar| bar.close)
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

/// Feeds a chart with candles and the account's own trades.
#[derive(Clone, Copy)]
struct CandleFeed {
    live: Live,
    chart: Chart,
    /// The candles in the chart.
    series: StoredValue<Series>,
    /// Start of the newest live candle in the chart.
    applied: StoredValue<VenueTime>,
    /// True while stored candles are read, or are about to be.
    is_reading: StoredValue<bool>,
}

impl CandleFeed {
    fn follow(self, is_loaded: bool) {
        let Self { live, chart, series, .. } = self;
        Effect::new(move |_| {
            let selected = live.series.get();
            if selected != series.get_value() {
                self.select(selected);
            }
        });
        Effect::new(move |before: Option<()>| {
            live.candles.track();
            if before.is_none() && !is_loaded {
                self.read_after(Duration::ZERO);
            }
            self.apply();
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
        self.is_reading.set_value(false);
        self.show(series, Vec::new());
        self.chart.change(|scene| {
            scene.follow_newest();
            true
        });
        self.read_after(Duration::ZERO);
    }

    /// Reads the stored candles after `delay`, unless they are being read.
    fn read_after(self, delay: Duration) {
        if self.is_reading.try_get_value() == Some(false) {
            self.is_reading.set_value(true);
            let series = self.series.get_value();
            match delay {
                Duration::ZERO => self.read(series),
                delay => set_timeout(move || self.read(series), delay),
            }
        }
    }

    /// Reads and shows the stored candles of `series`, unless others are selected.
    fn read(self, series: Series) {
        let is_selected = move || self.series.try_get_value() == Some(series);
        if !is_selected() {
            return;
        }
        spawn_local(async move {
            let answer = api::read_candles(series.0.to_string(), series.1).await;
            if !is_selected() {
                return;
            }
            self.is_reading.set_value(false);
            match answer {
                Ok(stored) => self.show(series, stored),
                Err(_) => {
                    self.live.announce("Chart history could not be loaded. Retrying.");
                    self.read_after(RETRY_DELAY);
                }
            }
        });
    }

    /// Shows `stored` candles, with the live ones over them.
    fn show(self, series: Series, stored: Vec<Bar>) {
        let instrument = self.live.instrument(series.0);
        let own = untrack(|| own(self.live, series.0));
        self.chart.change(|scene| {
            set_units(scene, instrument);
            scene.bars = bars(series, stored);
            (scene.fills, scene.orders) = own;
            scene.last = last(scene);
            true
        });
        self.applied.set_value(VenueTime(i64::MIN));
        self.apply();
    }

    /// Puts the live candles into the chart that it does not have. Reads the stored
    /// ones again if any between them is missing.
    fn apply(self) {
        let from = self.applied.get_value();
        let mut is_missing = false;
        self.chart.change(|scene| {
            let is_changed = self.live.read(|state| {
                let mut is_changed = false;
                if state.series == Some(self.series.get_value()) {
                    for (start, update) in state.candles.range(from..) {
                        is_missing |= update.previous.is_some_and(|previous| scene.bars.lacks(previous));
                        is_changed |= scene.bars.set(Bar::of_candle(&update.candle));
                        self.applied.set_value(*start);
                    }
                }
                is_changed
            });
            scene.last = last(scene);
            is_changed
        });
        if is_missing {
            self.read_after(RETRY_DELAY);
        }
    }
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
