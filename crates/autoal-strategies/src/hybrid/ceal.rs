//! CEAL: queries like another strategy, and lends the model its own labels for the samples that it is sure of.
//!
//! **Formula**: after the query, every other candidate with entropy `H(p) < δ_t` gets its predicted class as a pseudo-label. The labels
//! are used in the next training only; they are no budget and never enter the labeled samples. `δ_t = δ_0 - d t (t + 1) / 2`, floor 0:
//! with the defaults of the code that later comparisons use, `δ` reaches 0 in round 17 and pseudo-labels end.
//!
//! **Cost**: the strategy inside, and O(N C).
//!
//! **Reference**: Wang, Zhang, Li, Zhang, Lin, IEEE TCSVT 2017, equations 4 and 5.

use autoal_data::{Label, SampleId};
use serde::{Deserialize, Serialize};

use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, RoundOutcome, Selection, StrategyError, StrategyInfo,
    StrategySpec, StrategyState, catalog, config,
};

/// Cost-Effective Active Learning.
pub struct Ceal {
    inner: Box<dyn QueryStrategy>,
    threshold: f64,
    decay: f64,
}

/// Parameters of [`Ceal`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct CealConfig {
    /// The strategy that makes the query.
    pub candidate: StrategySpec,
    /// `δ_0` in nats.
    pub threshold: f64,
    /// `d`, by which the threshold falls faster each round.
    pub decay: f64,
}

impl Default for CealConfig {
    fn default() -> Self {
        Self { candidate: StrategySpec::Name("entropy".into()), threshold: 5e-5, decay: 3.3e-7 }
    }
}

impl Ceal {
    /// `δ_t`.
    fn threshold(&self, round: u32) -> f64 {
        let round = f64::from(round);
        (self.threshold - self.decay * round * (round + 1.0) / 2.0).max(0.0)
    }

    fn pseudo_labels(&self, context: &QueryContext<'_>, selected: &Selection) -> Result<Vec<(SampleId, Label)>, QueryError> {
        let threshold = self.threshold(context.round);
        let mut taken = selected.ids();
        taken.sort_unstable();
        let log_proba = context.log_proba().map_err(QueryError::outputs(Self::INFO.name))?;
        let rows = context.candidates.iter().zip(log_proba.outer_iter());
        let sure = rows.filter(|(id, row)| taken.binary_search(id).is_err() && entropy(row.iter()) < threshold);
        Ok(sure.map(|(id, row)| (*id, Label(most_probable(row.iter()) as u16))).collect())
    }
}

/// `-Σ p ln p`, from log-probabilities; NaN when one of them is.
fn entropy<'a>(log_proba: impl Iterator<Item = &'a f32>) -> f64 {
    log_proba.map(|&lp| if lp == f32::NEG_INFINITY { 0.0 } else { -f64::from(lp).exp() * f64::from(lp) }).sum()
}

fn most_probable<'a>(log_proba: impl Iterator<Item = &'a f32>) -> usize {
    let best =
        log_proba.enumerate().fold((0, f32::NEG_INFINITY), |best, (class, &lp)| if lp > best.1 { (class, lp) } else { best });
    best.0
}

impl QueryStrategy for Ceal {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let selection = self.inner.select(context, query_size)?;
        let pseudo_labels = self.pseudo_labels(context, &selection)?;
        Ok(Selection { pseudo_labels, ..selection })
    }

    fn observe(&mut self, outcome: &RoundOutcome<'_>) {
        self.inner.observe(outcome);
    }

    fn state(&self) -> StrategyState {
        self.inner.state()
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        self.inner.restore(state)
    }
}

impl Buildable for Ceal {
    type Config = CealConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "ceal",
        summary: "another strategy's query, and pseudo-labels for the samples the model is sure of",
        paper: "Wang et al., IEEE TCSVT 2017",
        needs: &[Need::LogProba],
        parameters: &[
            Parameter { key: "candidate", default: "\"entropy\"", doc: "the strategy that makes the query" },
            Parameter { key: "threshold", default: "5e-5", doc: "entropy in nats below which a sample gets a pseudo-label" },
            Parameter { key: "decay", default: "3.3e-7", doc: "by how much more the threshold falls each round" },
        ],
    };

    fn build(config: CealConfig) -> Result<Self, StrategyError> {
        if !(config.threshold >= 0.0 && config.decay >= 0.0) {
            return Err(config::parameter(Self::INFO.name, "`threshold` and `decay` must not be negative"));
        }
        Ok(Self { inner: catalog::build(&config.candidate)?, threshold: config.threshold, decay: config.decay })
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::Seed;
    use ndarray::array;

    use super::*;
    use crate::ArrayOutputs;

    fn pseudo_labels(round: u32) -> Vec<(SampleId, Label)> {
        let log_proba = array![[f32::NEG_INFINITY, 0.0], [-0.7, -0.686_2], [-1e-7, -16.0], [-0.1, -2.35], [f32::NAN, 0.0]];
        let outputs = ArrayOutputs::new().with_log_proba(log_proba.view());
        let candidates = [0, 1, 2, 3, 4].map(SampleId);
        let context = QueryContext {
            candidates: &candidates,
            labeled: &[],
            labels: &[],
            num_classes: 2,
            seed: Seed(0),
            round,
            outputs: &outputs,
        };
        let selection = Ceal::build(CealConfig::default()).expect("valid").select(&context, 1).expect("valid");
        assert_eq!(selection.ids(), [SampleId(1)]);
        selection.pseudo_labels
    }

    #[test]
    fn sure_samples_get_labels_and_the_surest_ones_are_among_them() {
        assert_eq!(pseudo_labels(0), [(SampleId(0), Label(1)), (SampleId(2), Label(0))]);
    }

    #[test]
    fn pseudo_labels_end_in_round_17() {
        assert!(!pseudo_labels(16).is_empty());
        assert!(pseudo_labels(17).is_empty());
    }
}
