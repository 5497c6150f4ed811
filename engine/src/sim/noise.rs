//! Slow noise for the sizes in a book: at any price it moves between −1 and 1,
//! linearly from one drawn value to the next.
//!
//! A function of (tick, price) alone: the state is a cache of draws. Does not know
//! sizes.

use super::rng::{Purpose, Seed, Stream};

/// Ticks between drawn values.
const EPOCH_TICKS: u64 = 32;

/// Prices with distinct values before the pattern repeats.
const PRICE_CELLS: usize = 128;

/// One instrument's noise.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    stream: Stream,
    /// Epoch of the first row; the second row is the next epoch's.
    epoch: Option<u64>,
    rows: Box<[[f64; PRICE_CELLS]; 2]>,
    /// Progress within the epoch, from 0 to 1.
    within: f64,
}

impl Noise {
    pub(super) fn new(seed: &Seed, symbol: &str) -> Self {
        Self {
            stream: Stream::new(seed, symbol, Purpose::Depth),
            epoch: None,
            rows: Box::new([[0.0; PRICE_CELLS]; 2]),
            within: 0.0,
        }
    }

    /// Moves to the instrument's tick number `tick`, forward or backward.
    pub(super) fn seek(&mut self, tick: u64) {
        let epoch = tick / EPOCH_TICKS;
        self.within = (tick % EPOCH_TICKS) as f64 / EPOCH_TICKS as f64;
        if self.epoch == Some(epoch) {
            return;
        }
        if epoch > 0 && self.epoch == Some(epoch - 1) {
            self.rows.swap(0, 1);
        } else {
            self.draw(0, epoch);
        }
        self.draw(1, epoch + 1);
        self.epoch = Some(epoch);
    }

    /// Returns the noise of price cell `cell`, from −1 to 1.
    pub(super) fn at(&self, cell: i64) -> f64 {
        let cell = cell.rem_euclid(PRICE_CELLS as i64) as usize;
        let (from, to) = (self.rows[0][cell], self.rows[1][cell]);
        from + (to - from) * self.within
    }

    fn draw(&mut self, row: usize, epoch: u64) {
        let mut draws = self.stream.at(epoch);
        for value in &mut self.rows[row] {
            *value = 2.0 * draws.uniform() - 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise() -> Noise {
        Noise::new(&"7".parse().unwrap(), "ACME")
    }

    #[test]
    fn it_moves_slowly_and_within_its_bounds() {
        let mut noise = noise();
        let mut last = None;
        for tick in 0..1_000 {
            noise.seek(tick);
            let now = noise.at(9_999);
            assert!(libm::fabs(now) < 1.0);
            if let Some(last) = last {
                let moved: f64 = now - last;
                assert!(libm::fabs(moved) <= 2.0 / EPOCH_TICKS as f64, "at {tick}");
            }
            last = Some(now);
        }
    }

    #[test]
    fn seeking_is_independent_of_the_position_before() {
        let mut forward = noise();
        let path: Vec<f64> = (0..200)
            .map(|tick| {
                forward.seek(tick);
                forward.at(-3)
            })
            .collect();
        let mut jumping = noise();
        for tick in [150, 3, 64, 63, 95, 96, 199, 0] {
            jumping.seek(tick);
            assert_eq!(jumping.at(-3), path[tick as usize], "at {tick}");
        }
    }

    #[test]
    fn neighbours_differ() {
        let mut noise = noise();
        noise.seek(5);
        assert_ne!(noise.at(100), noise.at(101));
    }
}
