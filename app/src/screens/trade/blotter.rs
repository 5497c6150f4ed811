//! The blotter: positions, orders, fills and quotes behind tabs, with a filter
//! and a CSV file of all rows that match it, also of those not loaded.
//!
//! All tables stay in the page, with their counts and rows; the tabs choose the
//! visible one.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{fills, orders, quotes};
use crate::components::{Positions, download, download_table, focus_next_row, select_next_tab};
use crate::layout::Hydrated;
use crate::live::Live;

/// A table of the blotter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BlotterTab {
    Positions,
    Orders,
    Fills,
    Quotes,
}

impl BlotterTab {
    const ALL: [Self; 4] = [Self::Positions, Self::Orders, Self::Fills, Self::Quotes];

    const fn key(self) -> &'static str {
        match self {
            Self::Positions => "positions",
            Self::Orders => "orders",
            Self::Fills => "fills",
            Self::Quotes => "quotes",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Positions => "Positions",
            Self::Orders => "Orders",
            Self::Fills => "Fills",
            Self::Quotes => "Quotes",
        }
    }

    /// Number beside the label, with a plus if there are more than are loaded.
    fn count(self, live: Live) -> String {
        let count = match self {
            Self::Positions => live.valuation.with(|valuation| {
                valuation.positions.iter().filter(|line| line.quantity.mantissa != 0).count()
            }),
            Self::Orders => open_orders(live),
            Self::Fills => live.fills.with(Vec::len),
            Self::Quotes => quotes::count(live),
        };
        let is_part = self == Self::Fills && live.has_older.get().1;
        format!("{count}{}", if is_part { "+" } else { "" })
    }
}

#[component]
pub(super) fn Blotter(live: Live) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let shown = RwSignal::new(BlotterTab::Positions);
    let typed = RwSignal::new(String::new());
    // The typed filter in capitals.
    let filter = RwSignal::new(String::new());
    let open_only = RwSignal::new(false);
    let button = move |tab: BlotterTab| view! { <TabButton live tab shown /> };
    let nothing = move || match typed.get() {
        typed if typed.is_empty() => "No order is open.".to_owned(),
        typed => format!("Nothing matches \"{typed}\"."),
    };
    let panel = move |tab: BlotterTab, table: AnyView| {
        view! {
            <div
                class="body"
                role="tabpanel"
                tabindex="0"
                id=format!("book-{}", tab.key())
                aria-labelledby=format!("tab-of-{}", tab.key())
                hidden=move || shown.get() != tab
                on:keydown=focus_next_row
            >
                {table}
                // The style sheet shows it where every row is hidden.
                <p class="none">{nothing}</p>
            </div>
        }
    };
    let is_saving = RwSignal::new(false);
    let save = move |_| {
        let tab = shown.get_untracked();
        let name = format!("{}.csv", tab.key());
        if matches!(tab, BlotterTab::Positions | BlotterTab::Quotes) {
            download_table(&format!("#book-{} table", tab.key()), &name);
            return;
        }
        is_saving.set(true);
        spawn_local(async move {
            let file = match tab {
                BlotterTab::Orders => orders::file(live, filter, open_only).await,
                _ => fills::file(live, filter).await,
            };
            match file {
                Ok(text) => download(&text, &name),
                Err(error) => live.announce(format!("No file: {}", error.message)),
            }
            is_saving.try_set(false);
        });
    };
    view! {
        <header>
            <h2 class="sr-only" id="blotter-title">
                "Blotter"
            </h2>
            <div class="tablist" role="tablist" aria-labelledby="blotter-title" on:keydown=select_next_tab>
                {BlotterTab::ALL.map(button).collect_view()}
            </div>
            <div class="tools">
                <label class="check" hidden=move || shown.get() != BlotterTab::Orders>
                    <input
                        type="checkbox"
                        prop:checked=move || open_only.get()
                        data-testid="live-only"
                        on:change=move |event| open_only.set(event_target_checked(&event))
                    />
                    "Open only"
                </label>
                <orders::CancelAllButton
                    live
                    shown=Signal::derive(move || shown.get() == BlotterTab::Orders)
                    count=Signal::derive(move || open_orders(live))
                />
                <input
                    type="search"
                    class="filter"
                    placeholder="Filter"
                    aria-label="Filter the blotter by symbol, side, type, status or dealer"
                    data-testid="blotter-filter"
                    on:input=move |event| {
                        typed.set(event_target_value(&event).trim().to_owned());
                        filter.set(typed.with_untracked(|typed| typed.to_ascii_uppercase()));
                    }
                />
                <button
                    type="button"
                    class="small"
                    disabled=move || !hydrated.get() || is_saving.get()
                    data-testid="blotter-csv"
                    on:click=save
                >
                    "CSV"
                </button>
            </div>
        </header>
        {panel(BlotterTab::Positions, view! { <Positions live wide=false filter=filter.into() /> }.into_any())}
        {panel(BlotterTab::Orders, view! { <orders::Orders live filter open_only /> }.into_any())}
        {panel(BlotterTab::Fills, view! { <fills::Fills live filter /> }.into_any())}
        {panel(BlotterTab::Quotes, view! { <quotes::Quotes live filter /> }.into_any())}
    }
}

#[component]
fn TabButton(live: Live, tab: BlotterTab, shown: RwSignal<BlotterTab>) -> impl IntoView {
    let is_shown = move || shown.get() == tab;
    let count_testid = match tab {
        BlotterTab::Orders => "open-orders".to_owned(),
        _ => format!("count-{}", tab.key()),
    };
    view! {
        <button
            type="button"
            role="tab"
            id=format!("tab-of-{}", tab.key())
            aria-controls=format!("book-{}", tab.key())
            aria-selected=move || is_shown().to_string()
            tabindex=move || if is_shown() { "0" } else { "-1" }
            data-testid=format!("blotter-{}", tab.key())
            on:click=move |_| shown.set(tab)
        >
            {tab.label()}
            <span class="count num" data-testid=count_testid>
                {move || tab.count(live)}
            </span>
            {(tab == BlotterTab::Orders).then(|| view! { <span class="count">"open"</span> })}
        </button>
    }
}

fn open_orders(live: Live) -> usize {
    live.order_ids.with(|ids| {
        let orders = ids.iter().filter_map(|id| live.order(*id));
        orders.filter(|order| order.with(|order| order.status.is_live())).count()
    })
}

/// Returns true if every word of the filter, in capitals, is part of a field.
pub(super) fn matches_filter(filter: RwSignal<String>, fields: &[&str]) -> bool {
    let contains = |word: &str| fields.iter().any(|field| field.to_ascii_uppercase().contains(word));
    filter.with(|filter| filter.split(' ').all(contains))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_filter_must_match() {
        Owner::new().with(|| {
            for (filter, is_shown) in
                [("", true), ("SELL", true), ("ACM", true), ("ACME CANC", true), ("ACME BUY", false)]
            {
                let fields = ["ACME", "Sell", "Cancelled"];
                assert_eq!(matches_filter(RwSignal::new(filter.to_owned()), &fields), is_shown, "{filter}");
            }
        });
    }
}
