//! Small dense factorisations in `f64`.

use ndarray::{Array2, ArrayView1, s};
use rayon::prelude::*;

/// Lower factor of `matrix = L Lᵀ`, `[D, D]`; `None` when the matrix is not positive definite. O(D³ / 3).
pub fn cholesky(matrix: &Array2<f64>) -> Option<Array2<f64>> {
    let n = matrix.nrows();
    let mut lower = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        for j in 0..i {
            let known = dot(lower.slice(s![i, ..j]), lower.slice(s![j, ..j]));
            lower[[i, j]] = (matrix[[i, j]] - known) / lower[[j, j]];
        }
        let row = lower.slice(s![i, ..i]);
        let rest = matrix[[i, i]] - dot(row, row);
        if !(rest > 0.0 && rest.is_finite()) {
            return None;
        }
        lower[[i, i]] = rest.sqrt();
    }
    Some(lower)
}

/// Inverse of a lower triangular matrix with a positive diagonal, `[D, D]`. O(D³ / 3), one task a column.
pub fn invert_lower(lower: &Array2<f64>) -> Array2<f64> {
    let n = lower.nrows();
    let columns: Vec<Vec<f64>> = (0..n)
        .into_par_iter()
        .map(|column| {
            let mut x = vec![0.0; n];
            x[column] = 1.0 / lower[[column, column]];
            for i in column + 1..n {
                let known: f64 = lower.slice(s![i, column..i]).iter().zip(&x[column..i]).map(|(l, x)| l * x).sum();
                x[i] = -known / lower[[i, i]];
            }
            x
        })
        .collect();
    Array2::from_shape_fn((n, n), |(i, j)| columns[j][i])
}

/// Natural logarithm of the determinant of `L Lᵀ`.
pub fn log_determinant(lower: &Array2<f64>) -> f64 {
    2.0 * lower.diag().iter().map(|d| d.ln()).sum::<f64>()
}

fn dot(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.dot(&b)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_factor_and_its_inverse_of_a_small_matrix() {
        let matrix = array![[4.0, 2.0], [2.0, 5.0]];
        let lower = cholesky(&matrix).expect("positive definite");
        assert_eq!(lower, array![[2.0, 0.0], [1.0, 2.0]]);
        assert_eq!(invert_lower(&lower).dot(&lower), array![[1.0, 0.0], [0.0, 1.0]]);
        assert!((log_determinant(&lower) - 16.0_f64.ln()).abs() < 1e-12);
        assert!(cholesky(&array![[1.0, 2.0], [2.0, 1.0]]).is_none());
    }
}
