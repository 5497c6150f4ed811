//! Jump diffusion and stochastic volatility, stepped in `ln S`. Draws nothing: normals and
//! uniforms are arguments.

use super::Gbm;
use super::rates::Cir;
use crate::math::normal_cdf;

/// Merton's jump diffusion (1976) in exact steps: geometric Brownian motion with lognormal
/// jumps at Poisson times. The drift compensates the jumps: `E[S_t] = S_0 e^(μt)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JumpDiffusion {
    diffusion: Gbm,
    jumps: f64,
    jump_mean: f64,
    jump_deviation: f64,
}

impl JumpDiffusion {
    /// Creates steps of `dt` years: `drift` and `volatility` as for [`Gbm`], `intensity` jumps
    /// per year of `ln S` by normal amounts with `jump_mean` and `jump_deviation`.
    pub fn new(
        drift: f64,
        volatility: f64,
        intensity: f64,
        (jump_mean, jump_deviation): (f64, f64),
        dt: f64,
    ) -> Self {
        let mean_jump = libm::expm1(jump_mean + 0.5 * jump_deviation * jump_deviation);
        Self {
            diffusion: Gbm::new(drift - intensity * mean_jump, volatility, dt),
            jumps: intensity * dt,
            jump_mean,
            jump_deviation,
        }
    }

    /// Returns the logarithm of the price one step after `log_price`; `z` and `z_jump` standard
    /// normal, `u` uniform in [0, 1), all independent.
    pub fn next(&self, log_price: f64, z: f64, u: f64, z_jump: f64) -> f64 {
        let jumps = poisson_quantile(self.jumps, u);
        let jumped = jumps * self.jump_mean + libm::sqrt(jumps) * self.jump_deviation * z_jump;
        self.diffusion.next(log_price, z) + jumped
    }
}

/// Returns the quantile `u` of a Poisson variable: its draw from a uniform.
fn poisson_quantile(mean: f64, u: f64) -> f64 {
    let (mut count, mut probability) = (0.0, libm::exp(-mean));
    let mut below = probability;
    while u >= below && probability > f64::MIN_POSITIVE {
        count += 1.0;
        probability *= mean / count;
        below += probability;
    }
    count
}

/// Heston's stochastic volatility (1993), stepped by Andersen's quadratic-exponential scheme
/// (*Simple and efficient simulation of the Heston stochastic volatility model*, 2008): the
/// variance has the exact first two moments and is never negative; the price's step is
/// central in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heston {
    /// Process of the variance; its `start` is not used.
    variance: Cir,
    dt: f64,
    drift: f64,
    from_old: f64,
    from_new: f64,
    spread: f64,
}

impl Heston {
    /// Creates steps of `dt` years; `correlation` is that of both Brownian motions, the `start` of
    /// `variance` is not used.
    pub fn new(drift: f64, variance: Cir, correlation: f64, dt: f64) -> Self {
        let Cir { speed, mean, volatility, .. } = variance;
        let tilt = correlation / volatility;
        let centre = 0.5 * dt * (speed * tilt - 0.5);
        Self {
            variance,
            dt,
            drift: drift * dt - tilt * speed * mean * dt,
            from_old: centre - tilt,
            from_new: centre + tilt,
            spread: 0.5 * dt * (1.0 - correlation * correlation),
        }
    }

    /// Returns `(ln S, variance)` one step later, for independent standard normals.
    pub fn next(&self, log_price: f64, variance: f64, z_price: f64, z_variance: f64) -> (f64, f64) {
        let later = self.next_variance(variance, z_variance);
        let deviation = libm::sqrt(self.spread * (variance + later));
        let mean = log_price + self.drift + self.from_old * variance + self.from_new * later;
        (mean + deviation * z_price, later)
    }

    /// Returns the variance one step after `variance`.
    fn next_variance(&self, variance: f64, z: f64) -> f64 {
        let law = Cir { start: variance, ..self.variance };
        let mean = law.mean_at(self.dt);
        if mean <= 0.0 {
            return 0.0;
        }
        let ratio = law.variance(self.dt) / (mean * mean);
        if ratio <= 1.5 {
            // a (b + z)²
            let inverse = 2.0 / ratio;
            let b_square = inverse - 1.0 + libm::sqrt(inverse) * libm::sqrt(inverse - 1.0);
            let root = libm::sqrt(b_square) + z;
            return mean / (1.0 + b_square) * root * root;
        }
        // Zero with probability p, exponential otherwise.
        let p = (ratio - 1.0) / (ratio + 1.0);
        let above = normal_cdf(-z);
        if above >= 1.0 - p { 0.0 } else { libm::log((1.0 - p) / above) * mean / (1.0 - p) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::{Purpose, Seed, Stream};

    const SAMPLE_COUNT: u64 = 40_000;

    /// Mean and variance of `draw` over paths of four uniforms.
    fn sample(name: &str, mut draw: impl FnMut(&[f64; 3], f64) -> f64) -> (f64, f64) {
        let seed: Seed = "20260105".parse().unwrap();
        let mut stream = Stream::new(&seed, name, Purpose::Price);
        let values: Vec<f64> = (0..SAMPLE_COUNT)
            .map(|path| {
                let mut at = stream.at(path);
                let normals = [at.normal(), at.normal(), at.normal()];
                draw(&normals, normal_cdf(at.normal()))
            })
            .collect();
        let mean = values.iter().sum::<f64>() / SAMPLE_COUNT as f64;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (mean, squares / (SAMPLE_COUNT - 1) as f64)
    }

    #[test]
    fn jumps_preserve_the_mean_and_add_variance() {
        let process = JumpDiffusion::new(0.05, 0.2, 3.0, (-0.05, 0.08), 0.5);
        let (_, variance) = sample("jumps", |z, u| process.next(0.0, z[0], u, z[1]));
        // (0.2² + 3 × (0.05² + 0.08²)) × 0.5 = 0.03335
        assert!((variance - 0.03335).abs() < 4.0 * 0.03335 * libm::sqrt(3.0 / SAMPLE_COUNT as f64));
        let (mean, spread) = sample("jumps", |z, u| libm::exp(process.next(0.0, z[0], u, z[1])));
        let error = libm::sqrt(spread / SAMPLE_COUNT as f64);
        assert!((mean - libm::exp(0.025)).abs() < 4.0 * error, "{mean}");
    }

    #[test]
    fn hestons_variance_has_the_exact_moments() {
        for volatility in [0.3, 1.5] {
            let law = Cir { start: 0.04, speed: 1.5, mean: 0.05, volatility };
            let process = Heston::new(0.03, law, -0.7, 0.25);
            let (mean, variance) = sample("heston", |z, _| process.next(0.0, 0.04, z[0], z[1]).1);
            let error = libm::sqrt(law.variance(0.25) / SAMPLE_COUNT as f64);
            assert!((mean - law.mean_at(0.25)).abs() < 4.0 * error, "{volatility}: {mean}");
            let off = variance / law.variance(0.25) - 1.0;
            assert!(off.abs() < 0.1, "{volatility}: {off}");
        }
    }

    #[test]
    fn hestons_price_has_the_drift() {
        let law = Cir { start: 0.04, speed: 1.5, mean: 0.05, volatility: 0.4 };
        let process = Heston::new(0.03, law, -0.7, 1.0 / 64.0);
        let (mean, variance) = sample("price", |z, _| libm::exp(process.next(0.0, 0.04, z[0], z[1]).0));
        let error = libm::sqrt(variance / SAMPLE_COUNT as f64);
        assert!((mean - libm::exp(0.03 / 64.0)).abs() < 4.0 * error + 1e-5, "{mean}");
    }

    #[test]
    fn poisson_quantiles_are_exact() {
        // e^−2 = 0.1353, then 0.4060, 0.6767
        for (u, count) in [(0.0, 0.0), (0.135, 0.0), (0.136, 1.0), (0.5, 2.0), (0.677, 3.0)] {
            assert_eq!(poisson_quantile(2.0, u), count, "{u}");
        }
    }
}
