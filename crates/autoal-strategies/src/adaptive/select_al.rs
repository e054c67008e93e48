//! SelectAL: asks which kind of labeled samples the model misses most when they are removed, and queries more of that kind.
//!
//! **Rule**: three kinds of samples: random, typical (TypiClust) and untypical (inverse TypiClust). For each kind, `c` samples of every
//! class are removed from the labels, `c = min(max(1, ⌊ε |L| / C⌋), smallest class)`, but two labels stay; the accuracy of training on the
//! rest is the mean over `holdouts` random splits. The kind whose removal leaves the lowest mean accuracy is needed: random samples mean
//! Random, typical ones `low-budget`, untypical ones `high-budget`; ties are broken at random. Random removal is repeated `repeats` times.
//!
//! **Cost**: `(repeats + 2) holdouts` trainings on labeled samples. Held-out parts of a few dozen labels have one to three samples, so the
//! decision is noisy; a larger `holdout-share` helps.
//!
//! **Reference**: Hacohen & Weinshall, NeurIPS 2023, arXiv 2306.03543; details after a third party's implementation, the authors' own was
//! not found.

use autoal_data::{Label, SampleId, Seed, Stream};
use ndarray::Axis;
use serde::{Deserialize, Serialize};

use super::candidates::Candidates;
use crate::{
    ArrayOutputs, Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo,
    StrategySpec, StrategyState, catalog, config,
};

const SPLIT: Stream = Stream::named("select-al-split");
const REMOVE: Stream = Stream::named("select-al-remove");
const TIE: Stream = Stream::named("select-al-tie");

/// A derivative test of which kind of strategy the budget asks for.
pub struct SelectAl {
    config: SelectAlConfig,
    /// Random, low budget, high budget.
    candidates: Candidates,
    /// What picks the samples to remove, in the same order.
    surrogates: Candidates,
}

/// Parameters of [`SelectAl`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct SelectAlConfig {
    /// The strategy while typical samples are needed.
    pub low_budget: StrategySpec,
    /// The strategy once untypical samples are needed.
    pub high_budget: StrategySpec,
    /// Share of the labels that is removed, `ε`.
    pub removal_share: f64,
    /// Removals of random samples.
    pub repeats: u32,
    /// Splits that an accuracy is the mean of.
    pub holdouts: u32,
    /// Share of the labels in the held-out part of a split.
    pub holdout_share: f64,
}

impl Default for SelectAlConfig {
    fn default() -> Self {
        Self {
            low_budget: StrategySpec::Name("typi-clust".into()),
            high_budget: StrategySpec::Name("badge".into()),
            removal_share: 0.05,
            repeats: 5,
            holdouts: 5,
            holdout_share: 0.05,
        }
    }
}

/// Samples removed of every class that has labels.
fn removals_a_class(labels: usize, share: f64, classes: usize, smallest: usize) -> usize {
    let all = (share * labels as f64) as usize;
    (all / classes.max(1)).max(1).min(smallest)
}

/// Rows of the labeled samples by class, classes without labels left out.
fn rows_by_class(labels: &[Label], num_classes: usize) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); num_classes];
    labels.iter().enumerate().for_each(|(row, label)| rows[label.class()].push(row));
    rows.retain(|rows| !rows.is_empty());
    rows
}

impl SelectAl {
    /// Rows of labeled samples that stay when one kind is removed.
    fn remaining(&mut self, context: &QueryContext<'_>, kind: usize, repeat: u32) -> Result<Vec<usize>, QueryError> {
        let classes = rows_by_class(context.labels, context.num_classes);
        let smallest = classes.iter().map(Vec::len).min().unwrap_or(0);
        let count = removals_a_class(context.labeled.len(), self.config.removal_share, classes.len(), smallest);
        let mut stays = vec![true; context.labeled.len()];
        let mut left = stays.len();
        let seed = Seed(context.seed.hash(REMOVE.child(u64::from(repeat)), context.round, SampleId(u32::MAX)));
        for rows in &classes {
            for id in self.surrogate_picks(context, rows, kind, seed, count)? {
                if left <= 2 {
                    break;
                }
                let row =
                    context.labeled.iter().position(|labeled| *labeled == id).expect("surrogates select what they were given");
                (stays[row], left) = (false, left - 1);
            }
        }
        Ok((0..stays.len()).filter(|&row| stays[row]).collect())
    }

    /// What a surrogate selects from labeled samples as if none had a label.
    fn surrogate_picks(
        &mut self,
        context: &QueryContext<'_>,
        rows: &[usize],
        kind: usize,
        seed: Seed,
        count: usize,
    ) -> Result<Vec<SampleId>, QueryError> {
        let embeddings = context.labeled_embeddings().map_err(QueryError::outputs(Self::INFO.name))?;
        let gathered = embeddings.view().select(Axis(0), rows);
        let outputs = ArrayOutputs::new().with_embeddings(gathered.view());
        let ids: Vec<SampleId> = rows.iter().map(|&row| context.labeled[row]).collect();
        let pool = QueryContext { candidates: &ids, labeled: &[], labels: &[], seed, outputs: &outputs, ..*context };
        Ok(self.surrogates.select(kind, &pool, count)?.ids())
    }

    /// Mean accuracy over random splits of the labeled samples in `rows`.
    fn accuracy(&self, context: &QueryContext<'_>, rows: &[usize]) -> Result<f64, QueryError> {
        let size = ((self.config.holdout_share * rows.len() as f64) as usize).max(1);
        let mut sum = 0.0;
        for split in 0..self.config.holdouts {
            let mut ids: Vec<SampleId> = rows.iter().map(|&row| context.labeled[row]).collect();
            ids.sort_by_cached_key(|id| (context.seed.hash(SPLIT.child(u64::from(split)), context.round, *id), *id));
            let (test, train) = ids.split_at(size.min(ids.len()));
            if train.is_empty() {
                return Ok(0.0);
            }
            sum += context.outputs.holdout_accuracy(train, test).map_err(QueryError::outputs(Self::INFO.name))?;
        }
        Ok(sum / f64::from(self.config.holdouts))
    }

    /// Mean accuracy after the removal of each kind; `None` when there are too few labels to remove any.
    fn accuracies(&mut self, context: &QueryContext<'_>) -> Result<Option<[f64; 3]>, QueryError> {
        if context.labeled.len() < 3 {
            return Ok(None);
        }
        let mut means = [0.0; 3];
        for (kind, mean) in means.iter_mut().enumerate() {
            let repeats = if kind == 0 { self.config.repeats } else { 1 };
            for repeat in 0..repeats {
                let rows = self.remaining(context, kind, repeat)?;
                *mean += self.accuracy(context, &rows)? / f64::from(repeats);
            }
        }
        Ok(Some(means))
    }
}

/// The kind with the lowest accuracy; ties are broken by a random order.
fn most_missed(accuracies: [f64; 3], context: &QueryContext<'_>) -> usize {
    let least = accuracies.iter().copied().fold(f64::INFINITY, f64::min);
    let tied: Vec<usize> = (0..3).filter(|&kind| accuracies[kind] <= least).collect();
    let draw = context.seed.hash(TIE, context.round, SampleId(u32::MAX)) as usize;
    tied.get(draw % tied.len().max(1)).copied().unwrap_or(0)
}

impl QueryStrategy for SelectAl {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let accuracies = self.accuracies(context)?;
        let kind = accuracies.map_or(0, |accuracies| most_missed(accuracies, context));
        let mut selection = self.candidates.select(kind, context, query_size)?;
        let mut shares = [0.0; 3];
        shares[kind] = 1.0;
        selection.weights = self.candidates.weights(&shares);
        selection.log.push(serde_json::json!({
            "strategy": Self::INFO.name, "chosen": self.candidates.name(kind), "accuracy_without": accuracies,
        }));
        Ok(selection)
    }

    fn state(&self) -> StrategyState {
        self.candidates.state()
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        self.candidates.restore(Self::INFO.name, state)
    }
}

impl Buildable for SelectAl {
    type Config = SelectAlConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "select-al",
        summary: "Random, TypiClust or BADGE, whichever brings the samples that the model misses most",
        paper: "Hacohen & Weinshall, NeurIPS 2023",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings, Need::LabeledLabels, Need::Retraining],
        parameters: &[
            Parameter { key: "low-budget", default: "\"typi-clust\"", doc: "the strategy while typical samples are needed" },
            Parameter { key: "high-budget", default: "\"badge\"", doc: "the strategy once untypical samples are needed" },
            Parameter { key: "removal-share", default: "0.05", doc: "share of the labels that is removed" },
            Parameter { key: "repeats", default: "5", doc: "removals of random samples" },
            Parameter { key: "holdouts", default: "5", doc: "splits that an accuracy is the mean of" },
            Parameter { key: "holdout-share", default: "0.05", doc: "share of the labels in the held-out part" },
        ],
    };

    fn build(config: SelectAlConfig) -> Result<Self, StrategyError> {
        let share = |value: f64| value > 0.0 && value < 1.0;
        if !share(config.removal_share) || !share(config.holdout_share) || config.repeats == 0 || config.holdouts == 0 {
            let detail = "expected `removal-share` and `holdout-share` in (0, 1), `repeats` and `holdouts` of at least 1";
            return Err(config::parameter(Self::INFO.name, detail));
        }
        let random = StrategySpec::Name("random".into());
        let inverse = catalog::StrategySpec::Table(toml::toml! { name = "typi-clust" inverse = true });
        let surrogates = [random.clone(), StrategySpec::Name("typi-clust".into()), inverse];
        Ok(Self {
            candidates: Candidates::build(Self::INFO.name, &[random, config.low_budget.clone(), config.high_budget.clone()])?,
            surrogates: Candidates::build(Self::INFO.name, &surrogates)?,
            config,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_of_the_worked_examples() {
        let count = |labels, smallest| removals_a_class(labels, 0.05, 10, smallest);
        assert_eq!([count(100, 4), count(1000, 40), count(1000, 3)], [1, 5, 3]);
    }
}
