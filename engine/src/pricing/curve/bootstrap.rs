//! Bootstrap plan of a curve: its instruments and their payment times, computed once
//! for repeated solving with moving quotes.
//!
//! Knows no rates: they are arguments of each call.

use super::{Curve, CurveError, Interpolation, years};
use crate::time::Date;

/// An instrument whose rate determines a node of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveInstrument {
    /// Pays 1 + rate · days/360 after `months` for 1 today.
    Deposit {
        /// Length.
        months: u16,
    },
    /// Pays rate / frequency in every period against a floating leg that is
    /// worth 1 − DF(end).
    Swap {
        /// Length, a whole number of periods.
        months: u16,
        /// Fixed payments per year: 1, 2, 4 or 12.
        frequency: u8,
    },
}

/// Bootstrap plan of a curve: nodes and payment times of its instruments, with a
/// workspace. Solving allocates nothing but a new curve.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    pub(super) template: Curve,
    /// Sorted by maturity.
    pub(super) pillars: Vec<Pillar>,
    pub(super) grids: Vec<Grid>,
    node_dates: Vec<Date>,
    pub(super) workspace: super::solve::SolverWorkspace,
}

/// An instrument with its node.
#[derive(Clone, Debug)]
pub(super) struct Pillar {
    /// Index among the caller's instruments and rates.
    pub(super) quote: usize,
    pub(super) kind: PillarKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum PillarKind {
    /// Years of 360 days.
    Deposit(f64),
    Swap {
        grid: usize,
        /// Number of payments, the first of the grid.
        payments: usize,
    },
}

/// Payment times shared by all swaps of one frequency.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) frequency: u8,
    pub(super) times: Vec<f64>,
}

impl Bootstrap {
    /// Creates the plan of a curve from `reference` on; instruments in any order.
    ///
    /// # Errors
    /// [`CurveError::Empty`]; [`CurveError::NoSchedule`];
    /// [`CurveError::NotIncreasing`] if two mature on one day.
    pub fn new(
        reference: Date,
        interpolation: Interpolation,
        instruments: &[CurveInstrument],
    ) -> Result<Self, CurveError> {
        let mut grids: Vec<Grid> = Vec::new();
        let mut pillars = Vec::with_capacity(instruments.len());
        for (quote, instrument) in instruments.iter().enumerate() {
            let no_schedule = CurveError::NoSchedule(quote);
            let (months, kind) = match *instrument {
                CurveInstrument::Deposit { months } => {
                    let end = reference.add_months(i32::from(months));
                    (months, PillarKind::Deposit(f64::from(reference.days_until(end)) / 360.0))
                }
                CurveInstrument::Swap { months, frequency } => {
                    if ![1, 2, 4, 12].contains(&frequency) || months % (12 / u16::from(frequency)) != 0 {
                        return Err(no_schedule);
                    }
                    let payments = usize::from(months) * usize::from(frequency) / 12;
                    (months, PillarKind::Swap { grid: grid_of(&mut grids, frequency), payments })
                }
            };
            if months == 0 {
                return Err(no_schedule);
            }
            pillars.push((reference.add_months(i32::from(months)), Pillar { quote, kind }));
        }
        pillars.sort_by_key(|(date, _)| *date);
        for (at, grid) in grids.iter_mut().enumerate() {
            let longest = pillars.iter().filter_map(|(_, pillar)| match pillar.kind {
                PillarKind::Swap { grid, payments } if grid == at => Some(payments),
                _ => None,
            });
            let step = 12 / i32::from(grid.frequency);
            let dates = (1..=longest.max().unwrap_or(0) as i32).map(|i| reference.add_months(i * step));
            grid.times = dates.map(|date| years(reference, date)).collect();
        }
        let (node_dates, pillars): (Vec<Date>, Vec<Pillar>) = pillars.into_iter().unzip();
        let times: Vec<f64> = node_dates.iter().map(|date| years(reference, *date)).collect();
        let template = Curve::empty(reference, interpolation, &times)?;
        let workspace = super::solve::SolverWorkspace::for_plan(&template, &pillars, &grids);
        Ok(Self { template, pillars, grids, node_dates, workspace })
    }

    /// Returns the nodes' dates, sorted.
    pub fn node_dates(&self) -> &[Date] {
        &self.node_dates
    }

    /// Returns the curve that reprices every instrument at its rate; `rates` in the order
    /// of the instruments (0.05 is 5 %).
    ///
    /// # Errors
    /// [`CurveError::QuoteOutOfRange`], [`CurveError::NotConverged`].
    pub fn curve(&mut self, rates: &[f64]) -> Result<Curve, CurveError> {
        let mut curve = self.template.clone();
        self.solve_into(rates, &mut curve)?;
        Ok(curve)
    }

    /// As [`Bootstrap::curve`], into a curve of this plan, without allocating. After an
    /// error its content is undefined.
    ///
    /// # Errors
    /// As [`Bootstrap::curve`].
    pub fn solve_into(&mut self, rates: &[f64], curve: &mut Curve) -> Result<(), CurveError> {
        if rates.len() != self.pillars.len() {
            return Err(CurveError::QuoteOutOfRange(rates.len().min(self.pillars.len())));
        }
        if curve.times != self.template.times || curve.interpolation != self.template.interpolation {
            curve.clone_from(&self.template);
        }
        match curve.interpolation {
            Interpolation::NaturalCubicZero => self.solve_jointly(rates, curve),
            _ => self.solve_sequentially(rates, curve),
        }
    }

    /// Returns the rate at which `curve` reprices instrument `quote`, NaN for an unknown
    /// one.
    pub fn rate_on(&self, curve: &Curve, quote: usize) -> f64 {
        let Some(node) = self.pillars.iter().position(|pillar| pillar.quote == quote) else {
            return f64::NAN;
        };
        let log_df = curve.log_df(self.template.times[node + 1]);
        match self.pillars[node].kind {
            PillarKind::Deposit(accrual) => libm::expm1(-log_df) / accrual,
            PillarKind::Swap { grid, payments } => {
                let grid = &self.grids[grid];
                let annuity: f64 = grid.times[..payments].iter().map(|time| curve.df(*time)).sum();
                -libm::expm1(log_df) * f64::from(grid.frequency) / annuity
            }
        }
    }
}

/// Returns the index of the grid of a frequency, created if it is new.
fn grid_of(grids: &mut Vec<Grid>, frequency: u8) -> usize {
    grids.iter().position(|grid| grid.frequency == frequency).unwrap_or_else(|| {
        grids.push(Grid { frequency, times: Vec::new() });
        grids.len() - 1
    })
}
