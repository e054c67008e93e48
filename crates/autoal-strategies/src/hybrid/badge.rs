//! BADGE: the samples whose gradients of the last layer are large and differ from each other.
//!
//! **Formula**: the gradient of the cross-entropy with the predicted label `ŷ` is `g = a ⊗ h` with `a = p - e_ŷ` and the embedding `h`.
//! The first centre has the largest `|g|`; each next one is drawn by D²-sampling on `g`. The `C D` numbers of `g` are never formed:
//! `g_i · g_j = (a_i · a_j) (h_i · h_j)`.
//!
//! **Cost**: O(N (C + D)) once, then few distances a draw (see [`crate::d2_sampling`]), at worst O(N query size (C + D)); O(N C) memory.
//!
//! **Edges**: samples whose gradient equals a chosen one (or is zero) have no chance until nothing else is left; then they are drawn at
//! random. Samples with a probability that is not a number come last.
//!
//! **Reference**: Ash, Zhang, Krishnamurthy, Langford, Agarwal, ICLR 2020, Algorithm 1.

use autoal_data::Stream;
use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::config::NoParameters;
use crate::d2_sampling::{self, SquaredDistance};
use crate::{
    Buildable, Need, QueryContext, QueryError, QueryStrategy, Rows, Selection, StrategyError, StrategyInfo, random, rank,
};

/// Batch Active learning by Diverse Gradient Embeddings.
#[derive(Debug, Clone, Copy)]
pub struct Badge;

const DRAW: Stream = Stream::named("badge");
const FILL: Stream = Stream::named("badge-fill");

impl QueryStrategy for Badge {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let error = QueryError::outputs(Self::INFO.name);
        let gradients = GradientEmbedding::new(context.log_proba().map_err(&error)?, context.embeddings().map_err(&error)?);
        let unusable: Vec<bool> = gradients.squared_norms.iter().map(|norm| norm.is_nan()).collect();
        let mut chosen = Vec::new();
        if let Some(first) = rank::argmax(&gradients.squared_norms).filter(|&row| !unusable[row]) {
            chosen = d2_sampling::sample(&gradients, &unusable, first, query_size, &mut context.seed.rng(DRAW, context.round));
        }
        let usable: Vec<usize> = without(&chosen, &unusable);
        chosen.extend(random::sample_rows(context, FILL, &usable, query_size - chosen.len()));
        random::fill(context, FILL, &mut chosen, query_size);
        Ok(Selection { nan_scores: unusable.iter().filter(|nan| **nan).count(), ..context.selection(&chosen) })
    }
}

/// Rows that are neither chosen nor unusable.
fn without(chosen: &[usize], unusable: &[bool]) -> Vec<usize> {
    let mut free: Vec<bool> = unusable.iter().map(|unusable| !unusable).collect();
    for &row in chosen {
        free[row] = false;
    }
    (0..free.len()).filter(|&row| free[row]).collect()
}

impl Buildable for Badge {
    type Config = NoParameters;

    const INFO: StrategyInfo = StrategyInfo {
        name: "badge",
        summary: "large and mutually different gradients of the last layer",
        paper: "Ash et al., ICLR 2020",
        needs: &[Need::LogProba, Need::Embeddings],
        parameters: &[],
    };

    fn build(_: NoParameters) -> Result<Self, StrategyError> {
        Ok(Self)
    }
}

/// Gradients `(p - e_ŷ) ⊗ h` of the last layer, kept as their two factors.
#[derive(Debug)]
pub struct GradientEmbedding<'a> {
    /// `p - e_ŷ`, `[N, C]`.
    residuals: Array2<f32>,
    /// `[N, D]`.
    embeddings: Rows<'a>,
    /// `|h|`, `[N]`.
    lengths: Vec<f64>,
    /// `|a|² |h|²`, `[N]`; NaN for a sample with a probability that is not a number.
    squared_norms: Vec<f64>,
}

/// Distances skipped by the Cauchy-Schwarz bound must exceed the present one by more than rounding can.
const SLACK: f64 = 1e-9;

impl<'a> GradientEmbedding<'a> {
    /// From log-probabilities `[N, C]` and embeddings `[N, D]`.
    pub fn new(log_proba: ArrayView2<'_, f32>, embeddings: Rows<'a>) -> Self {
        let (rows, classes) = log_proba.dim();
        let mut residuals = Array2::zeros((rows, classes));
        let out = residuals.as_slice_mut().expect("a fresh array is row-major");
        out.par_chunks_mut(classes.max(1)).enumerate().for_each(|(row, out)| residual(log_proba.row(row), out));
        let factors = residuals.as_slice().expect("a fresh array is row-major").par_chunks(classes.max(1));
        let squares: Vec<(f64, f64)> =
            factors.zip(embeddings.data().par_chunks(embeddings.dim())).map(|(a, h)| (dot(a, a), dot(h, h))).collect();
        Self {
            residuals,
            embeddings,
            lengths: squares.iter().map(|(_, h)| h.sqrt()).collect(),
            squared_norms: squares.iter().map(|(a, h)| a * h).collect(),
        }
    }

    /// `|g|²` of every sample, `[N]`.
    pub fn squared_norms(&self) -> &[f64] {
        &self.squared_norms
    }

    /// `|g_i - g_j|²`, clamped at zero.
    pub fn distance(&self, i: usize, j: usize) -> f64 {
        self.squared_distance(i, j, f64::INFINITY)
    }
}

impl SquaredDistance for GradientEmbedding<'_> {
    fn squared_distance(&self, row: usize, centre: usize, bound: f64) -> f64 {
        let norms = self.squared_norms[row] + self.squared_norms[centre];
        let classes = dot(residual_row(&self.residuals, row), residual_row(&self.residuals, centre));
        // The embeddings, the long part, are read only when they can bring the distance below the bound.
        let least = norms - 2.0 * classes.abs() * self.lengths[row] * self.lengths[centre];
        if least > bound + SLACK * norms {
            return least;
        }
        let embeddings = dot(self.embeddings.row(row), self.embeddings.row(centre));
        factorised_distance([self.squared_norms[row], self.squared_norms[centre]], classes, embeddings)
    }
}

/// `|g_i - g_j|² = |g_i|² + |g_j|² - 2 (a_i · a_j) (h_i · h_j)`, clamped at zero.
pub fn factorised_distance(squared_norms: [f64; 2], residual_product: f64, embedding_product: f64) -> f64 {
    // Twice the product, not a sum of it, so that equal gradients are at distance zero exactly.
    (squared_norms[0] + squared_norms[1] - 2.0 * residual_product * embedding_product).max(0.0)
}

fn residual_row(residuals: &Array2<f32>, row: usize) -> &[f32] {
    let classes = residuals.ncols();
    &residuals.as_slice().expect("a fresh array is row-major")[row * classes..(row + 1) * classes]
}

/// `p - e_ŷ`, its entry for `ŷ` summed from the other classes so that confident samples keep their digits.
pub(crate) fn residual(log_proba: ArrayView1<'_, f32>, out: &mut [f32]) {
    let mut winner = 0;
    for (class, &value) in log_proba.iter().enumerate() {
        out[class] = value.exp();
        if value > log_proba[winner] || log_proba[winner].is_nan() {
            winner = class;
        }
    }
    if let Some(own) = out.get_mut(winner) {
        *own = 0.0;
        let rest: f64 = out.iter().map(|&p| f64::from(p)).sum();
        out[winner] = -rest as f32;
    }
    if log_proba.iter().any(|value| value.is_nan()) {
        out.fill(f32::NAN);
    }
}

/// `x · y` in `f64`: products of any finite `f32` stay finite, and equal vectors have exactly equal squares and products.
pub(crate) fn dot(x: &[f32], y: &[f32]) -> f64 {
    const LANES: usize = 8;
    let (x, y) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let tail: f64 = x.remainder().iter().zip(y.remainder()).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
    let mut sums = [0.0; LANES];
    for (x, y) in x.zip(y) {
        for lane in 0..LANES {
            sums[lane] += f64::from(x[lane]) * f64::from(y[lane]);
        }
    }
    sums.iter().sum::<f64>() + tail
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    /// Inputs are `f32`; the explicit gradient rounds its probabilities to that type.
    const ROUNDING: f64 = 1e-6;

    fn rows(values: &[f32], dim: usize) -> Rows<'_> {
        Rows::new(values, dim).expect("whole rows")
    }

    #[test]
    fn norms_and_distance_of_the_worked_example() {
        let log_proba = array![[0.5_f32, 0.5], [0.9, 0.1]].mapv(f32::ln);
        let gradients = GradientEmbedding::new(log_proba.view(), rows(&[1.0, 0.0, 0.0, 2.0], 2));
        assert!((gradients.squared_norms()[0] - 0.5).abs() < ROUNDING);
        assert!((gradients.squared_norms()[1] - 0.08).abs() < ROUNDING);
        assert!((gradients.distance(0, 1) - 0.58).abs() < ROUNDING);
    }

    #[test]
    fn equal_samples_are_at_distance_zero_exactly() {
        let log_proba = array![[-0.3_f32, -1.7, -2.9], [-0.3, -1.7, -2.9]];
        let gradients = GradientEmbedding::new(log_proba.view(), rows(&[0.1, 0.7, 1e30, 0.1, 0.7, 1e30], 3));
        assert_eq!(gradients.distance(0, 1), 0.0);
    }

    #[test]
    fn a_certain_prediction_has_no_gradient_and_a_confident_one_keeps_its_digits() {
        let log_proba = array![[0.0_f32, f32::NEG_INFINITY], [-1e-9, -20.0]];
        let gradients = GradientEmbedding::new(log_proba.view(), rows(&[3.0, 4.0], 1));
        assert_eq!(gradients.squared_norms()[0], 0.0);
        let expected = 2.0 * (-40.0_f64).exp() * 16.0;
        assert!((gradients.squared_norms()[1] / expected - 1.0).abs() < ROUNDING);
    }

    proptest! {
        #[test]
        fn factorised_distances_equal_explicit_gradients(
            logits in prop::collection::vec(-4.0_f32..4.0, 20),
            embeddings in prop::collection::vec(-2.0_f32..2.0, 32),
        ) {
            let logits = ArrayView2::from_shape((4, 5), &logits).expect("four rows");
            let log_proba = Array2::from_shape_fn((4, 5), |(i, c)| {
                logits[[i, c]] - logits.row(i).iter().map(|z| z.exp()).sum::<f32>().ln()
            });
            let gradients = GradientEmbedding::new(log_proba.view(), rows(&embeddings, 8));
            let explicit: Vec<Vec<f64>> = (0..4).map(|i| {
                let mut a = vec![0.0; 5];
                residual(log_proba.row(i), &mut a);
                a.iter().flat_map(|a| embeddings[8 * i..8 * i + 8].iter().map(|h| f64::from(*a) * f64::from(*h))).collect()
            }).collect();
            for i in 0..4 {
                for j in 0..4 {
                    let expected: f64 = explicit[i].iter().zip(&explicit[j]).map(|(x, y)| (x - y) * (x - y)).sum();
                    prop_assert!((gradients.distance(i, j) - expected).abs() < 1e-10 * (1.0 + expected));
                    prop_assert!(gradients.squared_distance(i, j, expected / 2.0) >= expected / 2.0 - 1e-9);
                }
            }
        }
    }
}
