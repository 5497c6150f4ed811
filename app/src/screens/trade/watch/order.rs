//! Filter and order of the instruments.
//!
//! Reads figures untracked; the caller decides when to sort again.

use std::cmp::Ordering;

use engine::id::InstrumentId;
use engine::instrument::Instrument;
use leptos::prelude::*;

use crate::live::Live;

/// Key of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Symbol,
    Last,
    Change,
    Spread,
    Age,
}

impl Sort {
    /// The order after a click on the header of this key.
    pub(super) const fn after(self, now: Self, down: bool) -> (Self, bool) {
        match (self as u8 == now as u8, down, self) {
            // Names ascend first, figures descend.
            (false, _, Self::Symbol) => (self, false),
            (false, ..) => (self, true),
            (true, ..) => (self, !down),
        }
    }

    /// The value of `aria-sort`.
    pub(super) fn aria(self, (now, down): (Self, bool)) -> &'static str {
        match (self == now, down) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }
}

/// The instruments whose symbol or name contains `query`, in order.
pub(super) fn sorted(
    live: Live,
    listed: &[Instrument],
    query: &str,
    by: Sort,
    down: bool,
) -> Vec<InstrumentId> {
    let mut rows: Vec<(Option<f64>, &Instrument)> = listed
        .iter()
        .filter(|instrument| matches(instrument, query))
        .map(|instrument| (figure(live, instrument, by), instrument))
        .collect();
    rows.sort_by(|a, b| compare((a.0, &a.1.symbol), (b.0, &b.1.symbol), by, down));
    rows.into_iter().map(|(_, instrument)| instrument.id).collect()
}

/// Absent figures come last in both directions; equal ones are ordered by symbol.
fn compare(a: (Option<f64>, &String), b: (Option<f64>, &String), by: Sort, down: bool) -> Ordering {
    let turned = |order: Ordering| if down { order.reverse() } else { order };
    let figures = match (a.0, b.0) {
        (Some(a), Some(b)) => turned(a.total_cmp(&b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    };
    let names = a.1.cmp(b.1);
    figures.then(if by == Sort::Symbol { turned(names) } else { names })
}

fn figure(live: Live, instrument: &Instrument, by: Sort) -> Option<f64> {
    let figures = live.figures(instrument.id)?;
    let price = |ticks: engine::money::Ticks| instrument.price(ticks).to_f64();
    match by {
        Sort::Symbol => None,
        Sort::Last => figures.mark.get().map(price),
        Sort::Change => {
            let open = price(figures.day_open.get()?);
            (open > 0.0).then_some(price(figures.mark.get()?) / open)
        }
        Sort::Spread => {
            let (bid, ask) = (figures.bid.get()?, figures.ask.get()?);
            Some(price(ask - bid))
        }
        Sort::Age => figures.age_ms(),
    }
}

fn matches(instrument: &Instrument, query: &str) -> bool {
    let query = query.trim().to_ascii_lowercase();
    query.is_empty()
        || instrument.symbol.to_ascii_lowercase().contains(&query)
        || instrument.name.to_ascii_lowercase().contains(&query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_click_reverses_the_order() {
        assert_eq!(Sort::Last.after(Sort::Symbol, false), (Sort::Last, true));
        assert_eq!(Sort::Last.after(Sort::Last, true), (Sort::Last, false));
        assert_eq!(Sort::Symbol.after(Sort::Last, true), (Sort::Symbol, false));
        assert_eq!(Sort::Age.aria((Sort::Age, true)), "descending");
        assert_eq!(Sort::Age.aria((Sort::Last, true)), "none");
    }

    #[test]
    fn absent_figures_come_last_in_both_directions() {
        let (a, b) = ("A".to_owned(), "B".to_owned());
        for down in [false, true] {
            assert_eq!(compare((None, &a), (Some(1.0), &b), Sort::Last, down), Ordering::Greater);
        }
        assert_eq!(compare((Some(2.0), &a), (Some(1.0), &b), Sort::Last, true), Ordering::Less);
        // Equal figures: by name, upwards.
        assert_eq!(compare((Some(1.0), &a), (Some(1.0), &b), Sort::Last, true), Ordering::Less);
        assert_eq!(compare((None, &a), (None, &b), Sort::Symbol, true), Ordering::Greater);
    }
}
