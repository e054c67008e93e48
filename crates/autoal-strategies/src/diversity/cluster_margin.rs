//! Cluster-Margin: samples with small margins, spread over clusters.
//!
//! All candidates are clustered by average linkage on embeddings. The `candidates` with the smallest margins are grouped by cluster;
//! groups are visited from the smallest to the largest (lower cluster number on ties, size counted among these candidates), one random
//! member a visit, round and round until the query is full. The original clusters once before the first query; here embeddings belong
//! to the round's model, so clusters do too.
//! **Cost**: O(N · 1000 · D): linkage runs within k-means cells of about 1000 samples above 2000 candidates, an approximation that the
//! selection's log states. Memory O(N), and one cell's distances a task.
//! **Reference**: Citovsky et al., NeurIPS 2021.

use autoal_data::Stream;
use serde::{Deserialize, Serialize};

use super::linkage;
use crate::uncertainty::Margin;
use crate::{
    Acquisition, Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo,
    config, random, rank,
};

const STREAM: Stream = Stream::named("cluster-margin");

/// A number, or a rule that follows from query size and pool size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OrAuto<T> {
    /// This value.
    Fixed(T),
    /// The rule.
    Rule(Auto),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auto {
    /// By rule.
    Auto,
}

/// Linkage of the hierarchical clustering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// Mean distance between members.
    Average,
}

/// Parameters of [`ClusterMargin`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClusterMarginConfig {
    /// Number of smallest margins that are looked at.
    pub candidates: OrAuto<usize>,
    /// Height at which the tree is cut.
    pub distance_threshold: OrAuto<f64>,
    /// Linkage.
    pub linkage: Linkage,
}

impl Default for ClusterMarginConfig {
    fn default() -> Self {
        let auto = Auto::Auto;
        Self { candidates: OrAuto::Rule(auto), distance_threshold: OrAuto::Rule(auto), linkage: Linkage::Average }
    }
}

/// Small margins from many clusters.
#[derive(Debug, Clone, Copy)]
pub struct ClusterMargin(ClusterMarginConfig);

impl QueryStrategy for ClusterMargin {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let rows = context.embeddings().map_err(QueryError::outputs(self.name()))?;
        let scores = Margin.score(context).map_err(QueryError::outputs(self.name()))?.to_vec();
        // Large queries from small pools need nearly every sample: small clusters, few candidates (the paper's two settings).
        let is_large = query_size * 100 > rows.len();
        let count = match self.0.candidates {
            OrAuto::Fixed(count) => count.max(query_size),
            OrAuto::Rule(Auto::Auto) if is_large => query_size + query_size / 4,
            OrAuto::Rule(Auto::Auto) => 10 * query_size,
        };
        let merges = linkage::merges(rows, &mut context.seed.rng(STREAM, context.round));
        let threshold = match self.0.distance_threshold {
            OrAuto::Fixed(threshold) => threshold,
            OrAuto::Rule(Auto::Auto) => {
                let clusters = if is_large { rows.len() * 4 / 5 } else { rows.len() / 10 };
                linkage::height_for(rows.len(), &merges, clusters.max(1))
            }
        };
        let clusters = linkage::cut(rows.len(), &merges, threshold);
        let candidates = rank::top(&scores, context.candidates, count);
        let chosen = spread(context, &candidates, &clusters, query_size);
        let log =
            vec![serde_json::json!({ "cluster-margin": { "candidates": candidates.len(), "distance-threshold": threshold } })];
        Ok(Selection { log, nan_scores: scores.iter().filter(|s| s.is_nan()).count(), ..context.selection(&chosen) })
    }
}

/// Up to `count` of the `candidates` (rows): one random member of every cluster a turn, smallest clusters first.
///
/// `clusters` has the cluster of every row; size is the number of a cluster's candidates.
pub fn spread(context: &QueryContext<'_>, candidates: &[usize], clusters: &[u32], count: usize) -> Vec<usize> {
    let mut grouped: Vec<(u32, usize)> = random::sample_rows(context, STREAM.child(0), candidates, candidates.len())
        .into_iter()
        .map(|row| (clusters[row], row))
        .collect();
    // Stable, so that each group keeps its random order.
    grouped.sort_by_key(|(cluster, _)| *cluster);
    let mut groups: Vec<&[(u32, usize)]> = grouped.chunk_by(|a, b| a.0 == b.0).collect();
    groups.sort_by_key(|group| group.len());
    let mut chosen = Vec::with_capacity(count);
    for turn in 0.. {
        groups.retain(|group| group.len() > turn);
        if groups.is_empty() || chosen.len() >= count {
            break;
        }
        chosen.extend(groups.iter().take(count - chosen.len()).map(|group| group[turn].1));
    }
    chosen
}

impl Buildable for ClusterMargin {
    type Config = ClusterMarginConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "cluster-margin",
        summary: "samples between classes, spread over clusters",
        paper: "Citovsky et al., NeurIPS 2021",
        needs: &[Need::LogProba, Need::Embeddings],
        parameters: &[
            Parameter {
                key: "candidates",
                default: "\"auto\"",
                doc: "smallest margins looked at; `auto`: 1.25 b for b above 1 % of the pool, else 10 b",
            },
            Parameter {
                key: "distance-threshold",
                default: "\"auto\"",
                doc: "where the tree is cut; `auto`: N / 1.25 clusters for b above 1 % of the pool, else N / 10",
            },
            Parameter { key: "linkage", default: "\"average\"", doc: "`average`" },
        ],
    };

    fn build(config: ClusterMarginConfig) -> Result<Self, StrategyError> {
        if let OrAuto::Fixed(threshold) = config.distance_threshold
            && (threshold.is_nan() || threshold < 0.0)
        {
            return Err(config::parameter(Self::INFO.name, format!("`distance-threshold` is {threshold}, expected at least 0")));
        }
        Ok(Self(config))
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::{SampleId, Seed};

    use super::*;
    use crate::ArrayOutputs;

    #[test]
    fn groups_are_visited_from_the_smallest_and_drop_out_when_empty() {
        let candidates: Vec<SampleId> = (0..7).map(SampleId).collect();
        let outputs = ArrayOutputs::new();
        let context = QueryContext {
            candidates: &candidates,
            labeled: &[],
            labels: &[],
            num_classes: 2,
            seed: Seed(1),
            round: 0,
            outputs: &outputs,
        };
        let clusters = [2, 1, 1, 0, 0, 0, 0];
        let chosen = spread(&context, &[0, 1, 2, 3, 4, 5, 6], &clusters, 5);
        assert_eq!(chosen.iter().map(|&row| clusters[row]).collect::<Vec<_>>(), [2, 1, 0, 1, 0]);
    }
}
