//! Matrix product over gathered operands: the one inner loop under every convolution here.
//!
//! `C[i, j] (+)= sum over k of A(i, k) B[k, j]`, where `A(i, k)` is `a[rows[i] + cols[k]]`: two offset tables describe a plain matrix, its
//! transpose, or the patches of a padded image equally well, so that no patch matrix (im2col) is ever built. `B` is stored in
//! [`Panels`]: columns in groups of two vectors, contiguous over `k`. Each row of `C` starts at its own offset.
//!
//! Elements of `A` and `B` are words ([`crate::words`]): in f32 one value, in bf16 two values that `k` counts as one.
//!
//! A tile of `V::ROWS` rows times two vectors stays in registers over a block of `k`; its column panel stays in the first-level cache
//! while the rows pass. The order of additions for one element depends on `k` alone, never on how rows are shared among threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    Isa, Precision,
    memory::SharedMut,
    simd::{Kernel, Simd},
};

/// Values of `k` in one pass over a column panel: 256 rows of two 512-bit vectors fill a 32 KiB first-level cache.
const DEPTH: usize = 256;

/// Rows in one parallel task; their part of `A` stays in the second-level cache.
const ROWS_PER_TASK: usize = 96;

/// Parallel tasks wanted at least, for an even load; a constant, so that a processor with many cores finds work as well.
const TASKS: usize = 16;

/// Layout of a `depth x columns` matrix in column panels of two vectors. The last panel has one vector if no more is needed; columns
/// beyond the last are zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panels {
    /// Rows of the matrix: the summed dimension.
    pub depth: usize,
    /// Columns of the matrix.
    pub columns: usize,
    /// Floats in a vector.
    pub lanes: usize,
}

impl Panels {
    /// Number of panels.
    pub(crate) fn count(self) -> usize {
        self.columns.div_ceil(2 * self.lanes)
    }
    /// Number of vectors across all panels.
    pub(crate) fn vectors(self) -> usize {
        self.columns.div_ceil(self.lanes)
    }
    /// Floats in all.
    pub(crate) fn len(self) -> usize {
        self.vectors() * self.lanes * self.depth
    }
    /// Where a panel starts.
    #[inline(always)]
    pub(crate) fn start(self, panel: usize) -> usize {
        panel * 2 * self.lanes * self.depth
    }
    /// Floats in each row of a panel.
    #[inline(always)]
    pub(crate) fn width(self, panel: usize) -> usize {
        (self.vectors() - 2 * panel).min(2) * self.lanes
    }
    /// Where the `vector`-th group of `lanes` columns lies in row `k`.
    #[inline(always)]
    pub(crate) fn at(self, vector: usize, k: usize) -> usize {
        let panel = vector / 2;
        self.start(panel) + k * self.width(panel) + (vector % 2) * self.lanes
    }
}

/// A product to be computed.
#[derive(Clone, Copy)]
pub(crate) struct Gemm<'a> {
    /// The elements of `A`.
    pub a: &'a [f32],
    /// Offset of each row of `A`.
    pub rows: &'a [u32],
    /// Offset of each column of `A`, added to the row's.
    pub cols: &'a [u32],
    /// `B` in panels.
    pub b: &'a [f32],
    /// Layout of `b`; its depth equals the length of `cols`.
    pub panels: Panels,
    /// Where the result goes.
    pub c: SharedMut<'a>,
    /// Offset of each row of the result.
    pub c_rows: &'a [u32],
    /// Whether to add to what is there.
    pub accumulate: bool,
    /// What the elements of `a` and `b` are: words, see [`crate::words`].
    pub precision: Precision,
}

impl Gemm<'_> {
    /// Computes everything on this thread.
    ///
    /// # Safety
    /// The rows of `C` must lie within `c`, must not overlap, and no other thread may access them meanwhile. With `accumulate` they
    /// must be initialised.
    pub(crate) unsafe fn run(self, isa: Isa) {
        isa.run(Block { gemm: self, rows: 0..self.rows.len(), panels: 0..self.panels.count() });
    }

    /// Shares blocks of the result among threads.
    ///
    /// # Safety
    /// As for [`Gemm::run`].
    pub(crate) unsafe fn run_parallel(self, isa: Isa) {
        let (rows, panels) = (self.rows.len(), self.panels.count());
        let row_tasks = rows.div_ceil(ROWS_PER_TASK);
        let panel_tasks = TASKS.div_ceil(row_tasks.max(1)).clamp(1, panels.max(1));
        (0..row_tasks * panel_tasks).into_par_iter().for_each(|task| {
            let (row_task, panel_task) = (task / panel_tasks, task % panel_tasks);
            isa.run(Block { gemm: self, rows: share(rows, row_tasks, row_task), panels: share(panels, panel_tasks, panel_task) });
        });
    }

    fn check(&self) {
        debug_assert_eq!(self.panels.depth, self.cols.len());
        debug_assert_eq!(self.panels.len(), self.b.len());
        debug_assert_eq!(self.rows.len(), self.c_rows.len());
        let end = |offsets: &[u32]| offsets.iter().max().map_or(0, |&v| v as usize);
        debug_assert!(self.cols.is_empty() || self.rows.is_empty() || end(self.rows) + end(self.cols) < self.a.len());
        debug_assert!(self.rows.is_empty() || end(self.c_rows) + self.panels.columns <= self.c.len());
    }
}

/// The `index`-th of `parts` nearly equal shares of `0..total`.
pub(crate) fn share(total: usize, parts: usize, index: usize) -> Range<usize> {
    total * index / parts..total * (index + 1) / parts
}

/// Some rows and panels of a product.
struct Block<'a> {
    gemm: Gemm<'a>,
    rows: Range<usize>,
    panels: Range<usize>,
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Simd>(self) {
        let Block { gemm, rows, panels } = self;
        if cfg!(debug_assertions) {
            gemm.check();
        }
        if rows.is_empty() {
            return;
        }
        let tiles = rows.len().div_ceil(V::ROWS);
        let depth = gemm.panels.depth;
        // An empty sum still has to be written, hence at least one pass.
        for pass in 0..depth.div_ceil(DEPTH).max(1) {
            let k = pass * DEPTH..((pass + 1) * DEPTH).min(depth);
            let accumulate = gemm.accumulate || pass > 0;
            for panel in panels.clone() {
                for tile in 0..tiles {
                    let part = share(rows.len(), tiles, tile);
                    let part = rows.start + part.start..rows.start + part.end;
                    // SAFETY: the callers of `Gemm::run` vouch for `c`; the tables were checked against `a` and `b` in debug builds and
                    // are built from the same shapes as these by the convolutions.
                    unsafe { tile_of_any_height::<V>(&gemm, part, k.clone(), panel, accumulate) };
                }
            }
        }
    }
}

/// Chooses the compiled tile by its height, width and precision.
#[inline(always)]
unsafe fn tile_of_any_height<V: Simd>(gemm: &Gemm<'_>, rows: Range<usize>, k: Range<usize>, panel: usize, accumulate: bool) {
    let wide = gemm.panels.width(panel) == 2 * V::LANES;
    macro_rules! dispatch {
        ($($height:literal)*) => {
            // SAFETY: the caller's promise is handed on unchanged.
            unsafe {
                match rows.len() {
                    $($height if $height <= V::ROWS => match (gemm.precision, wide) {
                        (Precision::F32, true) => tile::<V, $height, 2, false>(gemm, rows.start, k, panel, accumulate),
                        (Precision::F32, false) => tile::<V, $height, 1, false>(gemm, rows.start, k, panel, accumulate),
                        (Precision::Bf16, true) => tile::<V, $height, 2, true>(gemm, rows.start, k, panel, accumulate),
                        (Precision::Bf16, false) => tile::<V, $height, 1, true>(gemm, rows.start, k, panel, accumulate),
                    },)*
                    height => unreachable!("a tile has at most {} rows, not {height}", V::ROWS),
                }
            }
        };
    }
    dispatch!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// `M` rows times `N` vectors, held in registers over the range of `k`.
#[inline(always)]
unsafe fn tile<V: Simd, const M: usize, const N: usize, const BF16: bool>(
    gemm: &Gemm<'_>,
    row: usize,
    k: Range<usize>,
    panel: usize,
    accumulate: bool,
) {
    let Gemm { a, rows, cols, b, panels, c, c_rows, .. } = *gemm;
    let width = N * V::LANES;
    let column = panel * 2 * V::LANES;
    let columns = (panels.columns - column).min(width);
    // SAFETY: rows, columns and panels lie within `a`, `b` and `c` (see `Gemm::check`), and `c` is ours to write.
    unsafe {
        let mut a_rows = [a.as_ptr(); M];
        for (i, a_row) in a_rows.iter_mut().enumerate() {
            *a_row = a_row.add(*rows.get_unchecked(row + i) as usize);
        }
        let mut b_row = b.as_ptr().add(panels.start(panel) + k.start * width);
        let mut sums = [[V::splat(0.0); N]; M];
        for &col in cols.get_unchecked(k) {
            let mut b_vectors = [V::splat(0.0); N];
            for (j, b_vector) in b_vectors.iter_mut().enumerate() {
                *b_vector = V::load(b_row.add(j * V::LANES));
            }
            for i in 0..M {
                let value = V::splat(*a_rows[i].add(col as usize));
                for j in 0..N {
                    let (factor, sum) = (b_vectors[j], sums[i][j]);
                    sums[i][j] = if BF16 { value.dot(factor, sum) } else { value.mul_add(factor, sum) };
                }
            }
            b_row = b_row.add(width);
        }
        for (i, sums) in sums.into_iter().enumerate() {
            let to = c.at(*c_rows.get_unchecked(row + i) as usize + column, columns);
            for (j, sum) in sums.into_iter().enumerate() {
                let (to, left) = (to.add(j * V::LANES), columns - j * V::LANES);
                let sum = if accumulate { sum.add(V::load_up_to(to, left)) } else { sum };
                sum.store_up_to(to, left);
            }
        }
    }
}
