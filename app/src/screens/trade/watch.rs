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
use crate::preferences::DEFAULT_COLUMNS;
use order::sorted;

/// Columns after the symbol, from left to right.
const COLUMNS: [Column; 12] = [
    column(0, "Last", "num", false),
    column(8, "Mark", "num", false),
    column(1, "Change", "num", false),
    column(2, "Trend", "num trend", false),
    column(3, "Bid", "num", true),
    column(4, "Ask", "num", true),
    column(9, "High", "num", true),
    column(10, "Low", "num", true),
    column(11, "Volume", "num", true),
    column(5, "Spread", "num wide", false),
    column(6, "Accrued", "num wide", false),
    column(7, "Age", "num", false),
];

const fn column(bit: usize, head: &'static str, class: &'static str, extra: bool) -> Column {
    Column { bit, head, class, extra }
}

/// A column: its bit in the preferences and its number among sorted columns, less
/// one for the symbol.
#[derive(Clone, Copy)]
struct Column {
    bit: usize,
    head: &'static str,
    class: &'static str,
    /// True for a column that is shown without having been chosen where there is
    /// room for it.
    extra: bool,
}

impl Column {
    /// The columns to show: those that the user chose, and if that is none, the extra
    /// ones beside the default.
    fn shown(chosen: u16) -> impl Iterator<Item = Self> {
        COLUMNS.into_iter().filter_map(move |column| {
            let is_extra = column.extra && chosen == DEFAULT_COLUMNS;
            let class = if is_extra { "num extra" } else { column.class };
            (is_extra || chosen & (1 << column.bit) != 0).then_some(Self { class, ..column })
        })
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
        let head = |column: Column| {
            // Prices of bonds are per 100 of face, and so is their interest.
            let unit = if column.head == "Accrued" { "per 100" } else { "" };
            sorting.head(column.bit + 1, column.head, unit.to_owned(), column.class, column.testid("sort"))
        };
        Column::shown(shown.get()).map(head).collect_view()
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
            <div class="choices">
                {COLUMNS.map(choice).collect_view()}
                <p class="extra-hint" hidden=move || preferences.get().columns != DEFAULT_COLUMNS>
                    "A wide watch shows bid, ask, high, low and volume until you choose."
                </p>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_columns_stand_beside_the_default_ones_until_the_user_chooses() {
        let heads = |chosen| Column::shown(chosen).map(|column| column.head).collect::<Vec<_>>();
        assert_eq!(
            heads(DEFAULT_COLUMNS),
            ["Last", "Mark", "Change", "Trend", "Bid", "Ask", "High", "Low", "Volume"]
        );
        assert_eq!(heads(0b1000), ["Bid"]);
        assert_eq!(heads(0b1110_0000_0001), ["Last", "High", "Low", "Volume"]);
        let extra = Column::shown(DEFAULT_COLUMNS).filter(|column| column.class == "num extra");
        assert_eq!(extra.count(), 5);
        assert!(Column::shown(0b1000).all(|column| column.class == "num"), "chosen is shown anywhere");
    }

    #[test]
    fn every_column_has_a_bit_of_its_own() {
        let mask = COLUMNS.iter().fold(0_u16, |mask, column| mask | 1 << column.bit);
        assert_eq!(mask.count_ones() as usize, COLUMNS.len());
    }
}
