//! Many contracts on one curve, with one discount factor per distinct date.
//!
//! Allocates on construction only. Knows no contracts.

use crate::math::exp;
use crate::pricing::BASIS_POINT;
use crate::pricing::cash_flows::CashFlows;
use crate::pricing::curve::Curve;

/// Contracts as amounts at shared times.
#[derive(Clone, Debug, Default)]
pub struct FlowBook {
    /// Distinct payment times, rising.
    times: Vec<f64>,
    /// Discount factors at the times, on the last curve.
    dfs: Vec<f64>,
    /// Index of each contract's first flow, and the end.
    starts: Vec<u32>,
    /// Spread of each contract over the curve's zero rates.
    spreads: Vec<f64>,
    /// Index of each flow's time.
    time_indices: Vec<u32>,
    amounts: Vec<f64>,
}

impl FlowBook {
    /// Creates a book of contracts with their spreads over the curve (1 bp is 0.0001).
    /// Flows at one time are summed first, so that a swap's floating leg without a
    /// spread is two flows. Payments at or before time zero are not discounted.
    pub fn new<'a>(contracts: impl IntoIterator<Item = (&'a CashFlows, f64)>) -> Self {
        let mut book = Self { starts: vec![0], ..Self::default() };
        let mut flows: Vec<(f64, f64)> = Vec::new();
        for (contract, spread) in contracts {
            flows.extend(contract.merged().iter().map(|(time, amount)| (time.max(0.0), amount)));
            book.starts.push(flows.len() as u32);
            book.spreads.push(spread);
        }
        book.times = flows.iter().map(|(time, _)| *time).collect();
        book.times.sort_by(f64::total_cmp);
        book.times.dedup();
        book.dfs = vec![1.0; book.times.len()];
        for (time, amount) in flows {
            book.time_indices.push(book.times.partition_point(|earlier| *earlier < time) as u32);
            book.amounts.push(amount);
        }
        book
    }

    /// Returns the number of contracts.
    pub fn len(&self) -> usize {
        self.spreads.len()
    }

    /// Returns true if there are no contracts.
    pub fn is_empty(&self) -> bool {
        self.spreads.is_empty()
    }

    /// Writes every contract's present value on `curve` with all zero rates
    /// moved by `shift`.
    pub fn values(&mut self, curve: &Curve, shift: f64, values: &mut [f64]) {
        curve.dfs(&self.times, shift, &mut self.dfs);
        for (contract, value) in values.iter_mut().enumerate().take(self.len()) {
            *value = self.sum(contract, |_, present| present);
        }
    }

    /// As [`FlowBook::values`], with every contract's analytic DV01
    /// `Σ t · PV · 0.0001`, positive for receipts.
    pub fn values_and_dv01s(&mut self, curve: &Curve, values: &mut [f64], dv01s: &mut [f64]) {
        self.values(curve, 0.0, values);
        for (contract, dv01) in dv01s.iter_mut().enumerate().take(self.len()) {
            *dv01 = BASIS_POINT * self.sum(contract, |time, present| time * present);
        }
    }

    /// Sums `each` of time and present value over a contract's flows.
    fn sum(&self, contract: usize, each: impl Fn(f64, f64) -> f64) -> f64 {
        let range = self.starts[contract] as usize..self.starts[contract + 1] as usize;
        let spread = self.spreads[contract];
        let flows = self.time_indices[range.clone()].iter().zip(&self.amounts[range]);
        if spread == 0.0 {
            return flows
                .map(|(index, amount)| each(self.times[*index as usize], amount * self.dfs[*index as usize]))
                .sum();
        }
        flows
            .map(|(index, amount)| {
                let time = self.times[*index as usize];
                each(time, amount * self.dfs[*index as usize] * exp(-spread * time))
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Date;

    #[test]
    fn a_book_values_its_contracts_like_cash_flows() {
        let curve = Curve::flat(Date::from_days(20_000), 0.03);
        let mut swap = CashFlows::default();
        for (time, amount) in [(0.5, 1.0), (1.0, -1.0), (1.0, 1.0), (1.5, -1.0), (1.0, 0.02)] {
            swap.push(time, amount);
        }
        let mut bond = CashFlows::default();
        bond.push(2.0, 103.0);
        bond.push(1.0, 3.0);
        let mut book = FlowBook::new([(&swap, 0.0), (&bond, 0.01)]);
        // 0.5, 1, 1.5 and 2 years
        assert_eq!((book.times.len(), book.amounts.len()), (4, 5));
        let (mut values, mut dv01s) = ([0.0; 2], [0.0; 2]);
        book.values_and_dv01s(&curve, &mut values, &mut dv01s);
        let expected = [swap.present_value(&curve), bond.present_value_at(&curve, 0.01)];
        for at in 0..2 {
            assert!((values[at] - expected[at]).abs() < 1e-13, "{values:?} for {expected:?}");
        }
        // 0.0001 × (3 e^−0.04 + 2 × 103 e^−0.08)
        let dv01 = 1e-4 * (3.0 * libm::exp(-0.04) + 206.0 * libm::exp(-0.08));
        assert!((dv01s[1] - dv01).abs() < 1e-15);
    }
}
