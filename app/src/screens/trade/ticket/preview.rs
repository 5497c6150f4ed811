//! The preview: what the order would do, before → after, and what it read.
//!
//! Shows the engine's answer; computes differences for reading alone.

use engine::decimal::Decimal;
use engine::id::InstrumentId;
use engine::money::{Lots, Money};
use engine::order::{Preview, Side};
use engine::portfolio::Valuation;
use leptos::prelude::*;

use crate::components::{Units, format};
use crate::live::Live;
use crate::reactive::{Memo, RwSignal, Signal, memo};

/// The account as it stands, for the left column.
#[derive(Clone, PartialEq)]
struct Before {
    cash: Money,
    reserved: Money,
    position: Lots,
    realized: Money,
    valuation: Valuation,
}

#[component]
pub(super) fn PreviewTable(
    live: Live,
    units: Memo<Option<Units>>,
    side: RwSignal<Side>,
    preview: Signal<Option<Preview>>,
) -> impl IntoView {
    let before = memo(move || {
        let valuation = live.valuation.get();
        let id = live.selected.get();
        let position = live.read(|state| state.account.position(id));
        Before {
            cash: valuation.cash,
            reserved: valuation.reserved,
            position: position.lots,
            realized: position.realized_pnl(),
            valuation,
        }
    });
    let lots = move |lots: Lots| units.get().map_or_else(String::new, |units| units.quantity(lots));
    let decided = move |read: fn(&Preview) -> Option<Money>| {
        move || preview.with(|preview| preview.as_ref().and_then(read).map_or_else(dash, format::money))
    };
    let average = move || {
        let units = units.get()?;
        preview.with(|preview| units.average(&preview.as_ref()?.decided.fills))
    };
    let touch = move || {
        let quote = live.quote(live.selected.get())?;
        match side.get() {
            Side::Buy => quote.ask.get(),
            Side::Sell => quote.bid.get(),
        }
    };
    let slippage = move || {
        let (units, average, touch) = (units.get()?, average()?, touch()?);
        let paid = match side.get() {
            Side::Buy => minus(average, units.price_of(touch)),
            Side::Sell => minus(units.price_of(touch), average),
        };
        Some(format::decimal(paid))
    };
    let fills = move || {
        preview.with(|preview| {
            preview.as_ref().map_or_else(dash, |preview| {
                let decided = &preview.decided;
                let mut parts = vec![lots(decided.filled)];
                if decided.resting > Lots::ZERO {
                    parts.push(format!("{} rests", lots(decided.resting)));
                }
                if decided.expired > Lots::ZERO {
                    parts.push(format!("{} expires", lots(decided.expired)));
                }
                parts.join(" · ")
            })
        })
    };
    let levels = move || {
        preview.with(|preview| {
            preview.as_ref().map_or_else(dash, |preview| preview.decided.fills.len().to_string())
        })
    };
    let basis = move || {
        preview.with(|preview| {
            preview.as_ref().map_or_else(dash, |preview| {
                let (book, account) = (preview.basis.book_rev.0, preview.basis.inputs_rev.0);
                format!("book #{}, account #{}", format::count(book), format::count(account))
            })
        })
    };
    let now = move |read: fn(&Before) -> Money| move || before.with(|before| format::money(read(before)));
    let delta = move |valuation: &Valuation| delta_of(valuation, live.selected.get());
    view! {
        <div class="preview" data-testid="preview">
            <dl class="facts">
                <Fact label="Fills" testid="preview-fills" value=Signal::derive(fills) />
                <Fact
                    label="Average price"
                    testid="preview-average"
                    value=Signal::derive(move || average().map_or_else(dash, format::decimal))
                />
                <Fact
                    label="Slippage from the touch"
                    testid="preview-slippage"
                    value=Signal::derive(move || slippage().unwrap_or_else(dash))
                />
                <Fact label="Levels walked" testid="preview-levels" value=Signal::derive(levels) />
                <Fact
                    label="Notional"
                    testid="preview-notional"
                    value=Signal::derive(decided(|preview| Some(preview.decided.notional)))
                />
                <Fact
                    label="Fee"
                    testid="preview-fee"
                    value=Signal::derive(move || {
                        preview.with(|preview| {
                            preview
                                .as_ref()
                                .map_or_else(dash, |preview| format::exact_money(preview.decided.fee))
                        })
                    })
                />
            </dl>
            <table>
                <thead>
                    <tr>
                        <th scope="col">{live.currency()}</th>
                        <th scope="col" class="num">
                            "Before"
                        </th>
                        <th scope="col" class="num">
                            "After"
                        </th>
                    </tr>
                </thead>
                <tbody>
                    <Line
                        label="Cash"
                        testid="preview-cash"
                        before=Signal::derive(now(|before| before.cash))
                        after=Signal::derive(decided(|preview| Some(preview.decided.cash)))
                    />
                    <Line
                        label="Reserved"
                        testid="preview-reserved"
                        before=Signal::derive(now(|before| before.reserved))
                        after=Signal::derive(decided(|preview| Some(preview.decided.reserved)))
                    />
                    <Line
                        label="Position, units"
                        testid="preview-position"
                        before=Signal::derive(move || lots(before.with(|before| before.position)))
                        after=Signal::derive(move || {
                            preview.with(|preview| {
                                preview
                                    .as_ref()
                                    .map_or_else(dash, |preview| lots(preview.decided.position))
                            })
                        })
                    />
                    <Line
                        label="Realized P&L"
                        testid="preview-realized"
                        before=Signal::derive(now(|before| before.realized))
                        after=Signal::derive(decided(|preview| Some(preview.decided.realized_pnl)))
                    />
                    <Line
                        label="NAV"
                        testid="preview-nav"
                        before=Signal::derive(now(|before| before.valuation.nav))
                        after=Signal::derive(decided(|preview| Some(preview.estimate.after.nav)))
                    />
                    <Line
                        label="Delta, units"
                        testid="preview-delta"
                        before=Signal::derive(move || before.with(|before| delta(&before.valuation)))
                        after=Signal::derive(move || {
                            preview.with(|preview| {
                                preview
                                    .as_ref()
                                    .map_or_else(dash, |preview| delta(&preview.estimate.after))
                            })
                        })
                    />
                    <Line
                        label="DV01"
                        testid="preview-dv01"
                        before=Signal::derive(now(|before| before.valuation.dv01))
                        after=Signal::derive(decided(|preview| Some(preview.estimate.after.dv01)))
                    />
                </tbody>
            </table>
            <p class="basis" data-testid="preview-basis">
                "Basis: "
                <span class="num">{move || basis()}</span>
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn Fact(label: &'static str, testid: &'static str, value: Signal<String>) -> impl IntoView {
    view! {
        <div>
            <dt>{label}</dt>
            <dd class="num" data-testid=testid>
                {move || value.get()}
            </dd>
        </div>
    }
    .into_any()
}

#[component]
fn Line(
    label: &'static str,
    testid: &'static str,
    before: Signal<String>,
    after: Signal<String>,
) -> impl IntoView {
    view! {
        <tr data-testid=testid>
            <th scope="row">{label}</th>
            <td class="num muted" data-testid=format!("{testid}-before")>
                {move || before.get()}
            </td>
            <td class="num" data-testid=format!("{testid}-after")>
                {move || after.get()}
            </td>
        </tr>
    }
    .into_any()
}

fn dash() -> String {
    format::ABSENT.to_owned()
}

/// Delta to one underlier; what has none is absent.
fn delta_of(valuation: &Valuation, underlier: InstrumentId) -> String {
    let found = valuation.delta.iter().find(|delta| delta.underlier == underlier);
    found.map_or_else(dash, |delta| format::decimal(delta.units))
}

/// `a − b` at the finer of both scales.
fn minus(a: Decimal, b: Decimal) -> Decimal {
    let scale = a.scale.max(b.scale);
    let whole = |value: Decimal| value.mantissa * 10_i64.pow(u32::from(scale - value.scale));
    Decimal::new(whole(a) - whole(b), scale)
}
