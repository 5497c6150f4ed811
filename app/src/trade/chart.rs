//! The chart of the chosen instrument: bars read once, then made longer by the
//! live marks and the tape.
//!
//! Knows no pixels; the scene does.

use engine::event::TapeFrame;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::Ticks;
use engine::order::Side;
use engine::time::VenueTime;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::chart::{Bar, Bars, Chart, ChartScene, ChartView, Fill, Resting, Style};
use crate::live::Live;

/// Lengths of a bar: seconds and how they read.
const INTERVALS: [(i64, &str); 8] = [
    (1, "1 s"),
    (5, "5 s"),
    (15, "15 s"),
    (60, "1 min"),
    (300, "5 min"),
    (900, "15 min"),
    (3_600, "1 h"),
    (86_400, "1 d"),
];

/// The length that a chart begins with, in seconds.
pub(crate) const FIRST_INTERVAL: i64 = 1;

/// Which bars a chart holds.
type Key = (InstrumentId, i64);

#[component]
pub(super) fn ChartPanel(live: Live, wide: RwSignal<bool>) -> impl IntoView {
    let interval = RwSignal::new(FIRST_INTERVAL);
    let chart = Chart::new(opening_scene(live));
    let held = StoredValue::new((live.selected.get_untracked(), FIRST_INTERVAL));
    let symbol = move || live.instrument(live.selected.get()).map(|i| i.symbol).unwrap_or_default();
    Effect::new(move |before: Option<Key>| {
        let key = (live.selected.get(), interval.get());
        let fresh = before.is_none() && is_fresh(live, chart);
        if before != Some(key) && !fresh {
            load(live, chart, held, key);
        }
        key
    });
    Effect::new(move |_| {
        let id = live.selected.get();
        let (mark, now) = (live.quote(id).and_then(|quote| quote.mark.get()), live.moment.get().time);
        if held.get_value().0 == id {
            chart.change(|scene| mark.is_some_and(|mark| take_mark(scene, now, mark)));
        }
    });
    Effect::new(move |_| {
        let (id, prints) = (live.selected.get(), live.tape.get());
        if held.get_value().0 == id {
            let prints = volumes(live, &prints, id);
            chart.change(|scene| scene.bars.print(&prints));
        }
    });
    Effect::new(move |_| {
        let own = own(live, live.selected.get());
        chart.change(|scene| {
            let changed = (&scene.fills, &scene.orders) != (&own.0, &own.1);
            (scene.fills, scene.orders) = own;
            changed
        });
    });
    Effect::new(move |_| {
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
        if let Ok(seconds) = event_target_value(&event).parse() {
            interval.set(seconds);
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
                "Chart " <span data-testid="chart-symbol">{symbol}</span>
            </h2>
            <div class="tools">
                <select
                    aria-label="Length of a bar"
                    data-testid="chart-interval"
                    on:change=choose
                    prop:value=move || interval.get().to_string()
                >
                    {INTERVALS
                        .map(|(seconds, word)| {
                            view! {
                                <option value=seconds.to_string() selected=seconds == FIRST_INTERVAL>
                                    {word}
                                </option>
                            }
                        })
                        .collect_view()}
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
        <ChartView chart label=Signal::derive(move || format!("Chart of {}", symbol())) testid="chart" />
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
            class=format!("small {}", name.to_lowercase())
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
    let bars = if of == id { bars } else { Vec::new() };
    let mut scene = scene_of(live, id, Bars::new(FIRST_INTERVAL * 1_000_000, bars));
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

/// Whether the bars that the page came with reach to now.
fn is_fresh(live: Live, chart: Chart) -> bool {
    let now = live.moment.get_untracked().time;
    let bars = chart.read(|scene| (scene.bars.list().len(), scene.bars.list().last().copied()));
    let (of, opening) = live.opening_bars();
    of == live.selected.get_untracked()
        && bars.0 > 1
        && opening.last().is_some_and(|bar| now.0 - bar.start.0 < 3 * FIRST_INTERVAL * 1_000_000)
}

/// Reads the bars of `key` and shows them, unless others were asked for since.
fn load(live: Live, chart: Chart, held: StoredValue<Key>, key: Key) {
    let (id, seconds) = key;
    held.set_value(key);
    let show = move |list: Vec<Bar>| {
        let scene = scene_of(live, id, Bars::new(seconds * 1_000_000, list));
        let mark = live.quote(id).and_then(|quote| quote.mark.get_untracked());
        let now = live.moment.get_untracked().time;
        let prints = volumes(live, &live.tape.get_untracked(), id);
        let own = untrack(|| own(live, id));
        chart.change(|shown| {
            (shown.unit, shown.lower_unit, shown.last) = (scene.unit, scene.lower_unit, None);
            shown.replace(scene.bars);
            (shown.fills, shown.orders) = own;
            shown.bars.print(&prints);
            if let Some(mark) = mark {
                take_mark(shown, now, mark);
            }
            true
        });
    };
    show(Vec::new());
    spawn_local(async move {
        match api::bars(id.to_string(), seconds).await {
            Ok(list) if held.try_get_value() == Some(key) => show(list),
            Ok(_) => {}
            Err(error) => live.say(format!("The chart's history is missing: {}", error.message)),
        }
    });
}

/// Takes the newest mark; whether there is something new to draw.
fn take_mark(scene: &mut ChartScene, now: VenueTime, mark: Ticks) -> bool {
    let moved = scene.last.replace(mark.0) != Some(mark.0);
    scene.bars.mark(now, mark.0) || moved
}

/// The prints of one instrument as times and lots, oldest first.
fn volumes(live: Live, prints: &[TapeFrame], id: InstrumentId) -> Vec<(VenueTime, i64)> {
    let Some(lot_size) = live.instrument(id).map(|instrument| instrument.lot_size) else {
        return Vec::new();
    };
    let of = |print: &&TapeFrame| print.instrument_id == id;
    let lots = |print: &TapeFrame| Some((print.timestamp, print.quantity.in_units_of(lot_size)?));
    prints.iter().rev().filter(of).filter_map(lots).collect()
}

/// Own fills and resting orders in an instrument.
fn own(live: Live, id: InstrumentId) -> (Vec<Fill>, Vec<Resting>) {
    let Some(tick_size) = live.instrument(id).map(|instrument| instrument.tick_size) else {
        return (Vec::new(), Vec::new());
    };
    let fills = live.fills.with(|fills| {
        let mine = fills.iter().filter(|fill| fill.instrument_id == id);
        mine.filter_map(|fill| {
            let price = fill.price.in_units_of(tick_size)?;
            Some(Fill { time: fill.timestamp, price, bought: fill.side == Side::Buy })
        })
        .collect()
    });
    let orders = live.order_ids.with(|ids| {
        let live_ones = ids.iter().filter_map(|order| live.order(*order));
        live_ones
            .filter_map(|order| {
                order.with(|order| {
                    let rests = order.instrument_id == id && order.status.is_live();
                    let price = order.limit_price.filter(|_| rests)?.in_units_of(tick_size)?;
                    Some(Resting { price, buys: order.side == Side::Buy })
                })
            })
            .collect()
    });
    (fills, orders)
}
