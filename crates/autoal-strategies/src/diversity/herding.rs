//! MaxHerding and Uncertainty Herding: candidates whose neighbourhoods hold most uncovered mass.
//!
//! **Formula**: greedy on `G_i = (1 / N) Σ_j u_j max(0, k(i, j) - m_j)` (see [`crate::coverage`]) on embeddings of length 1.
//! MaxHerding has mass 1 everywhere. Uncertainty Herding weighs the *covered* sample `j` by its uncertainty `u_j`, from probabilities
//! `softmax(ln p / τ)`; its length scale is the smallest distance above 1e-6 between labeled samples, so that it turns from coverage to
//! uncertainty as labels get dense. Without labels it is MaxHerding with σ = 1.
//! **Cost**: exact up to `exact-up-to` candidates, O(N² D); above, gains are estimated on `witnesses` random candidates, O(N M D), an
//! approximation that the selection's log states. Memory O(N D). Asking for fewer gives the first of the same order.
//! **References**: Bae, Noh & Sutherland, ECCV 2024; Bae, Oliveira & Sutherland, ICLR 2025.

use autoal_data::Stream;
use ndarray::ArrayView1;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::temperature::{self, Temperature};
use crate::coverage::{Coverage, Kernel, Pick, Similarity};
use crate::uncertainty::margin_gap;
use crate::{
    Buildable, Need, OutputsError, Parameter, QueryContext, QueryError, QueryStrategy, Rows, Selected, Selection, StrategyError,
    StrategyInfo, config, distance, random,
};

const STREAM: Stream = Stream::named("herding-witnesses");

/// Labeled samples nearer than this are copies and set no length scale.
const COPY: f32 = 1e-6;

/// The length scale σ of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LengthScale {
    /// This value.
    Fixed(f64),
    /// A rule.
    Rule(LengthRule),
}

/// How a length scale follows from the labeled samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LengthRule {
    /// Smallest distance between two labeled samples; 1 for fewer than two.
    Labeled,
}

/// What makes a sample's mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uncertainty {
    /// `1 - (p₍₁₎ - p₍₂₎)`.
    Margin,
    /// Entropy in nats.
    Entropy,
    /// `1 - p₍₁₎`.
    Confidence,
}

/// Parameters of [`MaxHerding`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct MaxHerdingConfig {
    /// Kernel of the distance.
    pub kernel: Kernel,
    /// Length scale σ.
    pub length_scale: f64,
    /// Whether embeddings are scaled to length 1.
    pub normalize: bool,
    /// Most candidates for which gains are exact.
    pub exact_up_to: usize,
    /// Witnesses above that.
    pub witnesses: usize,
}

impl Default for MaxHerdingConfig {
    fn default() -> Self {
        Self { kernel: Kernel::Rbf, length_scale: 1.0, normalize: true, exact_up_to: 35_000, witnesses: 20_000 }
    }
}

/// Parameters of [`UncertaintyHerding`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct UncertaintyHerdingConfig {
    /// Kernel of the distance.
    pub kernel: Kernel,
    /// Length scale σ.
    pub length_scale: LengthScale,
    /// Whether embeddings are scaled to length 1.
    pub normalize: bool,
    /// What makes a sample's mass.
    pub uncertainty: Uncertainty,
    /// Temperature τ of the probabilities.
    pub temperature: Temperature,
    /// Most candidates for which gains are exact.
    pub exact_up_to: usize,
    /// Witnesses above that.
    pub witnesses: usize,
}

impl Default for UncertaintyHerdingConfig {
    fn default() -> Self {
        let MaxHerdingConfig { kernel, normalize, exact_up_to, witnesses, .. } = MaxHerdingConfig::default();
        Self {
            kernel,
            length_scale: LengthScale::Rule(LengthRule::Labeled),
            normalize,
            uncertainty: Uncertainty::Margin,
            temperature: Temperature::Fixed(1.0),
            exact_up_to,
            witnesses,
        }
    }
}

/// Coverage of the pool.
#[derive(Debug, Clone, Copy)]
pub struct MaxHerding(MaxHerdingConfig);

/// Coverage of the pool's uncertainty.
#[derive(Debug, Clone, Copy)]
pub struct UncertaintyHerding(UncertaintyHerdingConfig);

impl QueryStrategy for MaxHerding {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let name = Self::INFO.name;
        let space = Space::of(context, self.0.normalize).map_err(QueryError::outputs(name))?;
        let similarity = Similarity::new(self.0.kernel, self.0.length_scale);
        let mass = vec![1.0; context.candidates.len()];
        Ok(herd(context, &space, &mass, similarity, (self.0.exact_up_to, self.0.witnesses), query_size))
    }
}

impl QueryStrategy for UncertaintyHerding {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let name = Self::INFO.name;
        let space = Space::of(context, self.0.normalize).map_err(QueryError::outputs(name))?;
        let (mass, scale) = if context.labeled.is_empty() {
            (vec![1.0; context.candidates.len()], self.fixed_scale().unwrap_or(1.0))
        } else {
            let mass = self.mass(context).map_err(QueryError::outputs(name))?;
            (mass, self.fixed_scale().unwrap_or_else(|| smallest_distance(space.labeled())))
        };
        let similarity = Similarity::new(self.0.kernel, scale);
        Ok(herd(context, &space, &mass, similarity, (self.0.exact_up_to, self.0.witnesses), query_size))
    }
}

impl UncertaintyHerding {
    fn fixed_scale(&self) -> Option<f64> {
        match self.0.length_scale {
            LengthScale::Fixed(scale) => Some(scale),
            LengthScale::Rule(LengthRule::Labeled) => None,
        }
    }

    /// Uncertainty of every candidate, `[N]`; one that is not a number has none.
    fn mass(&self, context: &QueryContext<'_>) -> Result<Vec<f32>, OutputsError> {
        let log_proba = context.log_proba()?;
        let temperature = temperature::resolve(self.0.temperature, context)?;
        let mass = |row: ArrayView1<'_, f32>| {
            let proba = temperature::soften(row, temperature);
            let mass = match self.0.uncertainty {
                Uncertainty::Margin => 1.0 - margin_gap(proba.view(), f64::from),
                Uncertainty::Entropy => proba.iter().filter(|p| **p > 0.0).map(|&p| -f64::from(p) * f64::from(p).ln()).sum(),
                Uncertainty::Confidence => 1.0 - proba.iter().map(|&p| f64::from(p)).fold(0.0, f64::max),
            };
            if mass.is_finite() { mass.max(0.0) as f32 } else { 0.0 }
        };
        Ok(log_proba.outer_iter().into_par_iter().with_min_len(distance::BLOCK).map(mass).collect())
    }
}

/// Embeddings of candidates and labeled samples, scaled to length 1 if asked for.
pub(super) struct Space<'a> {
    rows: std::borrow::Cow<'a, [f32]>,
    labeled: std::borrow::Cow<'a, [f32]>,
    dim: usize,
}

impl<'a> Space<'a> {
    pub(super) fn of(context: &QueryContext<'a>, normalize: bool) -> Result<Self, OutputsError> {
        let (rows, labeled) = (context.embeddings()?, context.labeled_embeddings()?);
        let scaled = |rows: Rows<'a>| {
            if normalize { distance::normalized(rows).0.into_raw_vec_and_offset().0.into() } else { rows.data().into() }
        };
        Ok(Self { rows: scaled(rows), labeled: scaled(labeled), dim: rows.dim() })
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        Rows::new(&self.rows, self.dim).expect("whole rows")
    }

    fn labeled(&self) -> Rows<'_> {
        Rows::new(&self.labeled, self.dim).expect("whole rows")
    }
}

/// Smallest distance above [`COPY`] between two rows; 1 without one.
fn smallest_distance(rows: Rows<'_>) -> f64 {
    let nearest_before = |at: usize| {
        let others = rows.slice(0, at);
        let apart = others.iter().map(|other| distance::squared(rows.row(at), other)).filter(|d| *d > COPY * COPY);
        apart.fold(f32::INFINITY, f32::min)
    };
    let smallest = (0..rows.len()).into_par_iter().map(nearest_before).reduce(|| f32::INFINITY, f32::min);
    if smallest.is_finite() { f64::from(smallest).sqrt() } else { 1.0 }
}

/// The coverage greedy, on witnesses above `exact_up_to` candidates.
pub(super) fn herd(
    context: &QueryContext<'_>,
    space: &Space<'_>,
    mass: &[f32],
    similarity: Similarity,
    (exact_up_to, witnesses): (usize, usize),
    query_size: usize,
) -> Selection {
    let all: Vec<usize> = (0..mass.len()).collect();
    let sample = (mass.len() > exact_up_to.max(witnesses)).then(|| {
        let mut sample = random::sample_rows(context, STREAM, &all, witnesses);
        sample.sort_unstable();
        sample
    });
    let problem = Coverage { rows: space.rows(), mass, covered_by: space.labeled(), similarity, witnesses: sample.as_deref() };
    let picks = problem.maximise(query_size);
    let selected = |pick: &Pick| Selected { id: context.candidates[pick.row], score: Some(pick.gain) };
    let log = sample.map(|sample| serde_json::json!({ "gains": { "witnesses": sample.len() } })).into_iter().collect();
    Selection { samples: picks.iter().map(selected).collect(), log, ..Selection::default() }
}

/// Checks shared by both.
fn check(name: &str, length_scale: f64, witnesses: usize) -> Result<(), StrategyError> {
    if !(length_scale > 0.0 && length_scale.is_finite()) {
        return Err(config::parameter(name, format!("`length-scale` is {length_scale}, expected a positive number")));
    }
    if witnesses < 2 {
        return Err(config::parameter(name, format!("`witnesses` is {witnesses}, expected at least 2")));
    }
    Ok(())
}

const KERNEL: Parameter =
    Parameter { key: "kernel", default: "\"rbf\"", doc: "`rbf` exp(-d²/σ²), `top-hat`, `laplace`, `student` or `cauchy`" };
const NORMALIZE: Parameter = Parameter { key: "normalize", default: "true", doc: "scale embeddings to length 1" };
const EXACT: Parameter = Parameter { key: "exact-up-to", default: "35000", doc: "most candidates for which gains are exact" };
const WITNESSES: Parameter =
    Parameter { key: "witnesses", default: "20000", doc: "random candidates that gains are estimated on above that" };

impl Buildable for MaxHerding {
    type Config = MaxHerdingConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "max-herding",
        summary: "samples that cover most of the pool",
        paper: "Bae, Noh & Sutherland, ECCV 2024",
        needs: &[Need::Embeddings, Need::LabeledEmbeddings],
        parameters: &[
            KERNEL,
            Parameter { key: "length-scale", default: "1.0", doc: "σ of the kernel" },
            NORMALIZE,
            EXACT,
            WITNESSES,
        ],
    };

    fn build(config: MaxHerdingConfig) -> Result<Self, StrategyError> {
        check(Self::INFO.name, config.length_scale, config.witnesses)?;
        Ok(Self(config))
    }
}

impl Buildable for UncertaintyHerding {
    type Config = UncertaintyHerdingConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "uncertainty-herding",
        summary: "samples that cover most of the pool's uncertainty",
        paper: "Bae, Oliveira & Sutherland, ICLR 2025",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings],
        parameters: &[
            KERNEL,
            Parameter {
                key: "length-scale",
                default: "\"labeled\"",
                doc: "σ, or `labeled`: smallest distance between labeled samples",
            },
            NORMALIZE,
            Parameter { key: "uncertainty", default: "\"margin\"", doc: "`margin`, `entropy` or `confidence`" },
            Parameter { key: "temperature", default: "1.0", doc: "τ, or `holdout`: best calibrated on held-out labels" },
            EXACT,
            WITNESSES,
        ],
    };

    fn build(config: UncertaintyHerdingConfig) -> Result<Self, StrategyError> {
        let scale = if let LengthScale::Fixed(scale) = config.length_scale { scale } else { 1.0 };
        check(Self::INFO.name, scale, config.witnesses)?;
        temperature::check(Self::INFO.name, config.temperature)?;
        Ok(Self(config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_scale_is_the_smallest_distance_between_distinct_labels() {
        let of = |values: &[f32]| smallest_distance(Rows::new(values, 1).expect("rows"));
        assert_eq!(of(&[0.0, 0.5, 0.5, 2.0]), 0.5);
        assert_eq!(of(&[0.5, 0.5]), 1.0);
        assert_eq!(of(&[]), 1.0);
    }
}
