//! Numerical kernels in plain IEEE arithmetic and `libm`, so that native code
//! and WebAssembly give the same bits.
//!
//! Knows no market: what a number stands for is its caller's business.

mod chi_square;
mod elementary;
mod gauss;
mod normal;

pub use chi_square::noncentral_chi_square_cdf;
pub use elementary::{exp, ln};
pub(crate) use elementary::{exp_bounded, ln_normal, polynomial};
pub(crate) use gauss::INVERSE_ROOT_TWO_PI;
pub use gauss::{erfc, erfcx, mills_ratio, normal_cdf, normal_cdf_block, normal_pdf};
pub use normal::inverse_normal_cdf;

/// How many numbers a kernel works on at once.
pub const LANES: usize = 8;

/// What a kernel works on at once: a loop over it becomes vector instructions
/// of whatever width the machine has, with the same results.
pub type Block = [f64; LANES];

/// A block of a column from row `at`; its last value fills what is missing.
#[inline(always)]
pub(crate) fn load(column: &[f64], at: usize) -> Block {
    if let Some(block) = column.get(at..at + LANES) {
        let mut lanes = [0.0; LANES];
        lanes.copy_from_slice(block);
        return lanes;
    }
    std::array::from_fn(|lane| column.get(at + lane).or(column.last()).copied().unwrap_or(1.0))
}

/// Writes as much of a block as the column has room for from row `at`.
#[inline(always)]
pub(crate) fn store(column: &mut [f64], at: usize, block: &Block) {
    if let Some(room) = column.get_mut(at..at + LANES) {
        room.copy_from_slice(block);
    } else if let Some(room) = column.get_mut(at..) {
        for (out, value) in room.iter_mut().zip(block) {
            *out = *value;
        }
    }
}

/// The distance of `got` from `want` in units of the last place of `want`.
#[cfg(test)]
pub(crate) fn ulps(got: f64, want: f64) -> f64 {
    if got == want {
        return 0.0;
    }
    let unit = (f64::from_bits(want.abs().to_bits() + 1) - want.abs()).max(f64::from_bits(1));
    (got - want).abs() / unit
}
