//! How much is held, of what, on how much capital.
//!
//! Knows values only; where they come from is the book's business.

use super::book::{Contract, RiskBook, RiskError, Scenario, Workspace};
use crate::instrument::InstrumentKind;

/// Net and gross value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// Longs minus shorts.
    pub net: f64,
    /// Longs plus shorts.
    pub gross: f64,
}

impl Exposure {
    fn add(&mut self, value: f64) {
        self.net += value;
        self.gross += libm::fabs(value);
    }
}

/// What a book has where. Futures and swaps count at what they are worth,
/// not at their notional.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposures {
    /// By asset class, in the order of [`InstrumentKind`].
    pub classes: [Exposure; 5],
    /// All of it.
    pub total: Exposure,
    /// Value of the largest line, unsigned.
    pub largest: f64,
}

impl Exposures {
    /// Sums the book's values.
    ///
    /// # Errors
    /// [`RiskError`].
    pub fn of(book: &RiskBook) -> Result<Self, RiskError> {
        let (mut all, mut workspace) = (Self::default(), Workspace::default());
        for (at, line) in book.lines.iter().enumerate() {
            let value = book.line_value(at, &Scenario::default(), &mut workspace)?;
            let kind = match line.contract {
                Contract::Equity => InstrumentKind::Equity,
                Contract::Option { .. } => InstrumentKind::Option,
                Contract::Future { .. } => InstrumentKind::Future,
                Contract::Bond { .. } => InstrumentKind::Bond,
                Contract::Flows { .. } => InstrumentKind::Swap,
            };
            all.classes[kind as usize].add(value);
            all.total.add(value);
            all.largest = all.largest.max(libm::fabs(value));
        }
        Ok(all)
    }

    /// An asset class.
    pub fn class(&self, kind: InstrumentKind) -> Exposure {
        self.classes[kind as usize]
    }

    /// Gross value over `nav`; `None` unless there is capital.
    pub fn leverage(&self, nav: f64) -> Option<f64> {
        (nav > 0.0).then(|| self.total.gross / nav)
    }

    /// The largest line's share of the gross value; 0 for an empty book.
    pub fn concentration(&self) -> f64 {
        if self.total.gross > 0.0 { self.largest / self.total.gross } else { 0.0 }
    }
}
