//! Early exercise premium of a put on one unit of strike, from its boundary: I. J. Kim's
//! integral (1990) and its derivatives in the spot.

use super::boundary::{Boundary, Dynamics, PARAMETERS, density_and_mass};
use crate::math::{exp, ln};

/// Premium per unit of strike with its derivatives in the spot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Premium {
    pub(super) value: f64,
    pub(super) slope: f64,
    pub(super) curvature: f64,
}

/// Maximum number of panels of the integral, each a quarter of the one before.
const MAX_PANELS: u32 = 12;

/// Components of the premium's integrand at one time.
struct IntegrandSample {
    /// Quadrature weight.
    weight: f64,
    /// √(u/T) of the boundary, and ln B there.
    root: f64,
    log_boundary: f64,
    /// √t and σ√t.
    time: f64,
    deviation: f64,
    /// d₊ and d₋
    d1: f64,
    d2: f64,
}

/// Ratio of drift to deviation above which the arrival is nearly a step in time.
const SUDDEN_DRIFT_RATIO: f64 = 8.0;
/// Width of the arrival, in deviations before and after.
const ARRIVAL_DEVIATIONS: f64 = 8.0;

/// Returns the latest and earliest angle ψ of the arrival at the boundary of an underlier
/// that drifts down by `fall` in logarithm. The integrand rises from zero between them and
/// is smooth elsewhere; (0, 0) if the arrival is gradual.
fn arrival(dynamics: &Dynamics, fall: f64) -> (f64, f64) {
    let Dynamics { rate, div_yield, vol, years } = *dynamics;
    let speed = div_yield - rate;
    if speed * years.sqrt() < SUDDEN_DRIFT_RATIO * vol {
        return (0.0, 0.0);
    }
    // fall − speed·t = ±ARRIVAL_DEVIATIONS·σ√t
    let noise = ARRIVAL_DEVIATIONS * vol;
    let root = (noise * noise + 4.0 * speed * fall).sqrt();
    let angle = |root_time: f64| libm::asin((root_time / (2.0 * speed * years.sqrt())).min(1.0));
    (angle(root + noise), angle(4.0 * speed * fall / (root + noise)))
}

/// Calls `add` with the integrand's samples at spot `s` above the boundary.
///
/// u = T cos²ψ, t = T sin²ψ; near the boundary the integrand changes within ψ of the size
/// of the distance in deviations, so panels shrink towards 0.
#[inline(always)]
fn for_each_sample(
    boundary: &Boundary,
    dynamics: &Dynamics,
    spot: f64,
    points: &[(f64, f64)],
    mut add: impl FnMut(&IntegrandSample),
) {
    let Dynamics { rate, div_yield, vol, years } = *dynamics;
    let (plus, minus) = ((rate - div_yield) / vol + 0.5 * vol, (rate - div_yield) / vol - 0.5 * vol);
    let log_spot = ln(spot);
    let root_years = years.sqrt();
    let distance = (log_spot - boundary.log_now()) / (vol * root_years);
    let (late, early) = arrival(dynamics, log_spot - boundary.log_now());
    let mut high = std::f64::consts::FRAC_PI_2;
    for panel in 1..=MAX_PANELS {
        let last = panel == MAX_PANELS || high < 0.125 * distance;
        let low = if last { 0.0 } else { 0.25 * high };
        let mut top = high;
        for cut in [late, early, low] {
            let bottom = cut.clamp(low, top);
            if bottom == top {
                continue;
            }
            for (x, weight) in points {
                let angle = bottom + 0.5 * (top - bottom) * (1.0 + x);
                let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
                let weight = 0.5 * (top - bottom) * weight * 2.0 * years * sine * cosine;
                let time = root_years * sine;
                let log_boundary = boundary.log_at(cosine);
                let deviation = vol * time;
                let reach = (log_spot - log_boundary) / deviation;
                let (d1, d2) = (reach + plus * time, reach + minus * time);
                add(&IntegrandSample { weight, root: cosine, log_boundary, time, deviation, d1, d2 });
            }
            top = bottom;
        }
        if last {
            break;
        }
        high = low;
    }
}

/// Returns ∫₀ᵀ [r e^(−rt) Φ(−d₋) − q s e^(−qt) Φ(−d₊)] du at spot `s` above the boundary.
pub(super) fn premium(boundary: &Boundary, dynamics: &Dynamics, spot: f64, points: &[(f64, f64)]) -> Premium {
    let Dynamics { rate, div_yield, .. } = *dynamics;
    let mut sum = Premium::default();
    for_each_sample(boundary, dynamics, spot, points, |at| {
        let (weight, t) = (at.weight, at.time * at.time);
        let (density, mass) = density_and_mass(-at.d2);
        let (_, asset_mass) = density_and_mass(-at.d1);
        let (money, asset) = (exp(-rate * t), div_yield * exp(-div_yield * t));
        // s e^(−qt) φ(d₊) = B e^(−rt) φ(d₋)
        let bend = money * density / at.deviation;
        let level = exp(at.log_boundary);
        let push = bend * (div_yield * level - rate);
        let lean = at.d2 / at.deviation;
        sum.value += weight * (rate * money * mass - spot * asset * asset_mass);
        sum.slope += weight * (push / spot - asset * asset_mass);
        sum.curvature += weight * (div_yield * level * bend - push * (lean + 1.0)) / (spot * spot);
    });
    sum
}

/// Returns the premium's total derivatives in the boundary's parameters, after
/// [`Boundary::differentiate`]. ∂d±/∂σ is −d∓/σ, and ∂d/∂r = −∂d/∂q is √t/σ.
pub(super) fn parameter_slopes(
    boundary: &Boundary,
    dynamics: &Dynamics,
    spot: f64,
    points: &[(f64, f64)],
) -> [f64; PARAMETERS] {
    let Dynamics { rate, div_yield, vol, .. } = *dynamics;
    let mut sums = [0.0; PARAMETERS];
    for_each_sample(boundary, dynamics, spot, points, |at| {
        let t = at.time * at.time;
        let (density, mass) = density_and_mass(-at.d2);
        let (_, asset_mass) = density_and_mass(-at.d1);
        let (money, asset) = (exp(-rate * t), exp(-div_yield * t));
        // Both densities with their flows; s e^(−qt) φ(d₊) = B e^(−rt) φ(d₋)
        let (strikes, shares) = (rate * money * density, div_yield * exp(at.log_boundary) * money * density);
        let flow = strikes - shares;
        let turn = flow * at.time / vol;
        let explicit = [
            (strikes * at.d1 - shares * at.d2) / vol,
            (1.0 - rate * t) * money * mass - turn,
            turn - spot * (1.0 - div_yield * t) * asset * asset_mass,
        ];
        let moves = boundary.log_slopes_at(at.root);
        for ((sum, explicit), log_boundary) in sums.iter_mut().zip(explicit).zip(moves) {
            *sum += at.weight * (explicit + flow / at.deviation * log_boundary);
        }
    });
    sums
}
