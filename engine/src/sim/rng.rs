//! Addressed random draws: a draw is a function of its address.
//!
//! A stream is ChaCha8 keyed by SHA-256 of (seed, symbol, purpose); address `n`
//! begins at word `n` × the purpose's budget. So a restart needs no generator
//! state, and an additional instrument or draw shifts no other. Does not know how
//! the draws are used.

use std::fmt;
use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::id::Digest;
use crate::math::inverse_normal_cdf;

/// A venue's secret, which determines the market's future. It has no readable
/// debug output and is not serializable by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed([u8; 32]);

/// Not a decimal number from 0 to 2^64 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid_seed: a whole number from 0 to 18446744073709551615")]
pub struct SeedError;

impl Seed {
    /// Creates a seed from drawn or stored bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the secret, to store it or to commit to it.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Seed {
    type Err = SeedError;

    /// Parses a seed chosen by a person: decimal digits only.
    fn from_str(text: &str) -> Result<Self, SeedError> {
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SeedError);
        }
        let number: u64 = text.parse().map_err(|_| SeedError)?;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// Purpose of an instrument's draws; each has its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Moves of the model price; addressed by step.
    Price,
    /// Trades of the simulated public; addressed by step.
    Prints,
    /// Sizes in the book; addressed by epoch (see `noise`).
    Depth,
    /// A dealer's quotes; addressed by step, one stream per dealer.
    Quotes,
    /// The past of a new venue; addressed by minutes before the start.
    Past,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Prints => "prints",
            Self::Depth => "depth",
            Self::Quotes => "quotes",
            Self::Past => "past",
        }
    }

    /// Maximum number of uniforms per address; never to be changed.
    const fn budget(self) -> u32 {
        match self {
            Self::Price | Self::Prints | Self::Quotes | Self::Past => 8,
            Self::Depth => 128,
        }
    }
}

/// One instrument's draws of one purpose.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
    budget: u32,
}

impl Stream {
    /// Creates the stream of `symbol` for `purpose`.
    pub fn new(seed: &Seed, symbol: &str, purpose: Purpose) -> Self {
        // Symbols contain no NUL, so no two (symbol, purpose) pairs are equal.
        let parts: [&[u8]; 4] = [&seed.0, symbol.as_bytes(), b"\0", purpose.label().as_bytes()];
        Self { generator: ChaCha8Rng::from_seed(Digest::of(&parts).0), budget: purpose.budget() }
    }

    /// Returns the draws at `address`, starting with the first.
    pub fn at(&mut self, address: u64) -> Draws<'_> {
        let words = u128::from(self.budget) * WORDS_PER_DRAW;
        self.generator.set_word_pos(u128::from(address) * words);
        Draws { generator: &mut self.generator, left: self.budget }
    }
}

/// Generator words per uniform.
const WORDS_PER_DRAW: u128 = 2;

/// The draws of one address.
#[derive(Debug)]
pub struct Draws<'a> {
    generator: &'a mut ChaCha8Rng,
    left: u32,
}

impl Draws<'_> {
    /// Returns a uniform in (0, 1): an odd multiple of 2^-53, so neither end is
    /// reached and `1 − u` is as likely as `u`.
    pub fn uniform(&mut self) -> f64 {
        debug_assert!(self.left > 0, "the address's budget is exhausted");
        self.left = self.left.saturating_sub(1);
        const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
        ((self.generator.next_u64() >> 11) | 1) as f64 * UNIT
    }

    /// Returns a standard normal, from one uniform.
    pub fn normal(&mut self) -> f64 {
        inverse_normal_cdf(self.uniform())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(symbol: &str, purpose: Purpose) -> Stream {
        Stream::new(&"7".parse().unwrap(), symbol, purpose)
    }

    #[test]
    fn a_seed_is_parsed_from_digits_and_not_shown() {
        let seed: Seed = "258".parse().unwrap();
        assert_eq!(seed.as_bytes()[..3], [2, 1, 0]);
        assert_eq!(format!("{seed:?}"), "Seed(..)");
        for text in ["", "-1", "+1", "1.0", "1e3", " 1", "0x1", "18446744073709551616"] {
            assert_eq!(text.parse::<Seed>(), Err(SeedError), "{text:?}");
        }
        assert!("18446744073709551615".parse::<Seed>().is_ok());
    }

    #[test]
    fn random_access_equals_sequential_access() {
        let mut stream = stream("ACME", Purpose::Price);
        let mut draw = |step| stream.at(step).uniform();
        let forward: Vec<f64> = (0..100).map(&mut draw).collect();
        let mut backward: Vec<f64> = (0..100).rev().map(&mut draw).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        assert_eq!(draw(42), forward[42]);
        // The largest step number is a valid address.
        assert_eq!(draw(u64::MAX), draw(u64::MAX));
    }

    #[test]
    fn an_unused_draw_shifts_nothing() {
        let mut stream = stream("ACME", Purpose::Prints);
        let second = {
            let mut draws = stream.at(3);
            (draws.uniform(), draws.uniform()).1
        };
        let next = stream.at(4).uniform();
        assert_ne!(second, next);
        for _ in 0..8 {
            stream.at(3).uniform();
        }
        assert_eq!(stream.at(4).uniform(), next);
    }

    #[test]
    fn streams_differ_by_seed_symbol_and_purpose() {
        let first = |mut stream: Stream| stream.at(1).uniform();
        let base = first(stream("ACME", Purpose::Price));
        assert_ne!(base, first(stream("ACME", Purpose::Prints)));
        assert_ne!(base, first(stream("ACMF", Purpose::Price)));
        let other: Seed = "8".parse().unwrap();
        assert_ne!(base, first(Stream::new(&other, "ACME", Purpose::Price)));
    }

    #[test]
    fn uniforms_and_normals_have_the_right_moments() {
        let mut stream = stream("ACME", Purpose::Price);
        let n = 200_000_u64;
        let (mut uniform, mut normal, mut square) = (0.0, 0.0, 0.0);
        for step in 0..n {
            let mut draws = stream.at(step);
            let (u, z) = (draws.uniform(), draws.normal());
            assert!(u > 0.0 && u < 1.0);
            uniform += u;
            normal += z;
            square += z * z;
        }
        // Four standard errors: of the mean of U(0,1), of Z and of Z².
        let root = libm::sqrt(n as f64);
        assert!(libm::fabs(uniform / n as f64 - 0.5) < 4.0 * libm::sqrt(1.0 / 12.0) / root);
        assert!(libm::fabs(normal / n as f64) < 4.0 / root);
        assert!(libm::fabs(square / n as f64 - 1.0) < 4.0 * libm::sqrt(2.0) / root);
    }
}
