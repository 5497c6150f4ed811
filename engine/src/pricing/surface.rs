//! A volatility surface: Black volatilities over expiry and moneyness, and
//! whether it can be traded against.
//!
//! Total variance w = σ²t is interpolated: over log-moneyness k = ln(K/F) by a
//! natural cubic spline, which goes on as a straight line in the wings; over
//! time linearly at the same k. Before the first and after the last expiry the
//! volatility of that expiry holds. Knows no quotes and fits nothing.

mod spline;

use spline::Spline;

/// Why a grid is no surface.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SurfaceError {
    /// There must be at least one expiry and two moneynesses, and as many
    /// volatilities as both together ask for.
    #[error("the grid has no proper shape")]
    Shape,
    /// Expiries must be positive and rise, moneynesses rise; all finite.
    #[error("expiries or moneynesses do not rise")]
    NotRising,
    /// A volatility is not a positive number.
    #[error("a volatility is not positive")]
    NotPositive,
    /// Free money: [`VolSurface::arbitrages`] lists all of it.
    #[error("the surface can be traded against: {0}")]
    Arbitrage(Arbitrage),
}

/// A place at which a surface can be traded against.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Arbitrage {
    /// The later of two options at the same moneyness is worth less: total
    /// variance falls with time.
    #[error("total variance falls between {from} and {to} years at log-moneyness {log_moneyness}")]
    Calendar {
        /// Earlier expiry, years.
        from: f64,
        /// Later expiry, years.
        to: f64,
        /// ln(K/F)
        log_moneyness: f64,
    },
    /// A butterfly has a negative price: the density of the underlier at
    /// expiry is below zero.
    #[error("the density is negative at {years} years and log-moneyness {log_moneyness}")]
    Butterfly {
        /// Expiry, years.
        years: f64,
        /// ln(K/F)
        log_moneyness: f64,
    },
    /// A wing rises faster than 2 in total variance per log-moneyness (R. Lee,
    /// 2004) or falls to no variance at all.
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
    /// Total variance over log-moneyness, one an expiry.
    slices: Vec<Spline>,
}

/// A surface at one time to expiry, for a chain.
#[derive(Clone, Copy, Debug)]
pub struct SurfaceSlice<'a> {
    years: f64,
    near: (&'a Spline, f64),
    far: (&'a Spline, f64),
}

/// Points checked between two neighbouring nodes.
const POINTS_PER_GAP: u32 = 16;
/// How far beyond the last node the check goes, in log-moneyness.
const WING_WIDTH: f64 = 1.0;
/// Less than a second: volatilities at expiry are those of this moment.
const MIN_YEARS: f64 = 1e-9;
/// What rounding may do to a density.
const DENSITY_TOLERANCE: f64 = 1e-12;

impl VolSurface {
    /// A surface through `vols[expiry][moneyness]`; not checked for arbitrage.
    ///
    /// # Errors
    /// [`SurfaceError`], all but the last.
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

    /// A surface that nobody can trade against.
    ///
    /// # Errors
    /// [`SurfaceError`]
    pub fn checked(years: &[f64], log_moneyness: &[f64], vols: &[Vec<f64>]) -> Result<Self, SurfaceError> {
        let surface = Self::new(years, log_moneyness, vols)?;
        match surface.arbitrages().first() {
            Some(arbitrage) => Err(SurfaceError::Arbitrage(*arbitrage)),
            None => Ok(surface),
        }
    }

    /// The surface `years` before expiry; at expiry, as just before it.
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

    /// The volatility at ln(K/F) and time to expiry, 0.2 for 20 %.
    pub fn vol(&self, log_moneyness: f64, years: f64) -> f64 {
        self.slice(years).vol(log_moneyness)
    }

    /// Every place on a fine grid at which the surface can be traded against:
    /// at the expiries and half-way between them for butterflies, between
    /// neighbouring expiries for calendars, and the wings.
    pub fn arbitrages(&self) -> Vec<Arbitrage> {
        let mut found = Vec::new();
        let places = self.slices[0].places(POINTS_PER_GAP, WING_WIDTH);
        for (at, years) in self.years.iter().enumerate() {
            self.slice(*years).find_butterflies(&places, &mut found);
            let Some(next) = self.years.get(at + 1) else { continue };
            self.slice(0.5 * (years + next)).find_butterflies(&places, &mut found);
            for k in &places {
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
    /// Total variance σ²t, and its first and second derivatives in k.
    fn variance(&self, log_moneyness: f64) -> (f64, f64, f64) {
        let ((near, a), (far, b)) = (self.near, self.far);
        let (w0, s0, c0) = near.at(log_moneyness);
        let (w1, s1, c1) = far.at(log_moneyness);
        (a * w0 + b * w1, a * s0 + b * s1, a * c0 + b * c1)
    }

    /// The volatility at ln(K/F).
    pub fn vol(&self, log_moneyness: f64) -> f64 {
        let variance = self.variance(log_moneyness).0;
        let variance = if variance > 0.0 { variance } else { 0.0 };
        (variance / self.years).sqrt()
    }

    /// Volatilities of a chain into `vols`, as many as both have room for.
    pub fn vols(&self, log_moneyness: &[f64], vols: &mut [f64]) {
        for (k, vol) in log_moneyness.iter().zip(vols) {
            *vol = self.vol(*k);
        }
    }

    /// Durrleman's condition (2005; in J. Gatheral and A. Jacquier,
    /// "Arbitrage-free SVI volatility surfaces", 2014, §2): the density at k
    /// has the sign of
    /// (1 − k w′/2w)² − w′²/4 (1/w + 1/4) + w″/2.
    pub fn density_sign(&self, log_moneyness: f64) -> f64 {
        let (w, slope, curvature) = self.variance(log_moneyness);
        let lean = 1.0 - log_moneyness * slope / (2.0 * w);
        lean * lean - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * curvature
    }

    fn find_butterflies(&self, places: &[f64], found: &mut Vec<Arbitrage>) {
        let years = self.years;
        let ends = [places.first(), places.last()];
        let steep = |k: &f64| {
            let (w, slope, _) = self.variance(*k);
            w <= 0.0 || slope.abs() > 2.0
        };
        if ends.into_iter().flatten().any(steep) {
            found.push(Arbitrage::Wing { years });
        }
        for k in places {
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
    fn nodes_come_back_and_time_is_linear_in_variance() {
        let surface = surface();
        for years in [0.25, 0.5, 2.0] {
            for (k, vol) in K.iter().zip(smile(years)) {
                assert!((surface.vol(*k, years) - vol).abs() < 1e-15);
            }
        }
        let [half, one, middle] = [0.5, 1.0, 0.75].map(|years| surface.vol(0.2, years));
        // w(0.75) is half-way between w(0.5) and w(1).
        let variance = 0.5 * (half * half * 0.5 + one * one);
        assert!((middle * middle * 0.75 - variance).abs() < 1e-15);
        // Outside the volatility stays, down to expiry itself.
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
    fn a_spike_is_a_butterfly_arbitrage_as_the_prices_say() {
        let mut vols = smile(0.5);
        vols[3] += 0.05;
        let surface = VolSurface::new(&[0.5], &K, &[vols]).expect("well formed");
        let arbitrages = surface.arbitrages();
        let place = arbitrages.iter().find_map(|arbitrage| match arbitrage {
            Arbitrage::Butterfly { log_moneyness, .. } => Some(*log_moneyness),
            _ => None,
        });
        assert!(butterfly(&surface, place.expect("a butterfly")) < 0.0);
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
