//! Random projection of wide rows, which keeps distances to about an eighth (Johnson & Lindenstrauss 1984; signs instead of normal
//! numbers: Achlioptas 2003).

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis};
use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::seeding::gather;
use crate::Rows;
use crate::distance::BLOCK;

/// Width after projection.
const WIDTH: usize = 64;

/// Whether rows are wide enough for a projection to pay.
pub(super) fn is_worth_it(rows: Rows<'_>) -> bool {
    rows.dim() > 2 * WIDTH
}

/// The chosen rows, relative to the first of all, times random signs, `[chosen, 64]`.
pub(super) fn project(rows: Rows<'_>, chosen: &[usize], rng: &mut impl Rng) -> Array2<f32> {
    let scale = 1.0 / (WIDTH as f32).sqrt();
    let signs = Array2::from_shape_simple_fn((rows.dim(), WIDTH), || if rng.random::<bool>() { scale } else { -scale });
    let mut projected = Array2::zeros((chosen.len(), WIDTH));
    let blocks = projected.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().zip(chosen.par_chunks(BLOCK));
    blocks.for_each(|(mut block, chosen)| {
        let mut centred = gather(rows, chosen);
        for mut row in centred.outer_iter_mut() {
            row.iter_mut().zip(rows.row(0)).for_each(|(x, origin)| *x -= origin);
        }
        general_mat_mul(1.0, &centred, &signs, 0.0, &mut block);
    });
    projected
}
