//! Value at risk and expected shortfall of a sample of P&Ls, by history or Monte Carlo.
//!
//! Confidence is in integer basis points (9900 is 99 %): `(1 − 0.99) · 100` in doubles is
//! above one and would select the wrong order statistic. Losses are positive.

/// Risk of a sample of P&Ls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoricalRisk {
    /// `−x_(k)` of the sorted P&Ls, k = ⌈n(1 − α)⌉ (inverse of the empirical distribution);
    /// negative for a gain.
    pub var: f64,
    /// Average of the worst 1 − α of probability (Acerbi and Tasche 2002).
    pub expected_shortfall: f64,
    /// The quantile with linear interpolation (type 7).
    pub var_linear: f64,
    /// The order statistic k.
    pub tail_count: usize,
}

/// Reason why a sample or factors have no risk figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VarError {
    /// An empty sample, or a P&L that is NaN.
    #[error("P&Ls must be numbers, and at least one")]
    NoSample,
    /// A confidence outside 1 to 9,999 basis points.
    #[error("the confidence is out of range")]
    Confidence,
    /// Factors, exposures and covariances of different sizes, or an invalid covariance matrix.
    #[error("the factors do not fit together")]
    Factors,
}

/// One in basis points.
pub(super) const WHOLE_BP: u32 = 10_000;

/// Returns `1 − α` in basis points.
pub(super) fn tail_bp(confidence_bp: u32) -> Result<u32, VarError> {
    if (1..WHOLE_BP).contains(&confidence_bp) {
        Ok(WHOLE_BP - confidence_bp)
    } else {
        Err(VarError::Confidence)
    }
}

/// Computes the risk of `pnl`, which is sorted in place, losses first.
///
/// # Errors
/// [`VarError`].
pub fn historical(pnl: &mut [f64], confidence_bp: u32) -> Result<HistoricalRisk, VarError> {
    let tail = u64::from(tail_bp(confidence_bp)?);
    if pnl.is_empty() || pnl.iter().any(|x| x.is_nan()) {
        return Err(VarError::NoSample);
    }
    pnl.sort_unstable_by(f64::total_cmp);
    let whole = u64::from(WHOLE_BP);
    // m = n(1 − α) in units of 1/10,000, its ceiling, and the part of the last order
    // statistic in the tail.
    let m = pnl.len() as u64 * tail;
    let k = m.div_ceil(whole).max(1) as usize;
    let last = (m + whole - k as u64 * whole) as f64;
    let worst = compensated_sum(&pnl[..k - 1]);
    let shortfall = (worst * whole as f64 + last * pnl[k - 1]) / m as f64;

    let position = (pnl.len() as u64 - 1) * tail;
    let (at, share) = ((position / whole) as usize, (position % whole) as f64 / whole as f64);
    let next = pnl[(at + 1).min(pnl.len() - 1)];
    Ok(HistoricalRisk {
        var: -pnl[k - 1],
        expected_shortfall: -shortfall,
        var_linear: -(pnl[at] + share * (next - pnl[at])),
        tail_count: k,
    })
}

/// Returns a compensated sum (Neumaier).
pub(super) fn compensated_sum(numbers: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for number in numbers {
        let next = sum + number;
        lost += if libm::fabs(sum) >= libm::fabs(*number) {
            (sum - next) + number
        } else {
            (number - next) + sum
        };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_counted_in_integers() {
        let mut pnl: Vec<f64> = (1..=100).map(|loss| -f64::from(loss)).collect();
        // 1 % of 100 is one P&L, the worst.
        let risk = historical(&mut pnl, 9_900).unwrap();
        assert_eq!((risk.tail_count, risk.var, risk.expected_shortfall), (1, 100.0, 100.0));
        // 2.5 %: (100 + 99 + 0.5 × 98) / 2.5 = 99.2
        let risk = historical(&mut pnl, 9_750).unwrap();
        assert_eq!((risk.tail_count, risk.var, risk.expected_shortfall), (3, 98.0, 99.2));
        // Type 7 at 2.5 %: position 2.475 between 98 and 97.
        assert_eq!(risk.var_linear, 98.0 - 0.475);
    }

    #[test]
    fn invalid_samples_are_refused() {
        assert_eq!(historical(&mut [], 9_900), Err(VarError::NoSample));
        assert_eq!(historical(&mut [f64::NAN], 9_900), Err(VarError::NoSample));
        for confidence in [0, 10_000, 20_000] {
            assert_eq!(historical(&mut [1.0], confidence), Err(VarError::Confidence));
        }
        // A sample of one has a single quantile.
        let risk = historical(&mut [-3.0], 9_900).unwrap();
        assert_eq!((risk.var, risk.expected_shortfall, risk.var_linear), (3.0, 3.0, 3.0));
    }
}
