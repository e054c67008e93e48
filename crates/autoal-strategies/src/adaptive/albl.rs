//! ALBL: active learning by learning; EXP4.P over strategies, rewarded by an unbiased estimate of the model's accuracy.
//!
//! **Rule** (`batch`, ours for queries of several samples): strategy `κ` advises its own selection, `φ_κ` uniform on it. The query is drawn
//! without replacement by `q = Σ p_κ φ_κ`. At the next query the retrained model is asked whether it is right about all samples queried so
//! far; the reward is their importance-weighted accuracy, and one update is made with `φ_κ(i) / q_i` averaged over the last query.
//! **Rule** (`deepal`): one strategy is drawn by `p` and makes the whole query; the reward is the mean of correctness divided by the
//! share of the strategy at that time; only the strategy that was drawn is updated.
//!
//! **Cost**: one selection of every candidate strategy (`deepal`: of one). The state holds two numbers a queried sample.
//!
//! **Reference**: Hsu & Lin, AAAI 2015, Algorithm 1 and equation 1 (IW-ACC).

use std::collections::{HashMap, HashSet};

use autoal_data::{SampleId, Stream};
use ndarray::ArrayView1;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::candidates::{Candidates, check_len, load, save};
use super::exp4p::{Exp4P, importance_weighted_accuracy};
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selection, StrategyError, StrategyInfo, StrategySpec,
    StrategyState, config, random,
};

const DRAW: Stream = Stream::named("albl");
const ARM: Stream = Stream::named("albl-arm");

/// Active Learning By Learning.
pub struct Albl {
    config: AlblConfig,
    settings: Exp4P,
    candidates: Candidates,
    memory: Memory,
}

/// How queries of several samples are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlblVariant {
    /// Every sample is drawn from the mixture of all strategies.
    Batch,
    /// One strategy makes the whole query.
    Deepal,
}

/// Parameters of [`Albl`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AlblConfig {
    /// The strategies that are mixed.
    pub candidates: Vec<StrategySpec>,
    /// How queries are made.
    pub variant: AlblVariant,
    /// Failure probability of the bound.
    pub delta: f64,
    /// Rounds that are expected.
    pub horizon: u32,
}

impl Default for AlblConfig {
    fn default() -> Self {
        let names = ["random", "margin", "entropy", "core-set"];
        Self {
            candidates: names.into_iter().map(|name| StrategySpec::Name(name.into())).collect(),
            variant: AlblVariant::Batch,
            delta: 0.1,
            horizon: 20,
        }
    }
}

/// What a resumed run needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    log_weights: Vec<f64>,
    /// Every queried sample with the probability by which it was drawn.
    drawn: Vec<(SampleId, f64)>,
    /// Samples that could be drawn at the first query.
    population: usize,
    pending: Option<Pending>,
}

/// A query whose reward is not known yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pending {
    shares: Vec<f64>,
    /// `φ_κ(i) / q_i`, averaged over the query; zero for strategies that are not to be updated.
    advice: Vec<f64>,
    /// The strategy that made the query, where one did.
    arm: Option<usize>,
}

impl Albl {
    /// Learns from the last query, as the present model sees it.
    fn learn(&mut self, context: &QueryContext<'_>) -> Result<(), QueryError> {
        let Some(pending) = self.memory.pending.take() else { return Ok(()) };
        let log_proba = context.labeled_log_proba().map_err(QueryError::outputs(Self::INFO.name))?;
        let row_of: HashMap<SampleId, usize> = context.labeled.iter().enumerate().map(|(row, id)| (*id, row)).collect();
        let correct = |row: usize| argmax(log_proba.row(row)) == context.labels[row].class();
        let outcome = |(id, q): &(SampleId, f64)| row_of.get(id).map(|row| (correct(*row), *q));
        let outcomes: Vec<(bool, f64)> = self.memory.drawn.iter().filter_map(outcome).collect();
        let weights = &mut self.memory.log_weights;
        match pending.arm {
            None => {
                let reward = importance_weighted_accuracy(outcomes.into_iter(), self.memory.population).min(1.0);
                self.settings.update(weights, &pending.shares, &pending.advice, reward);
            }
            Some(arm) => {
                let reward = importance_weighted_accuracy(outcomes.into_iter(), 1);
                self.settings.update(&mut weights[arm..=arm], &pending.shares[arm..=arm], &[1.0], reward);
            }
        }
        Ok(())
    }

    fn draw_from_mixture(&mut self, context: &QueryContext<'_>, shares: Vec<f64>, count: usize) -> Result<Selection, QueryError> {
        let nominations = self.candidates.nominations(context, count)?;
        let row_of = |id: &SampleId| context.candidates.binary_search(id).expect("strategies select candidates");
        let mut mixture = vec![0.0; context.candidates.len()];
        for (ids, share) in nominations.iter().zip(&shares) {
            for id in ids {
                mixture[row_of(id)] += share / ids.len() as f64;
            }
        }
        let log_q: Vec<f64> = mixture.iter().map(|q| q.ln()).collect();
        let keys: Vec<f64> = log_q.iter().zip(random::gumbel(context, DRAW)).map(|(q, gumbel)| q + gumbel).collect();
        let mut selection = crate::rank::select(&keys, context.candidates, count);
        selection.samples.iter_mut().for_each(|sample| sample.score = Some(mixture[row_of(&sample.id)]));
        let chosen = selection.ids();
        let named: Vec<HashSet<SampleId>> = nominations.iter().map(|ids| ids.iter().copied().collect()).collect();
        let advice = |named: &HashSet<SampleId>| {
            let shares = chosen.iter().filter(|id| named.contains(id)).map(|id| 1.0 / (named.len() as f64 * mixture[row_of(id)]));
            shares.sum::<f64>() / chosen.len() as f64
        };
        let advice = named.iter().map(advice).collect();
        let names = |id: &SampleId| {
            let names = (0..named.len()).filter(|&candidate| named[candidate].contains(id));
            names.map(|candidate| self.candidates.name(candidate).to_owned()).collect()
        };
        selection.nominated_by = chosen.iter().map(names).collect();
        self.memory.drawn.extend(chosen.iter().map(|id| (*id, mixture[row_of(id)])));
        self.memory.pending = Some(Pending { shares, advice, arm: None });
        Ok(selection)
    }

    fn draw_strategy(&mut self, context: &QueryContext<'_>, shares: Vec<f64>, count: usize) -> Result<Selection, QueryError> {
        let arm = draw_arm(&shares, &mut context.seed.rng(ARM, context.round));
        let selection = self.candidates.select(arm, context, count)?;
        self.memory.drawn.extend(selection.ids().into_iter().map(|id| (id, shares[arm])));
        self.memory.pending = Some(Pending { shares, advice: Vec::new(), arm: Some(arm) });
        Ok(selection)
    }
}

/// An index drawn by shares that sum to 1.
pub(super) fn draw_arm(shares: &[f64], rng: &mut impl Rng) -> usize {
    let mut rest = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    for (arm, share) in shares.iter().enumerate() {
        if rest < *share {
            return arm;
        }
        rest -= share;
    }
    shares.len() - 1
}

/// The first of the largest values.
pub(super) fn argmax(values: ArrayView1<'_, f32>) -> usize {
    (0..values.len()).fold(0, |best, class| if values[class] > values[best] { class } else { best })
}

impl QueryStrategy for Albl {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        self.learn(context)?;
        if self.memory.population == 0 {
            self.memory.population = context.candidates.len();
        }
        let shares = self.settings.shares(&self.memory.log_weights);
        let weights = self.candidates.weights(&shares);
        let selection = match self.config.variant {
            AlblVariant::Batch => self.draw_from_mixture(context, shares, query_size)?,
            AlblVariant::Deepal => self.draw_strategy(context, shares, query_size)?,
        };
        Ok(Selection { weights, ..selection })
    }

    fn state(&self) -> StrategyState {
        save(&self.memory, &self.candidates)
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        if let Some(memory) = load::<Memory>(Self::INFO.name, state, &mut self.candidates)? {
            check_len(Self::INFO.name, memory.log_weights.len(), self.candidates.len())?;
            self.memory = memory;
        }
        Ok(())
    }
}

impl Buildable for Albl {
    type Config = AlblConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "albl",
        summary: "a mixture of strategies, learned by EXP4.P from the model's accuracy on queried samples",
        paper: "Hsu & Lin, AAAI 2015",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings, Need::LabeledLogProba],
        parameters: &[
            Parameter {
                key: "candidates",
                default: "[\"random\", \"margin\", \"entropy\", \"core-set\"]",
                doc: "the strategies that are mixed",
            },
            Parameter { key: "variant", default: "\"batch\"", doc: "`batch` draws every sample, `deepal` one strategy a round" },
            Parameter { key: "delta", default: "0.1", doc: "failure probability of the bound" },
            Parameter { key: "horizon", default: "20", doc: "rounds that are expected" },
        ],
    };

    fn build(config: AlblConfig) -> Result<Self, StrategyError> {
        if !(config.delta > 0.0 && config.delta < 1.0) || config.horizon == 0 {
            return Err(config::parameter(Self::INFO.name, "expected `delta` in (0, 1) and `horizon` of at least 1"));
        }
        let candidates = Candidates::build(Self::INFO.name, &config.candidates)?;
        let settings = match config.variant {
            AlblVariant::Batch => Exp4P::new(candidates.len(), f64::from(config.horizon), config.delta),
            AlblVariant::Deepal => Exp4P::deepal(candidates.len(), config.delta),
        };
        let memory = Memory { log_weights: vec![0.0; candidates.len()], ..Memory::default() };
        Ok(Self { config, settings, candidates, memory })
    }
}
