//! The headline figures, a tile each.
//!
//! A tile reads a figure of the valuation; only the total P&L is a sum.

use engine::decimal::Decimal;
use engine::money::Money;
use engine::portfolio::Valuation;
use leptos::prelude::*;

use crate::format;
use crate::live::Live;

#[component]
pub(super) fn Tiles(live: Live) -> impl IntoView {
    let currency = live.currency();
    let money = move |read: fn(&Valuation) -> Money| {
        Signal::derive(move || live.valuation.with(|valuation| format::money(read(valuation))))
    };
    let gain = move |read: fn(&Valuation) -> Money| {
        Signal::derive(move || live.valuation.with(|valuation| format::signed_money(read(valuation))))
    };
    let day = Signal::derive(move || {
        let nav = live.valuation.with(|valuation| valuation.nav);
        let open = live.day_open_nav.get();
        open.map_or_else(|| format::ABSENT.to_owned(), |open| format::signed_money(nav - open))
    });
    let delta = Signal::derive(move || live.valuation.with(delta_notional));
    let leverage = Signal::derive(move || {
        live.valuation.with(|valuation| {
            let ratio = valuation.leverage_e9.map(|e9| Decimal::new(e9, 9));
            ratio.map_or_else(
                || format::ABSENT.to_owned(),
                |ratio| format!("{} ×", format::decimal_at(ratio, 2)),
            )
        })
    });
    let concentration = Signal::derive(move || {
        live.valuation.with(|valuation| match valuation.exposure.is_empty() {
            true => format::ABSENT.to_owned(),
            // 1e-9 of one is 1e-7 of a per cent.
            false => format::decimal_at(Decimal::new(valuation.concentration_e9, 7), 1),
        })
    });
    view! {
        <dl class="tiles">
            <Tile label="NAV" unit=currency.clone() testid="tile-nav" value=money(|v| v.nav) />
            <Tile label="Cash" unit=currency.clone() testid="tile-cash" value=money(|v| v.cash) />
            <Tile
                label="Reserved by orders"
                unit=currency.clone()
                testid="tile-reserved"
                value=money(|v| v.reserved)
            />
            <Tile label="Day P&L" unit=currency.clone() testid="tile-day" value=day tone=true />
            <Tile
                label="Realized P&L"
                unit=currency.clone()
                testid="tile-realized"
                value=gain(|v| v.realized_pnl)
                tone=true
            />
            <Tile
                label="Unrealized P&L"
                unit=currency.clone()
                testid="tile-unrealized"
                value=gain(|v| v.unrealized_pnl)
                tone=true
            />
            <Tile label="Fees paid" unit=currency.clone() testid="tile-fees" value=money(|v| v.fees) />
            <Tile
                label="Total P&L"
                unit=currency.clone()
                testid="tile-total"
                value=gain(|v| v.realized_pnl + v.unrealized_pnl - v.fees)
                tone=true
            />
            <Tile label="Delta" unit=currency.clone() testid="tile-delta" value=delta />
            <Tile
                label="DV01"
                unit=format!("{currency} per bp")
                testid="tile-dv01"
                value=money(|v| v.dv01)
            />
            <Tile label="Leverage" unit=String::new() testid="tile-leverage" value=leverage />
            <Tile
                label="Largest position"
                unit="% of gross".to_owned()
                testid="tile-concentration"
                value=concentration
            />
        </dl>
    }
}

/// Delta notional over all underliers; absent without any.
fn delta_notional(valuation: &Valuation) -> String {
    match valuation.delta.as_slice() {
        [] => format::ABSENT.to_owned(),
        deltas => format::money(deltas.iter().map(|delta| delta.notional).sum()),
    }
}

#[component]
fn Tile(
    label: &'static str,
    unit: String,
    testid: &'static str,
    value: Signal<String>,
    /// True for a gain or loss, coloured by its sign.
    #[prop(optional)]
    tone: bool,
) -> impl IntoView {
    let class = move || match value.get().chars().next() {
        Some('+') if tone => "num up",
        Some('−') if tone => "num down",
        _ => "num",
    };
    let arrow = move || match class() {
        "num up" => "▲ ",
        "num down" => "▼ ",
        _ => "",
    };
    view! {
        <div class="tile">
            <dt>{label} " " <span class="unit">{unit}</span></dt>
            <dd class=class>
                <span class="arrow" aria-hidden="true">
                    {arrow}
                </span>
                <span data-testid=testid>{move || value.get()}</span>
            </dd>
        </div>
    }
}
