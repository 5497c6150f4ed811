//! Numerical kernels in plain IEEE arithmetic and `libm`, bit-identical in native code and
//! WebAssembly.
//!
//! Knows no markets.

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

/// Numbers per block of a kernel.
pub const LANES: usize = 8;

/// A block of numbers: loops over it compile to vector instructions of any width with equal
/// results.
pub type Block = [f64; LANES];

/// Loads a block of a column from row `at`, padded with the last value.
#[inline(always)]
pub(crate) fn load(column: &[f64], at: usize) -> Block {
    if let Some(block) = column.get(at..at + LANES) {
        let mut lanes = [0.0; LANES];
        lanes.copy_from_slice(block);
        return lanes;
    }
    std::array::from_fn(|lane| column.get(at + lane).or(column.last()).copied().unwrap_or(1.0))
}

/// Stores a block from row `at`, up to the length of the column.
#[inline(always)]
pub(crate) fn store(column: &mut [f64], at: usize, block: &Block) {
    if let Some(rows) = column.get_mut(at..at + LANES) {
        rows.copy_from_slice(block);
    } else if let Some(rows) = column.get_mut(at..) {
        for (out, value) in rows.iter_mut().zip(block) {
            *out = *value;
        }
    }
}

/// Returns the distance of `actual` from `expected` in units of its last place.
#[cfg(test)]
pub(crate) fn ulps(actual: f64, expected: f64) -> f64 {
    if actual == expected {
        return 0.0;
    }
    let unit = (f64::from_bits(expected.abs().to_bits() + 1) - expected.abs()).max(f64::from_bits(1));
    (actual - expected).abs() / unit
}
