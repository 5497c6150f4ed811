//! An instrument's row. Each cell tracks its own figure; a price is no live region.

use engine::candle::Candle;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::{Lots, Money, Ticks};
use leptos::prelude::*;

use super::Column;
use super::spark::SparklineView;
use crate::components::PriceCell;
use crate::format::{self, Units};
use crate::live::{InstrumentFigures, Live};

/// Age from which a price is grey, in seconds.
const OLD_SECONDS: i64 = 60;

#[component]
pub(super) fn Row(
    live: Live,
    instrument: Instrument,
    figures: InstrumentFigures,
    stop: Memo<Option<InstrumentId>>,
    shown: Memo<u16>,
) -> impl IntoView {
    let id = instrument.id;
    let chosen = move || live.selected.get() == id;
    let symbol = StoredValue::new(instrument.symbol.clone());
    let units = Units::of(&instrument);
    let cells = move || {
        let cell = |column| cell(live, figures, units, &symbol.get_value(), column);
        Column::shown(shown.get()).map(cell).collect_view()
    };
    let old = Memo::new(move |_| age(live, figures).is_some_and(|age| age > OLD_SECONDS));
    view! {
        <tr
            class=move || if chosen() { "chosen" } else { "" }
            data-old=move || old.get().to_string()
            data-testid=format!("watch-{}", instrument.symbol)
        >
            <th scope="row">
                <a
                    class="symbol"
                    href=move || symbol.with_value(|symbol| live.href_of(symbol))
                    aria-current=move || chosen().then_some("true")
                    tabindex=move || if stop.get() == Some(id) { "0" } else { "-1" }
                    title=instrument.name.clone()
                    data-noscroll="true"
                    data-testid=format!("choose-{}", instrument.symbol)
                >
                    {instrument.symbol.clone()}
                    <span class="note">{move || figures.is_halted.get().then_some(" halted")}</span>
                </a>
            </th>
            {cells}
        </tr>
    }
}

/// The cell of a column.
fn cell(live: Live, figures: InstrumentFigures, units: Units, symbol: &str, column: Column) -> AnyView {
    let name = |field: &str| format!("{field}-{symbol}");
    let price = move |value: RwSignal<Option<Ticks>>, testid: String| {
        view! {
            <td class=column.class>
                <PriceCell value format=move |ticks| units.price(ticks) testid />
            </td>
        }
        .into_any()
    };
    let of_day = |field: &str, read: fn(Units, &Candle) -> String| {
        let text = move || figures.day.with(|day| day.as_ref().map_or_else(dash, |day| read(units, day)));
        plain(column, name(field), Signal::derive(text))
    };
    match column.bit {
        0 => price(figures.last, name("last")),
        8 => price(figures.mark, name("mark")),
        1 => {
            let change = move || {
                let now = units.price_of(figures.mark.get()?);
                format::change_percent(now, units.price_of(figures.day_open.get()?))
            };
            let class = move || match change() {
                Some(text) if text.starts_with('+') => "num up",
                Some(text) if text.starts_with('−') => "num down",
                _ => "num",
            };
            view! {
                <td class=class data-testid=name("change")>
                    {move || change().unwrap_or_else(dash)}
                </td>
            }
            .into_any()
        }
        2 => view! {
            <td class="trend">
                <SparklineView marks=figures.sparkline />
            </td>
        }
        .into_any(),
        3 => price(figures.bid, name("bid")),
        4 => price(figures.ask, name("ask")),
        5 => {
            let spread = move || {
                let (bid, ask) = (figures.bid.get()?, figures.ask.get()?);
                Some(units.price(ask - bid))
            };
            plain(column, name("spread"), Signal::derive(move || spread().unwrap_or_else(dash)))
        }
        9 => of_day("high", |units, day| units.price(day.high)),
        10 => of_day("low", |units, day| units.price(day.low)),
        11 => of_day("volume", |units, day| units.short_quantity(day.volume)),
        6 => {
            let accrued = move || match figures.accrued.get() {
                Money::ZERO => None,
                money => Some(format::decimal(units.price_of_money(money, Lots(1))?)),
            };
            plain(column, name("accrued"), Signal::derive(move || accrued().unwrap_or_else(dash)))
        }
        _ => {
            let seconds = Memo::new(move |_| age(live, figures));
            let text = move || seconds.get().map_or_else(dash, age_text);
            plain(column, name("age"), Signal::derive(text))
        }
    }
}

fn plain(column: Column, testid: String, text: Signal<String>) -> AnyView {
    view! {
        <td class=column.class data-testid=testid>
            {move || text.get()}
        </td>
    }
    .into_any()
}

/// Seconds since the newest tick arrived, by the browser's clock: venue time stops
/// with the socket.
fn age(live: Live, figures: InstrumentFigures) -> Option<i64> {
    // The connection is checked several times a second, whatever arrives.
    live.link.track();
    figures.age_ms().map(|ms| (ms / 1_000.0).max(0.0) as i64)
}

/// `7 s`, `12 min`, `3 h`.
fn age_text(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn dash() -> String {
    format::ABSENT.to_owned()
}

#[cfg(test)]
mod tests {
    use super::age_text;

    #[test]
    fn ages_are_shown_in_one_unit() {
        assert_eq!(age_text(0), "0 s");
        assert_eq!(age_text(59), "59 s");
        assert_eq!(age_text(150), "2 min");
        assert_eq!(age_text(7_300), "2 h");
    }
}
