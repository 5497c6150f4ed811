//! Exposure by asset class, leverage and concentration.

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

/// Exposures of a book. Futures and swaps count at their value, not at their notional.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposures {
    /// By asset class, in the order of [`InstrumentKind`].
    pub classes: [Exposure; 5],
    /// Total.
    pub total: Exposure,
    /// Unsigned value of the largest line.
    pub largest: f64,
}

impl Exposures {
    /// Computes the exposures of `book`.
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

    /// Returns the exposure of an asset class.
    pub fn class(&self, kind: InstrumentKind) -> Exposure {
        self.classes[kind as usize]
    }

    /// Returns gross value over `nav`; `None` unless `nav` is positive.
    pub fn leverage(&self, nav: f64) -> Option<f64> {
        (nav > 0.0).then(|| self.total.gross / nav)
    }

    /// Returns the largest line's share of the gross value, 0 for an empty book.
    pub fn concentration(&self) -> f64 {
        if self.total.gross > 0.0 { self.largest / self.total.gross } else { 0.0 }
    }
}
