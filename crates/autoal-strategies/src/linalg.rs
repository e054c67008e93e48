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

/// Eigenvalues, ascending, and eigenvectors in columns, `[n]` and `[n, n]`, of a symmetric matrix, by Jacobi rotations. O(n³) a sweep,
/// about ten sweeps.
pub fn symmetric_eigen(matrix: &Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let n = matrix.nrows();
    let mut a = matrix.clone();
    // Rows of `v` are the eigenvectors while rotations run: rows are contiguous.
    let mut v = Array2::<f64>::eye(n);
    let scale = a.iter().map(|x| x * x).sum::<f64>();
    for _ in 0..MAX_SWEEPS {
        let off: f64 = (0..n).map(|i| a.slice(s![i, ..i]).iter().map(|x| x * x).sum::<f64>()).sum();
        if off.is_nan() || off <= scale * JACOBI_END {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[[i, i]].total_cmp(&a[[j, j]]));
    let values = order.iter().map(|&i| a[[i, i]]).collect();
    (values, Array2::from_shape_fn((n, n), |(row, column)| v[[order[column], row]]))
}

/// Sweeps after which Jacobi gives up; quadratic convergence needs far fewer.
const MAX_SWEEPS: usize = 60;

/// Share of the squared norm that may be left off the diagonal.
const JACOBI_END: f64 = 1e-28;

/// Makes `a[p, q]` zero by a rotation.
fn rotate(a: &mut Array2<f64>, v: &mut Array2<f64>, p: usize, q: usize) {
    if a[[p, q]] == 0.0 {
        return;
    }
    let theta = (a[[q, q]] - a[[p, p]]) / (2.0 * a[[p, q]]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..a.ncols() {
        let (x, y) = (a[[p, k]], a[[q, k]]);
        (a[[p, k]], a[[q, k]]) = (c * x - s * y, s * x + c * y);
        let (x, y) = (v[[p, k]], v[[q, k]]);
        (v[[p, k]], v[[q, k]]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..a.nrows() {
        let (x, y) = (a[[k, p]], a[[k, q]]);
        (a[[k, p]], a[[k, q]]) = (c * x - s * y, s * x + c * y);
    }
}

fn dot(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.dot(&b)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        let matrix = array![[2.0, -1.0, 0.5], [-1.0, 3.0, 0.0], [0.5, 0.0, 1.0]];
        let (values, vectors) = symmetric_eigen(&matrix);
        assert!(values.is_sorted());
        let rebuilt = (&vectors * &ndarray::Array1::from(values)).dot(&vectors.t());
        assert!(rebuilt.iter().zip(&matrix).all(|(a, b)| (a - b).abs() < 1e-12));
    }

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
