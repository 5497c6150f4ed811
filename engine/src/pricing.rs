//! Valuation of contracts, in `f64`.
//!
//! Knows no accounts and no order books; results are rounded to money once, by
//! `money::round_half_even`.

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

/// One basis point.
pub(crate) const BASIS_POINT: f64 = 1e-4;

/// Reason why a contract has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Settlement on or after maturity.
    #[error("the contract has matured")]
    Matured,
    /// A yield that is no number, or at or below −frequency.
    #[error("the yield is out of range")]
    YieldOutOfRange,
    /// A price that is not positive, or beyond that of any valid yield.
    #[error("no yield gives this price")]
    PriceOutOfRange,
    /// The search for a yield did not converge.
    #[error("the yield was not found")]
    NotConverged,
    /// A number that is NaN, infinite or of the wrong sign.
    #[error("an input is no admissible number")]
    InvalidInput,
    /// An American option with two exercise boundaries (for a put: yield < rate < 0),
    /// which this method does not find.
    #[error("early exercise between two boundaries is not priced")]
    TwoBoundaries,
}
