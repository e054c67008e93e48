//! COMB: EXP4 over strategies, rewarded when the model's predictions on the pool get more evenly spread over the classes.
//!
//! **Rule**: one strategy is drawn a round and makes the query. With `H_t` the entropy of the predicted classes on the pool, divided by
//! `log C`, the reward of a round is `u = (e^{H_t} - e^{H_{t-1}} + e - 1) / (2 e - 2)`, in \[0, 1\]. Exploration halves in epochs
//! `r = 0, 1, ...`: `g_r = K ln K / (e - 1) 4^r`, `γ_r = 2^{-r}`; an epoch ends when an arm's estimated total reward exceeds
//! `g_r - K / γ_r`, and weights start anew. Arms are strategies, not samples (ours; see [`super::exp4`]).
//!
//! The reward means something only where classes are about balanced; a labeled set with class entropy below 0.8 is noted in the log.
//!
//! **Cost**: one selection of one strategy, and O(N C).
//!
//! **Reference**: Baram, El-Yaniv, Luz, JMLR 2004, section 5.

use std::f64::consts::E;

use autoal_data::Stream;
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::albl::{argmax, draw_arm};
use super::candidates::{Candidates, check_len, load, save};
use super::exp4::Arms;
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo, StrategySpec,
    StrategyState,
};

const ARM: Stream = Stream::named("comb");

/// Labeled sets less balanced than this make the reward doubtful.
const BALANCED: f64 = 0.8;

/// Online choice of active learning algorithms.
pub struct Comb {
    candidates: Candidates,
    memory: Memory,
}

/// Parameters of [`Comb`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct CombConfig {
    /// The strategies of which one is drawn a round.
    pub candidates: Vec<StrategySpec>,
}

impl Default for CombConfig {
    fn default() -> Self {
        let names = ["random", "margin", "entropy", "core-set"];
        Self { candidates: names.into_iter().map(|name| StrategySpec::Name(name.into())).collect() }
    }
}

/// What a resumed run needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Memory {
    arms: Arms,
    epoch: i32,
    /// Estimated total rewards, one a strategy.
    totals: Vec<f64>,
    pending: Option<Pending>,
}

/// A query whose reward is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pending {
    arm: usize,
    p: f64,
    entropy: f64,
}

/// Entropy of class shares divided by its largest value, `ln C`; 0 for one class.
pub fn class_entropy(shares: &[f64]) -> f64 {
    if shares.len() < 2 {
        return 0.0;
    }
    let entropy: f64 = shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
    entropy / (shares.len() as f64).ln()
}

/// The reward of a round in which the class entropy went from `before` to `after`.
pub fn reward(before: f64, after: f64) -> f64 {
    (after.exp() - before.exp() + E - 1.0) / (2.0 * E - 2.0)
}

/// Shares of the predicted classes, `[C]`.
fn predicted_shares(log_proba: ArrayView2<'_, f32>) -> Vec<f64> {
    shares_of(log_proba.outer_iter().map(argmax), log_proba.ncols())
}

fn shares_of(classes: impl Iterator<Item = usize>, num_classes: usize) -> Vec<f64> {
    let (mut counts, mut total) = (vec![0.0; num_classes], 0.0_f64);
    for class in classes {
        counts[class] += 1.0;
        total += 1.0;
    }
    counts.iter().map(|count| count / total.max(1.0)).collect()
}

impl Memory {
    fn new(arms: usize) -> Self {
        Self { arms: Arms::new(arms), epoch: 0, totals: vec![0.0; arms], pending: None }
    }

    /// `γ` of the present epoch.
    fn gamma(&self) -> f64 {
        0.5_f64.powi(self.epoch)
    }

    fn learn(&mut self, entropy: f64) {
        let Some(pending) = self.pending.take() else { return };
        let reward = reward(pending.entropy, entropy).clamp(0.0, 1.0);
        self.arms.reward(pending.arm, self.gamma(), pending.p, reward);
        self.totals[pending.arm] += reward / pending.p;
        let k = self.totals.len() as f64;
        let best = self.totals.iter().copied().fold(0.0, f64::max);
        while best > k * k.ln() / (E - 1.0) * 4.0_f64.powi(self.epoch) - k / self.gamma() && self.epoch < 64 {
            self.epoch += 1;
            self.arms = Arms::new(self.totals.len());
        }
    }
}

impl QueryStrategy for Comb {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let log_proba = context.log_proba().map_err(QueryError::outputs(Self::INFO.name))?;
        let entropy = class_entropy(&predicted_shares(log_proba));
        self.memory.learn(entropy);
        let shares = self.memory.arms.shares(self.memory.gamma());
        let arm = draw_arm(&shares, &mut context.seed.rng(ARM, context.round));
        let mut selection = self.candidates.select(arm, context, query_size)?;
        self.memory.pending = Some(Pending { arm, p: shares[arm], entropy });
        selection.weights = self.candidates.weights(&shares);
        let balance = class_entropy(&shares_of(context.labels.iter().map(|label| label.class()), context.num_classes));
        selection.log.push(serde_json::json!({
            "strategy": Self::INFO.name, "arm": self.candidates.name(arm), "epoch": self.memory.epoch, "class_entropy": entropy,
            "reward_is_doubtful": balance < BALANCED,
        }));
        Ok(selection)
    }

    fn state(&self) -> StrategyState {
        save(&self.memory, &self.candidates)
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        if let Some(memory) = load::<Memory>(Self::INFO.name, state, &mut self.candidates)? {
            check_len(Self::INFO.name, memory.totals.len(), self.candidates.len())?;
            check_len(Self::INFO.name, memory.arms.log_weights.len(), self.candidates.len())?;
            self.memory = memory;
        }
        Ok(())
    }
}

impl Buildable for Comb {
    type Config = CombConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "comb",
        summary: "one strategy a round, learned by EXP4 from how evenly the model predicts the classes",
        paper: "Baram, El-Yaniv & Luz, JMLR 2004",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings],
        parameters: &[Parameter {
            key: "candidates",
            default: "[\"random\", \"margin\", \"entropy\", \"core-set\"]",
            doc: "the strategies of which one is drawn a round",
        }],
    };

    fn build(config: CombConfig) -> Result<Self, StrategyError> {
        let candidates = Candidates::build(Self::INFO.name, &config.candidates)?;
        Ok(Self { memory: Memory::new(candidates.len()), candidates })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values have seven digits.
    const DIGITS: f64 = 1e-7;

    #[test]
    fn entropies_and_reward_of_the_worked_example() {
        let (before, after) = (class_entropy(&[0.9, 0.1]), class_entropy(&[0.8, 0.2]));
        assert!((class_entropy(&[0.5, 0.5]) - 1.0).abs() < DIGITS);
        assert!((before - 0.468_995_6).abs() < DIGITS && (after - 0.721_928_1).abs() < DIGITS);
        assert!((reward(before, after) - 0.633_857_6).abs() < DIGITS);
    }

    #[test]
    fn exploration_halves_and_weights_start_anew_when_an_epoch_ends() {
        let mut memory = Memory::new(3);
        assert_eq!(memory.gamma(), 1.0);
        let mut epochs = Vec::new();
        for _ in 0..60 {
            let p = memory.arms.shares(memory.gamma())[1];
            memory.pending = Some(Pending { arm: 1, p, entropy: 0.2 });
            memory.learn(0.9);
            if epochs.last() != Some(&memory.epoch) {
                assert!(epochs.is_empty() && memory.epoch == 0 || memory.arms == Arms::new(3));
                epochs.push(memory.epoch);
            }
        }
        assert!(epochs.len() > 1 && memory.gamma() < 1.0, "{epochs:?}");
        assert!(memory.arms.shares(memory.gamma())[1] > 1.0 / 3.0);
    }
}
