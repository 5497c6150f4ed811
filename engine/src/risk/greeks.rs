//! Greeks of a book by underlier and DV01 by bucket of the curve.
//!
//! Analytic, valid near the present market; [`super::stress`] revalues.

use super::book::{Contract, RiskBook, RiskError, RiskLine, Scenario, Workspace, spot_market, years};
use crate::instrument::Exercise;
use crate::pricing::PricingError;
use crate::pricing::cash_flows::CashFlows;
use crate::pricing::european::{self, SpotMarket, Vanilla};
use crate::pricing::future::{FutureCarry, fair_value};

/// Greeks of a line, or of all lines on an underlier.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpotGreeks {
    /// Equivalent units of the underlier.
    pub delta: f64,
    /// Change of delta per price unit.
    pub gamma: f64,
    /// Money per 1.00 of volatility.
    pub vega: f64,
    /// Money per year of passing time.
    pub theta: f64,
    /// Money per 1.00 of the financing rate.
    pub rho: f64,
    /// Money per 1.00 of dividend yield.
    pub dividend_rho: f64,
}

impl SpotGreeks {
    fn scaled(self, by: f64) -> Self {
        Self {
            delta: by * self.delta,
            gamma: by * self.gamma,
            vega: by * self.vega,
            theta: by * self.theta,
            rho: by * self.rho,
            dividend_rho: by * self.dividend_rho,
        }
    }

    fn add(&mut self, other: &Self) {
        self.delta += other.delta;
        self.gamma += other.gamma;
        self.vega += other.vega;
        self.theta += other.theta;
        self.rho += other.rho;
        self.dividend_rho += other.dividend_rho;
    }
}

/// Returns the Greeks of an option by the model of its exercise style.
pub(super) fn option_greeks(
    exercise: Exercise,
    vanilla: &Vanilla,
    market: &SpotMarket,
    workspace: &mut Workspace,
) -> Result<SpotGreeks, PricingError> {
    match exercise {
        Exercise::European => {
            let value = european::value(vanilla, market)?;
            Ok(SpotGreeks {
                delta: value.delta,
                gamma: value.gamma,
                vega: value.vega,
                theta: value.theta,
                rho: value.rho,
                dividend_rho: value.dividend_rho,
            })
        }
        Exercise::American => {
            let value = workspace.valuer().value(vanilla, market)?;
            let moved = workspace.valuer().sensitivities(vanilla, market)?;
            Ok(SpotGreeks {
                delta: value.delta,
                gamma: value.gamma,
                vega: moved.vega,
                theta: value.theta,
                rho: moved.rho,
                dividend_rho: moved.dividend_rho,
            })
        }
    }
}

/// Returns the Greeks of one line; zero for bonds and swaps.
///
/// # Errors
/// [`RiskError`].
pub fn of_line(book: &RiskBook, at: usize, workspace: &mut Workspace) -> Result<SpotGreeks, RiskError> {
    let line = book.lines.get(at).ok_or(RiskError::Length)?;
    let unit = match &line.contract {
        Contract::Equity => SpotGreeks { delta: 1.0, ..SpotGreeks::default() },
        Contract::Option { right, exercise, strike, days, vol } => {
            let vanilla = Vanilla { right: *right, strike: *strike, years: years(*days) };
            let market = spot_market(&book.underlier(line, at)?, *vol);
            option_greeks(*exercise, &vanilla, &market, workspace)
                .map_err(|error| RiskError::Pricing { line: at, error })?
        }
        Contract::Future { days, .. } => {
            let underlier = book.underlier(line, at)?;
            let (rate, div_yield, time) = (underlier.rate, underlier.div_yield, years(*days));
            let carry = FutureCarry { spot: underlier.spot, rate, div_yield, time, dividends: &[] };
            let value = fair_value(&carry);
            SpotGreeks {
                delta: value.delta,
                theta: -(rate - div_yield) * value.price,
                rho: value.rho,
                dividend_rho: -time * value.price,
                ..SpotGreeks::default()
            }
        }
        Contract::Bond { .. } | Contract::Flows { .. } => return Ok(SpotGreeks::default()),
    };
    Ok(unit.scaled(line.quantity))
}

/// Writes the book's Greeks by underlier, in the book's order; allocates nothing.
///
/// # Errors
/// [`RiskError`]; [`RiskError::Length`] unless there is one total per underlier.
pub fn by_underlier(
    book: &RiskBook,
    workspace: &mut Workspace,
    totals: &mut [SpotGreeks],
) -> Result<(), RiskError> {
    if totals.len() != book.underliers.len() {
        return Err(RiskError::Length);
    }
    totals.fill(SpotGreeks::default());
    for (at, line) in book.lines.iter().enumerate() {
        if let Contract::Bond { .. } | Contract::Flows { .. } = line.contract {
            continue;
        }
        let greeks = of_line(book, at, workspace)?;
        totals.get_mut(line.underlier).ok_or(RiskError::UnknownUnderlier(at))?.add(&greeks);
    }
    Ok(())
}

/// Writes the DV01 of bonds and swaps by node of the book's curve: gain when that node's zero
/// rate falls by one basis point. Returns the parallel DV01, the sum of the buckets.
///
/// A bond quoted by yield keeps its spread over the curve. Allocates only a buffer for one
/// bond's payments.
///
/// # Errors
/// [`RiskError`]; [`RiskError::Length`] unless there is one bucket per node.
pub fn dv01_by_bucket(book: &RiskBook, buckets: &mut [f64]) -> Result<f64, RiskError> {
    if buckets.len() != book.curve.node_times().len() {
        return Err(RiskError::Length);
    }
    buckets.fill(0.0);
    let (mut parallel, mut flows) = (0.0, CashFlows::default());
    for (at, line) in book.lines.iter().enumerate() {
        parallel += add_line(book, (line, at), &mut flows, buckets)?;
    }
    Ok(parallel)
}

fn add_line(
    book: &RiskBook,
    (line, at): (&RiskLine, usize),
    flows: &mut CashFlows,
    buckets: &mut [f64],
) -> Result<f64, RiskError> {
    let refused = |error| RiskError::Pricing { line: at, error };
    match &line.contract {
        Contract::Flows { net, spread } => {
            Ok(net.add_key_rate_dv01(&book.curve, *spread, line.quantity, buckets))
        }
        Contract::Bond { terms, coupon_rate, settlement, .. } => {
            let bond = crate::pricing::bond::BondFlows::with_coupon(terms, *coupon_rate, *settlement)
                .map_err(refused)?;
            bond.write_cash_flows(terms, *settlement, flows);
            let price = book.line_value(at, &Scenario::default(), &mut Workspace::default())? / line.quantity;
            let spread = match line.quantity == 0.0 {
                true => 0.0,
                false => flows.z_spread(&book.curve, price).ok_or(refused(PricingError::NotConverged))?,
            };
            Ok(flows.add_key_rate_dv01(&book.curve, spread, line.quantity, buckets))
        }
        Contract::Equity | Contract::Option { .. } | Contract::Future { .. } => Ok(0.0),
    }
}
