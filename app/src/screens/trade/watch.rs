//! The market watch: a row per instrument, a signal per cell; searched, sorted,
//! with the columns that the user chose.
//!
//! Selects the instrument of ladder, chart and ticket; knows none of them.

mod order;
mod row;
mod spark;

use engine::id::InstrumentId;
use engine::instrument::Instrument;
use leptos::prelude::*;

use super::tabs::PhoneTab;
use crate::components::focus_next_row;
use crate::live::Live;
use order::{Sort, sorted};

/// Columns after the symbol, in the order of their bits in the preferences.
pub(super) const COLUMNS: [Column; 8] = [
    Column { head: "Last", sort: Some(Sort::Last), wide: false },
    Column { head: "Change", sort: Some(Sort::Change), wide: false },
    Column { head: "Trend", sort: None, wide: false },
    Column { head: "Bid", sort: None, wide: false },
    Column { head: "Ask", sort: None, wide: false },
    Column { head: "Spread", sort: Some(Sort::Spread), wide: true },
    Column { head: "Accrued", sort: None, wide: true },
    Column { head: "Age", sort: Some(Sort::Age), wide: false },
];

/// A column and the order of a click on its header.
#[derive(Clone, Copy)]
pub(super) struct Column {
    head: &'static str,
    sort: Option<Sort>,
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
}

#[component]
pub(super) fn Watch(live: Live, tab: RwSignal<PhoneTab>) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let sort = RwSignal::new((Sort::Symbol, false));
    let listed = StoredValue::new(live.listed());
    // Sorted once a second: rows that jump cannot be read.
    let second = Memo::new(move |_| live.moment.get().time.0.div_euclid(1_000_000));
    let ids = Memo::new(move |_| {
        second.with(|_| ());
        let (by, down) = sort.get();
        let query = query.get();
        listed.with_value(|listed| untrack(|| sorted(live, listed, &query, by, down)))
    });
    // One row is in the tab order: the selected one, or else the first.
    let stop = Memo::new(move |_| {
        let chosen = live.selected.get();
        ids.with(|ids| if ids.contains(&chosen) { Some(chosen) } else { ids.first().copied() })
    });
    let shown = Memo::new(move |_| live.preferences.get().columns);
    let heads = move || {
        let columns = COLUMNS.iter().enumerate().filter(|(bit, _)| shown.get() & (1 << bit) != 0);
        columns.map(|(_, column)| view! { <Head column=*column sort /> }).collect_view()
    };
    let row = move |id: InstrumentId| {
        let instrument =
            listed.with_value(|all| all.iter().find(|one: &&Instrument| one.id == id).cloned())?;
        let figures = live.figures(id)?;
        Some(view! { <row::Row live instrument figures tab stop shown /> })
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
                placeholder="Search symbol or name"
                aria-label="Search the market watch"
                autocomplete="off"
                data-testid="watch-search"
                on:input=move |event| query.set(event_target_value(&event))
            />
        </div>
        <div class="body">
            <table data-testid="watch" on:keydown=focus_next_row>
                <thead>
                    <tr>
                        <th scope="col" aria-sort=move || Sort::Symbol.aria(sort.get())>
                            <SortButton head="Symbol" by=Sort::Symbol sort />
                        </th>
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

#[component]
fn Head(column: Column, sort: RwSignal<(Sort, bool)>) -> impl IntoView {
    match column.sort {
        Some(by) => view! {
            <th scope="col" class=column.class() aria-sort=move || by.aria(sort.get())>
                <SortButton head=column.head by sort />
            </th>
        }
        .into_any(),
        None => view! {
            <th scope="col" class=column.class()>
                {column.head}
            </th>
        }
        .into_any(),
    }
}

#[component]
fn SortButton(head: &'static str, by: Sort, sort: RwSignal<(Sort, bool)>) -> impl IntoView {
    let press = move |_| sort.update(|(now, down)| (*now, *down) = by.after(*now, *down));
    let arrow = move || match sort.get() {
        (now, false) if now == by => " ▴",
        (now, true) if now == by => " ▾",
        _ => "",
    };
    view! {
        <button type="button" class="sort" data-testid=format!("sort-{}", head.to_ascii_lowercase()) on:click=press>
            {head}
            <span aria-hidden="true">{arrow}</span>
        </button>
    }
}

/// The menu of columns.
#[component]
fn ColumnMenu(live: Live) -> impl IntoView {
    let preferences = live.preferences;
    let choice = move |(bit, column): (usize, Column)| {
        let mask = 1_u16 << bit;
        let is_shown = move || preferences.get().columns & mask != 0;
        let press = move |_| preferences.change(|values| values.columns ^= mask);
        view! {
            <label>
                <input
                    type="checkbox"
                    prop:checked=is_shown
                    data-testid=format!("column-{}", column.head.to_ascii_lowercase())
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
            <div class="choices">{COLUMNS.into_iter().enumerate().map(choice).collect_view()}</div>
        </details>
    }
}
