//! Stochastic batch acquisition: the highest of randomly perturbed scores, so that a large query does not take near-copies only.
//!
//! **Formula**: `key = G + β ln s` (power), `G + β s` (softmax) or `G - β ln rank` (soft rank, rank 1 is the best), with one standard
//! Gumbel variate `G` a sample; the largest keys are selected. That is sampling without replacement with weights `s^β`, `e^{β s}` or
//! `rank^{-β}`. A score that is not positive has the power key `-∞`: it comes last, by id.
//!
//! **Cost**: the scores and O(N).
//!
//! **Reference**: Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron, Gal, TMLR 2023, sections 3.1 to 3.3.

use autoal_data::Stream;
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo, StrategySpec,
    catalog, config, random, rank,
};

const GUMBEL: Stream = Stream::named("stochastic-batch");

/// How scores are perturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Perturbation {
    /// Weights `s^β`.
    Power,
    /// Weights `e^{β s}`.
    Softmax,
    /// Weights `rank^{-β}`.
    SoftRank,
}

/// Logarithms of the weights by which samples are drawn, `[N]`; NaN stays NaN.
pub fn log_weights(scores: &[f64], context: &QueryContext<'_>, perturbation: Perturbation, beta: f64) -> Vec<f64> {
    match perturbation {
        Perturbation::Power => scores.iter().map(|&s| if s <= 0.0 { f64::NEG_INFINITY } else { beta * s.ln() }).collect(),
        Perturbation::Softmax => scores.iter().map(|s| beta * s).collect(),
        Perturbation::SoftRank => {
            let mut weights = vec![f64::NAN; scores.len()];
            for (position, row) in rank::top(scores, context.candidates, scores.len()).into_iter().enumerate() {
                if !scores[row].is_nan() {
                    weights[row] = -beta * ((position + 1) as f64).ln();
                }
            }
            weights
        }
    }
}

/// Selects by scores plus Gumbel noise; `Selected::score` is the perturbed key.
pub(crate) fn select(
    scores: &[f64],
    context: &QueryContext<'_>,
    perturbation: Perturbation,
    beta: f64,
    count: usize,
) -> Selection {
    let mut keys = log_weights(scores, context, perturbation, beta);
    keys.iter_mut().zip(random::gumbel(context, GUMBEL)).for_each(|(key, gumbel)| *key += gumbel);
    rank::select(&keys, context.candidates, count)
}

fn checked_beta(name: &str, beta: f64) -> Result<f64, StrategyError> {
    if beta > 0.0 && beta.is_finite() {
        Ok(beta)
    } else {
        Err(config::parameter(name, format!("`beta` is {beta}, expected a positive number")))
    }
}

/// Power acquisition on BALD: the practical form of `BatchBALD` for large queries.
#[derive(Debug, Clone, Copy)]
pub struct PowerBald {
    beta: f64,
}

/// Parameters of [`PowerBald`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct PowerBaldConfig {
    /// Exponent of the score.
    pub beta: f64,
}

impl Default for PowerBaldConfig {
    fn default() -> Self {
        Self { beta: 1.0 }
    }
}

/// BALD, `H(mean p) - mean H(p)`, `[N]`, unclamped.
pub(crate) fn bald(context: &QueryContext<'_>, name: &str) -> Result<Array1<f64>, QueryError> {
    let mc = context.mc_dropout().map_err(QueryError::outputs(name))?;
    Ok(&mc.entropy_of_mean - &mc.mean_entropy)
}

impl QueryStrategy for PowerBald {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let scores = bald(context, Self::INFO.name)?.to_vec();
        Ok(select(&scores, context, Perturbation::Power, self.beta, query_size))
    }
}

impl Buildable for PowerBald {
    type Config = PowerBaldConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "power-bald",
        summary: "samples drawn in proportion to a power of BALD",
        paper: "Kirsch et al., TMLR 2023",
        needs: &[Need::McDropout],
        parameters: &[Parameter {
            key: "beta",
            default: "1.0",
            doc: "exponent of the score; large values approach the plain ranking",
        }],
    };

    fn build(config: PowerBaldConfig) -> Result<Self, StrategyError> {
        Ok(Self { beta: checked_beta(Self::INFO.name, config.beta)? })
    }
}

/// Stochastic acquisition on the scores of any strategy that has scores.
pub struct StochasticBatch {
    scorer: Box<dyn QueryStrategy>,
    perturbation: Perturbation,
    beta: f64,
}

/// Parameters of [`StochasticBatch`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct StochasticBatchConfig {
    /// The strategy that gives the scores.
    pub candidate: StrategySpec,
    /// How they are perturbed.
    pub perturbation: Perturbation,
    /// Inverse temperature.
    pub beta: f64,
}

impl Default for StochasticBatchConfig {
    fn default() -> Self {
        Self { candidate: StrategySpec::Name("margin".into()), perturbation: Perturbation::Power, beta: 1.0 }
    }
}

impl QueryStrategy for StochasticBatch {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let scores = self.scorer.scores(context)?.ok_or_else(|| {
            let detail = format!("candidate `{}` has no scores, expected a strategy that ranks by one", self.scorer.name());
            QueryError::strategy(Self::INFO.name, detail)
        })?;
        let mut scores = scores.to_vec();
        // A gap `p₂ - p₁` is never positive; the authors use one plus it.
        if self.perturbation == Perturbation::Power && self.scorer.name().starts_with("margin") {
            for score in &mut scores {
                *score += 1.0;
            }
        }
        Ok(select(&scores, context, self.perturbation, self.beta, query_size))
    }
}

impl Buildable for StochasticBatch {
    type Config = StochasticBatchConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "stochastic-batch",
        summary: "samples drawn by the perturbed scores of another strategy",
        paper: "Kirsch et al., TMLR 2023",
        needs: &[Need::LogProba],
        parameters: &[
            Parameter { key: "candidate", default: "\"margin\"", doc: "the strategy that gives the scores" },
            Parameter { key: "perturbation", default: "\"power\"", doc: "`power`, `softmax` or `soft-rank`" },
            Parameter { key: "beta", default: "1.0", doc: "inverse temperature; large values approach the plain ranking" },
        ],
    };

    fn build(config: StochasticBatchConfig) -> Result<Self, StrategyError> {
        let beta = checked_beta(Self::INFO.name, config.beta)?;
        Ok(Self { scorer: catalog::build(&config.candidate)?, perturbation: config.perturbation, beta })
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::{SampleId, Seed};

    use super::*;
    use crate::ArrayOutputs;

    fn counts(scores: &[f64], perturbation: Perturbation, beta: f64, draws: u64) -> (Vec<f64>, Vec<f64>) {
        let (candidates, outputs): (Vec<SampleId>, _) = ((0..scores.len() as u32).map(SampleId).collect(), ArrayOutputs::new());
        let (mut first, mut both) = (vec![0.0; scores.len()], vec![0.0; scores.len()]);
        for seed in 0..draws {
            let context = QueryContext {
                candidates: &candidates,
                labeled: &[],
                labels: &[],
                num_classes: 2,
                seed: Seed(seed),
                round: 0,
                outputs: &outputs,
            };
            let ids = select(scores, &context, perturbation, beta, 2).ids();
            first[ids[0].row()] += 1.0 / draws as f64;
            for id in ids {
                both[id.row()] += 1.0 / draws as f64;
            }
        }
        (first, both)
    }

    /// Five standard errors of a share near one half over 20 000 draws.
    const SAMPLING: f64 = 0.018;

    fn assert_near(found: &[f64], expected: &[f64]) {
        found.iter().zip(expected).for_each(|(f, e)| assert!((f - e).abs() < SAMPLING, "{found:?} against {expected:?}"));
    }

    #[test]
    fn power_keys_draw_without_replacement_in_proportion_to_the_scores() {
        let (first, both) = counts(&[0.4, 0.2, 0.1, 0.05], Perturbation::Power, 1.0, 20_000);
        assert_near(&first, &[0.5333, 0.2667, 0.1333, 0.0667]);
        assert_near(&both, &[0.847_419_2, 0.631_501_8, 0.343_722_9, 0.177_356_0]);
    }

    #[test]
    fn softmax_and_soft_rank_have_their_own_weights() {
        let (first, _) = counts(&[2.0, 1.0, 0.0], Perturbation::Softmax, 1.0, 20_000);
        assert_near(&first, &[0.665_241, 0.244_728, 0.090_031]);
        let (first, _) = counts(&[-3.0, 7.0, 1.0], Perturbation::SoftRank, 1.0, 20_000);
        assert_near(&first, &[2.0 / 11.0, 6.0 / 11.0, 3.0 / 11.0]);
    }

    #[test]
    fn a_large_beta_gives_the_plain_ranking_and_scores_of_zero_come_last_by_id() {
        let candidates: Vec<SampleId> = (0..5).map(SampleId).collect();
        let outputs = ArrayOutputs::new();
        let context = QueryContext {
            candidates: &candidates,
            labeled: &[],
            labels: &[],
            num_classes: 2,
            seed: Seed(4),
            round: 0,
            outputs: &outputs,
        };
        let selection = select(&[0.0, 0.3, -1.0, 0.9, f64::NAN], &context, Perturbation::Power, 1e6, 5);
        assert_eq!(selection.ids(), [3, 1, 0, 2, 4].map(SampleId));
        assert_eq!(selection.nan_scores, 1);
    }
}
