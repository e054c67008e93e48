//! BAIT: the samples that together reduce the expected Fisher information left unexplained, `tr(M⁻¹ F)`.
//!
//! **Formula**: `V_i` with `V_iᵀ V_i = F_i` is a factor of the expected Fisher information of the last layer at sample `i`; `F` is the mean
//! over labeled and unlabeled samples, `M_0 = λ I + |L| / (|L| + b) mean_L F_i`, and candidates are scaled by `sqrt(b / (|L| + b))`.
//! `oversample b` greedy steps add the sample that reduces `tr(M⁻¹ F)` most, then samples whose removal costs least are pruned until `b`
//! are left; their order is that of the greedy steps.
//!
//! *binary* (default): one against the rest for the predicted class, `V_i = sqrt(q (1 - q)) h_i` with `q = max p`. *full*: all classes,
//! rows `sqrt(p_c) (e_c - p) ⊗ h`, for `C D <= 2048`.
//!
//! **Cost**, with rank `r` and width `P` (binary: 1 and `D`; full: `C` and `C D`): O(N r P²) once, O(N r² D) a step; O(P² + N r²) memory.
//! Per-sample terms follow each step by a rank-`r` update (see [`greedy`]). `shortlist` (0: all) keeps only that many of the best first
//! gains per sample asked for: an approximation.
//!
//! **Reference**: Ash, Goel, Krishnamurthy, Kakade, NeurIPS 2021, Algorithm 1; binary form: Huseljic et al., ECML PKDD 2024.

mod fisher;
mod greedy;

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use self::fisher::Factors;
use self::greedy::Greedy;
use crate::{
    Buildable, Need, OutputsError, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo,
    config, rank,
};

/// Batch Active learning via Information maTrices.
#[derive(Debug, Clone, Copy)]
pub struct Bait(BaitConfig);

/// Which Fisher information is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fisher {
    /// The predicted class against all others.
    Binary,
    /// All classes.
    Full,
}

/// Parameters of [`Bait`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct BaitConfig {
    /// Which Fisher information is used.
    pub fisher: Fisher,
    /// Weight of the identity in `M_0`.
    pub lambda: f64,
    /// Greedy steps per sample asked for.
    pub oversample: usize,
    /// Samples per sample asked for that take part, those of the best first gains; 0 for all.
    pub shortlist: usize,
}

impl Default for BaitConfig {
    fn default() -> Self {
        Self { fisher: Fisher::Binary, lambda: 1.0, oversample: 2, shortlist: 0 }
    }
}

impl Bait {
    fn prepared<'a>(&self, context: &QueryContext<'a>, query_size: usize) -> Result<Greedy<'a>, OutputsError> {
        let pool = Factors::new(self.0.fisher, context.log_proba()?, context.embeddings()?)?;
        let labeled = if context.labeled.is_empty() {
            None
        } else {
            Some(Factors::new(self.0.fisher, context.labeled_log_proba()?, context.labeled_embeddings()?)?)
        };
        Greedy::new(pool, labeled.as_ref(), self.0.lambda, query_size)
    }

    /// Reduction of `tr(M⁻¹ F)` by each candidate as the first of a query of `query_size`, `[N]`; NaN for unusable probabilities.
    pub fn first_gains(&self, context: &QueryContext<'_>, query_size: usize) -> Result<Vec<f64>, OutputsError> {
        Ok(self.prepared(context, query_size)?.gains())
    }
}

impl QueryStrategy for Bait {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let mut greedy = self.prepared(context, query_size).map_err(QueryError::outputs(Self::INFO.name))?;
        let gains = greedy.gains();
        let nan_scores = gains.iter().filter(|gain| gain.is_nan()).count();
        if self.0.shortlist > 0 {
            greedy.keep(&rank::top(&gains, context.candidates, self.0.shortlist.max(self.0.oversample) * query_size));
        }
        for _ in 0..(self.0.oversample * query_size).min(context.candidates.len() - nan_scores) {
            if !greedy.add_best() {
                break;
            }
        }
        while greedy.chosen().len() > query_size && greedy.remove_least() {}
        let mut rows = greedy.chosen().to_vec();
        rows.truncate(query_size);
        // Candidates that a shortlist or their probabilities kept out fill what is missing, in order of their first gains.
        let mut free = vec![true; gains.len()];
        for &row in &rows {
            free[row] = false;
        }
        let missing = query_size - rows.len();
        if missing > 0 {
            let ranked = rank::top(&gains, context.candidates, gains.len());
            rows.extend(ranked.into_iter().filter(|&row| free[row]).take(missing));
        }
        Ok(Selection { nan_scores, ..context.selection(&rows) })
    }

    /// First gains for a query of one sample.
    fn scores(&mut self, context: &QueryContext<'_>) -> Result<Option<Array1<f64>>, QueryError> {
        let gains = self.first_gains(context, 1).map_err(QueryError::outputs(Self::INFO.name))?;
        Ok(Some(gains.into()))
    }
}

impl Buildable for Bait {
    type Config = BaitConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "bait",
        summary: "samples that together explain most of the last layer's Fisher information",
        paper: "Ash et al., NeurIPS 2021",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings, Need::LabeledLogProba],
        parameters: &[
            Parameter {
                key: "fisher",
                default: "\"binary\"",
                doc: "`binary`: predicted class against the rest; `full`: all classes, C D <= 2048",
            },
            Parameter { key: "lambda", default: "1.0", doc: "weight of the identity in the first information matrix" },
            Parameter { key: "oversample", default: "2", doc: "greedy steps per sample asked for, before pruning" },
            Parameter {
                key: "shortlist",
                default: "0",
                doc: "samples of the best first gains that take part, per sample asked for; 0 for all",
            },
        ],
    };

    fn build(config: BaitConfig) -> Result<Self, StrategyError> {
        if !(config.lambda > 0.0 && config.lambda.is_finite()) || config.oversample == 0 {
            return Err(config::parameter(Self::INFO.name, "expected a positive `lambda` and `oversample` of at least 1"));
        }
        Ok(Self(config))
    }
}

#[cfg(test)]
mod tests;
