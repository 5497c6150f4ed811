//! Volatility surface: Black volatilities over expiry and moneyness, with a check for
//! arbitrage.
//!
//! Total variance w = σ²t is interpolated: over log-moneyness k = ln(K/F) by a natural
//! cubic spline with linear wings, over time linearly at the same k. Before the first and
//! after the last expiry the volatility of that expiry applies. Knows no quotes and does
//! not fit.

mod spline;

use spline::Spline;

/// Reason why a grid is not a valid surface.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SurfaceError {
    /// Fewer than one expiry or two moneynesses, or a wrong number of volatilities.
    #[error("the grid has no proper shape")]
    Shape,
    /// Expiries that are not positive and rising, or moneynesses that do not rise.
    #[error("expiries or moneynesses do not rise")]
    NotRising,
    /// A volatility that is not a positive number.
    #[error("a volatility is not positive")]
    NotPositive,
    /// An arbitrage; [`VolSurface::arbitrages`] returns all of them.
    #[error("the surface can be traded against: {0}")]
    Arbitrage(Arbitrage),
}

/// An arbitrage in a surface.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Arbitrage {
    /// Total variance falls with time: the later of two options at the same moneyness is
    /// worth less.
    #[error("total variance falls between {from} and {to} years at log-moneyness {log_moneyness}")]
    Calendar {
        /// Earlier expiry, years.
        from: f64,
        /// Later expiry, years.
        to: f64,
        /// ln(K/F)
        log_moneyness: f64,
    },
    /// A butterfly has a negative price: the density of the underlier at expiry is
    /// negative.
    #[error("the density is negative at {years} years and log-moneyness {log_moneyness}")]
    Butterfly {
        /// Expiry, years.
        years: f64,
        /// ln(K/F)
        log_moneyness: f64,
    },
    /// A wing with a slope above 2 in total variance per log-moneyness (R. Lee, 2004), or
    /// without variance.
    #[error("the wing at {years} years is too steep")]
    Wing {
        /// Expiry, years.
        years: f64,
    },
}

/// Volatilities over expiry and moneyness.
#[derive(Clone, Debug, PartialEq)]
pub struct VolSurface {
    years: Vec<f64>,
    /// Total variance over log-moneyness, one spline per expiry.
    slices: Vec<Spline>,
}

/// Surface at one time to expiry, for a chain.
#[derive(Clone, Copy, Debug)]
pub struct SurfaceSlice<'a> {
    years: f64,
    near: (&'a Spline, f64),
    far: (&'a Spline, f64),
}

/// Checked points between neighbouring nodes.
const POINTS_PER_GAP: u32 = 16;
/// Width of the check beyond the last node, in log-moneyness.
const WING_WIDTH: f64 = 1.0;
/// Minimum time to expiry, less than a second.
const MIN_YEARS: f64 = 1e-9;
/// Rounding tolerance of densities and variances.
const DENSITY_TOLERANCE: f64 = 1e-12;

impl VolSurface {
    /// Creates a surface through `vols[expiry][moneyness]`, without a check for arbitrage.
    ///
    /// # Errors
    /// [`SurfaceError`] except [`SurfaceError::Arbitrage`].
    pub fn new(years: &[f64], log_moneyness: &[f64], vols: &[Vec<f64>]) -> Result<Self, SurfaceError> {
        let shape = !years.is_empty() && log_moneyness.len() >= 2 && vols.len() == years.len();
        if !shape || vols.iter().any(|row| row.len() != log_moneyness.len()) {
            return Err(SurfaceError::Shape);
        }
        let rising = |values: &[f64]| {
            values.iter().all(|value| value.is_finite()) && values.windows(2).all(|pair| pair[0] < pair[1])
        };
        if !rising(years) || !rising(log_moneyness) || years[0] <= 0.0 {
            return Err(SurfaceError::NotRising);
        }
        if vols.iter().flatten().any(|vol| !(*vol > 0.0 && vol.is_finite())) {
            return Err(SurfaceError::NotPositive);
        }
        let slice = |(years, row): (&f64, &Vec<f64>)| {
            Spline::new(log_moneyness, row.iter().map(|vol| vol * vol * years).collect())
        };
        let slices = years.iter().zip(vols).map(slice).collect();
        Ok(Self { years: years.to_vec(), slices })
    }

    /// Creates a surface free of arbitrage.
    ///
    /// # Errors
    /// [`SurfaceError`].
    pub fn checked(years: &[f64], log_moneyness: &[f64], vols: &[Vec<f64>]) -> Result<Self, SurfaceError> {
        let surface = Self::new(years, log_moneyness, vols)?;
        match surface.arbitrages().first() {
            Some(arbitrage) => Err(SurfaceError::Arbitrage(*arbitrage)),
            None => Ok(surface),
        }
    }

    /// Returns the surface `years` before expiry; at expiry, as just before it.
    pub fn slice(&self, years: f64) -> SurfaceSlice<'_> {
        let years = if years > MIN_YEARS { years } else { MIN_YEARS };
        let last = self.years.len() - 1;
        let after = self.years.partition_point(|expiry| *expiry < years);
        if after == 0 || after > last {
            let at = after.min(last);
            let share = years / self.years[at];
            return SurfaceSlice { years, near: (&self.slices[at], share), far: (&self.slices[at], 0.0) };
        }
        let (from, to) = (self.years[after - 1], self.years[after]);
        let share = (years - from) / (to - from);
        SurfaceSlice {
            years,
            near: (&self.slices[after - 1], 1.0 - share),
            far: (&self.slices[after], share),
        }
    }

    /// Returns the volatility at ln(K/F) and time to expiry (0.2 is 20 %).
    pub fn vol(&self, log_moneyness: f64, years: f64) -> f64 {
        self.slice(years).vol(log_moneyness)
    }

    /// Returns the arbitrages on a fine grid: butterflies at the expiries and halfway between
    /// them, calendars between neighbouring expiries, and the wings.
    pub fn arbitrages(&self) -> Vec<Arbitrage> {
        let mut found = Vec::new();
        let points = self.slices[0].points(POINTS_PER_GAP, WING_WIDTH);
        for (at, years) in self.years.iter().enumerate() {
            self.slice(*years).find_butterflies(&points, &mut found);
            let Some(next) = self.years.get(at + 1) else { continue };
            self.slice(0.5 * (years + next)).find_butterflies(&points, &mut found);
            for k in &points {
                let (now, later) = (self.slices[at].at(*k).0, self.slices[at + 1].at(*k).0);
                if later < now * (1.0 - DENSITY_TOLERANCE) {
                    found.push(Arbitrage::Calendar { from: *years, to: *next, log_moneyness: *k });
                }
            }
        }
        found
    }
}

impl SurfaceSlice<'_> {
    /// Returns total variance σ²t with its first and second derivatives in k.
    fn variance(&self, log_moneyness: f64) -> (f64, f64, f64) {
        let ((near, a), (far, b)) = (self.near, self.far);
        let (w0, s0, c0) = near.at(log_moneyness);
        let (w1, s1, c1) = far.at(log_moneyness);
        (a * w0 + b * w1, a * s0 + b * s1, a * c0 + b * c1)
    }

    /// Returns the volatility at ln(K/F).
    pub fn vol(&self, log_moneyness: f64) -> f64 {
        let variance = self.variance(log_moneyness).0;
        let variance = if variance > 0.0 { variance } else { 0.0 };
        (variance / self.years).sqrt()
    }

    /// Writes the volatilities of a chain to `vols`, up to the shorter length.
    pub fn vols(&self, log_moneyness: &[f64], vols: &mut [f64]) {
        for (k, vol) in log_moneyness.iter().zip(vols) {
            *vol = self.vol(*k);
        }
    }

    /// Returns Durrleman's function (2005; in J. Gatheral and A. Jacquier,
    /// "Arbitrage-free SVI volatility surfaces", 2014, §2): the density at k
    /// has the sign of
    /// (1 − k w′/2w)² − w′²/4 (1/w + 1/4) + w″/2.
    pub fn density_sign(&self, log_moneyness: f64) -> f64 {
        let (w, slope, curvature) = self.variance(log_moneyness);
        let lean = 1.0 - log_moneyness * slope / (2.0 * w);
        lean * lean - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * curvature
    }

    fn find_butterflies(&self, points: &[f64], found: &mut Vec<Arbitrage>) {
        let years = self.years;
        let ends = [points.first(), points.last()];
        let steep = |k: &f64| {
            let (w, slope, _) = self.variance(*k);
            w <= 0.0 || slope.abs() > 2.0
        };
        if ends.into_iter().flatten().any(steep) {
            found.push(Arbitrage::Wing { years });
        }
        for k in points {
            if self.density_sign(*k) < -DENSITY_TOLERANCE {
                found.push(Arbitrage::Butterfly { years, log_moneyness: *k });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::OptionRight;
    use crate::pricing::european::{FutureMarket, Vanilla, value_on_future};

    const K: [f64; 7] = [-0.6, -0.3, -0.1, 0.0, 0.1, 0.3, 0.6];

    /// A skew that flattens with the root of time.
    fn smile(years: f64) -> Vec<f64> {
        K.iter().map(|k| 0.2 - 0.08 * k / years.sqrt() + 0.05 * k * k / years).collect()
    }

    fn surface() -> VolSurface {
        let years = [0.25, 0.5, 1.0, 2.0];
        VolSurface::checked(&years, &K, &years.map(smile)).expect("free of arbitrage")
    }

    #[test]
    fn nodes_are_exact_and_variance_is_linear_in_time() {
        let surface = surface();
        for years in [0.25, 0.5, 2.0] {
            for (k, vol) in K.iter().zip(smile(years)) {
                assert!((surface.vol(*k, years) - vol).abs() < 1e-15);
            }
        }
        let [half, one, middle] = [0.5, 1.0, 0.75].map(|years| surface.vol(0.2, years));
        // w(0.75) is halfway between w(0.5) and w(1).
        let variance = 0.5 * (half * half * 0.5 + one * one);
        assert!((middle * middle * 0.75 - variance).abs() < 1e-15);
        // Outside the expiries the volatility is constant, down to expiry.
        assert!((surface.vol(0.1, 0.01) - surface.vol(0.1, 0.25)).abs() < 1e-15);
        assert!((surface.vol(0.1, 0.0) - surface.vol(0.1, 0.25)).abs() < 1e-15);
        assert!((surface.vol(0.1, 9.0) - surface.vol(0.1, 2.0)).abs() < 1e-15);
    }

    #[test]
    fn falling_variance_is_a_calendar_arbitrage() {
        let vols = [vec![0.3; 7], vec![0.2; 7]];
        let error = VolSurface::checked(&[1.0, 2.0], &K, &vols);
        // 0.3² × 1 = 0.09 > 0.2² × 2 = 0.08
        assert!(matches!(error, Err(SurfaceError::Arbitrage(Arbitrage::Calendar { .. }))), "{error:?}");
    }

    #[test]
    fn a_spike_is_a_butterfly_arbitrage_confirmed_by_prices() {
        let mut vols = smile(0.5);
        vols[3] += 0.05;
        let surface = VolSurface::new(&[0.5], &K, &[vols]).expect("well formed");
        let arbitrages = surface.arbitrages();
        let point = arbitrages.iter().find_map(|arbitrage| match arbitrage {
            Arbitrage::Butterfly { log_moneyness, .. } => Some(*log_moneyness),
            _ => None,
        });
        assert!(butterfly(&surface, point.expect("a butterfly")) < 0.0);
        assert!(butterfly(&surface, -0.3) > 0.0 && surface.slice(0.5).density_sign(-0.3) > 0.0);
    }

    /// The price of a narrow butterfly around a moneyness.
    fn butterfly(surface: &VolSurface, k: f64) -> f64 {
        let call = |strike: f64| {
            let vol = surface.vol(libm::log(strike / 100.0), 0.5);
            let terms = Vanilla { right: OptionRight::Call, strike, years: 0.5 };
            let market = FutureMarket { future: 100.0, rate: 0.0, vol };
            value_on_future(&terms, &market).expect("valid").price
        };
        let strike = 100.0 * libm::exp(k);
        call(strike - 0.05) - 2.0 * call(strike) + call(strike + 0.05)
    }

    #[test]
    fn steep_wings_and_broken_grids_are_refused_by_name() {
        let steep: Vec<f64> = K.iter().map(|k| (0.04 + 2.5 * k.abs()).sqrt()).collect();
        let found = VolSurface::new(&[1.0], &K, &[steep]).expect("well formed").arbitrages();
        assert!(found.contains(&Arbitrage::Wing { years: 1.0 }));
        let new = |years: &[f64], k: &[f64], vols: &[Vec<f64>]| VolSurface::new(years, k, vols).err();
        assert_eq!(new(&[], &K, &[]), Some(SurfaceError::Shape));
        assert_eq!(new(&[1.0], &K, &[vec![0.2; 6]]), Some(SurfaceError::Shape));
        assert_eq!(
            new(&[1.0, 1.0], &[0.0, 1.0], &[vec![0.2; 2], vec![0.2; 2]]),
            Some(SurfaceError::NotRising)
        );
        assert_eq!(new(&[0.0], &[0.0, 1.0], &[vec![0.2; 2]]), Some(SurfaceError::NotRising));
        assert_eq!(new(&[1.0], &[0.0, 1.0], &[vec![0.2, f64::NAN]]), Some(SurfaceError::NotPositive));
    }
}
