//! Contracts and market data as rows of a table: input and output of `tickhall
//! price`.
//!
//! Pure: no files, CSV or JSON beyond serde's derives. Rates, yields and
//! volatilities are decimals (0.05 is 5 %), days are ACT/365F, a vega is per 1.00,
//! a theta per year, a bond per 100 of face.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::instrument::{DayCount, OptionRight};
use crate::time::Date;

mod row_pricer;

pub use row_pricer::RowPricer;

/// Kind of the contract in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// An option on a spot, exercised at expiry; with `price` instead of `vol` the
    /// implied volatility is computed.
    European,
    /// An option on a spot, or on the future `futures`, exercised at any time.
    American,
    /// An option on the future `futures`, exercised at expiry.
    Black76,
    /// An index future, by cost of carry.
    Future,
    /// A bullet bond, by its `yield`, its `clean` price or a curve.
    Bond,
    /// An interest-rate swap on a curve.
    Swap,
}

/// Direction of a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayReceive {
    /// Pays fixed, receives floating.
    PayFixed,
    /// Receives fixed, pays floating.
    ReceiveFixed,
}

/// One contract and its market data. Columns that its kind does not need are empty.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the table's column names, explained by their kinds")]
pub struct ContractRow {
    pub id: Option<String>,
    pub kind: ContractKind,
    /// Units held; adds `position_value` to the results.
    pub quantity: Option<f64>,
    /// Money per price unit, default 1.
    pub multiplier: Option<f64>,
    #[serde(rename = "type")]
    pub right: Option<OptionRight>,
    pub spot: Option<f64>,
    pub futures: Option<f64>,
    pub strike: Option<f64>,
    /// Calendar days to expiry.
    pub days: Option<f64>,
    /// Years to expiry, in place of days.
    pub t: Option<f64>,
    /// Continuously compounded; a swap's flat zero rate if there is no curve.
    pub rate: Option<f64>,
    pub div_yield: Option<f64>,
    /// A future's dividends in points: `days:points`, separated by semicolons.
    pub dividends: Option<String>,
    pub vol: Option<f64>,
    /// An option's price, for its implied volatility.
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
    /// Name of a curve in the same document.
    pub curve: Option<String>,
    pub notional: Option<f64>,
    pub pay_receive: Option<PayReceive>,
    pub start_date: Option<Date>,
    pub end_date: Option<Date>,
    /// A swap's valuation date if there is no curve.
    pub valuation_date: Option<Date>,
    pub fixed_rate: Option<f64>,
    pub fixed_frequency: Option<u8>,
    pub fixed_day_count: Option<DayCount>,
    pub float_frequency: Option<u8>,
    pub float_day_count: Option<DayCount>,
    pub float_spread: Option<f64>,
    pub current_fixing: Option<f64>,
}

/// A curve: nodes, or instruments to bootstrap it from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveRow {
    /// Valuation date.
    pub reference_date: Date,
    /// Interpolation, default log-linear discount factors.
    pub interpolation: Option<super::curve::Interpolation>,
    /// Nodes.
    #[serde(default)]
    pub nodes: Vec<CurveNode>,
    /// Deposits, ACT/360.
    #[serde(default)]
    pub deposits: Vec<DepositRow>,
    /// Par swaps.
    #[serde(default)]
    pub swaps: Vec<SwapRow>,
    /// Fixed payments per year of the par swaps, default 1.
    pub swap_fixed_frequency: Option<u8>,
}

/// A discount factor at a date.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct CurveNode {
    /// Date of the payment.
    pub date: Date,
    /// Present value of one.
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

/// Names of results, in the order of output columns.
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

/// Results of a row, by names of [`RESULTS`].
pub type Results = BTreeMap<&'static str, f64>;

/// Reason why a row has no results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// An empty column that its kind needs.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A column with an invalid value.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// A name without a curve.
    #[error("there is no curve {0:?}")]
    UnknownCurve(String),
    /// A contract without a value.
    #[error(transparent)]
    Pricing(#[from] super::PricingError),
    /// A price without an implied volatility.
    #[error(transparent)]
    ImpliedVol(#[from] super::implied_vol::ImpliedVolError),
    /// A curve that cannot be built.
    #[error(transparent)]
    Curve(#[from] super::curve::CurveError),
    /// A swap without a value.
    #[error(transparent)]
    Swap(#[from] super::swap::SwapError),
}
