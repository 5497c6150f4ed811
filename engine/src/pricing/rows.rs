//! Contracts with their market in a row, as people write them in a table:
//! what `tickhall price` reads and answers.
//!
//! Pure: knows no files, no CSV, no JSON beyond serde's shapes. Units are the
//! library's own: rates, yields and volatilities as decimals (0.05 is 5 %),
//! days of ACT/365F, a vega per 1.00, a theta per year, a bond per 100 of face.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::instrument::DayCount;
use crate::time::Date;

mod row_pricer;

pub use row_pricer::RowPricer;

/// What a row asks to price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// An option on a spot, exercised at expiry; a `price` instead of a `vol`
    /// asks for the implied volatility.
    European,
    /// An option on a spot, or on the future `futures`, exercised at any time.
    American,
    /// An option on the future `futures`, exercised at expiry.
    Black76,
    /// An index future by cost of carry.
    Future,
    /// A bullet bond by its `yield`, its `clean` price or a curve.
    Bond,
    /// An interest-rate swap on a curve.
    Swap,
}

/// Call or put, in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// The right to buy.
    #[serde(alias = "CALL", alias = "Call", alias = "C", alias = "c")]
    Call,
    /// The right to sell.
    #[serde(alias = "PUT", alias = "Put", alias = "P", alias = "p")]
    Put,
}

/// Which leg of a swap its holder receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayReceive {
    /// Pays fixed, receives floating.
    PayFixed,
    /// Receives fixed, pays floating.
    ReceiveFixed,
}

/// One contract and its market. What its kind does not need may be missing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the table's column names, explained by their kinds")]
pub struct ContractRow {
    pub id: Option<String>,
    pub kind: ContractKind,
    /// Units held; the answer then has a `position_value`.
    pub quantity: Option<f64>,
    /// Money a price unit, 1 when missing.
    pub multiplier: Option<f64>,
    #[serde(rename = "type")]
    pub right: Option<Right>,
    pub spot: Option<f64>,
    pub futures: Option<f64>,
    pub strike: Option<f64>,
    /// Calendar days to expiry.
    pub days: Option<f64>,
    /// Years to expiry, instead of days.
    pub t: Option<f64>,
    /// Continuously compounded; without a curve, a swap's flat zero rate.
    pub rate: Option<f64>,
    pub div_yield: Option<f64>,
    /// A future's dividends in points, `days:points` with semicolons between.
    pub dividends: Option<String>,
    pub vol: Option<f64>,
    /// An option's price, to find its volatility.
    pub price: Option<f64>,
    pub trade_price: Option<f64>,
    pub issue_date: Option<Date>,
    pub maturity_date: Option<Date>,
    pub settlement_date: Option<Date>,
    pub coupon_rate: Option<f64>,
    pub frequency: Option<u8>,
    pub day_count: Option<DayCount>,
    #[serde(rename = "yield")]
    pub annual_yield: Option<f64>,
    pub clean: Option<f64>,
    /// The name of a curve given beside the rows.
    pub curve: Option<String>,
    pub notional: Option<f64>,
    pub pay_receive: Option<PayReceive>,
    pub start_date: Option<Date>,
    pub end_date: Option<Date>,
    /// A swap's valuation date when it has no curve.
    pub valuation_date: Option<Date>,
    pub fixed_rate: Option<f64>,
    pub fixed_frequency: Option<u8>,
    pub fixed_day_count: Option<DayCount>,
    pub float_frequency: Option<u8>,
    pub float_day_count: Option<DayCount>,
    pub float_spread: Option<f64>,
    pub current_fixing: Option<f64>,
}

/// A curve given beside the rows: nodes, or instruments to make them of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveRow {
    /// Its valuation date.
    pub reference_date: Date,
    /// What is interpolated; log-linear discount factors when missing.
    pub interpolation: Option<super::curve::Interpolation>,
    /// Discount factors by date.
    #[serde(default)]
    pub nodes: Vec<CurveNode>,
    /// Deposits, ACT/360.
    #[serde(default)]
    pub deposits: Vec<DepositRow>,
    /// Par swaps.
    #[serde(default)]
    pub swaps: Vec<SwapRow>,
    /// Fixed payments a year of the par swaps; 1 when missing.
    pub swap_fixed_frequency: Option<u8>,
}

/// A discount factor.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct CurveNode {
    /// When.
    pub date: Date,
    /// What one then is worth today.
    pub df: f64,
}

/// A deposit's quote.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct DepositRow {
    /// Length.
    pub tenor_months: u16,
    /// Simple rate.
    pub rate: f64,
}

/// A par swap's quote.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct SwapRow {
    /// Length.
    pub tenor_years: u16,
    /// Fixed rate.
    pub rate: f64,
}

/// Names of results in the order of a table's columns.
pub const RESULTS: [&str; 32] = [
    "price",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "dividend_rho",
    "vanna",
    "volga",
    "charm",
    "implied_vol",
    "early_exercise_premium",
    "critical_price",
    "basis",
    "pnl_to_fair",
    "accrued",
    "clean",
    "dirty",
    "yield",
    "macaulay",
    "modified",
    "convexity",
    "dv01",
    "z_spread",
    "curve_dv01",
    "pv",
    "par_rate",
    "annuity",
    "fixed_leg_pv",
    "float_leg_pv",
    "position_dv01",
    "position_value",
];

/// What a row is worth, by names of [`RESULTS`].
pub type Results = BTreeMap<&'static str, f64>;

/// Why a row has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A column that its kind needs is empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A column holds what its kind cannot use.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// No curve of that name is given.
    #[error("there is no curve {0:?}")]
    UnknownCurve(String),
    /// The contract has no price at these numbers.
    #[error(transparent)]
    Pricing(#[from] super::PricingError),
    /// No volatility explains the price.
    #[error(transparent)]
    ImpliedVol(#[from] super::implied_vol::ImpliedVolError),
    /// The curve cannot be made.
    #[error(transparent)]
    Curve(#[from] super::curve::CurveError),
    /// The swap has no value.
    #[error(transparent)]
    Swap(#[from] super::swap::SwapError),
}
