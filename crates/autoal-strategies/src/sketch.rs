//! A map into few dimensions that never lengthens a distance: what is far apart there is far apart.
//!
//! `φ(x) = (Qᵀ(x - o), |x - o - Q Qᵀ(x - o)|)` with orthonormal columns `Q` that span some of the rows. `|φ(x) - φ(y)| <= |x - y|`, because
//! `Q Qᵀ` is a projection and lengths obey the triangle inequality. Embeddings lie near a subspace of few dimensions, so that most
//! comparisons end at the sketch; those that do not are made in full, and pruning by it never changes a result. Each sketch comes with
//! how far rounding may have moved it.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView1, Axis, s};
use rayon::prelude::*;

use crate::distance::BLOCK;
use crate::{Rows, simd};

/// Columns of `Q`; a sketch has one number more.
const WIDTH: usize = 47;

/// What `f32` products of rows of some thousand numbers lose, as a share of the row's length, with a margin.
const ROUNDING: f32 = 1e-5;

/// The map.
pub(crate) struct Sketch {
    origin: Vec<f32>,
    /// `Q`, `[D, WIDTH]`; columns of zeros where the rows span less.
    basis: Array2<f32>,
}

/// Sketches of several rows.
pub(crate) struct Sketches {
    /// `[N, WIDTH + 1]`.
    values: Array2<f32>,
    /// How far each may be from its true place, `[N]`.
    errors: Vec<f32>,
}

impl Sketches {
    /// The sketches as rows.
    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows::from_view(self.values.view()).expect("a fresh array is row-major")
    }

    /// The sketches as an array, `[N, WIDTH + 1]`.
    pub(crate) fn into_values(self) -> Array2<f32> {
        self.values
    }

    /// How far a sketch may be from its true place.
    pub(crate) fn error(&self, row: usize) -> f32 {
        self.errors[row]
    }

    /// The largest of all errors.
    pub(crate) fn largest_error(&self) -> f32 {
        self.errors.iter().copied().fold(0.0, f32::max)
    }

    /// The squared distance of two sketches beyond which their rows are surely farther apart than `distance`; `error` is that of the other.
    pub(crate) fn limit(&self, row: usize, error: f32, distance: f32) -> f32 {
        ((distance + self.errors[row] + error) * (1.0 + ROUNDING)).powi(2)
    }
}

impl Sketch {
    /// A map for these rows where they are wide and many enough for one to pay.
    pub(crate) fn worth_it(rows: Rows<'_>) -> Option<Self> {
        (rows.dim() > 2 * WIDTH && rows.len() > 4 * WIDTH).then(|| Self::of(rows))
    }

    /// The span of some rows, evenly spaced, relative to their mean.
    fn of(rows: Rows<'_>) -> Self {
        let sample = WIDTH.min(rows.len());
        let chosen: Vec<&[f32]> = (0..sample).map(|i| rows.row(i * rows.len() / sample.max(1))).collect();
        let mut sum = vec![0.0; rows.dim()];
        for row in &chosen {
            simd::add(&mut sum, row);
        }
        let origin: Vec<f32> = sum.iter().map(|s| (s / sample.max(1) as f64) as f32).collect();
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(sample);
        for row in chosen {
            let vector = row.iter().zip(&origin).map(|(x, o)| f64::from(*x) - f64::from(*o)).collect();
            columns.extend(orthogonal_part(vector, &columns));
        }
        let value = |(d, w): (usize, usize)| columns.get(w).map_or(0.0, |column: &Vec<f64>| column[d] as f32);
        Self { basis: Array2::from_shape_fn((rows.dim(), WIDTH), value), origin }
    }

    /// Sketches of rows of the same width.
    pub(crate) fn map(&self, rows: Rows<'_>) -> Sketches {
        let mut values = Array2::zeros((rows.len(), WIDTH + 1));
        let mut errors = vec![0.0; rows.len()];
        let blocks = values.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().zip(errors.par_chunks_mut(BLOCK)).enumerate();
        blocks.for_each_init(
            || Array2::zeros((BLOCK, rows.dim())),
            |centred, (block, (mut values, errors))| {
                let mut centred = centred.slice_mut(s![..errors.len(), ..]);
                for (mut to, from) in centred.outer_iter_mut().zip(rows.slice(block * BLOCK, block * BLOCK + errors.len()).iter())
                {
                    to.iter_mut().zip(from.iter().zip(&self.origin)).for_each(|(to, (x, o))| *to = x - o);
                }
                general_mat_mul(1.0, &centred, &self.basis, 0.0, &mut values.slice_mut(s![.., ..WIDTH]));
                for ((mut value, error), centred) in values.outer_iter_mut().zip(errors).zip(centred.outer_iter()) {
                    let (residual, lost) = residual(centred, value.slice(s![..WIDTH]));
                    value[WIDTH] = residual;
                    *error = lost;
                }
            },
        );
        Sketches { values, errors }
    }
}

/// What is left of a vector without its parts along orthonormal columns, scaled to length 1; `None` where that is rounding.
fn orthogonal_part(mut vector: Vec<f64>, columns: &[Vec<f64>]) -> Option<Vec<f64>> {
    let length = |vector: &[f64]| vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    let before = length(&vector);
    // Once more, for what the first pass left by rounding.
    for column in columns.iter().chain(columns) {
        let along: f64 = vector.iter().zip(column).map(|(x, c)| x * c).sum();
        vector.iter_mut().zip(column).for_each(|(x, c)| *x -= along * c);
    }
    let left = length(&vector);
    for x in &mut vector {
        *x /= left;
    }
    (left > 1e-6 * before).then_some(vector)
}

/// Length of what the projection leaves out, and how far the sketch may be off: a length that is a small difference of large ones is
/// known less well.
fn residual(centred: ArrayView1<'_, f32>, projected: ArrayView1<'_, f32>) -> (f32, f32) {
    let squared = |vector: ArrayView1<'_, f32>| simd::square_sum(vector.as_slice().expect("rows are contiguous"));
    let whole = squared(centred);
    let (length, residual) = (whole.sqrt() as f32, (whole - squared(projected)).max(0.0).sqrt() as f32);
    let lost = 2.0 * ROUNDING * length;
    (residual, ROUNDING * length + (lost * length / residual).min((lost * length).sqrt()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_the_sketch_calls_apart_is_apart(values in prop::collection::vec(-1.0_f32..1.0, 300 * 150..=300 * 150), far in 0.0_f32..100.0) {
            // Rows near a subspace of three dimensions, perhaps far from the origin.
            let data: Vec<f32> = (0..300 * 150)
                .map(|i| {
                    let (row, d) = (i / 150, i % 150);
                    far + (0..3).map(|k| values[row * 3 + k] * values[1000 + k * 150 + d]).sum::<f32>() + 0.05 * values[i]
                })
                .collect();
            let rows = Rows::new(&data, 150).expect("whole rows");
            let sketches = Sketch::worth_it(rows).expect("wide and many").map(rows);
            let (mut pruned, space) = (0, sketches.rows());
            let are_apart = |a: usize, b: usize, distance: f32| {
                simd::squared(space.row(a), space.row(b)) > sketches.limit(a, sketches.error(b), distance)
            };
            for (a, b) in (0..300).flat_map(|a| (0..a).map(move |b| (a, b))).step_by(7) {
                let truth = rows.row(a).iter().zip(rows.row(b)).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>().sqrt();
                prop_assert!(!are_apart(a, b, truth as f32 * 1.000_001));
                pruned += usize::from(are_apart(a, b, truth as f32 * 0.9));
            }
            prop_assert!(pruned > 5000, "{pruned} of 6408 pairs told apart from nine tenths of their distance");
        }
    }

    #[test]
    fn copies_and_flat_clouds_have_a_sketch() {
        let flat: Vec<f32> = (0..300 * 130).map(|i| if i % 130 == 0 { (i / 130) as f32 } else { 1.0 }).collect();
        let rows = Rows::new(&flat, 130).expect("whole rows");
        let sketches = Sketch::worth_it(rows).expect("wide and many").map(rows);
        assert!(sketches.values.iter().all(|x| x.is_finite()) && sketches.errors.iter().all(|x| x.is_finite()));
        let squared = simd::squared(sketches.rows().row(0), sketches.rows().row(200));
        let limit = |distance| sketches.limit(0, sketches.error(200), distance);
        assert!(limit(150.0) < squared && squared < limit(200.0));
    }
}
