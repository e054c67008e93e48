//! DEAL: EXP4 over strategies, restarted regularly because the best strategy changes as labels grow; rewarded by gains in accuracy.
//!
//! **Rule**: REXP4: weights start anew every `Δ = ⌈(K ln K)^{1/3} (T / V)^{2/3}⌉` rounds, with
//! `γ = min(1, sqrt(K ln K / ((e - 1) Δ)))` for a horizon of `T` rounds and a variation budget `V`. One strategy is drawn a round and
//! makes the query. Its reward is `½ + ½ clip(Δacc / 0.05, -1, 1)` (ours), where `Δacc` is the gain in accuracy between a model trained
//! without and one trained with the new labels, both tested on the same held-out labels: `holdout` of them, drawn at random, never the
//! test set. With 18 rounds and seven strategies `Δ` is 17, so restarts hardly happen. Arms are strategies, not samples (ours).
//!
//! **Cost**: one selection of one strategy, two trainings on labeled samples.
//!
//! **Reference**: Pang, Dong, Wu, Hospedales, ICPR 2018, section III; Besbes, Gur, Zeevi, NeurIPS 2014 (restarts).

use std::collections::HashSet;

use autoal_data::{SampleId, Stream};
use serde::{Deserialize, Serialize};

use super::albl::draw_arm;
use super::candidates::{Candidates, check_len, load, save};
use super::exp4::{Arms, exploration};
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo, StrategySpec,
    StrategyState, config,
};

const ARM: Stream = Stream::named("deal");
const HOLDOUT: Stream = Stream::named("deal-holdout");

/// A gain in accuracy that earns the full reward.
const FULL_GAIN: f64 = 0.05;

/// Dynamic ensemble active learning.
pub struct Deal {
    config: DealConfig,
    schedule: Schedule,
    candidates: Candidates,
    memory: Memory,
}

/// Parameters of [`Deal`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DealConfig {
    /// The strategies of which one is drawn a round.
    pub candidates: Vec<StrategySpec>,
    /// Rounds that are expected.
    pub horizon: u32,
    /// How much the rewards may drift in all.
    pub variation: f64,
    /// Share of the labels that is held out to measure a gain.
    pub holdout: f64,
}

impl Default for DealConfig {
    fn default() -> Self {
        let names = ["random", "margin", "entropy", "core-set"];
        let candidates = names.into_iter().map(|name| StrategySpec::Name(name.into())).collect();
        Self { candidates, horizon: 20, variation: 1.0, holdout: 0.2 }
    }
}

/// When weights start anew, and how much is explored in between.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Schedule {
    restart_every: u32,
    gamma: f64,
}

impl Schedule {
    fn new(arms: usize, horizon: u32, variation: f64) -> Self {
        let k = arms as f64;
        let rounds = (k * k.ln()).cbrt() * (f64::from(horizon) / variation).powf(2.0 / 3.0);
        let restart_every = rounds.ceil().max(1.0);
        Self { restart_every: restart_every as u32, gamma: exploration(arms, restart_every) }
    }
}

/// What a resumed run needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Memory {
    arms: Arms,
    steps: u32,
    pending: Option<Pending>,
}

/// A query whose reward is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pending {
    arm: usize,
    p: f64,
    queried: Vec<SampleId>,
}

/// The reward of a gain in accuracy.
fn reward(gain: f64) -> f64 {
    0.5 + 0.5 * (gain / FULL_GAIN).clamp(-1.0, 1.0)
}

impl Memory {
    /// Adds a reward, and starts anew when the schedule says so.
    fn learn(&mut self, schedule: Schedule, arm: usize, p: f64, reward: f64) {
        self.arms.reward(arm, schedule.gamma, p, reward);
        self.steps += 1;
        if self.steps.is_multiple_of(schedule.restart_every) {
            self.arms = Arms::new(self.arms.log_weights.len());
        }
    }
}

impl Deal {
    /// Gain in accuracy that the queried samples made, `None` when nothing can be held out.
    fn gain(&self, context: &QueryContext<'_>, queried: &[SampleId]) -> Result<Option<f64>, QueryError> {
        let new: HashSet<SampleId> = queried.iter().copied().collect();
        let held_out = |id: &SampleId| !new.contains(id) && context.seed.unit(HOLDOUT, 0, *id) < self.config.holdout;
        let (test, after): (Vec<SampleId>, Vec<SampleId>) = context.labeled.iter().copied().partition(held_out);
        let before: Vec<SampleId> = after.iter().copied().filter(|id| !new.contains(id)).collect();
        if test.is_empty() || before.is_empty() {
            return Ok(None);
        }
        let accuracy =
            |train: &[SampleId]| context.outputs.holdout_accuracy(train, &test).map_err(QueryError::outputs(Self::INFO.name));
        Ok(Some(accuracy(&after)? - accuracy(&before)?))
    }

    fn learn(&mut self, context: &QueryContext<'_>) -> Result<(), QueryError> {
        let Some(pending) = self.memory.pending.take() else { return Ok(()) };
        let gain = self.gain(context, &pending.queried)?.unwrap_or(0.0);
        self.memory.learn(self.schedule, pending.arm, pending.p, reward(gain));
        Ok(())
    }
}

impl QueryStrategy for Deal {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        self.learn(context)?;
        let shares = self.memory.arms.shares(self.schedule.gamma);
        let arm = draw_arm(&shares, &mut context.seed.rng(ARM, context.round));
        let mut selection = self.candidates.select(arm, context, query_size)?;
        self.memory.pending = Some(Pending { arm, p: shares[arm], queried: selection.ids() });
        selection.weights = self.candidates.weights(&shares);
        selection.log.push(
            serde_json::json!({ "strategy": Self::INFO.name, "arm": self.candidates.name(arm), "steps": self.memory.steps }),
        );
        Ok(selection)
    }

    fn state(&self) -> StrategyState {
        save(&self.memory, &self.candidates)
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        if let Some(memory) = load::<Memory>(Self::INFO.name, state, &mut self.candidates)? {
            check_len(Self::INFO.name, memory.arms.log_weights.len(), self.candidates.len())?;
            self.memory = memory;
        }
        Ok(())
    }
}

impl Buildable for Deal {
    type Config = DealConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "deal",
        summary: "one strategy a round, learned by restarted EXP4 from gains in held-out accuracy",
        paper: "Pang et al., ICPR 2018",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings, Need::Retraining],
        parameters: &[
            Parameter {
                key: "candidates",
                default: "[\"random\", \"margin\", \"entropy\", \"core-set\"]",
                doc: "the strategies of which one is drawn a round",
            },
            Parameter { key: "horizon", default: "20", doc: "rounds that are expected" },
            Parameter { key: "variation", default: "1.0", doc: "how much rewards may drift in all; more means more restarts" },
            Parameter { key: "holdout", default: "0.2", doc: "share of the labels held out to measure a gain" },
        ],
    };

    fn build(config: DealConfig) -> Result<Self, StrategyError> {
        let valid = config.horizon > 0 && config.variation > 0.0 && config.holdout > 0.0 && config.holdout < 1.0;
        if !valid {
            return Err(config::parameter(
                Self::INFO.name,
                "expected positive `horizon` and `variation`, and `holdout` in (0, 1)",
            ));
        }
        let candidates = Candidates::build(Self::INFO.name, &config.candidates)?;
        let schedule = Schedule::new(candidates.len(), config.horizon, config.variation);
        let memory = Memory { arms: Arms::new(candidates.len()), steps: 0, pending: None };
        Ok(Self { config, schedule, candidates, memory })
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::Seed;

    use super::*;

    /// Expected values have six digits.
    const DIGITS: f64 = 1e-6;

    #[test]
    fn schedules_of_the_worked_example() {
        let slow = Schedule::new(7, 100, 1.0);
        assert_eq!(slow.restart_every, 52);
        assert!((slow.gamma - 0.390_446).abs() < DIGITS);
        let fast = Schedule::new(7, 100, 5.0);
        assert_eq!(fast.restart_every, 18);
        assert!((fast.gamma - 0.663_631).abs() < DIGITS);
        assert_eq!(Schedule::new(7, 18, 1.0).restart_every, 17);
    }

    #[test]
    fn a_gain_of_five_points_earns_all_and_a_loss_of_five_nothing() {
        assert_eq!([reward(0.2), reward(0.05), reward(0.0), reward(-0.05), reward(-0.3)], [1.0, 1.0, 0.5, 0.0, 0.0]);
    }

    /// Share of draws of the new best arm in the second half of a run whose best arm changes in the middle.
    fn second_half_share(schedule: Schedule) -> f64 {
        const ROUNDS: u32 = 400;
        let mut drawn = 0.0;
        for seed in 0..20 {
            let mut memory = Memory { arms: Arms::new(4), steps: 0, pending: None };
            for round in 0..ROUNDS {
                let shares = memory.arms.shares(schedule.gamma);
                let arm = draw_arm(&shares, &mut Seed(seed).rng(ARM, round));
                let best = usize::from(round >= ROUNDS / 2);
                memory.learn(schedule, arm, shares[arm], if arm == best { 0.9 } else { 0.1 });
                drawn += f64::from(round >= ROUNDS / 2 && arm == 1);
            }
        }
        drawn / f64::from(20 * ROUNDS / 2)
    }

    #[test]
    fn restarts_follow_a_best_arm_that_changes() {
        let schedule = Schedule { restart_every: 50, gamma: 0.3 };
        let never = Schedule { restart_every: u32::MAX, ..schedule };
        assert!(second_half_share(schedule) > second_half_share(never) + 0.1);
    }
}
