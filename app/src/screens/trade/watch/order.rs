//! Filter and order of the instruments.
//!
//! Reads figures untracked; the caller decides when to sort again.

use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::money::Ticks;
use leptos::prelude::*;

use crate::components::{SortKey, Sorting};
use crate::format::kind_words;
use crate::live::Live;

/// The instruments whose symbol, name or kind contains `query`, in order.
pub(super) fn sorted(live: Live, listed: &[Instrument], query: &str, sorting: Sorting) -> Vec<InstrumentId> {
    let found: Vec<&Instrument> = listed.iter().filter(|instrument| matches(instrument, query)).collect();
    let sorted = sorting.sorted(&found, |column, instrument| untrack(|| key(live, instrument, column)));
    sorted.into_iter().map(|instrument| instrument.id).collect()
}

/// The figure of the column with this number; zero is the symbol.
fn key(live: Live, instrument: &Instrument, column: usize) -> SortKey {
    let Some(figures) = live.figures(instrument.id) else { return SortKey::Absent };
    let price = |ticks: Ticks| instrument.price(ticks).to_f64();
    let (bid, ask) = (figures.bid.get(), figures.ask.get());
    SortKey::number(match column {
        0 => return SortKey::Text(instrument.symbol.clone()),
        1 => figures.last.get().map(price),
        2 => {
            let open = figures.day_open.get().map(price).filter(|open| *open > 0.0);
            figures.mark.get().zip(open).map(|(mark, open)| price(mark) / open)
        }
        3 => figures.sparkline.with(|marks| {
            let (first, last) = (marks.first()?, marks.last()?);
            Some(last.0 as f64 / first.0 as f64)
        }),
        4 => bid.map(price),
        5 => ask.map(price),
        6 => bid.zip(ask).map(|(bid, ask)| price(ask - bid)),
        7 => Some(figures.accrued.get().0 as f64).filter(|accrued| *accrued > 0.0),
        8 => figures.age_ms(),
        10 => figures.day.get().map(|day| price(day.high)),
        11 => figures.day.get().map(|day| price(day.low)),
        12 => figures.day.get().map(|day| instrument.quantity(day.volume).to_f64()),
        _ => figures.mark.get().map(price),
    })
}

/// Returns true if every word of `query` is part of the symbol, the name or a word
/// for the kind.
fn matches(instrument: &Instrument, query: &str) -> bool {
    let kind = kind_words(instrument.kind());
    let text = format!("{} {}", instrument.symbol, instrument.name).to_ascii_lowercase();
    let is_found = |word: &str| text.contains(word) || kind.contains(word.trim_end_matches('s'));
    query.to_ascii_lowercase().split_whitespace().all(is_found)
}

#[cfg(test)]
mod tests {
    use engine::instrument::InstrumentKind;
    use engine::venue::VenueConfig;

    use super::*;

    #[test]
    fn instruments_are_found_by_symbol_name_and_kind() {
        let listed = VenueConfig::default().instruments().unwrap();
        let found = |query: &str| listed.values().filter(|instrument| matches(instrument, query)).count();
        let kinds = |kind| listed.values().filter(|instrument| instrument.kind() == kind).count();
        assert_eq!(found(""), listed.len());
        assert_eq!(
            (found("bond"), found("BONDS ")),
            (kinds(InstrumentKind::Bond), kinds(InstrumentKind::Bond))
        );
        assert_eq!(
            (found("equity"), found("stock")),
            (kinds(InstrumentKind::Equity), kinds(InstrumentKind::Equity))
        );
        assert_eq!((found("acme"), found("gov bond") > 0, found("acme bond")), (1, true, 0));
    }
}
