//! Refine: many strategies filter the pool again and again, then Uncertainty Herding chooses from what is left.
//!
//! **Rule**: `P_0 = U`. In each of `depth` steps, every candidate strategy selects `filter-size` samples (default: the query size) from
//! each of `R = batches / K` random subsets of `P_{d-1}`; `P_d` is the union of all of them, thinned at random to at most `max-pool`.
//! Subsets have `subset` samples in the first step and `alpha |P_d|` afterwards. The `final` strategy selects from the last set.
//!
//! **Cost**: `depth (batches / K) K` selections on small sets; O(|P| D) memory beside the outputs.
//!
//! **Deviations for large queries**: subsets hold at least `query size / alpha` samples, sets at least four queries, and
//! `R <= 3 |P| / (K filter-size)`, so that a step draws each sample at most three times on average.
//!
//! **Reference**: Huseljic, Herde, Rauch, Hahn, Huang, Kottke, Vogt, Sick, "Cleaning the pool", CVPR 2026, arXiv 2511.22344, Algorithm 1;
//! constants as in the authors' configuration.

use std::collections::BTreeSet;

use autoal_data::{SampleId, Seed, Stream};
use serde::{Deserialize, Serialize};

use crate::adaptive::Candidates;
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo, StrategySpec,
    StrategyState, SubsetOutputs, catalog, config, random,
};

const SUBSET: Stream = Stream::named("refine");
const THIN: Stream = Stream::named("refine-thin");

/// Progressive filtering by an ensemble of strategies.
pub struct Refine {
    config: RefineConfig,
    candidates: Candidates,
    last: Box<dyn QueryStrategy>,
}

/// Parameters of [`Refine`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RefineConfig {
    /// The strategies that filter.
    pub candidates: Vec<StrategySpec>,
    /// The strategy that selects at the end.
    #[serde(rename = "final")]
    pub last: StrategySpec,
    /// Filtering steps.
    pub depth: usize,
    /// Size of a subset as a share of the pool, after the first step.
    pub alpha: f64,
    /// Selections a step, over all candidates.
    pub batches: usize,
    /// Size of a subset in the first step.
    pub subset: usize,
    /// Most samples after a step.
    pub max_pool: usize,
    /// Samples a selection; 0 for the query size.
    pub filter_size: usize,
}

impl Default for RefineConfig {
    fn default() -> Self {
        let names =
            ["random", "margin", "badge", "bait", "typi-clust", "alfa-mix", "drop-query", "max-herding", "uncertainty-herding"];
        Self {
            candidates: names.into_iter().map(|name| StrategySpec::Name(name.into())).collect(),
            last: StrategySpec::Name("uncertainty-herding".into()),
            depth: 5,
            alpha: 0.4,
            batches: 100,
            subset: 5000,
            max_pool: 10_000,
            filter_size: 0,
        }
    }
}

impl QueryStrategy for Refine {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let mut pool: Vec<usize> = (0..context.candidates.len()).collect();
        let least = (query_size as f64 / self.config.alpha).ceil() as usize;
        let mut subset = self.config.subset.max(least);
        let mut sizes = vec![pool.len()];
        for step in 0..self.config.depth {
            pool = self.filter(context, &pool, subset, query_size, step as u64)?;
            sizes.push(pool.len());
            subset = ((self.config.alpha * pool.len() as f64) as usize).max(query_size);
        }
        let mut selection = select_among(self.last.as_mut(), context, context.seed, pool, query_size)?;
        selection.log.push(serde_json::json!({ "strategy": Self::INFO.name, "pool_sizes": sizes }));
        Ok(selection)
    }

    fn state(&self) -> StrategyState {
        self.candidates.state()
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        self.candidates.restore(Self::INFO.name, state)
    }
}

impl Refine {
    /// One step: what the candidate strategies select from random subsets of `pool`.
    fn filter(
        &mut self,
        context: &QueryContext<'_>,
        pool: &[usize],
        subset: usize,
        query_size: usize,
        step: u64,
    ) -> Result<Vec<usize>, QueryError> {
        let filter_size = if self.config.filter_size == 0 { query_size } else { self.config.filter_size };
        let members = self.candidates.len();
        let repeats = (self.config.batches / members).min((3 * pool.len()).div_ceil(members * filter_size)).max(1);
        let mut kept = BTreeSet::new();
        for (member, strategy) in self.candidates.iter_mut().enumerate() {
            for repeat in 0..repeats {
                let stream = SUBSET.child(step).child(member as u64).child(repeat as u64);
                let mut rows = random::sample_rows(context, stream, pool, subset);
                rows.sort_unstable();
                // A seed of its own, else a strategy that draws at random would draw the same samples from every subset.
                let seed = Seed(context.seed.hash(stream, context.round, SampleId(u32::MAX)));
                let chosen = select_among(strategy, context, seed, rows, filter_size)?;
                kept.extend(chosen.ids());
            }
        }
        let is_kept = |row: &usize| kept.contains(&context.candidates[*row]);
        let mut rows: Vec<usize> = pool.iter().copied().filter(is_kept).collect();
        // A filter size below the query size must not leave too few samples to choose from.
        if rows.len() < query_size {
            rows = pool.to_vec();
        }
        let most = self.config.max_pool.max(4 * query_size);
        if rows.len() > most {
            rows = random::sample_rows(context, THIN.child(step), &rows, most);
            rows.sort_unstable();
        }
        Ok(rows)
    }
}

/// What a strategy selects when it may choose from `rows` only.
fn select_among(
    strategy: &mut dyn QueryStrategy,
    context: &QueryContext<'_>,
    seed: Seed,
    rows: Vec<usize>,
    query_size: usize,
) -> Result<Selection, QueryError> {
    let outputs = SubsetOutputs::new(context.outputs, rows);
    let candidates = outputs.ids(context.candidates);
    strategy.select(&QueryContext { candidates: &candidates, outputs: &outputs, seed, ..*context }, query_size)
}

impl Buildable for Refine {
    type Config = RefineConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "refine",
        summary: "many strategies filter the pool step by step, a last one chooses",
        paper: "Huseljic et al., CVPR 2026",
        needs: &[
            Need::LogProba,
            Need::Embeddings,
            Need::LabeledEmbeddings,
            Need::LabeledLabels,
            Need::LabeledLogProba,
            Need::Head,
        ],
        parameters: &[
            Parameter { key: "candidates", default: "nine strategies", doc: "the strategies that filter" },
            Parameter { key: "final", default: "\"uncertainty-herding\"", doc: "the strategy that selects at the end" },
            Parameter { key: "depth", default: "5", doc: "filtering steps" },
            Parameter { key: "alpha", default: "0.4", doc: "size of a random subset as a share of the pool" },
            Parameter { key: "batches", default: "100", doc: "selections a step, over all candidates" },
            Parameter { key: "subset", default: "5000", doc: "size of a random subset in the first step" },
            Parameter { key: "max-pool", default: "10000", doc: "most samples after a step" },
            Parameter { key: "filter-size", default: "0", doc: "samples a selection; 0 for the query size" },
        ],
    };

    fn build(config: RefineConfig) -> Result<Self, StrategyError> {
        if !(config.alpha > 0.0 && config.alpha <= 1.0) || config.subset == 0 || config.max_pool == 0 {
            return Err(config::parameter(Self::INFO.name, "expected `alpha` in (0, 1], `subset` and `max-pool` of at least 1"));
        }
        let candidates = Candidates::build(Self::INFO.name, &config.candidates)?;
        Ok(Self { candidates, last: catalog::build(&config.last)?, config })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;
    use crate::ArrayOutputs;

    fn named(names: &[&str]) -> Vec<StrategySpec> {
        names.iter().map(|name| StrategySpec::Name((*name).into())).collect()
    }

    fn sizes(config: RefineConfig, samples: u32, query_size: usize) -> (Vec<u32>, Vec<u64>) {
        let log_proba = Array2::from_shape_fn((samples as usize, 2), |(i, c)| {
            let p = 0.5 + 0.49 * ((i * 37 % 101) as f32 / 101.0);
            if c == 0 { p.ln() } else { (1.0 - p).ln() }
        });
        let outputs = ArrayOutputs::new().with_log_proba(log_proba.slice(s![.., ..]));
        let candidates: Vec<SampleId> = (0..samples).map(SampleId).collect();
        let context = QueryContext {
            candidates: &candidates,
            labeled: &[],
            labels: &[],
            num_classes: 2,
            seed: Seed(5),
            round: 0,
            outputs: &outputs,
        };
        let selection = Refine::build(config).expect("valid").select(&context, query_size).expect("valid");
        let sizes =
            selection.log[0]["pool_sizes"].as_array().expect("a list").iter().filter_map(serde_json::Value::as_u64).collect();
        (selection.ids().iter().map(|id| id.0).collect(), sizes)
    }

    #[test]
    fn one_score_strategy_over_the_whole_pool_leaves_exactly_its_top() {
        let config = RefineConfig {
            candidates: named(&["margin"]),
            last: StrategySpec::Name("random".into()),
            depth: 1,
            batches: 3,
            ..Default::default()
        };
        let (ids, sizes) = sizes(config, 90, 7);
        assert_eq!(sizes, [90, 7]);
        let mut ids = ids;
        ids.sort_unstable();
        let mut best: Vec<u32> = (0..90).collect();
        best.sort_by_key(|i| i * 37 % 101);
        best.truncate(7);
        best.sort_unstable();
        assert_eq!(ids, best);
    }

    /// Five standard deviations of the number of distinct samples among 990 draws from 50 000.
    const SAMPLING: f64 = 22.0;

    #[test]
    fn random_members_draw_anew_from_every_subset() {
        let config = RefineConfig {
            candidates: named(&["random"]),
            last: StrategySpec::Name("random".into()),
            depth: 1,
            batches: 99,
            ..Default::default()
        };
        let (_, sizes) = sizes(config, 50_000, 10);
        assert!((sizes[1] as f64 - 980.4).abs() < SAMPLING, "{sizes:?}");
    }

    #[test]
    fn the_pool_never_grows() {
        let config = RefineConfig {
            candidates: named(&["random", "margin", "entropy"]),
            last: StrategySpec::Name("margin".into()),
            ..Default::default()
        };
        let (ids, sizes) = sizes(config, 700, 20);
        assert_eq!(ids.len(), 20);
        assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes[5] >= 20, "{sizes:?}");
    }
}
