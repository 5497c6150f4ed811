//! Discount curves: log-linear discount factors, linear zero rates or a
//! natural cubic through zero rates.
//!
//! Times are years of 365 days from the reference date, zero rates are continuously
//! compounded decimals, `DF = exp(−z t)` and `DF(0) = 1`. Knows no instruments:
//! [`Bootstrap`] builds curves from them.

use serde::{Deserialize, Serialize};

use crate::math::exp;
use crate::time::Date;

mod bootstrap;
mod solve;
mod spline;

pub use bootstrap::{Bootstrap, CurveInstrument};

use spline::Cardinals;

/// Interpolation between a curve's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// Logarithm of the discount factor, linear in time from (0, 0).
    LoglinearDf,
    /// Zero rate, linear in time, flat before the first node.
    LinearZero,
    /// Zero rate, by a natural cubic spline whose value at time zero is the first node's.
    NaturalCubicZero,
}

/// Reason why a curve cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CurveError {
    /// No nodes.
    #[error("a curve needs at least one instrument")]
    Empty,
    /// Node dates that do not increase, or a first node on or before the reference date.
    #[error("node {0} is not later than the one before it")]
    NotIncreasing(usize),
    /// A swap that does not pay 1, 2, 4 or 12 times per year in whole periods, or an
    /// instrument without length.
    #[error("instrument {0} has no schedule")]
    NoSchedule(usize),
    /// A discount factor or rate out of range, or a wrong number of rates.
    #[error("quote {0} is out of range")]
    QuoteOutOfRange(usize),
    /// No discount factors that reprice the instruments were found.
    #[error("the curve was not found")]
    NotConverged,
}

/// A discount curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    reference: Date,
    interpolation: Interpolation,
    /// Time zero, then the nodes' times.
    times: Vec<f64>,
    /// Interpolated quantity at the times.
    values: Vec<f64>,
    /// Second derivatives of a cubic at the times; empty otherwise.
    curvatures: Vec<f64>,
    /// Cardinal splines of a cubic; empty otherwise.
    cardinals: Cardinals,
}

/// Returns the years of 365 days from `reference` to `date`.
pub fn years(reference: Date, date: Date) -> f64 {
    f64::from(reference.days_until(date)) / 365.0
}

impl Curve {
    /// Creates the curve through `nodes`, dates with discount factors.
    ///
    /// # Errors
    /// [`CurveError::Empty`], [`CurveError::NotIncreasing`],
    /// [`CurveError::QuoteOutOfRange`].
    pub fn through(
        reference: Date,
        interpolation: Interpolation,
        nodes: &[(Date, f64)],
    ) -> Result<Self, CurveError> {
        let times: Vec<f64> = nodes.iter().map(|(date, _)| years(reference, *date)).collect();
        let mut curve = Self::empty(reference, interpolation, &times)?;
        for (node, (_, df)) in nodes.iter().enumerate() {
            if !(*df > 0.0 && df.is_finite()) {
                return Err(CurveError::QuoteOutOfRange(node));
            }
            curve.set_node(node, libm::log(*df));
        }
        curve.complete();
        Ok(curve)
    }

    /// Creates a curve with one zero rate (continuously compounded).
    pub fn flat(reference: Date, zero_rate: f64) -> Self {
        Self {
            reference,
            interpolation: Interpolation::LinearZero,
            times: vec![0.0, 1.0],
            values: vec![zero_rate; 2],
            curvatures: Vec::new(),
            cardinals: Cardinals::default(),
        }
    }

    /// Creates a curve whose nodes are not yet set.
    fn empty(reference: Date, interpolation: Interpolation, nodes: &[f64]) -> Result<Self, CurveError> {
        if nodes.is_empty() {
            return Err(CurveError::Empty);
        }
        let mut times = Vec::with_capacity(nodes.len() + 1);
        times.push(0.0);
        for (node, time) in nodes.iter().enumerate() {
            if times.last().is_none_or(|last| time <= last) {
                return Err(CurveError::NotIncreasing(node));
            }
            times.push(*time);
        }
        let cubic = interpolation == Interpolation::NaturalCubicZero;
        Ok(Self {
            reference,
            interpolation,
            values: vec![0.0; times.len()],
            curvatures: if cubic { vec![0.0; times.len()] } else { Vec::new() },
            cardinals: if cubic { Cardinals::through(&times) } else { Cardinals::default() },
            times,
        })
    }

    /// Sets a node by the logarithm of its discount factor.
    fn set_node(&mut self, node: usize, log_df: f64) {
        let at = node + 1;
        self.values[at] = match self.interpolation {
            Interpolation::LoglinearDf => log_df,
            _ => -log_df / self.times[at],
        };
    }

    /// Completes the curve after its nodes are set.
    fn complete(&mut self) {
        if self.interpolation != Interpolation::LoglinearDf {
            self.values[0] = self.values[1];
        }
        self.cardinals.write_curvatures(&self.values, &mut self.curvatures);
    }

    /// Returns the date on which the discount factor is one.
    pub fn reference(&self) -> Date {
        self.reference
    }

    /// Returns the interpolation.
    pub fn interpolation(&self) -> Interpolation {
        self.interpolation
    }

    /// Returns the nodes' times in years, without time zero.
    pub fn node_times(&self) -> &[f64] {
        &self.times[1..]
    }

    /// Returns the zero rate of a node.
    pub fn node_zero(&self, node: usize) -> f64 {
        match self.interpolation {
            Interpolation::LoglinearDf => -self.values[node + 1] / self.times[node + 1],
            _ => self.values[node + 1],
        }
    }

    /// Returns the left knot of the segment that contains `time`; the last segment also
    /// covers later times.
    fn segment(&self, time: f64) -> usize {
        self.times.partition_point(|knot| *knot <= time).clamp(1, self.times.len() - 1) - 1
    }

    /// Returns the logarithm of the discount factor at `time` ≥ 0 years. Beyond the last
    /// node the last forward (log-linear) or zero rate applies.
    pub fn log_df(&self, time: f64) -> f64 {
        self.log_df_in(self.segment(time), time)
    }

    fn log_df_in(&self, left: usize, time: f64) -> f64 {
        match self.interpolation {
            Interpolation::LoglinearDf => self.along(left, time),
            Interpolation::LinearZero => -time * self.along(left, self.within(time)),
            Interpolation::NaturalCubicZero => {
                let within = self.within(time);
                -time * spline::value(&self.times, &self.values, &self.curvatures, left, within)
            }
        }
    }

    /// Returns the discount factor at `time` ≥ 0 years.
    pub fn df(&self, time: f64) -> f64 {
        exp(self.log_df(time))
    }

    /// Writes the discount factors at rising `times`, all zero rates moved by `shift`, to
    /// `dfs` up to its length, in one pass along the curve.
    pub fn dfs(&self, times: &[f64], shift: f64, dfs: &mut [f64]) {
        let mut left = 0;
        let last = self.times.len() - 2;
        for (df, time) in dfs.iter_mut().zip(times) {
            while left < last && self.times[left + 1] <= *time {
                left += 1;
            }
            *df = self.log_df_in(left, *time) - shift * time;
        }
        for df in dfs.iter_mut().take(times.len()) {
            *df = exp(*df);
        }
    }

    /// Returns the discount factor on `date`.
    pub fn df_on(&self, date: Date) -> f64 {
        self.df(years(self.reference, date))
    }

    /// Returns the continuously compounded zero rate to `time` > 0, its limit at zero.
    pub fn zero(&self, time: f64) -> f64 {
        if time > 0.0 { -self.log_df(time) / time } else { self.forward_at(0.0) }
    }

    /// Returns the continuously compounded forward rate from `from` to `to` > `from`.
    pub fn forward(&self, from: f64, to: f64) -> f64 {
        (self.log_df(from) - self.log_df(to)) / (to - from)
    }

    /// Returns the simple forward rate of a period of `accrual` years.
    pub fn simple_forward(&self, from: f64, to: f64, accrual: f64) -> f64 {
        libm::expm1(self.log_df(from) - self.log_df(to)) / accrual
    }

    /// Returns the instantaneous forward rate `−∂ ln DF / ∂t`, from the right.
    pub fn forward_at(&self, time: f64) -> f64 {
        let left = self.segment(time);
        let slope = (self.values[left + 1] - self.values[left]) / (self.times[left + 1] - self.times[left]);
        let within = self.within(time);
        match self.interpolation {
            Interpolation::LoglinearDf => -slope,
            _ if time >= self.last_time() => self.values[self.values.len() - 1],
            Interpolation::LinearZero => self.along(left, within) + time * slope,
            Interpolation::NaturalCubicZero => {
                spline::value(&self.times, &self.values, &self.curvatures, left, within)
                    + time * spline::slope(&self.times, &self.values, &self.curvatures, left, within)
            }
        }
    }

    /// Returns this curve with every zero rate moved by `shift` (1 bp is 0.0001).
    pub fn shifted(&self, shift: f64) -> Self {
        let mut moved = self.clone();
        for (value, time) in moved.values.iter_mut().zip(&self.times) {
            *value += match self.interpolation {
                Interpolation::LoglinearDf => -shift * time,
                _ => shift,
            };
        }
        moved
    }

    /// Calls `each(node, by)` for every node whose zero rate moves the discount factor at
    /// `time`, with `by` = `−∂ ln DF(time) / ∂z_node`. They sum to `time` up to the last
    /// node.
    pub fn sensitivities(&self, time: f64, mut each: impl FnMut(usize, f64)) {
        if time <= 0.0 {
            return;
        }
        let left = self.segment(time);
        let (start, end) = (self.times[left], self.times[left + 1]);
        if self.interpolation == Interpolation::LoglinearDf {
            let share = (time - start) / (end - start);
            if left > 0 {
                each(left - 1, (1.0 - share) * start);
            }
            each(left, share * end);
            return;
        }
        let within = self.within(time);
        if self.interpolation == Interpolation::NaturalCubicZero {
            for node in 0..self.times.len() - 1 {
                each(node, time * self.cardinals.value(&self.times, node, left, within));
            }
            return;
        }
        let share = (within - start) / (end - start);
        match left {
            0 => each(0, time),
            _ => {
                each(left - 1, time * (1.0 - share));
                each(left, time * share);
            }
        }
    }

    fn last_time(&self) -> f64 {
        self.times[self.times.len() - 1]
    }

    /// Returns `time`, at most the last node's.
    fn within(&self, time: f64) -> f64 {
        time.min(self.last_time())
    }

    /// Returns the linear interpolation of a segment at `time`.
    fn along(&self, left: usize, time: f64) -> f64 {
        let (start, end) = (self.times[left], self.times[left + 1]);
        let (from, to) = (self.values[left], self.values[left + 1]);
        from + (to - from) * ((time - start) / (end - start))
    }
}
