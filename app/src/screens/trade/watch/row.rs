//! One instrument's row.
//!
//! Each cell follows its own figures; a price is no live region.

use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::{Money, Ticks};
use leptos::prelude::*;

use super::super::tabs::Tab;
use super::spark::Spark;
use super::{COLUMNS, Column};
use crate::components::{Moved, Units, format};
use crate::live::{Live, Quote};
use crate::reactive::{Memo, RwSignal, Signal, StoredValue, memo};

/// Age of a price from which it is grey, in seconds.
const OLD: i64 = 60;

#[component]
pub(super) fn Row(
    live: Live,
    instrument: Instrument,
    quote: Quote,
    tab: RwSignal<Tab>,
    stop: Memo<Option<InstrumentId>>,
    shown: Memo<u16>,
) -> impl IntoView {
    let id = instrument.id;
    let chosen = move || live.selected.get() == id;
    let choose = move |_| {
        live.selected.set(id);
        tab.set(Tab::Chart);
    };
    let symbol = StoredValue::new(instrument.symbol.clone());
    let units = Units::of(&instrument);
    let cells = move || {
        let columns = COLUMNS.iter().enumerate().filter(|(bit, _)| shown.get() & (1 << bit) != 0);
        columns
            .map(|(bit, column)| cell(live, quote, units, &symbol.get_value(), bit, *column))
            .collect_view()
    };
    let old = memo(move || age(live, quote).is_some_and(|age| age > OLD));
    view! {
        <tr
            class=move || if chosen() { "chosen" } else { "" }
            data-old=move || old.get().to_string()
            data-testid=format!("watch-{}", instrument.symbol)
        >
            <th scope="row">
                <button
                    type="button"
                    class="symbol"
                    aria-pressed=move || chosen().to_string()
                    tabindex=move || if stop.get() == Some(id) { "0" } else { "-1" }
                    title=instrument.name.clone()
                    data-testid=format!("choose-{}", instrument.symbol)
                    on:click=choose
                >
                    {instrument.symbol.clone()}
                </button>
            </th>
            {move || cells()}
        </tr>
    }
    .into_any()
}

/// The cell of column number `bit`.
fn cell(live: Live, quote: Quote, units: Units, symbol: &str, bit: usize, column: Column) -> AnyView {
    let name = |field: &str| format!("{field}-{symbol}");
    let price = move |value: RwSignal<Option<Ticks>>, testid: String| {
        view! {
            <td class="num">
                <Moved value show=move |ticks| units.price(ticks) testid />
            </td>
        }
        .into_any()
    };
    match bit {
        0 => price(quote.mark, name("mark")),
        1 => {
            let change = move || {
                let now = units.price_of(quote.mark.get()?);
                format::change_percent(now, units.price_of(quote.open.get()?))
            };
            let tone = move || match change() {
                Some(text) if text.starts_with('+') => "num up",
                Some(text) if text.starts_with('−') => "num down",
                _ => "num",
            };
            view! {
                <td class=move || tone() data-testid=name("change")>
                    {move || change().unwrap_or_else(dash)}
                </td>
            }
            .into_any()
        }
        2 => view! {
            <td class="trend">
                <Spark trail=quote.trail />
            </td>
        }
        .into_any(),
        3 => price(quote.bid, name("bid")),
        4 => price(quote.ask, name("ask")),
        5 => {
            let spread = move || {
                let (bid, ask) = (quote.bid.get()?, quote.ask.get()?);
                Some(units.price(ask - bid))
            };
            plain(column, name("spread"), Signal::derive(move || spread().unwrap_or_else(dash)))
        }
        6 => {
            let accrued = move || match quote.accrued.get() {
                Money::ZERO => dash(),
                money => format::exact_money(money),
            };
            plain(column, name("accrued"), Signal::derive(accrued))
        }
        _ => {
            let seconds = memo(move || age(live, quote));
            let text = move || seconds.get().map_or_else(dash, worded);
            plain(column, name("age"), Signal::derive(text))
        }
    }
}

fn plain(column: Column, testid: String, text: Signal<String>) -> AnyView {
    view! {
        <td class=column.class() data-testid=testid>
            {move || text.get()}
        </td>
    }
    .into_any()
}

/// Seconds since the newest tick came, by this browser's clock: venue time ends
/// with the socket, and no price gets younger by that.
fn age(live: Live, quote: Quote) -> Option<i64> {
    // It is looked at whenever the connection is, heard from or not.
    live.link.track();
    quote.age_ms().map(|ms| (ms / 1_000.0).max(0.0) as i64)
}

/// `7 s`, `12 min`, `3 h`.
fn worded(seconds: i64) -> String {
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
    use super::worded;

    #[test]
    fn ages_are_short() {
        assert_eq!(worded(0), "0 s");
        assert_eq!(worded(59), "59 s");
        assert_eq!(worded(150), "2 min");
        assert_eq!(worded(7_300), "2 h");
    }
}
