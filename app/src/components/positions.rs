//! Table of positions at their marks, with a totals row.
//!
//! Rows are derived from the account's valuation; flat positions stay, because
//! they keep their realized P&L. Prices of bonds are clean: the average cost is
//! less the interest accrued to date, so that mark less cost is what is unrealized.

use engine::decimal::Decimal;
use engine::id::InstrumentId;
use engine::money::Money;
use engine::portfolio::{PositionValue, Valuation};
use leptos::prelude::*;

use super::{SortKey, Sorting, symbol_link};
use crate::format::{self, Units};
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
    let sorting = Sorting::by(0, false);
    let ids = Memo::new(move |_| {
        live.valuation.with(|valuation| {
            let lines =
                sorting.sorted(&valuation.positions, |column, line| key(live, valuation, column, line));
            lines.into_iter().map(|line| line.instrument).collect::<Vec<_>>()
        })
    });
    let head = move |column: usize, label: &'static str, class: &'static str| {
        let word = label.split([' ', ',']).next().unwrap_or_default();
        let testid = format!("sort-positions-{}", word.to_ascii_lowercase());
        sorting.head(column, label, String::new(), class, testid)
    };
    // The first six are those before the money columns.
    let heads = (6..).zip(COLUMNS).filter(|(_, column)| wide || !column.wide);
    let heads = heads.map(|(at, column)| head(at, column.head, "num")).collect_view();
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
    let blank = || wide.then(|| view! { <td></td> });
    let row_columns = columns.clone();
    view! {
        <table data-testid="positions">
            <thead>
                <tr>
                    {head(0, "Symbol", "")}
                    {head(1, "Quantity", "num")}
                    {head(2, "Avg cost", "num")}
                    {head(3, "Mark", "num")}
                    {wide.then(|| head(4, "Yield, %", "num"))}
                    {wide.then(|| head(5, "Delta, units", "num"))}
                    {heads}
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
    let instrument = live.instrument(id)?;
    let (symbol, units) = (instrument.symbol.clone(), Units::of(&instrument));
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
    let cost = move || {
        let cost = line.with(|line| average_cost(line.as_ref()?, units));
        cost.map_or_else(|| format::ABSENT.to_owned(), format::decimal)
    };
    let of = symbol.clone();
    let hidden = move || !filter.with(|filter| of.contains(filter.as_str()));
    Some(view! {
        <tr hidden=hidden data-testid=format!("position-{symbol}")>
            {symbol_link(live, id, symbol.clone())}
            <td class="num" data-testid=format!("position-quantity-{symbol}")>
                {move || text(|line| Some(line.quantity))}
            </td>
            <td class="num" data-testid=format!("position-cost-{symbol}")>
                {cost}
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
    })
}

/// The average cost as a price; clean for a bond, whose value and basis are dirty.
fn average_cost(line: &PositionValue, units: Units) -> Option<Decimal> {
    if units.is_bond() {
        units.price_of_money(line.basis - line.accrued, units.lots_of(line.quantity)?)
    } else {
        line.average_cost
    }
}

/// A position's figure in a column.
fn key(live: Live, valuation: &Valuation, column: usize, line: &PositionValue) -> SortKey {
    let Some(instrument) = live.instrument(line.instrument) else { return SortKey::Absent };
    let decimal = |value: Option<Decimal>| value.map(Decimal::to_f64);
    SortKey::number(match column {
        0 => return SortKey::Text(instrument.symbol),
        1 => decimal(Some(line.quantity)),
        2 => decimal(average_cost(line, Units::of(&instrument))),
        3 => decimal(Some(line.mark)),
        4 => line.yield_e9.map(|e9| e9 as f64),
        5 => {
            let found = valuation.delta.iter().find(|delta| delta.underlier == line.instrument);
            decimal(found.map(|delta| delta.units))
        }
        other => COLUMNS.get(other - 6).and_then(|column| (column.of)(line)).map(|money| money.0 as f64),
    })
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

#[cfg(test)]
mod tests {
    use engine::account::Account;
    use engine::id::{AccountId, Seq, VenueId};
    use engine::money::{Lots, Ticks};
    use engine::portfolio::{Marked, value};
    use engine::time::Date;
    use engine::venue::VenueConfig;

    use super::*;

    #[test]
    fn mark_less_average_cost_is_what_is_unrealized_of_a_bond() {
        let listed = VenueConfig::default().instruments().unwrap();
        let bond = listed.values().find(|instrument| instrument.symbol == "GOV-4.5-2036").unwrap();
        let account = AccountId::derive(
            VenueId::from_name("main"),
            "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap(),
        );
        let mut account = Account::new(account, Money::from_units(1_000_000), Seq(1));
        let date: Date = "2026-01-05".parse().unwrap();
        // 50 lots of 1,000 face at 102.48 clean and the accrued interest of the day.
        let paid = bond.money_per_lot(Ticks(10_248), date).unwrap().times(Lots(50)).unwrap();
        account.positions.entry(bond.id).or_default().fill(Lots(50), paid, Money::ZERO);
        let marked = |_| Some(Marked { instrument: bond, mark: Ticks(10_247) });
        let valuation = value(&account, date, &marked);
        let line = &valuation.positions[0];
        assert!(line.accrued > Money::ZERO);
        let cost = average_cost(line, Units::of(bond)).unwrap();
        assert_eq!((cost.to_string(), line.mark.to_string()), ("102.4800".to_owned(), "102.47".to_owned()));
        // (102.47 − 102.48) / 100 × 50,000
        assert_eq!(line.unrealized_pnl, Money::from_units(-5));
    }
}
