//! ProbCover: the candidate whose ball holds most samples that no ball covers yet.
//!
//! **Formula**: an edge `i -> j` where `|e_i - e_j| < δ`, strictly; greedy on the number of uncovered `j` (see [`crate::coverage`] with a
//! top-hat kernel). Balls around labeled samples cover from the start. When nothing is left to cover, the farthest from all centres
//! follow. With `delta = "auto"` δ is the largest radius at which at least 95 % of the balls hold one of C k-means clusters only, found on at most
//! 5000 random candidates.
//! **Cost**: O(N² D), products of blocks, no edge is stored; above `exact-up-to` candidates neighbours are counted among `witnesses`
//! random ones, an approximation that the selection's log states. Asking for fewer gives the first of the same order.
//! **Reference**: Yehuda, Dekel, Hacohen & Weinshall, NeurIPS 2022.

use autoal_data::Stream;
use serde::{Deserialize, Serialize};

use super::herding::{Space, herd};
use crate::coverage::{Kernel, Similarity};
use crate::kmeans::KMeans;
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Rows, Selection, StrategyError, StrategyInfo, config,
    distance, random,
};

const STREAM: Stream = Stream::named("prob-cover");

/// Candidates that the purity is estimated on.
const PURITY_SAMPLE: usize = 5000;

/// Share of balls that must be pure.
const PURITY: f64 = 0.95;

/// The radius δ of a ball.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Delta {
    /// This value.
    Fixed(f64),
    /// A rule.
    Rule(DeltaRule),
}

/// How a radius follows from the embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeltaRule {
    /// Largest radius with pure balls.
    Auto,
}

/// Parameters of [`ProbCover`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProbCoverConfig {
    /// Radius δ.
    pub delta: Delta,
    /// Whether embeddings are scaled to length 1.
    pub normalize: bool,
    /// Most candidates for which counts are exact.
    pub exact_up_to: usize,
    /// Witnesses above that.
    pub witnesses: usize,
}

impl Default for ProbCoverConfig {
    fn default() -> Self {
        Self { delta: Delta::Rule(DeltaRule::Auto), normalize: false, exact_up_to: 35_000, witnesses: 20_000 }
    }
}

/// Maximum coverage by balls.
#[derive(Debug, Clone, Copy)]
pub struct ProbCover(ProbCoverConfig);

impl QueryStrategy for ProbCover {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let space = Space::of(context, self.0.normalize).map_err(QueryError::outputs(self.name()))?;
        let delta = match self.0.delta {
            Delta::Fixed(delta) => delta,
            Delta::Rule(DeltaRule::Auto) => pure_radius(context, space.rows()),
        };
        let mass = vec![1.0; context.candidates.len()];
        let similarity = Similarity::new(Kernel::TopHat, delta);
        let mut selection = herd(context, &space, &mass, similarity, (self.0.exact_up_to, self.0.witnesses), query_size);
        selection.log.push(serde_json::json!({ "prob-cover": { "delta": delta } }));
        Ok(selection)
    }
}

impl Buildable for ProbCover {
    type Config = ProbCoverConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "prob-cover",
        summary: "samples whose balls cover most of the pool",
        paper: "Yehuda et al., NeurIPS 2022",
        needs: &[Need::Embeddings, Need::LabeledEmbeddings],
        parameters: &[
            Parameter { key: "delta", default: "\"auto\"", doc: "radius, or `auto`: largest with 95 % pure balls" },
            Parameter { key: "normalize", default: "false", doc: "scale embeddings to length 1" },
            Parameter { key: "exact-up-to", default: "35000", doc: "most candidates for which counts are exact" },
            Parameter { key: "witnesses", default: "20000", doc: "random candidates that are counted above that" },
        ],
    };

    fn build(config: ProbCoverConfig) -> Result<Self, StrategyError> {
        match config.delta {
            Delta::Fixed(delta) if !(delta > 0.0 && delta.is_finite()) => {
                Err(config::parameter(Self::INFO.name, format!("`delta` is {delta}, expected a positive number or `auto`")))
            }
            _ if config.witnesses < 2 => Err(config::parameter(Self::INFO.name, "`witnesses` must be at least 2")),
            _ => Ok(Self(config)),
        }
    }
}

/// Largest radius at which [`PURITY`] of the balls around a random part of the candidates hold one cluster only.
fn pure_radius(context: &QueryContext<'_>, rows: Rows<'_>) -> f64 {
    let all: Vec<usize> = (0..rows.len()).collect();
    let mut sample = random::sample_rows(context, STREAM, &all, PURITY_SAMPLE);
    sample.sort_unstable();
    let gathered: Vec<f32> = sample.iter().flat_map(|&row| rows.row(row)).copied().collect();
    let rows = Rows::new(&gathered, rows.dim()).expect("whole rows");
    let clustering = KMeans::new(context.num_classes).fit(rows, &mut context.seed.rng(STREAM.child(0), context.round));
    largest_pure_radius(rows, &clustering.assignment)
}

/// A ball is pure up to the distance of its centre to the nearest sample of another cluster, so the largest radius at which a share of
/// the balls is pure is a quantile of these distances.
fn largest_pure_radius(rows: Rows<'_>, clusters: &[u32]) -> f64 {
    let count = clusters.iter().max().map_or(0, |&last| last as usize + 1);
    let members = crate::kmeans::members(clusters, count);
    let mut stranger = vec![f32::INFINITY; rows.len()];
    for (own, members) in members.iter().enumerate() {
        let others: Vec<f32> =
            (0..rows.len()).filter(|&row| clusters[row] as usize != own).flat_map(|row| rows.row(row)).copied().collect();
        let mine: Vec<f32> = members.iter().flat_map(|&row| rows.row(row)).copied().collect();
        let (others, mine) =
            (Rows::new(&others, rows.dim()).expect("whole rows"), Rows::new(&mine, rows.dim()).expect("whole rows"));
        if let Some(found) = distance::nearest(mine, others) {
            members.iter().zip(found).for_each(|(&row, found)| stranger[row] = found.squared);
        }
    }
    stranger.sort_by(f32::total_cmp);
    let impure = ((1.0 - PURITY) * stranger.len() as f64).floor() as usize;
    let squared = f64::from(stranger[impure.min(stranger.len() - 1)]);
    if squared > 0.0 && squared.is_finite() { squared.sqrt() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_radius_is_where_balls_start_to_mix_clusters() {
        // Two clusters, 1 apart at the nearest: with fewer than 20 samples not one ball may be impure.
        let radius = largest_pure_radius(Rows::new(&[0.0, 0.5, 1.5, 2.0], 1).expect("rows"), &[0, 0, 1, 1]);
        assert_eq!(radius, 1.0);
    }
}
