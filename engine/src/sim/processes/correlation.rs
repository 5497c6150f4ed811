//! Correlation of independent normal variables.

/// Returns the lower triangular factor `L` with `L Lᵀ = matrix` (row by row, `size` ×
/// `size`); `None` unless the matrix has that size and is positive definite. Only the lower
/// half is read.
pub fn cholesky(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    if matrix.len() != size * size {
        return None;
    }
    let mut lower = vec![0.0; matrix.len()];
    for row in 0..size {
        for column in 0..=row {
            let explained: f64 = (0..column).map(|k| lower[row * size + k] * lower[column * size + k]).sum();
            let left = matrix[row * size + column] - explained;
            lower[row * size + column] = if row == column {
                if left <= 0.0 || !left.is_finite() {
                    return None;
                }
                libm::sqrt(left)
            } else {
                left / lower[column * size + column]
            };
        }
    }
    Some(lower)
}

/// Writes `L z` to `correlated`: normals with the covariance factored by `lower`, up to the
/// shortest of the three.
pub fn correlate(lower: &[f64], normals: &[f64], correlated: &mut [f64]) {
    let rows = lower.chunks_exact(normals.len().max(1));
    for (at, (row, out)) in rows.zip(correlated).enumerate() {
        *out = row.iter().zip(normals).take(at + 1).map(|(factor, z)| factor * z).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_reproduces_the_matrix() {
        let matrix = [4.0, 2.0, 0.6, 2.0, 2.0, 0.5, 0.6, 0.5, 3.0];
        let lower = cholesky(&matrix, 3).unwrap();
        for (at, expected) in matrix.iter().enumerate() {
            let (row, column) = (at / 3, at % 3);
            let product: f64 = (0..3).map(|k| lower[row * 3 + k] * lower[column * 3 + k]).sum();
            assert!((product - expected).abs() < 1e-15);
        }
        let mut out = [0.0; 3];
        correlate(&lower, &[1.0, 0.0, 0.0], &mut out);
        assert_eq!(out, [2.0, 1.0, 0.3]);
    }

    #[test]
    fn indefinite_matrices_have_no_factor() {
        assert_eq!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(cholesky(&[1.0, 0.0, 0.0, f64::NAN], 2), None);
        assert_eq!(cholesky(&[1.0], 2), None);
    }
}
