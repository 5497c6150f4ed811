//! The market watch: a row per instrument, a signal per cell; searched, sorted,
//! with the columns that the user chose.
//!
//! Selects the instrument of ladder, chart and ticket; knows none of them.

mod order;
mod row;
mod spark;

use engine::id::InstrumentId;
use engine::instrument::Instrument;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::commands::click;
use crate::components::{Sorting, focus_next_row};
use crate::live::Live;
use order::sorted;

/// Columns after the symbol, from left to right.
pub(super) const COLUMNS: [Column; 9] = [
    Column { bit: 0, head: "Last", wide: false },
    Column { bit: 8, head: "Mark", wide: false },
    Column { bit: 1, head: "Change", wide: false },
    Column { bit: 2, head: "Trend", wide: false },
    Column { bit: 3, head: "Bid", wide: false },
    Column { bit: 4, head: "Ask", wide: false },
    Column { bit: 5, head: "Spread", wide: true },
    Column { bit: 6, head: "Accrued", wide: true },
    Column { bit: 7, head: "Age", wide: false },
];

/// A column: its bit in the preferences and its number among sorted columns, less
/// one for the symbol.
#[derive(Clone, Copy)]
pub(super) struct Column {
    bit: usize,
    head: &'static str,
    wide: bool,
}

impl Column {
    fn class(self) -> &'static str {
        match (self.head, self.wide) {
            ("Trend", _) => "num trend",
            (_, true) => "num wide",
            (_, false) => "num",
        }
    }

    fn testid(self, prefix: &str) -> String {
        format!("{prefix}-{}", self.head.to_ascii_lowercase())
    }
}

#[component]
pub(super) fn Watch(live: Live) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let sorting = Sorting::by(0, false);
    let listed = StoredValue::new(live.listed());
    // Sorted once a second: rows that jump cannot be read.
    let second = Memo::new(move |_| live.moment.get().time.0.div_euclid(1_000_000));
    let ids = Memo::new(move |_| {
        second.with(|_| ());
        query.with(|query| listed.with_value(|listed| sorted(live, listed, query, sorting)))
    });
    // One row is in the tab order: the selected one, or else the first.
    let stop = Memo::new(move |_| {
        let chosen = live.selected.get();
        ids.with(|ids| if ids.contains(&chosen) { Some(chosen) } else { ids.first().copied() })
    });
    let shown = Memo::new(move |_| live.preferences.get().columns);
    let heads = move || {
        let columns = COLUMNS.iter().filter(|column| shown.get() & (1 << column.bit) != 0);
        let head = |column: &Column| {
            // Prices of bonds are per 100 of face, and so is their interest.
            let unit = if column.head == "Accrued" { "per 100" } else { "" };
            sorting.head(column.bit + 1, column.head, unit.to_owned(), column.class(), column.testid("sort"))
        };
        columns.map(head).collect_view()
    };
    let row = move |id: InstrumentId| {
        let instrument =
            listed.with_value(|all| all.iter().find(|one: &&Instrument| one.id == id).cloned())?;
        let figures = live.figures(id)?;
        Some(view! { <row::Row live instrument figures stop shown /> })
    };
    view! {
        <header>
            <h2 id="watch-title">"Market watch"</h2>
            <div class="tools">
                <ColumnMenu live />
            </div>
        </header>
        <div class="search">
            <input
                id="watch-search"
                type="search"
                placeholder="Search symbol, name or kind"
                aria-label="Search the market watch"
                autocomplete="off"
                data-testid="watch-search"
                on:input=move |event| query.set(event_target_value(&event))
                on:keydown=choose_first
            />
        </div>
        <div class="body">
            <table data-testid="watch" on:keydown=focus_next_row>
                <thead>
                    <tr>
                        {sorting.head(0, "Symbol", String::new(), "", "sort-symbol".to_owned())}
                        {heads}
                    </tr>
                </thead>
                <tbody>
                    <For each=move || ids.get() key=|id| *id let:id>
                        {row(id)}
                    </For>
                </tbody>
            </table>
            <Show when=move || ids.with(Vec::is_empty)>
                <p class="empty">"No instrument matches."</p>
            </Show>
        </div>
    }
}

/// Enter in the search field chooses the first row.
fn choose_first(event: KeyboardEvent) {
    if event.key() == "Enter" {
        event.prevent_default();
        click("[data-testid=watch] tbody a.symbol");
    }
}

/// The menu of columns.
#[component]
fn ColumnMenu(live: Live) -> impl IntoView {
    let preferences = live.preferences;
    let choice = move |column: Column| {
        let mask = 1_u16 << column.bit;
        let is_shown = move || preferences.get().columns & mask != 0;
        let press = move |_| preferences.change(|values| values.columns ^= mask);
        view! {
            <label>
                <input
                    type="checkbox"
                    prop:checked=is_shown
                    data-testid=column.testid("column")
                    on:change=press
                />
                {column.head}
            </label>
        }
    };
    view! {
        <details class="menu">
            <summary class="button small" data-testid="watch-columns">
                "Columns"
            </summary>
            <div class="choices">{COLUMNS.map(choice).collect_view()}</div>
        </details>
    }
}
