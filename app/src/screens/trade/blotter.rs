//! The blotter: positions, orders, fills and quotes behind tabs, with a filter
//! and a file of what is shown.
//!
//! All tables stay in the page, so that their counts and rows do; the tabs
//! choose which one is seen.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::tabs::Tab;
use super::{fills, orders, quotes};
use crate::Hydrated;
use crate::components::download_csv;
use crate::live::Live;
use crate::reactive::{RwSignal, Signal};
use crate::screens::portfolio::Positions;

/// What the blotter shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Book {
    Positions,
    Orders,
    Fills,
    Quotes,
}

impl Book {
    const ALL: [Self; 4] = [Self::Positions, Self::Orders, Self::Fills, Self::Quotes];

    const fn key(self) -> &'static str {
        match self {
            Self::Positions => "positions",
            Self::Orders => "orders",
            Self::Fills => "fills",
            Self::Quotes => "quotes",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Positions => "Positions",
            Self::Orders => "Orders",
            Self::Fills => "Fills",
            Self::Quotes => "Quotes",
        }
    }
}

#[component]
pub(super) fn Blotter(live: Live, phone: RwSignal<Tab>) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let book = RwSignal::new(Book::Positions);
    // As it was typed, and as it is compared.
    let typed = RwSignal::new(String::new());
    let filter = RwSignal::new(String::new());
    let live_only = RwSignal::new(false);
    let count = move |which: Book| match which {
        Book::Positions => {
            live.valuation.with(|all| all.positions.iter().filter(|line| line.quantity.mantissa != 0).count())
        }
        Book::Orders => open_orders(live),
        Book::Fills => live.fills.with(Vec::len),
        Book::Quotes => quotes::count(live),
    };
    let tab = move |which: Book| {
        let chosen = move || book.get() == which;
        let testid = match which {
            Book::Orders => "open-orders".to_owned(),
            _ => format!("count-{}", which.key()),
        };
        view! {
            <button
                type="button"
                role="tab"
                id=format!("tab-of-{}", which.key())
                aria-controls=format!("book-{}", which.key())
                aria-selected=move || chosen().to_string()
                tabindex=move || if chosen() { "0" } else { "-1" }
                data-testid=format!("blotter-{}", which.key())
                on:click=move |_| book.set(which)
            >
                {which.word()}
                <span class="count num" data-testid=testid>
                    {move || count(which)}
                </span>
                {(which == Book::Orders).then(|| view! { <span class="count">"open"</span> })}
            </button>
        }
    };
    let nothing = move || match typed.get() {
        typed if typed.is_empty() => "No order is open.".to_owned(),
        typed => format!("Nothing matches \"{typed}\"."),
    };
    let panel = move |which: Book, table: AnyView| {
        view! {
            <div
                class="body"
                role="tabpanel"
                tabindex="0"
                id=format!("book-{}", which.key())
                aria-labelledby=format!("tab-of-{}", which.key())
                hidden=move || book.get() != which
            >
                {table}
                // The style sheet shows it where every row is hidden.
                <p class="none">{move || nothing()}</p>
            </div>
        }
    };
    let save = move |_| {
        let key = book.get_untracked().key();
        download_csv(&format!("#book-{key} table"), &format!("{key}.csv"));
    };
    view! {
        <header>
            <h2 class="sr-only" id="blotter-title">
                "Blotter"
            </h2>
            <div class="tablist" role="tablist" aria-labelledby="blotter-title" on:keydown=walk>
                {Book::ALL.map(tab).map(IntoAny::into_any).collect_view()}
            </div>
            <div class="tools">
                <label class="check" hidden=move || book.get() != Book::Orders>
                    <input
                        type="checkbox"
                        prop:checked=move || live_only.get()
                        data-testid="live-only"
                        on:change=move |event| live_only.set(event_target_checked(&event))
                    />
                    "Open only"
                </label>
                <orders::CancelAll
                    live
                    shown=Signal::derive(move || book.get() == Book::Orders)
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
                    disabled=move || !hydrated.get()
                    data-testid="blotter-csv"
                    on:click=save
                >
                    "CSV"
                </button>
            </div>
        </header>
        {panel(Book::Positions, view! { <Positions live wide=false filter=filter.into() /> }.into_any())}
        {panel(Book::Orders, view! { <orders::Orders live filter live_only /> }.into_any())}
        {panel(Book::Fills, view! { <fills::Fills live filter /> }.into_any())}
        {panel(Book::Quotes, view! { <quotes::Quotes live filter tab=phone /> }.into_any())}
    }
    .into_any()
}

fn open_orders(live: Live) -> usize {
    live.order_ids.with(|ids| {
        let orders = ids.iter().filter_map(|id| live.order(*id));
        orders.filter(|order| order.with(|order| order.status.is_live())).count()
    })
}

/// Whether every word of the filter, in capitals, is part of one of `words`.
pub(super) fn holds(filter: RwSignal<String>, words: &[&str]) -> bool {
    let one_has = |part: &str| words.iter().any(|word| word.to_ascii_uppercase().contains(part));
    filter.with(|filter| filter.split(' ').all(one_has))
}

/// Arrow keys go from tab to tab and show what they reach.
fn walk(event: KeyboardEvent) {
    let forward = match event.key().as_str() {
        "ArrowRight" => true,
        "ArrowLeft" => false,
        _ => return,
    };
    event.prevent_default();
    crate::components::press_sibling(&event, forward);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_filter_must_be_found() {
        Owner::new().with(|| {
            for (filter, is_shown) in
                [("", true), ("SELL", true), ("ACM", true), ("ACME CANC", true), ("ACME BUY", false)]
            {
                let words = ["ACME", "Sell", "Cancelled"];
                assert_eq!(holds(RwSignal::new(filter.to_owned()), &words), is_shown, "{filter}");
            }
        });
    }
}
