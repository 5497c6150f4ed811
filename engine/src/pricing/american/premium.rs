//! The early exercise premium of a put on one unit of strike, from its
//! boundary: I. J. Kim's integral (1990) and its derivatives in the spot.

use super::boundary::{Boundary, Dynamics, density_and_mass};
use crate::math::{exp, ln};

/// A premium, per unit of strike, with its derivatives in the spot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Premium {
    pub(super) value: f64,
    pub(super) slope: f64,
    pub(super) curvature: f64,
}

/// Panels of the integral, each a quarter of the one before.
const MOST_PANELS: u32 = 12;

/// ∫₀ᵀ [r e^(−rt) Φ(−d₋) − q s e^(−qt) Φ(−d₊)] du at spot `s` above the boundary.
///
/// With u = T cos²ψ the time t = T sin²ψ that is left until exercise; next to
/// the boundary the integrand changes within ψ of the size of the distance in
/// deviations, so panels shrink towards 0.
pub(super) fn premium(boundary: &Boundary, dynamics: &Dynamics, spot: f64, points: &[(f64, f64)]) -> Premium {
    let Dynamics { rate, div_yield, vol, years } = *dynamics;
    let (plus, minus) = ((rate - div_yield) / vol + 0.5 * vol, (rate - div_yield) / vol - 0.5 * vol);
    let log_spot = ln(spot);
    let root_years = years.sqrt();
    let distance = (log_spot - boundary.log_now()) / (vol * root_years);
    let mut sum = Premium::default();
    let mut high = std::f64::consts::FRAC_PI_2;
    for panel in 1..=MOST_PANELS {
        let last = panel == MOST_PANELS || high < 0.125 * distance;
        let low = if last { 0.0 } else { 0.25 * high };
        for (x, weight) in points {
            let angle = low + 0.5 * (high - low) * (1.0 + x);
            let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
            let weight = 0.5 * (high - low) * weight * 2.0 * years * sine * cosine;
            let time = root_years * sine;
            let log_boundary = boundary.log_at(cosine);
            let deviation = vol * time;
            let reach = (log_spot - log_boundary) / deviation;
            let t = time * time;
            let (density, mass) = density_and_mass(-(reach + minus * time));
            let (_, asset_mass) = density_and_mass(-(reach + plus * time));
            let (money, asset) = (exp(-rate * t), div_yield * exp(-div_yield * t));
            // s e^(−qt) φ(d₊) = B e^(−rt) φ(d₋)
            let bend = money * density / deviation;
            let level = exp(log_boundary);
            let push = bend * (div_yield * level - rate);
            let lean = (reach + minus * time) / deviation;
            sum.value += weight * (rate * money * mass - spot * asset * asset_mass);
            sum.slope += weight * (push / spot - asset * asset_mass);
            sum.curvature += weight * (div_yield * level * bend - push * (lean + 1.0)) / (spot * spot);
        }
        if last {
            break;
        }
        high = low;
    }
    sum
}
