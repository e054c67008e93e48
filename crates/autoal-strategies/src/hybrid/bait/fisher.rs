//! Factors `V_i` of the expected Fisher information of the last layer.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::Fisher;
use crate::{OutputsError, Rows};

/// Largest `C D` of the full form: the matrices then take 32 MB each.
const MAX_WIDTH: usize = 2048;

/// Rows of factors that are formed at once.
const TILE_ROWS: usize = 256;

/// Partial sums that are combined in a fixed order, so that the number of threads does not matter.
const PARTS: usize = 4;

/// `V_i = S_i ⊗ h_iᵀ` for every sample: `S_i` is `[r, P / D]`, so `V_i` is `[r, P]` and is never stored.
pub(super) struct Factors<'a> {
    /// `[N][r][P / D]`.
    small: Vec<f64>,
    rank: usize,
    embeddings: Rows<'a>,
}

impl<'a> Factors<'a> {
    pub(super) fn new(fisher: Fisher, log_proba: ArrayView2<'_, f32>, embeddings: Rows<'a>) -> Result<Self, OutputsError> {
        let rank = if fisher == Fisher::Full { log_proba.ncols() } else { 1 };
        let width = rank * embeddings.dim();
        if fisher == Fisher::Full && width > MAX_WIDTH {
            let text =
                format!("`fisher = \"full\"` needs C D of at most {MAX_WIDTH}, here it is {width}; use `fisher = \"binary\"`");
            return Err(OutputsError::Failed(text));
        }
        let of = |row: ArrayView1<'_, f32>| if fisher == Fisher::Full { full(row) } else { vec![binary(row)] };
        let small = log_proba.outer_iter().flat_map(of).collect();
        Ok(Self { small, rank, embeddings })
    }

    pub(super) fn len(&self) -> usize {
        self.embeddings.len()
    }

    /// `r`.
    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    /// `P`.
    pub(super) fn width(&self) -> usize {
        self.rank * self.embeddings.dim()
    }

    /// `S_i`, `[r, r]` row after row.
    fn small(&self, sample: usize) -> &[f64] {
        &self.small[sample * self.rank * self.rank..(sample + 1) * self.rank * self.rank]
    }

    /// `V_i`, `[r, P]`.
    pub(super) fn factor(&self, sample: usize) -> Array2<f64> {
        let mut factor = Array2::zeros((self.rank, self.width()));
        self.write(sample, factor.view_mut());
        factor
    }

    fn write(&self, sample: usize, mut out: ndarray::ArrayViewMut2<'_, f64>) {
        let (h, dim) = (self.embeddings.row(sample), self.embeddings.dim());
        for (mut row, small) in out.outer_iter_mut().zip(self.small(sample).chunks_exact(self.rank)) {
            for (class, s) in small.iter().enumerate() {
                row.slice_mut(s![class * dim..(class + 1) * dim]).iter_mut().zip(h).for_each(|(out, h)| *out = s * f64::from(*h));
            }
        }
    }

    /// `V_i X` for `X` given as its columns, each `[P]`; written as `[r, columns]`, row after row.
    pub(super) fn times(&self, sample: usize, columns: &[Vec<f64>], out: &mut [f64]) {
        let (h, dim, small) = (self.embeddings.row(sample), self.embeddings.dim(), self.small(sample));
        out.fill(0.0);
        for (j, column) in columns.iter().enumerate() {
            for (class, part) in column.chunks_exact(dim).enumerate() {
                let product = mixed_dot(h, part);
                for r in 0..self.rank {
                    out[r * columns.len() + j] += small[r * self.rank + class] * product;
                }
            }
        }
    }

    /// `Σ V_iᵀ V_i` over the samples whose factor is finite, `[P, P]`, and their number.
    pub(super) fn information(&self) -> (Array2<f64>, usize) {
        let usable: Vec<usize> = (0..self.len()).filter(|&i| self.is_finite(i)).collect();
        let part = usable.len().div_ceil(PARTS).max(1);
        let sums: Vec<Array2<f64>> = usable.par_chunks(part).map(|samples| self.information_of(samples)).collect();
        let zero = Array2::zeros((self.width(), self.width()));
        (sums.iter().fold(zero, |sum, part| sum + part), usable.len())
    }

    fn information_of(&self, samples: &[usize]) -> Array2<f64> {
        let mut sum = Array2::zeros((self.width(), self.width()));
        let tile = (TILE_ROWS / self.rank).max(1);
        let mut factors = Array2::zeros((tile * self.rank, self.width()));
        for samples in samples.chunks(tile) {
            for (sample, rows) in samples.iter().zip(factors.axis_chunks_iter_mut(Axis(0), self.rank)) {
                self.write(*sample, rows);
            }
            let rows = factors.slice(s![..samples.len() * self.rank, ..]);
            ndarray::linalg::general_mat_mul(1.0, &rows.t(), &rows, 1.0, &mut sum);
        }
        sum
    }

    pub(super) fn is_finite(&self, sample: usize) -> bool {
        self.small(sample).iter().all(|x| x.is_finite())
    }
}

/// `sqrt(q (1 - q))` with `q = max p`; `1 - q` summed from the other classes, so that confident samples keep their digits.
fn binary(log_proba: ArrayView1<'_, f32>) -> f64 {
    let p: Vec<f64> = log_proba.iter().map(|lp| f64::from(*lp).exp()).collect();
    if p.iter().any(|p| p.is_nan()) {
        return f64::NAN;
    }
    let top = (0..p.len()).fold(0, |best, class| if p[class] > p[best] { class } else { best });
    let rest: f64 = p.iter().enumerate().filter(|(class, _)| *class != top).map(|(_, p)| p).sum();
    (p.get(top).copied().unwrap_or(0.0) * rest).sqrt()
}

/// Rows `sqrt(p_c) (e_c - p)`.
fn full(log_proba: ArrayView1<'_, f32>) -> Vec<f64> {
    let p: Vec<f64> = log_proba.iter().map(|lp| f64::from(*lp).exp()).collect();
    let entry = |c: usize, k: usize| p[c].sqrt() * (f64::from(u8::from(c == k)) - p[k]);
    (0..p.len()).flat_map(|c| (0..p.len()).map(move |k| (c, k))).map(|(c, k)| entry(c, k)).collect()
}

/// `h · x`.
fn mixed_dot(h: &[f32], x: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (h, x) = (h.chunks_exact(LANES), x.chunks_exact(LANES));
    let tail: f64 = h.remainder().iter().zip(x.remainder()).map(|(h, x)| f64::from(*h) * x).sum();
    let mut sums = [0.0; LANES];
    for (h, x) in h.zip(x) {
        for lane in 0..LANES {
            sums[lane] += f64::from(h[lane]) * x[lane];
        }
    }
    sums.iter().sum::<f64>() + tail
}
