//! Layout of a book for repeated valuation: options in columns, payments on shared dates.
//! Equals the book's own values to the last one or two places; allocates on construction
//! only. Used by stress grids and simulations.

use super::book::{Contract, RiskBook, RiskError, Scenario, Underlier, Workspace, years};
use crate::instrument::Exercise;
use crate::pricing::curve::Curve;
use crate::pricing::european::Vanilla;
use crate::pricing::european::batch::{self, OptionColumns, ValueColumns};
use crate::pricing::flow_book::FlowBook;

/// A book prepared for repeated valuation.
#[derive(Debug)]
pub struct RevaluationPlan {
    book: RiskBook,
    /// European options with their columns.
    options: Vec<OptionLine>,
    quotes: OptionColumns,
    values: ValueColumns,
    /// Indices of lines on the curve.
    on_curve: Vec<usize>,
    flows: FlowBook,
    flow_values: Vec<f64>,
    /// Indices of all other lines.
    others: Vec<usize>,
    workspace: Workspace,
    /// Buffer for the values of all lines.
    lines: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct OptionLine {
    line: usize,
    underlier: usize,
    days: i32,
    vol: f64,
}

impl RevaluationPlan {
    /// Prepares `book`.
    ///
    /// # Errors
    /// [`RiskError`] for a line without a value.
    pub fn new(book: RiskBook) -> Result<Self, RiskError> {
        let mut values = vec![0.0; book.lines.len()];
        let mut workspace = Workspace::default();
        book.values(&Scenario::default(), &mut workspace, &mut values)?;
        let (mut options, mut quotes) = (Vec::new(), OptionColumns::default());
        let (mut on_curve, mut others) = (Vec::new(), Vec::new());
        for (at, line) in book.lines.iter().enumerate() {
            match &line.contract {
                Contract::Option { right, exercise: Exercise::European, strike, days, vol } => {
                    let vanilla = Vanilla { right: *right, strike: *strike, years: years(*days) };
                    let market = super::book::spot_market(&book.underlier(line, at)?, *vol);
                    quotes.push(&vanilla, &market);
                    let underlier = line.underlier;
                    options.push(OptionLine { line: at, underlier, days: *days, vol: *vol });
                }
                Contract::Flows { .. } => on_curve.push(at),
                _ => others.push(at),
            }
        }
        let flows = FlowBook::new(on_curve.iter().filter_map(|at| match &book.lines[*at].contract {
            Contract::Flows { net, spread } => Some((net, *spread)),
            _ => None,
        }));
        let flow_values = vec![0.0; on_curve.len()];
        let mut option_values = ValueColumns::default();
        option_values.resize(quotes.len());
        Ok(Self {
            book,
            options,
            quotes,
            values: option_values,
            on_curve,
            flows,
            flow_values,
            others,
            workspace,
            lines: values,
        })
    }

    /// Returns the book in its current market.
    pub fn book(&self) -> &RiskBook {
        &self.book
    }

    /// Replaces an underlier; no effect for an unknown index.
    pub fn set_underlier(&mut self, at: usize, underlier: Underlier) {
        if let Some(current) = self.book.underliers.get_mut(at) {
            *current = underlier;
        }
    }

    /// Replaces the curve.
    pub fn set_curve(&mut self, curve: Curve) {
        self.book.curve = curve;
    }

    /// Writes the value of every line under `scenario`.
    ///
    /// # Errors
    /// [`RiskError`] as [`RiskBook::values`].
    pub fn values(&mut self, scenario: &Scenario, values: &mut [f64]) -> Result<(), RiskError> {
        if values.len() != self.book.lines.len() {
            return Err(RiskError::Length);
        }
        self.value_options(scenario, values);
        if scenario.days == 0 {
            self.flows.values(&self.book.curve, scenario.rate, &mut self.flow_values);
            for (at, value) in self.on_curve.iter().zip(&self.flow_values) {
                values[*at] = self.book.lines[*at].quantity * value;
            }
        } else {
            // Every payment time has moved: no discount factor is shared.
            for at in &self.on_curve {
                values[*at] = self.book.line_value(*at, scenario, &mut self.workspace)?;
            }
        }
        for at in &self.others {
            values[*at] = self.book.line_value(*at, scenario, &mut self.workspace)?;
        }
        Ok(())
    }

    /// Returns the value of the whole book under `scenario`.
    ///
    /// # Errors
    /// [`RiskError`] as [`RiskBook::values`].
    pub fn total(&mut self, scenario: &Scenario) -> Result<f64, RiskError> {
        let mut lines = std::mem::take(&mut self.lines);
        let valued = self.values(scenario, &mut lines);
        let total = lines.iter().sum();
        self.lines = lines;
        valued.map(|()| total)
    }

    fn value_options(&mut self, scenario: &Scenario, values: &mut [f64]) {
        for (at, option) in self.options.iter().enumerate() {
            let underlier = &self.book.underliers[option.underlier];
            self.quotes.spot[at] = underlier.spot * (1.0 + scenario.spot);
            self.quotes.rate[at] = underlier.rate + scenario.rate;
            self.quotes.div_yield[at] = underlier.div_yield;
            self.quotes.vol[at] = (option.vol + scenario.vol).max(0.0);
            self.quotes.years[at] = years(option.days - scenario.days);
        }
        batch::value(&self.quotes, &mut self.values);
        for (option, price) in self.options.iter().zip(&self.values.price) {
            values[option.line] = self.book.lines[option.line].quantity * price;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::OptionRight;
    use crate::pricing::cash_flows::CashFlows;
    use crate::risk::book::RiskLine;
    use crate::time::Date;

    #[test]
    fn a_plan_has_the_values_of_its_book() {
        let mut net = CashFlows::default();
        net.push(0.002, 3.0);
        net.push(1.5, 103.0);
        let contracts = [
            Contract::Equity,
            Contract::Option {
                right: OptionRight::Put,
                exercise: Exercise::European,
                strike: 95.0,
                days: 60,
                vol: 0.3,
            },
            Contract::Future { days: 30, trade_price: 99.0 },
            Contract::Flows { net, spread: 0.001 },
        ];
        let lines = contracts.map(|contract| RiskLine { quantity: -7.0, underlier: 0, contract });
        let book = RiskBook {
            underliers: vec![Underlier { spot: 100.0, rate: 0.02, div_yield: 0.01 }],
            curve: Curve::flat(Date::from_days(20_000), 0.02),
            lines: lines.to_vec(),
        };
        let mut plan = RevaluationPlan::new(book.clone()).unwrap();
        for scenario in [
            Scenario::default(),
            Scenario { spot: -0.3, vol: 0.25, rate: -0.005, days: 0 },
            Scenario { days: 1, ..Scenario::default() },
        ] {
            let (mut fast, mut plain) = ([0.0; 4], [0.0; 4]);
            plan.values(&scenario, &mut fast).unwrap();
            book.values(&scenario, &mut Workspace::default(), &mut plain).unwrap();
            for (fast, plain) in fast.iter().zip(plain) {
                assert!((fast - plain).abs() <= 1e-12 * plain.abs(), "{fast} for {plain}");
            }
        }
    }
}
