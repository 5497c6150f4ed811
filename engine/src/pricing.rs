//! What contracts are worth: opinions about the market, in `f64`.
//!
//! Knows no accounts and no books; money is made of its results in one named
//! place, rounded once.

pub mod american;
pub mod bond;
pub mod cash_flows;
pub mod curve;
pub mod european;
pub mod flow_book;
pub mod future;
pub mod implied_vol;
pub mod rows;
pub mod surface;
pub mod swap;

/// Why a value cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Settlement is on or after maturity: nothing is left to value.
    #[error("the contract has matured")]
    Matured,
    /// No number, or at or below −frequency, where discounting breaks down.
    #[error("the yield is out of range")]
    YieldOutOfRange,
    /// Not positive, or beyond what any admissible yield gives.
    #[error("no yield gives this price")]
    PriceOutOfRange,
    /// The search for a yield did not settle.
    #[error("the yield was not found")]
    NotConverged,
    /// A number is missing, infinite or of the wrong sign.
    #[error("an input is no admissible number")]
    InvalidInput,
    /// An American option whose underlier earns less than its strike, and both
    /// less than nothing: it is exercised between two boundaries, which the
    /// method here does not find.
    #[error("early exercise between two boundaries is not priced")]
    TwoBoundaries,
}
