//! Forward steps and pruning on `tr(M⁻¹ F)`, with every sample's terms kept up to date.
//!
//! With `A = M⁻¹` and `B = A F A`, adding a sample with factor `V` reduces `tr(A F)` by `tr(V B Vᵀ (I + V A Vᵀ)⁻¹)`. Each sample keeps
//! `a_i = V_i A V_iᵀ` and `b_i = V_i B V_iᵀ`, both `[r, r]`. After adding `X`, with `U = A Xᵀ`, `W = B Xᵀ`, `S = (I + X U)⁻¹` and
//! `β = X W`: `A -= U S Uᵀ`, `B -= U S Wᵀ + W S Uᵀ - U S β S Uᵀ`, and the same sandwiched between `V_i` and `V_iᵀ` for the samples: two
//! products `V_i U` and `V_i W` a sample and step. Removing uses `S = (-I + X U)⁻¹`.

use ndarray::Array2;
use rayon::prelude::*;

use super::fisher::Factors;
use crate::linalg::{cholesky, invert_lower};
use crate::{OutputsError, rank};

/// Share of the mean diagonal that is added when the labeled information alone is singular.
const RIDGE: f64 = 1e-9;

/// Rows of a matrix that a task works on.
const ROWS_A_TASK: usize = 64;

/// Samples a task works on.
const CHUNK: usize = 256;

pub(super) struct Greedy<'a> {
    factors: Factors<'a>,
    /// `sqrt(b / (|L| + b))`.
    scale: f64,
    inverse: Array2<f64>,
    /// `A F A`.
    sandwich: Array2<f64>,
    /// Rows that may be chosen, and their terms `a_i` and `b_i`, `2 r²` numbers each.
    active: Vec<usize>,
    terms: Vec<f64>,
    is_free: Vec<bool>,
    /// Rows in order of choice.
    chosen: Vec<usize>,
}

/// Whether a sample is added or taken out.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Add,
    Remove,
}

impl Step {
    fn sign(self) -> f64 {
        if self == Self::Add { 1.0 } else { -1.0 }
    }
}

impl<'a> Greedy<'a> {
    pub(super) fn new(
        pool: Factors<'a>,
        labeled: Option<&Factors<'_>>,
        lambda: f64,
        query_size: usize,
    ) -> Result<Self, OutputsError> {
        let (mut fisher, mut samples) = pool.information();
        let (asked, width) = (query_size as f64, pool.width());
        let mut start = Array2::<f64>::eye(width) * lambda;
        let mut labels = 0.0;
        if let Some(labeled) = labeled {
            let (information, count) = labeled.information();
            labels = labeled.len() as f64;
            start += &(&information * (labels / (labels + asked) / count.max(1) as f64));
            fisher += &information;
            samples += count;
        }
        fisher /= samples.max(1) as f64;
        let inverse = inverse(&start)
            .or_else(|| {
                // Embeddings so large that `λ` vanishes beside them.
                let ridge = RIDGE * start.diag().mean().unwrap_or(0.0);
                start.diag_mut().iter_mut().for_each(|x| *x += ridge);
                inverse(&start)
            })
            .ok_or_else(|| OutputsError::Failed("the Fisher information of the labeled samples overflows".into()))?;
        let sandwich = inverse.dot(&fisher).dot(&inverse);
        let scale = (asked / (labels + asked)).sqrt();
        let active: Vec<usize> = (0..pool.len()).filter(|&row| pool.is_finite(row)).collect();
        let mut greedy = Self {
            is_free: vec![true; pool.len()],
            terms: vec![0.0; active.len() * 2 * pool.rank() * pool.rank()],
            factors: pool,
            scale,
            inverse,
            sandwich,
            active,
            chosen: Vec::new(),
        };
        greedy.measure();
        Ok(greedy)
    }

    pub(super) fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// Leaves only these rows in the race.
    pub(super) fn keep(&mut self, rows: &[usize]) {
        let mut stays = vec![false; self.is_free.len()];
        for &row in rows {
            stays[row] = true;
        }
        let size = self.term_len();
        let kept: Vec<usize> = (0..self.active.len()).filter(|&i| stays[self.active[i]]).collect();
        self.terms = kept.iter().flat_map(|&i| self.terms[i * size..(i + 1) * size].iter().copied()).collect();
        self.active = kept.into_iter().map(|i| self.active[i]).collect();
    }

    /// Numbers a sample keeps.
    fn term_len(&self) -> usize {
        2 * self.factors.rank() * self.factors.rank()
    }

    /// `a_i` and `b_i` of all samples, from the matrices.
    fn measure(&mut self) {
        let (factors, size, scale) = (&self.factors, self.term_len(), self.scale);
        let (inverse, sandwich) = (&self.inverse, &self.sandwich);
        let half = size / 2;
        self.terms.par_chunks_mut(size * CHUNK).zip(self.active.par_chunks(CHUNK)).for_each(|(terms, rows)| {
            for (term, &row) in terms.chunks_exact_mut(size).zip(rows) {
                let factor = factors.factor(row) * scale;
                let write = |matrix: &Array2<f64>, out: &mut [f64]| {
                    out.iter_mut().zip(&factor.dot(matrix).dot(&factor.t())).for_each(|(out, x)| *out = *x);
                };
                write(inverse, &mut term[..half]);
                write(sandwich, &mut term[half..]);
            }
        });
    }

    /// Reduction of `tr(A F)` by each candidate, `[N]`; NaN for those that cannot be chosen.
    pub(super) fn gains(&self) -> Vec<f64> {
        let (rank, size) = (self.factors.rank(), self.term_len());
        let mut gains = vec![f64::NAN; self.is_free.len()];
        let values: Vec<f64> = self.terms.par_chunks(size).with_min_len(CHUNK).map(|term| gain(term, rank, Step::Add)).collect();
        self.active.iter().zip(values).filter(|(row, _)| self.is_free[**row]).for_each(|(row, value)| gains[*row] = value);
        gains
    }

    /// Adds the best candidate; false when none is left.
    pub(super) fn add_best(&mut self) -> bool {
        let gains = self.gains();
        let Some(best) = rank::argmax(&gains).filter(|&row| !gains[row].is_nan()) else { return false };
        self.is_free[best] = false;
        self.chosen.push(best);
        self.step(best, Step::Add);
        true
    }

    /// Takes out the chosen sample whose removal costs least; false when none can be removed.
    pub(super) fn remove_least(&mut self) -> bool {
        let rank = self.factors.rank();
        let cost = |row: &usize| {
            let term = self.term(*row);
            gain(term, rank, Step::Remove)
        };
        // A removal that would make the matrix indefinite has a cost that is not positive or not a number.
        let gains: Vec<f64> = self.chosen.iter().map(cost).map(|gain| if gain <= 0.0 { gain } else { f64::NAN }).collect();
        let Some(least) = rank::argmax(&gains).filter(|&position| !gains[position].is_nan()) else { return false };
        let row = self.chosen.remove(least);
        self.step(row, Step::Remove);
        true
    }

    fn term(&self, row: usize) -> &[f64] {
        let position = self.active.binary_search(&row).expect("only active rows are chosen");
        &self.terms[position * self.term_len()..(position + 1) * self.term_len()]
    }

    /// Moves the matrices and all terms by one sample.
    fn step(&mut self, row: usize, step: Step) {
        let x = self.factors.factor(row) * self.scale;
        let (u, w) = (self.inverse.dot(&x.t()), self.sandwich.dot(&x.t()));
        let Some(s) = small_inverse(&(Array2::eye(x.nrows()) * step.sign() + x.dot(&u))) else { return };
        let middle = s.dot(&x.dot(&w)).dot(&s);
        let (us, ws, um) = (u.dot(&s), w.dot(&s.t()), u.dot(&middle));
        let (u, w) = (columns(&u), columns(&w));
        add_outer(&mut self.inverse, &[Outer { sign: -1.0, left: &us, right: &u }]);
        let (first, second) = (Outer { sign: -1.0, left: &us, right: &w }, Outer { sign: -1.0, left: &ws, right: &u });
        add_outer(&mut self.sandwich, &[first, second, Outer { sign: 1.0, left: &um, right: &u }]);
        self.move_terms(&u, &w, &s, &middle);
    }

    fn move_terms(&mut self, u: &[Vec<f64>], w: &[Vec<f64>], s: &Array2<f64>, middle: &Array2<f64>) {
        let (factors, size, rank, scale) = (&self.factors, self.term_len(), self.factors.rank(), self.scale);
        let half = size / 2;
        self.terms.par_chunks_mut(size * CHUNK).zip(self.active.par_chunks(CHUNK)).for_each(|(terms, rows)| {
            let (mut vu, mut vw) = (vec![0.0; half], vec![0.0; half]);
            for (term, &row) in terms.chunks_exact_mut(size).zip(rows) {
                factors.times(row, u, &mut vu);
                factors.times(row, w, &mut vw);
                vu.iter_mut().chain(&mut vw).for_each(|x| *x *= scale);
                let (a, b) = term.split_at_mut(half);
                sandwich(rank, &vu, s, &vu, |at, x| a[at] -= x);
                sandwich(rank, &vu, s, &vw, |at, x| b[at] -= x);
                sandwich(rank, &vw, s, &vu, |at, x| b[at] -= x);
                sandwich(rank, &vu, middle, &vu, |at, x| b[at] += x);
            }
        });
    }
}

/// `sign L Rᵀ`, from `L` `[P, r]` and the columns of `R`.
struct Outer<'a> {
    sign: f64,
    left: &'a Array2<f64>,
    right: &'a [Vec<f64>],
}

/// Adds several products in place; every row of the matrix is one piece of work.
fn add_outer(matrix: &mut Array2<f64>, products: &[Outer<'_>]) {
    let width = matrix.ncols();
    let rows = matrix.as_slice_mut().expect("the matrices are row-major").par_chunks_mut(width).with_min_len(ROWS_A_TASK);
    rows.enumerate().for_each(|(i, row)| {
        for Outer { sign, left, right } in products {
            for (column, right) in right.iter().enumerate() {
                let factor = sign * left[[i, column]];
                row.iter_mut().zip(right).for_each(|(x, r)| *x += factor * r);
            }
        }
    });
}

fn columns(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.columns().into_iter().map(|column| column.to_vec()).collect()
}

/// Gives `L S Rᵀ` entry by entry; all are `[r, r]`.
fn sandwich(rank: usize, left: &[f64], s: &Array2<f64>, right: &[f64], mut give: impl FnMut(usize, f64)) {
    for i in 0..rank {
        for k in 0..rank {
            let ls: f64 = (0..rank).map(|j| left[i * rank + j] * s[[j, k]]).sum();
            if ls != 0.0 {
                (0..rank).for_each(|m| give(i * rank + m, ls * right[m * rank + k]));
            }
        }
    }
}

/// `tr(b (± I + a)⁻¹)`: what adding reduces; for a removal, minus what it costs.
fn gain(term: &[f64], rank: usize, step: Step) -> f64 {
    let (a, b) = term.split_at(rank * rank);
    if rank == 1 {
        return b[0] / (step.sign() + a[0]);
    }
    let shifted = Array2::from_shape_fn((rank, rank), |(i, j)| a[i * rank + j] + if i == j { step.sign() } else { 0.0 });
    let Some(inverse) = small_inverse(&shifted) else { return f64::NAN };
    (0..rank).map(|i| (0..rank).map(|j| b[i * rank + j] * inverse[[j, i]]).sum::<f64>()).sum()
}

/// Inverse of a positive definite matrix; `None` when it is not.
pub(super) fn inverse(matrix: &Array2<f64>) -> Option<Array2<f64>> {
    let lower = invert_lower(&cholesky(matrix)?);
    Some(lower.t().dot(&lower))
}

/// Inverse of a small matrix that is positive or negative definite.
fn small_inverse(matrix: &Array2<f64>) -> Option<Array2<f64>> {
    if matrix.nrows() == 1 {
        let x = matrix[[0, 0]];
        return (x != 0.0 && x.is_finite()).then(|| Array2::from_elem((1, 1), 1.0 / x));
    }
    inverse(matrix).or_else(|| inverse(&-matrix).map(|inverse| -inverse))
}
