//! A book of contracts with its market.
//!
//! Knows no accounts and no money units: quantities and values are `f64`.

use crate::instrument::{BondTerms, Exercise, OptionRight};
use crate::pricing::PricingError;
use crate::pricing::american::{Precision, Valuer};
use crate::pricing::bond;
use crate::pricing::cash_flows::CashFlows;
use crate::pricing::curve::Curve;
use crate::pricing::european::{self, SpotMarket, Vanilla};
use crate::pricing::future::{FutureCarry, fair_value};
use crate::time::Date;

/// Market of an underlier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Underlier {
    /// Price.
    pub spot: f64,
    /// Financing rate, continuously compounded (0.05 is 5 %).
    pub rate: f64,
    /// Dividend yield, continuously compounded.
    pub div_yield: f64,
}

/// A contract with its own market data.
#[derive(Clone, Debug, PartialEq)]
pub enum Contract {
    /// The underlier itself.
    Equity,
    /// A vanilla option on the underlier.
    Option {
        /// Call or put.
        right: OptionRight,
        /// Exercise style.
        exercise: Exercise,
        /// Strike in the underlier's price unit.
        strike: f64,
        /// Calendar days to expiry.
        days: i32,
        /// Implied volatility (0.2 is 20 %).
        vol: f64,
    },
    /// A future on the underlier, valued at its gain since the trade.
    Future {
        /// Calendar days to expiry.
        days: i32,
        /// Price at which it was opened.
        trade_price: f64,
    },
    /// A bond at a yield, per 100 of face.
    Bond {
        /// Schedule and day count.
        terms: BondTerms,
        /// Annual coupon (0.05 is 5 %).
        coupon_rate: f64,
        /// Settlement date of the valuation.
        settlement: Date,
        /// Yield, compounded as often as the bond pays.
        annual_yield: f64,
    },
    /// Cash flows on the book's curve: a swap, or a bond with a spread.
    Flows {
        /// Receipts of the holder, payments negative.
        net: CashFlows,
        /// Spread over every zero rate (1 bp is 0.0001).
        spread: f64,
    },
}

/// A position in a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskLine {
    /// Units times multiplier, short negative; a bond's face over 100.
    pub quantity: f64,
    /// Index of its underlier in the book; ignored for bonds and swaps.
    pub underlier: usize,
    /// The contract.
    pub contract: Contract,
}

/// Positions with their market.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskBook {
    /// Underliers of options, futures and equities.
    pub underliers: Vec<Underlier>,
    /// Curve of [`Contract::Flows`].
    pub curve: Curve,
    /// The positions.
    pub lines: Vec<RiskLine>,
}

/// A move of the whole market and of the date.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scenario {
    /// Relative move of every spot (−0.1 is a fall by 10 %).
    pub spot: f64,
    /// Added to every volatility (0.05 is 5 points).
    pub vol: f64,
    /// Added to every rate, yield and zero rate (1 bp is 0.0001).
    pub rate: f64,
    /// Calendar days that pass.
    pub days: i32,
}

/// Reason why a line has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RiskError {
    /// A contract without a value.
    #[error("line {line}: {error}")]
    Pricing {
        /// Index of the line.
        line: usize,
        /// The reason.
        error: PricingError,
    },
    /// A line whose underlier is not in the book.
    #[error("line {0}: there is no such underlier")]
    UnknownUnderlier(usize),
    /// Output slices of the wrong length, or books that do not match.
    #[error("lengths do not match")]
    Length,
}

impl RiskBook {
    /// Writes the value of every line under `scenario`, coupons and payments before its date
    /// included; allocates nothing after the first American option.
    ///
    /// # Errors
    /// [`RiskError`] for the first line without a value.
    pub fn values(
        &self,
        scenario: &Scenario,
        workspace: &mut Workspace,
        values: &mut [f64],
    ) -> Result<(), RiskError> {
        if values.len() != self.lines.len() {
            return Err(RiskError::Length);
        }
        for (at, value) in values.iter_mut().enumerate() {
            *value = self.line_value(at, scenario, workspace)?;
        }
        Ok(())
    }

    /// Returns the value of one line under `scenario`.
    ///
    /// # Errors
    /// [`RiskError`].
    pub fn line_value(
        &self,
        at: usize,
        scenario: &Scenario,
        workspace: &mut Workspace,
    ) -> Result<f64, RiskError> {
        let line = self.lines.get(at).ok_or(RiskError::Length)?;
        let unit = self.unit_value(line, scenario, at, workspace)?;
        Ok(line.quantity * unit)
    }

    /// Returns the underlier of a line without a scenario.
    pub(super) fn underlier(&self, line: &RiskLine, at: usize) -> Result<Underlier, RiskError> {
        self.underliers.get(line.underlier).copied().ok_or(RiskError::UnknownUnderlier(at))
    }

    fn unit_value(
        &self,
        line: &RiskLine,
        scenario: &Scenario,
        at: usize,
        workspace: &mut Workspace,
    ) -> Result<f64, RiskError> {
        let moved = || {
            let today = self.underlier(line, at)?;
            Ok(Underlier {
                spot: today.spot * (1.0 + scenario.spot),
                rate: today.rate + scenario.rate,
                ..today
            })
        };
        let refused = |error| RiskError::Pricing { line: at, error };
        match &line.contract {
            Contract::Equity => Ok(moved()?.spot),
            Contract::Option { right, exercise, strike, days, vol } => {
                let vanilla = Vanilla { right: *right, strike: *strike, years: years(days - scenario.days) };
                let market = spot_market(&moved()?, (vol + scenario.vol).max(0.0));
                workspace.option_price(*exercise, &vanilla, &market).map_err(refused)
            }
            Contract::Future { days, trade_price } => {
                let Underlier { spot, rate, div_yield } = moved()?;
                let time = years(days - scenario.days);
                let carry = FutureCarry { spot, rate, div_yield, time, dividends: &[] };
                Ok(fair_value(&carry).price - trade_price)
            }
            Contract::Bond { terms, coupon_rate, settlement, annual_yield } => {
                let bond = YieldBond { terms, coupon_rate: *coupon_rate, settlement: *settlement };
                bond.value(annual_yield + scenario.rate, scenario.days).map_err(refused)
            }
            Contract::Flows { net, spread } => {
                let passed = f64::from(scenario.days) / 365.0;
                let each = |(time, amount): (f64, f64)| {
                    let left = time - passed;
                    // Payments due by then are cash.
                    let discount = match left > 0.0 {
                        true => libm::exp(self.curve.log_df(left) - (spread + scenario.rate) * left),
                        false => 1.0,
                    };
                    amount * discount
                };
                Ok(net.iter().map(each).sum())
            }
        }
    }
}

/// Returns the years of so many days, zero if negative.
pub(super) fn years(days: i32) -> f64 {
    f64::from(days.max(0)) / 365.0
}

/// Returns the market of an option.
pub(super) fn spot_market(underlier: &Underlier, vol: f64) -> SpotMarket {
    let Underlier { spot, rate, div_yield } = *underlier;
    SpotMarket { spot, rate, div_yield, vol }
}

/// Reusable buffers of a valuation, created with the first American option.
#[derive(Debug, Default)]
pub struct Workspace {
    american: Option<Valuer>,
}

impl Workspace {
    /// Returns the price of an option by the model of its exercise style.
    pub(super) fn option_price(
        &mut self,
        exercise: Exercise,
        vanilla: &Vanilla,
        market: &SpotMarket,
    ) -> Result<f64, PricingError> {
        match exercise {
            Exercise::European => Ok(european::value(vanilla, market)?.price),
            Exercise::American => Ok(self.valuer().value(vanilla, market)?.price),
        }
    }

    /// Returns the valuer of American options.
    pub(super) fn valuer(&mut self) -> &mut Valuer {
        self.american.get_or_insert_with(|| Valuer::new(Precision::Fast))
    }
}

/// A bond valued by its yield.
pub(super) struct YieldBond<'a> {
    pub(super) terms: &'a BondTerms,
    pub(super) coupon_rate: f64,
    pub(super) settlement: Date,
}

impl YieldBond<'_> {
    /// Returns the dirty price after `days` plus the coupons paid until then, per 100 of
    /// face; the redemption of a matured bond.
    pub(super) fn value(&self, annual_yield: f64, days: i32) -> Result<f64, PricingError> {
        let later = self.settlement.plus_days(days);
        let paid = self.paid_until(later)?;
        match bond::BondFlows::with_coupon(self.terms, self.coupon_rate, later) {
            Ok(flows) => Ok(flows.value(annual_yield)?.dirty + paid),
            Err(PricingError::Matured) => Ok(paid),
            Err(error) => Err(error),
        }
    }

    /// Returns the payments after the settlement up to `later`, per 100 of face.
    fn paid_until(&self, later: Date) -> Result<f64, PricingError> {
        let (mut date, mut paid) = (self.settlement, 0.0);
        while date < later {
            let Some(period) = self.terms.period(date) else { break };
            if period.end > later {
                break;
            }
            paid += bond::BondFlows::with_coupon(self.terms, self.coupon_rate, date)?.next_payment();
            date = period.end;
        }
        Ok(paid)
    }
}
