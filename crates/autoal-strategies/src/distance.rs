//! Squared Euclidean distances and products of row vectors.
//!
//! Two forms, by what they are good at. *Differences* are exact for clouds far from the origin and fast for few pairs; *products* (a
//! blocked matrix product of centred rows) are fast for many. Where both are needed the product finds and the difference measures.
//! Work is cut into blocks of a fixed number of rows, so no result depends on the number of threads, and no `N x N` array exists.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, s};
use rayon::prelude::*;

use crate::{Rows, simd};

/// Rows a task works on.
pub const BLOCK: usize = 256;

/// Centres of one matrix product; keeps a tile of products in the second-level cache.
const TILE: usize = 1024;

/// `|a - b|²`, from differences.
pub fn squared(a: &[f32], b: &[f32]) -> f32 {
    simd::squared(a, b)
}

/// `a · b`.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    simd::dot(a, b)
}

/// `|row|²` of every row, `[N]`.
pub fn squared_norms(rows: Rows<'_>) -> Vec<f32> {
    map_rows(rows, |row| dot(row, row))
}

/// `f` of every row in parallel, `[N]`.
pub fn map_rows<T: Send>(rows: Rows<'_>, f: impl Fn(&[f32]) -> T + Sync + Send) -> Vec<T> {
    rows.data().par_chunks(rows.dim()).with_min_len(BLOCK).map(f).collect()
}

/// Rows scaled to length 1, `[N, D]`, and how many were zero; those stay zero.
pub fn normalized(rows: Rows<'_>) -> (Array2<f32>, usize) {
    let mut unit = rows.view().to_owned();
    let data = unit.as_slice_mut().expect("a fresh array is row-major");
    let zeros = data.par_chunks_mut(rows.dim()).with_min_len(BLOCK).map(normalize).filter(|nonzero| !nonzero).count();
    (unit, zeros)
}

/// Scales a row to length 1; false when it is zero.
fn normalize(row: &mut [f32]) -> bool {
    let norm = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 {
        for x in row {
            *x = (f64::from(*x) / norm) as f32;
        }
    }
    norm > 0.0
}

/// Mean of the rows, `[D]`; zero for no rows. Sums are `f64` over blocks, combined in order.
pub fn mean(rows: Rows<'_>) -> Vec<f32> {
    let block_sum = |block: &[f32]| {
        let mut sum = vec![0.0_f64; rows.dim()];
        block.chunks_exact(rows.dim()).for_each(|row| simd::add(&mut sum, row));
        sum
    };
    let blocks: Vec<Vec<f64>> = rows.data().par_chunks(rows.dim() * 16 * BLOCK).map(block_sum).collect();
    let mut total = vec![0.0; rows.dim()];
    for block in &blocks {
        total.iter_mut().zip(block).for_each(|(t, b)| *t += b);
    }
    let count = rows.len().max(1) as f64;
    total.iter().map(|t| (t / count) as f32).collect()
}

/// The nearest of several centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Which centre; among equals the lower one, up to rounding.
    pub index: u32,
    /// `|row - centre|²`, from differences.
    pub squared: f32,
}

/// The nearest of `centres` to every row, `[N]`. O(N K D) time, O(N + K D) memory. `None` for no centres.
pub fn nearest(rows: Rows<'_>, centres: Rows<'_>) -> Option<Vec<Nearest>> {
    if centres.is_empty() {
        return None;
    }
    let probe = Probe::new(centres);
    let mut found = vec![Nearest { index: 0, squared: 0.0 }; rows.len()];
    let blocks = rows.data().par_chunks(BLOCK * rows.dim()).zip(found.par_chunks_mut(BLOCK));
    blocks.for_each_init(
        || probe.scratch(),
        |scratch, (block, found)| {
            let block = Rows::new(block, rows.dim()).expect("a block holds whole rows");
            let mut best = vec![f32::INFINITY; block.len()];
            probe.scan(block, scratch, |row, first, offsets| {
                let (least, _) = simd::two_smallest(offsets);
                if least < best[row] {
                    let k = offsets.iter().position(|&offset| offset == least).expect("the smallest is one of them");
                    (best[row], found[row].index) = (least, (first + k) as u32);
                }
            });
            for (found, row) in found.iter_mut().zip(&block) {
                found.squared = squared(row, centres.row(found.index as usize));
            }
        },
    );
    Some(found)
}

/// Centres prepared for products with many rows.
///
/// All vectors are taken relative to the centres' mean, because the expanded square `|x|² - 2 x·c + |c|²` loses digits far from the
/// origin.
pub struct Probe {
    origin: Vec<f32>,
    /// `[K, D]`, minus the origin.
    centres: Array2<f32>,
    /// `|c|²` of the centred centres.
    norms: Vec<f32>,
}

/// Memory that a task uses again and again.
pub struct Scratch {
    centred: Array2<f32>,
    products: Array2<f32>,
}

impl Probe {
    /// Prepares `centres`, `[K, D]`.
    pub fn new(centres: Rows<'_>) -> Self {
        Self::with_origin(centres, mean(centres))
    }

    /// Prepares `centres` relative to a given point, `[D]`, so that a distance does not depend on the other centres.
    pub fn with_origin(centres: Rows<'_>, origin: Vec<f32>) -> Self {
        let mut moved = centres.view().to_owned();
        moved.outer_iter_mut().for_each(|mut row| row.iter_mut().zip(&origin).for_each(|(x, o)| *x -= o));
        let norms = moved.outer_iter().map(|row| row.as_slice().map_or(0.0, |row| dot(row, row))).collect();
        Self { origin, centres: moved, norms }
    }

    /// The largest `|c|²` of a centre, relative to the origin.
    pub fn largest_squared_norm(&self) -> f32 {
        self.norms.iter().copied().fold(0.0, f32::max)
    }

    /// Working memory for [`Probe::scan`].
    pub fn scratch(&self) -> Scratch {
        let (centres, dim) = self.centres.dim();
        Scratch { centred: Array2::zeros((BLOCK, dim)), products: Array2::zeros((BLOCK, centres.min(TILE))) }
    }

    /// `|x|²` of a row, relative to the origin: what an offset of [`Probe::scan`] lacks to be a squared distance.
    pub fn squared_norm(&self, row: &[f32]) -> f32 {
        squared(row, &self.origin)
    }

    /// Calls `visit(row, first centre, offsets)` for every row of a block (at most [`BLOCK`]) and every tile of centres;
    /// `|row - centre|² = squared_norm(row) + offset`.
    pub fn scan(&self, block: Rows<'_>, scratch: &mut Scratch, mut visit: impl FnMut(usize, usize, &mut [f32])) {
        for (mut to, from) in scratch.centred.outer_iter_mut().zip(&block) {
            to.iter_mut().zip(from.iter().zip(&self.origin)).for_each(|(to, (x, o))| *to = x - o);
        }
        let rows = scratch.centred.slice(s![..block.len(), ..]);
        for (tile, norms) in self.norms.chunks(TILE).enumerate() {
            let first = tile * TILE;
            let centres = self.centres.slice(s![first..first + norms.len(), ..]);
            let mut products = scratch.products.slice_mut(s![..block.len(), ..norms.len()]);
            general_mat_mul(-2.0, &rows, &centres.t(), 0.0, &mut products);
            for (row, mut products) in products.outer_iter_mut().enumerate() {
                let products = products.as_slice_mut().expect("a row of a row-major array is contiguous");
                products.iter_mut().zip(norms).for_each(|(product, norm)| *product += norm);
                visit(row, first, products);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `f32` sums of at most 40 terms of size 1 round in the seventh digit.
    const ROUNDING: f32 = 1e-5;

    #[test]
    fn distances_far_from_the_origin_keep_their_digits() {
        let far: Vec<f32> = (0..40).map(|i| 2000.0 + (i % 7) as f32 * 0.125).collect();
        let rows = Rows::new(&far, 4).expect("ten rows");
        let found = nearest(rows, rows.slice(3, 7)).expect("centres");
        for (row, found) in rows.iter().zip(found) {
            let best = rows.slice(3, 7).iter().map(|centre| squared(row, centre)).fold(f32::INFINITY, f32::min);
            assert_eq!(found.squared, best);
        }
    }

    #[test]
    fn a_zero_row_stays_zero_and_is_counted() {
        let (unit, zeros) = normalized(Rows::new(&[3.0, 4.0, 0.0, 0.0], 2).expect("two rows"));
        assert_eq!(unit.as_slice(), Some(&[0.6, 0.8, 0.0, 0.0][..]));
        assert_eq!(zeros, 1);
    }

    proptest! {
        #[test]
        fn the_product_form_finds_what_differences_find(values in prop::collection::vec(-1.0_f32..1.0, 40 * 20..=40 * 20), dim in 1_usize..40) {
            let usable = values.len() / dim * dim;
            let rows = Rows::new(&values[..usable], dim).expect("whole rows");
            let centres = rows.slice(0, rows.len().min(9));
            for (row, found) in rows.iter().zip(nearest(rows, centres).expect("centres")) {
                let best = centres.iter().map(|centre| squared(row, centre)).fold(f32::INFINITY, f32::min);
                prop_assert!((found.squared - best).abs() <= ROUNDING);
            }
        }
    }
}
