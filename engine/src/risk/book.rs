//! A book of contracts and the market that it is valued in.
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

/// What moves everything that derives from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Underlier {
    /// Its price.
    pub spot: f64,
    /// Financing rate, continuously compounded (0.05 is 5 %).
    pub rate: f64,
    /// Dividend yield, continuously compounded.
    pub div_yield: f64,
}

/// A contract with what the market says of it alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Contract {
    /// The underlier itself.
    Equity,
    /// A vanilla option on the underlier.
    Option {
        /// Call or put.
        right: OptionRight,
        /// When it may be exercised.
        exercise: Exercise,
        /// In the underlier's price unit.
        strike: f64,
        /// Calendar days to expiry.
        days: i32,
        /// Implied volatility (0.2 is 20 %).
        vol: f64,
    },
    /// A future on the underlier, worth what it has gained since its trade.
    Future {
        /// Calendar days to expiry.
        days: i32,
        /// The price at which it was entered.
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
    /// Amounts at times on the book's curve: a swap, or a bond with a spread.
    Flows {
        /// What its holder receives, payments negative.
        net: CashFlows,
        /// Over every zero rate (1 bp is 0.0001).
        spread: f64,
    },
}

/// So much of a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskLine {
    /// Units times multiplier, short negative; a bond's face over 100.
    pub quantity: f64,
    /// The place of its underlier in the book; bonds and swaps need none.
    pub underlier: usize,
    /// What is held.
    pub contract: Contract,
}

/// Lines with their market.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskBook {
    /// Everything that options and futures derive from.
    pub underliers: Vec<Underlier>,
    /// The curve of [`Contract::Flows`].
    pub curve: Curve,
    /// What is held.
    pub lines: Vec<RiskLine>,
}

/// A move of the whole market, and of the calendar.
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

/// Why a line has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RiskError {
    /// A contract that cannot be priced.
    #[error("line {line}: {error}")]
    Pricing {
        /// Which line of the book.
        line: usize,
        /// Why.
        error: PricingError,
    },
    /// A line derives from an underlier that the book lacks.
    #[error("line {0}: there is no such underlier")]
    UnknownUnderlier(usize),
    /// Results do not fit the slices given for them, or books do not match.
    #[error("lengths do not match")]
    Length,
}

impl RiskBook {
    /// Writes the value of every line under `scenario`, coupons and payments
    /// on the way included; allocates nothing once `workspace` has seen an American
    /// option.
    ///
    /// # Errors
    /// [`RiskError`] with the first line that has no value.
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

    /// The value of one line under `scenario`.
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

    /// The underlier of a line, before any scenario.
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
                    // What is due by then has become cash.
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

/// Years of so many days, none when they have passed.
pub(super) fn years(days: i32) -> f64 {
    f64::from(days.max(0)) / 365.0
}

/// What an option model reads.
pub(super) fn spot_market(underlier: &Underlier, vol: f64) -> SpotMarket {
    let Underlier { spot, rate, div_yield } = *underlier;
    SpotMarket { spot, rate, div_yield, vol }
}

/// Workspace in which American options are valued, made at the first of them.
#[derive(Debug, Default)]
pub struct Workspace {
    american: Option<Valuer>,
}

impl Workspace {
    /// The price of an option by the model of its exercise.
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

    /// For American options; made once.
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
    /// Dirty price after `days` with the coupons paid on the way, per 100 of
    /// face; a matured bond is its redemption.
    pub(super) fn value(&self, annual_yield: f64, days: i32) -> Result<f64, PricingError> {
        let later = self.settlement.plus_days(days);
        let paid = self.paid_until(later)?;
        match bond::BondFlows::with_coupon(self.terms, self.coupon_rate, later) {
            Ok(flows) => Ok(flows.value(annual_yield)?.dirty + paid),
            Err(PricingError::Matured) => Ok(paid),
            Err(error) => Err(error),
        }
    }

    /// What is paid after the settlement up to `later`, per 100 of face.
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
