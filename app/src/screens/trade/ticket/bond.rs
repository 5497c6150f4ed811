//! Lines of the ticket about a bond: clean price, accrued interest, dirty price and
//! yield to maturity.
//!
//! The yield is the engine's; nothing here decides.

use engine::decimal::Decimal;
use engine::instrument::Instrument;
use engine::money::{Lots, Ticks, div_half_even};
use engine::order::{OrderType, Preview};
use engine::portfolio::bond_risk;
use leptos::prelude::*;

use super::form::{TicketForm, plain_number};
use crate::format::{self, Units};
use crate::live::Live;

/// The lines; nothing for another instrument than a bond.
pub(super) fn lines(live: Live, form: TicketForm, preview: Signal<Option<Preview>>) -> AnyView {
    let figures = Memo::new(move |_| {
        let instrument = live.instrument(live.selected.get())?;
        let price =
            preview.with(|preview| preview.as_ref().and_then(average)).or_else(|| typed(form, &instrument));
        let mark = || live.figures(instrument.id)?.mark.get();
        let date = live.moment.get().date;
        Units::of(&instrument).is_bond().then(|| texts(&instrument, price.or_else(mark)?, date))?
    });
    let line = move |at: usize, label: &'static str, testid: &'static str| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd class="num" data-testid=testid>
                    {move || figures.with(|figures| figures.as_ref().map(|figures| figures[at].clone()))}
                </dd>
            </div>
        }
    };
    view! {
        <dl class="facts" hidden=move || figures.with(Option::is_none)>
            {line(0, "Clean price, per 100", "bond-clean")}
            {line(1, "Accrued interest, per 100", "bond-accrued")}
            {line(2, "Dirty price, per 100", "bond-dirty")}
            {line(3, "Yield to maturity", "bond-yield")}
        </dl>
    }
    .into_any()
}

/// Average price of a preview's fills, to the nearest tick.
fn average(preview: &Preview) -> Option<Ticks> {
    let fills = &preview.decided.fills;
    let lots: i128 = fills.iter().map(|fill| i128::from(fill.lots.0)).sum();
    let ticks: i128 = fills.iter().map(|fill| i128::from(fill.price.0) * i128::from(fill.lots.0)).sum();
    (lots > 0).then(|| i64::try_from(div_half_even(ticks, lots)).ok().map(Ticks)).flatten()
}

/// The limit that the user has typed.
fn typed(form: TicketForm, instrument: &Instrument) -> Option<Ticks> {
    let is_limit = form.order_type.get() == OrderType::Limit && !instrument.is_dealt();
    is_limit.then(|| instrument.parse_price(&plain_number(&form.limit.get())).ok()).flatten()
}

/// Clean price, accrued interest, dirty price and yield.
fn texts(instrument: &Instrument, price: Ticks, date: engine::time::Date) -> Option<[String; 4]> {
    let units = Units::of(instrument);
    let clean = units.price_of(price);
    let accrued = units.price_of_money(instrument.accrued_per_lot(date), Lots(1))?;
    // 1e-9 of one is 1e-7 of a per cent.
    let annual = bond_risk(instrument, price, date).map(|risk| Decimal::new(risk.yield_e9, 7));
    let annual =
        annual.map_or_else(|| format::ABSENT.to_owned(), |e7| format!("{} %", format::decimal_at(e7, 3)));
    let [clean_text, accrued_text, dirty] =
        [clean, accrued, format::plus(clean, accrued)].map(format::decimal);
    Some([clean_text, accrued_text, dirty, annual])
}

#[cfg(test)]
mod tests {
    use engine::venue::VenueConfig;

    use super::*;

    #[test]
    fn clean_accrued_dirty_and_yield_of_a_bond() {
        let listed = VenueConfig::default().instruments().unwrap();
        let bond = listed.values().find(|instrument| instrument.symbol == "GOV-4.5-2036").unwrap();
        let date = "2026-01-05".parse().unwrap();
        let [clean, accrued, dirty, annual] = texts(bond, Ticks(10_000), date).unwrap();
        // 143 of 184 days since 15 August: 2.25 × 143 / 184 = 1.7486 (per 1,000: 17.486413)
        assert_eq!([clean, accrued, dirty].map(|text| text), ["100.00", "1.7486", "101.7486"]);
        // At par the yield is about the coupon.
        let annual: f64 = annual.trim_end_matches(" %").parse().unwrap();
        assert!((annual - 4.5).abs() < 0.01, "{annual}");
    }
}
