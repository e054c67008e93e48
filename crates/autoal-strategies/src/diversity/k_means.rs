//! KMeans: as many clusters as samples are wanted, and from each the member nearest its centre.
//!
//! Larger clusters come first; equal sizes and equal distances go to the lower id. Copies that leave clusters empty are replaced by
//! random candidates. Above 2000 clusters the search has two levels, an approximation that the selection's log states.
//! **Cost**: O(N b D) an iteration (see [`crate::kmeans`]). **References**: `MacQueen` 1967; Zhdanov, arXiv 1901.05954 (as a query
//! strategy).

use std::cmp::Reverse;

use autoal_data::Stream;
use serde::{Deserialize, Serialize};

use crate::kmeans::{Clustering, KMeans};
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo, config, random,
};

const STREAM: Stream = Stream::named("k-means");

/// Parameters of [`KMeansStrategy`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct KMeansConfig {
    /// Iterations of Lloyd.
    pub max_iterations: usize,
    /// Relative change of the inertia that ends the search.
    pub tolerance: f64,
}

impl Default for KMeansConfig {
    fn default() -> Self {
        let KMeans { max_iterations, tolerance, .. } = KMeans::new(0);
        Self { max_iterations, tolerance }
    }
}

/// The members nearest the centres of k-means.
#[derive(Debug, Clone, Copy)]
pub struct KMeansStrategy(KMeansConfig);

impl QueryStrategy for KMeansStrategy {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let rows = context.embeddings().map_err(QueryError::outputs(self.name()))?;
        let search = KMeans { max_iterations: self.0.max_iterations, tolerance: self.0.tolerance, ..KMeans::new(query_size) };
        let clustering = search.fit(rows, &mut context.seed.rng(STREAM, context.round));
        let mut chosen = by_size(&clustering);
        random::fill(context, STREAM, &mut chosen, query_size);
        let levels = if query_size > search.two_level_above { 2 } else { 1 };
        let log = vec![serde_json::json!({ "k-means": { "levels": levels, "inertia": clustering.inertia } })];
        Ok(Selection { log, ..context.selection(&chosen) })
    }
}

/// Members nearest their centre, largest cluster first.
fn by_size(clustering: &Clustering) -> Vec<usize> {
    let sizes: Vec<usize> = clustering.members().iter().map(Vec::len).collect();
    let mut medoids: Vec<(Reverse<usize>, usize)> =
        clustering.medoids().into_iter().zip(sizes).filter_map(|(medoid, size)| Some((Reverse(size), medoid?))).collect();
    medoids.sort_unstable();
    medoids.into_iter().map(|(_, row)| row).collect()
}

impl Buildable for KMeansStrategy {
    type Config = KMeansConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "k-means",
        summary: "the samples nearest the centres of as many clusters",
        paper: "MacQueen 1967; Zhdanov, arXiv 1901.05954",
        needs: &[Need::Embeddings],
        parameters: &[
            Parameter { key: "max-iterations", default: "25", doc: "iterations of Lloyd after seeding" },
            Parameter { key: "tolerance", default: "1e-4", doc: "relative change of the inertia that ends the search" },
        ],
    };

    fn build(config: KMeansConfig) -> Result<Self, StrategyError> {
        if config.tolerance.is_nan() || config.tolerance < 0.0 {
            return Err(config::parameter(Self::INFO.name, format!("`tolerance` is {}, expected at least 0", config.tolerance)));
        }
        Ok(Self(config))
    }
}
