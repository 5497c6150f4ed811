//! Numerical kernels in plain IEEE arithmetic and `libm`, so that native code
//! and WebAssembly give the same bits.
//!
//! Knows no market: what a number stands for is its caller's business.

mod normal;

pub use normal::{inverse_normal_cdf, normal_cdf};
