//! Fixed-size determinantal point process: informative and representative samples that are not alike.
//!
//! **Formula**: probability of a set of size b proportional to `det L_S`, `L_ij = q_i S_ij q_j`. `S` is an RBF or cosine similarity of
//! embeddings of length 1, `q_i = u_i^a ρ_i^(1-a)` with `u` = 1 - margin and `ρ` the mean similarity to random candidates, scaled to at
//! most 1. Default is the greedy mode: again and again the sample that multiplies the determinant most (Chen, Zhang & Zhou, NeurIPS
//! 2018); `method = "sample"` draws exactly. Both look at the `20 b` candidates of highest `q` (greedy; above b = 500 in random parts of
//! 500 selections each) or at most 400 (sample). When no determinant is left, the highest `q` follow. How criteria are weighed is ours.
//! **Cost**: O(N W D) for W = 2000 witnesses of ρ, then O(20 b · b) a pick's row; memory O(20 b · 500).
//! **Reference**: Zhan, Li & Chan, arXiv 2107.01622.

mod spectral;

use autoal_data::Stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use self::spectral::Spectrum;
use super::herding::Space;
use crate::coverage::{Kernel, Similarity};
use crate::uncertainty::Margin;
use crate::{
    Acquisition, Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Rows, Selection, StrategyError,
    StrategyInfo, config, distance, random, rank,
};

const STREAM: Stream = Stream::named("dpp");

/// Random candidates that representativeness is a mean over.
const WITNESSES: usize = 2000;

/// Candidates looked at for each sample wanted.
const OVERSAMPLING: usize = 20;

/// Most selections from one part.
const PART: usize = 500;

/// Most candidates of an exact draw, which needs all eigenvectors.
const EXACT: usize = 400;

/// A conditional variance below this share of the first is rounding.
const RANK: f64 = 1e-10;

/// How a set is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The mode, greedily.
    Greedy,
    /// A draw.
    Sample,
}

/// Similarity of embeddings of length 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alike {
    /// `exp(-d²)`.
    Rbf,
    /// Cosine; of rank D at most.
    Cosine,
}

/// Parameters of [`Dpp`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DppConfig {
    /// How a set is chosen.
    pub method: Method,
    /// Similarity.
    pub similarity: Alike,
    /// Share a of informativeness, the rest is representativeness.
    pub balance: f64,
}

impl Default for DppConfig {
    fn default() -> Self {
        Self { method: Method::Greedy, similarity: Alike::Rbf, balance: 0.5 }
    }
}

/// A fixed-size determinantal point process.
#[derive(Debug, Clone, Copy)]
pub struct Dpp(DppConfig);

impl QueryStrategy for Dpp {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let space = Space::of(context, true).map_err(QueryError::outputs(self.name()))?;
        let margin = Margin.score(context).map_err(QueryError::outputs(self.name()))?;
        let density = self.density(context, space.rows());
        let quality: Vec<f64> =
            margin.iter().zip(&density).map(|(margin, density)| self.quality(1.0 + margin, *density)).collect();
        let order = rank::top(&quality, context.candidates, OVERSAMPLING * query_size);
        let mut chosen = match self.0.method {
            Method::Greedy => self.greedy(context, space.rows(), &quality, &order, query_size),
            Method::Sample => self.sample(context, space.rows(), &quality, &order, query_size),
        };
        let mut free = vec![true; quality.len()];
        for &row in &chosen {
            free[row] = false;
        }
        chosen.extend(rank::top(&quality, context.candidates, quality.len()).into_iter().filter(|&row| free[row]));
        chosen.truncate(query_size);
        Ok(Selection { nan_scores: margin.iter().filter(|m| m.is_nan()).count(), ..context.selection(&chosen) })
    }
}

impl Dpp {
    /// `u^a ρ^(1-a)`; nothing for what is not a number.
    fn quality(&self, informativeness: f64, density: f64) -> f64 {
        let quality = informativeness.max(0.0).powf(self.0.balance) * density.max(0.0).powf(1.0 - self.0.balance);
        if informativeness.is_nan() { 0.0 } else { quality }
    }

    fn alike(&self, a: &[f32], b: &[f32]) -> f64 {
        match self.0.similarity {
            Alike::Rbf => f64::from(Similarity::new(Kernel::Rbf, 1.0).at(distance::squared(a, b))),
            Alike::Cosine => f64::from(distance::dot(a, b)),
        }
    }

    /// Mean similarity to random candidates, the largest 1, `[N]`.
    fn density(&self, context: &QueryContext<'_>, rows: Rows<'_>) -> Vec<f64> {
        let all: Vec<usize> = (0..rows.len()).collect();
        let witnesses = random::sample_rows(context, STREAM.child(0), &all, WITNESSES);
        let mean = |row: &[f32]| witnesses.iter().map(|&w| self.alike(row, rows.row(w))).sum::<f64>() / witnesses.len() as f64;
        let mut density = distance::map_rows(rows, mean);
        let most = density.iter().copied().fold(0.0, f64::max);
        for d in &mut density {
            *d = if most > 0.0 { *d / most } else { 1.0 };
        }
        density
    }

    fn greedy(&self, context: &QueryContext<'_>, rows: Rows<'_>, quality: &[f64], order: &[usize], count: usize) -> Vec<usize> {
        let parts = count.div_ceil(PART);
        let mixed = random::sample_rows(context, STREAM.child(1), order, order.len());
        let kernel = |a: usize, b: usize| quality[a] * quality[b] * self.alike(rows.row(a), rows.row(b));
        let mut chosen = Vec::with_capacity(count);
        for part in 0..parts {
            let mut members: Vec<usize> = mixed.iter().copied().skip(part).step_by(parts).collect();
            members.sort_unstable();
            let share = count / parts + usize::from(part < count % parts);
            chosen.extend(
                greedy_mode(members.len(), share, |a, b| kernel(members[a], members[b])).into_iter().map(|(at, _)| members[at]),
            );
        }
        chosen
    }

    fn sample(&self, context: &QueryContext<'_>, rows: Rows<'_>, quality: &[f64], order: &[usize], count: usize) -> Vec<usize> {
        let mut members = order[..order.len().min(EXACT)].to_vec();
        members.sort_unstable();
        let kernel = |a: usize, b: usize| {
            quality[members[a]] * quality[members[b]] * self.alike(rows.row(members[a]), rows.row(members[b]))
        };
        let matrix = ndarray::Array2::from_shape_fn((members.len(), members.len()), |(a, b)| kernel(a, b));
        let drawn = Spectrum::of(&matrix).sample(count, &mut context.seed.rng(STREAM, context.round));
        drawn.into_iter().map(|at| members[at]).collect()
    }
}

/// Up to `count` of `n` items in the order in which each multiplies the determinant most, and by how much; the lower item among equals.
/// Stops when the determinant vanishes.
pub fn greedy_mode(n: usize, count: usize, kernel: impl Fn(usize, usize) -> f64 + Sync) -> Vec<(usize, f64)> {
    let mut variance: Vec<f64> = (0..n).map(|i| kernel(i, i)).collect();
    let least = RANK * variance.iter().copied().fold(0.0, f64::max);
    // Row i of the Cholesky factor of the chosen items and i.
    let mut factors: Vec<Vec<f64>> = vec![Vec::new(); n];
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count
        && let Some(next) = rank::argmax(&variance)
        && variance[next] > least
    {
        let (own, root) = (factors[next].clone(), variance[next].sqrt());
        factors.par_iter_mut().zip(variance.par_iter_mut()).enumerate().for_each(|(i, (factor, variance))| {
            let known: f64 = own.iter().zip(factor.iter()).map(|(a, b)| a * b).sum();
            let entry = (kernel(next, i) - known) / root;
            factor.push(entry);
            *variance -= entry * entry;
        });
        variance[next] = f64::NEG_INFINITY;
        chosen.push((next, root * root));
    }
    chosen
}

impl Buildable for Dpp {
    type Config = DppConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "dpp",
        summary: "informative and typical samples that are not alike (fixed-size DPP)",
        paper: "Zhan, Li & Chan, arXiv 2107.01622",
        needs: &[Need::LogProba, Need::Embeddings],
        parameters: &[
            Parameter { key: "method", default: "\"greedy\"", doc: "`greedy` mode or exact `sample`" },
            Parameter { key: "similarity", default: "\"rbf\"", doc: "`rbf` exp(-d²) or `cosine`, on embeddings of length 1" },
            Parameter { key: "balance", default: "0.5", doc: "share of informativeness, the rest is representativeness" },
        ],
    };

    fn build(config: DppConfig) -> Result<Self, StrategyError> {
        if !(0.0..=1.0).contains(&config.balance) {
            return Err(config::parameter(Self::INFO.name, format!("`balance` is {}, expected 0 to 1", config.balance)));
        }
        Ok(Self(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_example_of_the_greedy_mode() {
        let unit = |x: f64, y: f64| (x / x.hypot(y), y / x.hypot(y));
        let vectors = [unit(1.0, 0.0), unit(0.9, 0.1), unit(0.0, 1.0), unit(0.7, 0.7)];
        let quality = [1.0, 0.95, 0.5, 0.8];
        let kernel = |i: usize, j: usize| quality[i] * quality[j] * (vectors[i].0 * vectors[j].0 + vectors[i].1 * vectors[j].1);
        let picked = greedy_mode(4, 2, kernel);
        assert_eq!(picked.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [0, 3]);
        assert!((picked.iter().map(|(_, factor)| factor).product::<f64>() - 0.32).abs() < 1e-12);
        assert_eq!(greedy_mode(4, 4, kernel).len(), 2, "vectors in the plane have rank 2");
    }
}
