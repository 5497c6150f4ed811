//! The chart of the chosen instrument: the venue's own candles, made longer by
//! the live marks and the tape.
//!
//! The store is a moment behind: it is read again until it holds what had
//! happened when it was first asked, and after every break of the connection;
//! what was seen live since is added to it.
//! Knows no pixels; the scene does.

use std::collections::VecDeque;
use std::time::Duration;

use engine::candle::Interval;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::Ticks;
use engine::order::Side;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::Fill;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::ask;
use crate::chart::{Bars, Chart, ChartScene, ChartView, Own, Resting, Style};
use crate::live::Live;
use crate::reactive::{RwSignal, Signal, StoredValue, effect};
use protocol::candle_history::CandleHistory;

/// The length that a chart begins with.
pub(crate) const FIRST_INTERVAL: Interval = Interval::S1;

/// When a store that was behind is read again, and how often at most.
const AGAIN: Duration = Duration::from_secs(1);
const READS: u32 = 6;

/// How far apart marks may be.
const CALM_US: i64 = MICROS_PER_SECOND;

/// Marks that are remembered, for what the store does not hold yet.
const REMEMBERED: usize = 200;

/// Which bars a chart holds.
type Key = (InstrumentId, Interval);

/// A chart, which bars it holds, and the marks seen since they were chosen.
#[derive(Clone, Copy)]
struct Held {
    chart: Chart,
    key: StoredValue<Key>,
    marks: StoredValue<VecDeque<(VenueTime, Ticks)>>,
}

#[component]
pub(super) fn ChartPanel(live: Live, wide: RwSignal<bool>) -> impl IntoView {
    let interval = RwSignal::new(FIRST_INTERVAL);
    let chart = Chart::new(opening_scene(live));
    let held = Held {
        chart,
        key: StoredValue::new((live.selected.get_untracked(), FIRST_INTERVAL)),
        marks: StoredValue::new(VecDeque::new()),
    };
    let symbol = move || live.instrument(live.selected.get()).map(|i| i.symbol).unwrap_or_default();
    Effect::new(move |before: Option<Key>| {
        let key = (live.selected.get(), interval.get());
        if before != Some(key) {
            // The page came with bars: they stay until there are newer ones.
            held.choose(live, key, before.is_some());
        }
        key
    });
    Effect::new(move |before: Option<bool>| {
        let fresh = live.link.with(|link| link.phase.is_fresh());
        if fresh && before == Some(false) {
            held.read(live, held.key.get_value());
        }
        fresh
    });
    effect(move || {
        let id = live.selected.get();
        let (mark, now) = (live.quote(id).and_then(|quote| quote.mark.get()), live.moment.get().time);
        if held.key.get_value().0 == id
            && let Some(mark) = mark
        {
            held.remember(now, mark);
            chart.change(|scene| take_mark(scene, now, mark));
        }
    });
    effect(move || {
        let id = live.selected.get();
        let prints = volumes(live, id);
        if held.key.get_value().0 == id {
            chart.change(|scene| scene.bars.print(&prints));
        }
    });
    effect(move || {
        let own = own(live, live.selected.get());
        chart.change(|scene| {
            let changed = (&scene.fills, &scene.orders) != (&own.0, &own.1);
            (scene.fills, scene.orders) = own;
            changed
        });
    });
    effect(move || {
        let zone_us = live.prefs.zone_us();
        chart.change(|scene| std::mem::replace(&mut scene.zone_us, zone_us) != zone_us);
    });
    let line = RwSignal::new(false);
    let restyle = move |_| {
        line.update(|line| *line = !*line);
        let style = if line.get_untracked() { Style::Line } else { Style::Candles };
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
    view! {
        <header>
            <h2 id="chart-title">
                "Chart " <span data-testid="chart-symbol">{move || symbol()}</span>
            </h2>
            <div class="tools">
                <select
                    aria-label="Length of a bar"
                    data-testid="chart-interval"
                    on:change=choose
                    prop:value=move || interval.get().as_str()
                >
                    {Interval::ALL
                        .map(|one| {
                            view! {
                                <option value=one.as_str() selected=one == FIRST_INTERVAL>
                                    {word(one)}
                                </option>
                            }
                        })
                        .map(IntoAny::into_any).collect_view()}
                </select>
                <Tool name="Line" testid="chart-line" pressed=line.into() press=restyle />
                <Tool
                    name="Table"
                    testid="chart-as-table"
                    pressed=chart.table.into()
                    press=move |_| chart.table.update(|table| *table = !*table)
                />
                <button type="button" class="small" data-testid="chart-newest" on:click=newest>
                    "Newest"
                </button>
                <Tool
                    name="Enlarge"
                    testid="chart-enlarge"
                    pressed=wide.into()
                    press=move |_| wide.update(|wide| *wide = !*wide)
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
    .into_any()
}

/// A button that stays pressed.
#[component]
fn Tool<F: Fn(leptos::ev::MouseEvent) + Send + 'static>(
    name: &'static str,
    testid: &'static str,
    pressed: Signal<bool>,
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
    .into_any()
}

/// What the first paint shows.
fn opening_scene(live: Live) -> ChartScene {
    let id = live.selected.get_untracked();
    let (of, bars) = live.opening_bars();
    let bars = if of == id { bars } else { CandleHistory::default() };
    let mut scene = scene_of(live, id, resumed(live, FIRST_INTERVAL, bars));
    (scene.fills, scene.orders) = untrack(|| own(live, id));
    scene.zone_us = live.prefs.zone_us();
    let now = live.moment.get_untracked().time;
    if let Some(mark) = live.quote(id).and_then(|quote| quote.mark.get_untracked()) {
        take_mark(&mut scene, now, mark);
    }
    scene
}

fn scene_of(live: Live, id: InstrumentId, bars: Bars) -> ChartScene {
    let instrument = live.instrument(id);
    let unit = |of: fn(&Instrument) -> engine::decimal::Decimal| {
        instrument.as_ref().map_or(engine::decimal::Decimal::new(1, 2), of)
    };
    let mut scene = ChartScene::new(bars, unit(|instrument| instrument.tick_size));
    scene.lower_unit = unit(|instrument| instrument.lot_size);
    scene
}

fn resumed(live: Live, interval: Interval, kept: CandleHistory) -> Bars {
    Bars::resume(live.t0(), interval.seconds() * MICROS_PER_SECOND, kept)
}

/// How a length reads.
const fn word(interval: Interval) -> &'static str {
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

impl Held {
    /// Shows the bars of `key`; until they come, none when others are shown.
    fn choose(self, live: Live, key: Key, others: bool) {
        self.key.set_value(key);
        self.marks.set_value(VecDeque::new());
        if others {
            self.chart.change(|shown| {
                shown.replace(resumed(live, key.1, CandleHistory::default()));
                false
            });
            self.show(live, key, CandleHistory::default());
        }
        self.read(live, key);
    }

    /// Reads the bars of `key` and shows them, unless others were chosen
    /// since.
    fn read(self, live: Live, key: Key) {
        let asked = live.moment.get_untracked().time;
        self.read_until(live, key, VenueTime(asked.0 - CALM_US), READS);
    }

    fn read_until(self, live: Live, key: Key, wanted: VenueTime, reads: u32) {
        let is_chosen = move || self.key.try_get_value() == Some(key);
        spawn_local(async move {
            match ask::bars(&key.0.to_string(), key.1).await {
                Ok(kept) if is_chosen() => {
                    if kept.through < wanted && reads > 1 {
                        let again = move || {
                            if is_chosen() {
                                self.read_until(live, key, wanted, reads - 1);
                            }
                        };
                        set_timeout(again, AGAIN);
                    }
                    self.show(live, key, kept);
                }
                Ok(_) => {}
                Err(error) => live.say(format!("The chart's history is missing: {}", error.message)),
            }
        });
    }

    fn show(self, live: Live, key: Key, kept: CandleHistory) {
        let (id, interval) = key;
        let through = kept.through;
        let mut scene = scene_of(live, id, resumed(live, interval, kept));
        self.marks.with_value(|marks| {
            for (time, mark) in marks.iter().filter(|(time, _)| *time > through) {
                scene.bars.mark(*time, mark.0);
            }
        });
        let prints = untrack(|| volumes(live, id));
        scene.bars.print(&prints);
        let mark = live.quote(id).and_then(|quote| quote.mark.get_untracked());
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
            if marks.len() > REMEMBERED {
                marks.pop_front();
            }
        });
    }
}

/// Takes the newest mark; whether there is something new to draw.
fn take_mark(scene: &mut ChartScene, now: VenueTime, mark: Ticks) -> bool {
    let moved = scene.last.replace(mark.0) != Some(mark.0);
    scene.bars.mark(now, mark.0) || moved
}

/// The prints of one instrument as times and lots, oldest first.
fn volumes(live: Live, id: InstrumentId) -> Vec<(VenueTime, i64)> {
    let Some(quote) = live.quote(id) else { return Vec::new() };
    quote.tape.with(|tape| tape.iter().rev().map(|update| (update.time, update.print.lots.0)).collect())
}

/// Own fills and resting orders in an instrument.
fn own(live: Live, id: InstrumentId) -> (Vec<Own>, Vec<Resting>) {
    let fills = live.fills.with(|fills| {
        let mine = fills.iter().filter(|fill| fill.instrument == id);
        let own = |fill: &Fill| Own { time: fill.time, price: fill.price.0, bought: fill.side == Side::Buy };
        mine.map(own).collect()
    });
    let orders = live.order_ids.with(|ids| {
        let live_ones = ids.iter().filter_map(|order| live.order(*order));
        live_ones
            .filter_map(|order| {
                order.with(|order| {
                    let rests = order.instrument == id && order.status.is_live();
                    let price = order.price.limit().filter(|_| rests)?;
                    Some(Resting { price: price.0, buys: order.side == Side::Buy })
                })
            })
            .collect()
    });
    (fills, orders)
}
