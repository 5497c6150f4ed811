//! Elementary functions of `libm`, which must not differ between systems as
//! those of the standard library do.

use sha2::Sha256;

use crate::update;

/// Hashes elementary functions over the arguments that occur in pricing.
pub(crate) fn elementary(cases: u64, hash: &mut Sha256) {
    for case in 0..cases {
        // Weyl's sequence by the golden ratio covers [−40, 40) evenly.
        let unit = case.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
        let x = (unit as f64 / (1_u64 << 53) as f64 - 0.5) * 80.0;
        let results = [
            libm::exp(x),
            libm::log(x * x + 1e-9),
            libm::erfc(x / 8.0),
            libm::pow(1.0 + x * x, 0.37),
            libm::sin(x),
            libm::sqrt(x * x + 1.0),
        ];
        update(hash, &results);
    }
}
