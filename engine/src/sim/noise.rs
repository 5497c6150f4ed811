//! Slow noise for the sizes in a book: at any price it wanders between −1 and
//! 1, from one drawn value to the next in a straight line.
//!
//! A function of (tick, price) alone: what is kept here is a cache of draws.
//! Does not know sizes.

use super::rng::{Purpose, Seed, Stream};

/// Ticks from one drawn value to the next.
const EPOCH_TICKS: u64 = 32;

/// Prices with a value of their own before the pattern repeats.
const PRICE_CELLS: usize = 128;

/// One instrument's noise.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    stream: Stream,
    /// Which epoch's values `rows` holds; the second row is the next one's.
    epoch: Option<u64>,
    rows: Box<[[f64; PRICE_CELLS]; 2]>,
    /// How far into the epoch, from 0 to 1.
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

    /// Moves to the instrument's tick number `tick`, from anywhere.
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

    /// The noise at the price in cell `cell`, from −1 to 1.
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
    fn it_wanders_slowly_and_within_its_bounds() {
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
    fn where_it_was_before_does_not_matter() {
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
