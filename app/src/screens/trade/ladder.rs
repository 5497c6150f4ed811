//! The depth ladder: rows and bars from one snapshot of the merged book.
//!
//! While the pointer or the focus is on a price, prices stay where they are and only
//! sizes change. A click on a price writes it into the ticket.

use engine::id::InstrumentId;
use engine::money::Ticks;
use engine::order::{OrderType, Side};
use leptos::prelude::*;

use super::tabs::PhoneTab;
use super::ticket::TicketForm;
use crate::commands::focus;
use crate::components::focus_next_row;
use crate::format::{self, Units};
use crate::live::{Ladder, LadderRow, Live};

/// Rows on each side of the spread; the style sheet hides those without room.
const MAX_ROWS: usize = 16;

/// Rows on each side that a phone shows.
const PHONE_MAX_ROWS: usize = 5;

/// Prices of the rows, and the rows that a side had at most.
#[derive(Clone, Debug, Default, PartialEq)]
struct ShownPrices {
    instrument: Option<InstrumentId>,
    /// Bids, then asks, best first.
    prices: [Vec<Ticks>; 2],
    depth: usize,
}

impl ShownPrices {
    /// The prices of `ladder`, or those shown before while `is_held`.
    fn next(
        before: Option<&Self>,
        is_held: bool,
        instrument: InstrumentId,
        ladder: impl FnOnce() -> Ladder,
    ) -> Self {
        let before = before.filter(|before| before.instrument == Some(instrument));
        if let Some(before) = before.filter(|_| is_held) {
            return before.clone();
        }
        let prices = ladder().prices();
        let deepest = prices.iter().map(Vec::len).max().unwrap_or_default().min(MAX_ROWS);
        // Rows that come and go would move all others.
        let depth = deepest.max(before.map_or(0, |before| before.depth));
        Self { instrument: Some(instrument), prices, depth }
    }

    fn side(&self, side: Side) -> &[Ticks] {
        match side {
            Side::Buy => &self.prices[0],
            Side::Sell => &self.prices[1],
        }
    }

    /// Empty prices between a row and the one nearer to the spread.
    fn gap(&self, side: Side, level: usize) -> Option<i64> {
        let prices = self.side(side);
        let (nearer, price) = (prices.get(level.checked_sub(1)?)?, prices.get(level)?);
        Some((price.0 - nearer.0).abs() - 1).filter(|empty| *empty > 0)
    }
}

/// The ladder on the screen. A handle.
#[derive(Clone, Copy)]
struct LadderView {
    ladder: Memo<Ladder>,
    shown: Memo<ShownPrices>,
    units: Memo<Option<Units>>,
    form: TicketForm,
    tab: RwSignal<PhoneTab>,
}

#[component]
pub(super) fn LadderPanel(live: Live, form: TicketForm, tab: RwSignal<PhoneTab>) -> impl IntoView {
    let instrument = Memo::new(move |_| live.instrument(live.selected.get()));
    let symbol = move || instrument.with(|found| found.as_ref().map(|i| i.symbol.clone()));
    let ladder = Memo::new(move |_| {
        live.figures(live.selected.get()).map(|figures| figures.ladder.get()).unwrap_or_default()
    });
    let (is_hovered, is_focused) = (RwSignal::new(false), RwSignal::new(false));
    let shown = Memo::new(move |before: Option<&ShownPrices>| {
        let is_held = is_hovered.get() || is_focused.get();
        ShownPrices::next(before, is_held, live.selected.get(), || ladder.get())
    });
    let units = Memo::new(move |_| instrument.with(|found| found.as_ref().map(Units::of)));
    let view = LadderView { ladder, shown, units, form, tab };
    let side = move |side: Side| {
        let levels: Vec<usize> = match side {
            Side::Sell => (0..MAX_ROWS).rev().collect(),
            Side::Buy => (0..MAX_ROWS).collect(),
        };
        levels.into_iter().map(|level| view! { <Row view side level /> }).collect_view()
    };
    let spread = move || match (ladder.with(Ladder::spread), units.get()) {
        (Some(ticks), Some(units)) => units.price(ticks),
        _ => format::ABSENT.to_owned(),
    };
    view! {
        <header>
            <h2 id="ladder-title">"Depth " <span data-testid="ladder-symbol">{symbol}</span></h2>
            <span class="note num" title="The entry that last changed the book" data-testid="ladder-rev">
                {move || format!("#{}", format::count(ladder.with(|ladder| ladder.rev.0)))}
            </span>
        </header>
        <div class="body" tabindex="0" role="group" aria-labelledby="ladder-title">
            <table
                data-testid="ladder"
                on:keydown=focus_next_row
                on:pointerenter=move |_| is_hovered.set(true)
                on:pointerleave=move |_| is_hovered.set(false)
                on:focusin=move |_| is_focused.set(true)
                on:focusout=move |_| is_focused.set(false)
            >
                <thead>
                    <tr>
                        <th scope="col" class="num">
                            "Own"
                        </th>
                        <th scope="col" class="num">
                            "Size"
                        </th>
                        <th scope="col" class="num">
                            "Price"
                        </th>
                        <th scope="col" class="num">
                            "Total"
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {side(Side::Sell)}
                    <tr class="spread" data-testid="spread">
                        <th scope="row" colspan="2">
                            "Spread"
                        </th>
                        <td class="num">{spread}</td>
                        <td></td>
                    </tr> {side(Side::Buy)}
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(view: LadderView, side: Side, level: usize) -> impl IntoView {
    let LadderView { ladder, shown, units, form, tab } = view;
    let price = Memo::new(move |_| shown.with(|shown| shown.side(side).get(level).copied()));
    let row = Memo::new(move |_| {
        let price = price.get()?;
        Some(ladder.with(|ladder| ladder.row_at(side, price)))
    });
    let lots = move |of: fn(&LadderRow) -> engine::money::Lots| match (row.get(), units.get()) {
        (Some(row), Some(units)) if of(&row).0 > 0 => units.short_quantity(of(&row)),
        _ => String::new(),
    };
    let text = move || match (price.get(), units.get()) {
        (Some(price), Some(units)) => units.price(price),
        _ => format::ABSENT.to_owned(),
    };
    let share = move || ladder.with(|ladder| row.get().map_or(0, |row| ladder.share(row.lots))).to_string();
    let take = move |_| {
        if let (Some(price), Some(units)) = (price.get_untracked(), units.get_untracked()) {
            form.order_type.set(OrderType::Limit);
            form.limit.set(units.price_field(price));
            tab.set(PhoneTab::Trade);
            // Prices move again.
            focus("#quantity");
        }
    };
    let gap = Memo::new(move |_| shown.with(|shown| shown.gap(side, level)));
    let name = match side {
        Side::Buy => format!("bid-{level}"),
        Side::Sell => format!("ask-{level}"),
    };
    let tone = match (side, level < PHONE_MAX_ROWS) {
        (Side::Buy, true) => "ladder-row bid",
        (Side::Buy, false) => "ladder-row bid deep",
        (Side::Sell, true) => "ladder-row ask",
        (Side::Sell, false) => "ladder-row ask deep",
    };
    // Arrow keys move between rows; one row a side is in the tab order.
    let tabindex = if level == 0 { "0" } else { "-1" };
    view! {
        <tr
            class=tone
            hidden=move || shown.with(|shown| level >= shown.depth)
            data-testid=name.clone()
            data-own=move || row.get().map(|row| (row.own.0 > 0).to_string())
            data-gap=move || gap.get().map(|empty| empty.to_string())
            title=move || gap.get().map(|empty| format!("{empty} empty prices before the next"))
        >
            <td class="num own">
                <span class="own-mark">{move || lots(|row| row.own)}</span>
            </td>
            <td class="num size">
                <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    <rect width=share height="1" />
                </svg>
                <span data-testid=format!("{name}-size")>{move || lots(|row| row.lots)}</span>
            </td>
            <td class="num">
                <button
                    type="button"
                    class="price"
                    tabindex=tabindex
                    disabled=move || price.get().is_none()
                    data-testid=format!("{name}-price")
                    on:click=take
                >
                    {text}
                </button>
            </td>
            <td class="num muted">{move || lots(|row| row.cumulative)}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use engine::id::VenueId;
    use engine::money::Lots;

    use super::*;

    fn ladder(bids: &[i64], asks: &[i64]) -> Ladder {
        let row = |price: &i64| LadderRow {
            price: Ticks(*price),
            lots: Lots(1),
            own: Lots(0),
            cumulative: Lots(1),
        };
        Ladder {
            bids: bids.iter().map(row).collect(),
            asks: asks.iter().map(row).collect(),
            ..Ladder::default()
        }
    }

    #[test]
    fn prices_stay_while_they_are_held() {
        let acme = InstrumentId::derive(VenueId::from_name("main"), "ACME");
        let first = ShownPrices::next(None, false, acme, || ladder(&[99, 98], &[101]));
        assert_eq!(first.side(Side::Buy), [Ticks(99), Ticks(98)]);
        let moved = || ladder(&[100, 99], &[102]);
        assert_eq!(ShownPrices::next(Some(&first), true, acme, moved), first);
        let freed = ShownPrices::next(Some(&first), false, acme, moved);
        assert_eq!((freed.side(Side::Sell), freed.depth), (&[Ticks(102)][..], 2));
        // Another instrument has its own prices, held or not.
        let brls = InstrumentId::derive(VenueId::from_name("main"), "BRLS");
        let other = ShownPrices::next(Some(&first), true, brls, || ladder(&[5], &[6]));
        assert_eq!((other.side(Side::Buy), other.depth), (&[Ticks(5)][..], 1));
    }

    #[test]
    fn a_gap_is_counted_in_empty_prices() {
        let acme = InstrumentId::derive(VenueId::from_name("main"), "ACME");
        let shown = ShownPrices::next(None, false, acme, || ladder(&[99, 98, 95], &[101, 598]));
        let gaps = |side| [0, 1, 2, 3].map(|level| shown.gap(side, level));
        assert_eq!(gaps(Side::Buy), [None, None, Some(2), None]); // 97 and 96
        assert_eq!(gaps(Side::Sell), [None, Some(496), None, None]);
    }
}
