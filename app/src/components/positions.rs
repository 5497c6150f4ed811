//! Table of positions at their marks, with a totals row.
//!
//! Rows are derived from the account's valuation; flat positions stay, because
//! they keep their realized P&L.

use engine::decimal::Decimal;
use engine::id::InstrumentId;
use engine::money::Money;
use engine::portfolio::{PositionValue, Valuation};
use leptos::prelude::*;

use crate::format;
use crate::live::Live;

/// A money column: its header, its name in test ids, a position's figure and the
/// total's.
#[derive(Clone, Copy)]
struct Column {
    head: &'static str,
    name: &'static str,
    wide: bool,
    gain: bool,
    of: fn(&PositionValue) -> Option<Money>,
    total: fn(&Valuation) -> Money,
}

const COLUMNS: [Column; 6] = [
    Column {
        head: "Value",
        name: "value",
        wide: false,
        gain: false,
        of: |line| Some(line.value),
        total: |all| all.market_value,
    },
    Column {
        head: "Accrued",
        name: "accrued",
        wide: true,
        gain: false,
        of: |line| line.yield_e9.map(|_| line.accrued),
        total: |all| all.positions.iter().map(|line| line.accrued).sum(),
    },
    Column {
        head: "Unrealized",
        name: "unrealized",
        wide: false,
        gain: true,
        of: |line| Some(line.unrealized_pnl),
        total: |all| all.unrealized_pnl,
    },
    Column {
        head: "Realized",
        name: "realized",
        wide: false,
        gain: true,
        of: |line| Some(line.realized_pnl),
        total: |all| all.realized_pnl,
    },
    Column {
        head: "Fees",
        name: "fees",
        wide: true,
        gain: false,
        of: |line| Some(line.fees),
        total: |all| all.fees,
    },
    Column {
        head: "DV01",
        name: "dv01",
        wide: true,
        gain: false,
        of: |line| line.dv01,
        total: |all| all.dv01,
    },
];

/// The positions; `wide` adds accrued interest, fees and sensitivities.
#[component]
pub(crate) fn Positions(
    live: Live,
    wide: bool,
    /// Shows symbols that contain this alone.
    #[prop(optional)]
    filter: Signal<String>,
) -> impl IntoView {
    let columns: Vec<Column> = COLUMNS.into_iter().filter(|column| wide || !column.wide).collect();
    let ids = Memo::new(move |_| {
        live.valuation.with(|valuation| {
            let mut held: Vec<_> = valuation.positions.iter().map(|line| line.instrument).collect();
            held.sort_by_key(|id| live.instrument(*id).map(|instrument| instrument.symbol));
            held
        })
    });
    let heads = columns.iter().map(|column| column.head).map(|head| {
        view! {
            <th scope="col" class="num">
                {head}
            </th>
        }
    });
    let totals = columns.iter().copied().map(|column| {
        let total = move || live.valuation.with(column.total);
        view! {
            <td
                class=move || class(column.gain, total())
                data-csv=move || exact(total())
                data-testid=format!("total-{}", column.name)
            >
                {move || shown(column.gain, Some(total()))}
            </td>
        }
    });
    let extra = |text: &'static str| wide.then(|| view! { <th scope="col" class="num">{text}</th> });
    let blank = || wide.then(|| view! { <td></td> });
    let row_columns = columns.clone();
    view! {
        <table data-testid="positions">
            <thead>
                <tr>
                    <th scope="col">"Symbol"</th>
                    <th scope="col" class="num">
                        "Quantity"
                    </th>
                    <th scope="col" class="num">
                        "Avg cost"
                    </th>
                    <th scope="col" class="num">
                        "Mark"
                    </th>
                    {extra("Yield, %")}
                    {extra("Delta, units")}
                    {heads.collect_view()}
                </tr>
            </thead>
            <tbody>
                <For each=move || ids.get() key=|id| *id let:id>
                    <Row live id wide columns=row_columns.clone() filter />
                </For>
                <Show when=move || ids.with(Vec::is_empty)>
                    <tr>
                        <td class="empty" colspan=if wide { "12" } else { "7" }>
                            "No positions yet: buy something and it appears here."
                        </td>
                    </tr>
                </Show>
            </tbody>
            <tfoot>
                <tr data-testid="positions-total">
                    <th scope="row">"Total " <span class="unit">{live.currency()}</span></th>
                    <td></td>
                    <td></td>
                    <td></td>
                    {blank()}
                    {blank()}
                    {totals.collect_view()}
                </tr>
            </tfoot>
        </table>
    }
}

#[component]
fn Row(
    live: Live,
    id: InstrumentId,
    wide: bool,
    columns: Vec<Column>,
    filter: Signal<String>,
) -> impl IntoView {
    let symbol = live.instrument(id).map(|instrument| instrument.symbol).unwrap_or_default();
    let line = Memo::new(move |_| {
        live.valuation
            .with(|valuation| valuation.positions.iter().find(|line| line.instrument == id).cloned())
    });
    let text = move |read: fn(&PositionValue) -> Option<Decimal>| {
        line.with(|line| {
            line.as_ref().and_then(read).map_or_else(|| format::ABSENT.to_owned(), format::decimal)
        })
    };
    let delta = move || {
        live.valuation.with(|valuation| {
            let found = valuation.delta.iter().find(|delta| delta.underlier == id);
            found.map_or_else(|| format::ABSENT.to_owned(), |delta| format::decimal(delta.units))
        })
    };
    let percent = move || {
        let yield_e9 = line.with(|line| line.as_ref()?.yield_e9);
        // 1e-9 of one is 1e-7 of a per cent.
        yield_e9.map_or_else(|| format::ABSENT.to_owned(), |e9| format::decimal_at(Decimal::new(e9, 7), 3))
    };
    let cells = columns.into_iter().map(|column| {
        let money = move || line.with(|line| line.as_ref().and_then(column.of));
        let name = format!("{}-{symbol}", column.name);
        view! {
            <td
                class=move || class(column.gain, money().unwrap_or_default())
                data-csv=move || money().map(exact)
                data-testid=format!("position-{name}")
            >
                {move || shown(column.gain, money())}
            </td>
        }
    });
    let cells = cells.collect_view();
    let of = symbol.clone();
    let hidden = move || !filter.with(|filter| of.contains(filter.as_str()));
    view! {
        <tr hidden=hidden data-testid=format!("position-{symbol}")>
            <th scope="row">{symbol.clone()}</th>
            <td class="num" data-testid=format!("position-quantity-{symbol}")>
                {move || text(|line| Some(line.quantity))}
            </td>
            <td class="num" data-testid=format!("position-cost-{symbol}")>
                {move || text(|line| line.average_cost)}
            </td>
            <td class="num" data-testid=format!("position-mark-{symbol}")>
                {move || text(|line| Some(line.mark))}
            </td>
            {wide.then(|| view! { <td class="num">{percent}</td> })}
            {wide
                .then(|| {
                    view! {
                        <td class="num" data-testid=format!("position-delta-{symbol}")>
                            {delta}
                        </td>
                    }
                })}
            {cells}
        </tr>
    }
}

/// Unrounded, for a file.
fn exact(money: Money) -> String {
    money.to_decimal().to_string()
}

fn shown(gain: bool, money: Option<Money>) -> String {
    match money {
        None => format::ABSENT.to_owned(),
        Some(money) if gain => format::signed_money(money),
        Some(money) => format::money(money),
    }
}

/// CSS class of a gain or loss; the sign stands beside it.
fn class(gain: bool, money: Money) -> &'static str {
    match money.to_cents() {
        1.. if gain => "num up",
        ..=-1 if gain => "num down",
        _ => "num",
    }
}
