//! TAILOR: Thompson sampling over strategies by the classes of the samples that each of them brought.
//!
//! **Rule**: `a[κ, c]` counts the labels of class `c` that strategy `κ` brought, 1 at the start, old ones fading by 0.9 a round. For each
//! slot of the query, `θ_κ ~ Dirichlet(a_κ + 1)`; the strategy with the largest `θ_κ · v` gives its next sample that is not taken yet. The
//! class weights favour rare classes: `v_c = 1 / max(1, n_c)` with `n_c` labels so far, negative for a class with more than half of them.
//!
//! **Cost**: one selection of every candidate strategy and O(query size K C) gamma variates.
//!
//! **Reference**: Zhang, Shao, Verma, Canal, Nowak, NeurIPS 2023, Algorithm 1 (multi-class, class diversity).

use std::collections::HashSet;

use autoal_data::{Label, SampleId, Stream};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::candidates::{Candidates, check_len, load, save};
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, RoundOutcome, Selection, StrategyError, StrategyInfo,
    StrategySpec, StrategyState, config,
};

const SLOT: Stream = Stream::named("tailor");

/// Thompson Active Learning Algorithm Selection.
pub struct Tailor {
    config: TailorConfig,
    candidates: Candidates,
    memory: Memory,
}

/// Parameters of [`Tailor`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TailorConfig {
    /// The strategies that fill the query.
    pub candidates: Vec<StrategySpec>,
    /// What is left of old counts after a round.
    pub discount: f64,
}

impl Default for TailorConfig {
    fn default() -> Self {
        let names = ["random", "margin", "badge", "typi-clust"];
        Self { candidates: names.into_iter().map(|name| StrategySpec::Name(name.into())).collect(), discount: 0.9 }
    }
}

/// What a resumed run needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    /// `a`, `[K][C]`; empty before the first query.
    counts: Vec<Vec<f64>>,
    /// The strategy that gave each sample of the last query.
    givers: Vec<usize>,
}

/// `v`, `[C]`, from the number of labels of each class.
fn class_weights(counts: &[usize]) -> Vec<f64> {
    let total: usize = counts.iter().sum();
    let weight = |&count: &usize| {
        let weight = 1.0 / count.max(1) as f64;
        if 2 * count > total { -weight } else { weight }
    };
    counts.iter().map(weight).collect()
}

impl Memory {
    /// Fades old counts, then adds the labels of the last query.
    fn learn(&mut self, labels: &[Label], discount: f64) {
        self.counts.iter_mut().flatten().for_each(|count| *count *= discount);
        for (&giver, label) in self.givers.iter().zip(labels) {
            if let Some(count) = self.counts.get_mut(giver).and_then(|counts| counts.get_mut(label.class())) {
                *count += 1.0;
            }
        }
        self.givers.clear();
    }

    /// The strategy with the largest `θ · v`.
    fn draw(&self, weights: &[f64], rng: &mut impl Rng) -> usize {
        let mut best = (0, f64::NEG_INFINITY);
        for (index, counts) in self.counts.iter().enumerate() {
            let gammas: Vec<f64> = counts.iter().map(|a| gamma(a + 1.0, rng)).collect();
            let total: f64 = gammas.iter().sum();
            let value = gammas.iter().zip(weights).map(|(g, v)| g * v).sum::<f64>() / total;
            if value > best.1 {
                best = (index, value);
            }
        }
        best.0
    }
}

/// A variate of Gamma(shape, 1) for a shape of at least 1 (Marsaglia & Tsang, ACM TOMS 2000).
fn gamma(shape: f64, rng: &mut impl Rng) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && unit(rng).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// A standard normal variate (Box & Muller).
fn normal(rng: &mut impl Rng) -> f64 {
    (-2.0 * unit(rng).ln()).sqrt() * (std::f64::consts::TAU * unit(rng)).cos()
}

/// A uniform number in (0, 1).
fn unit(rng: &mut impl Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

impl Tailor {
    fn start(&mut self, num_classes: usize) -> Result<(), QueryError> {
        if self.memory.counts.is_empty() {
            self.memory.counts = vec![vec![1.0; num_classes]; self.candidates.len()];
        }
        match self.memory.counts.iter().find(|counts| counts.len() != num_classes) {
            Some(counts) => {
                let detail = format!("its state has {} classes, the data set has {num_classes}", counts.len());
                Err(QueryError::strategy(Self::INFO.name, detail))
            }
            None => Ok(()),
        }
    }
}

impl QueryStrategy for Tailor {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        self.start(context.num_classes)?;
        let mut labels = vec![0; context.num_classes];
        context.labels.iter().for_each(|label| labels[label.class()] += 1);
        let weights = class_weights(&labels);
        // A list of the query's own length lasts: fewer samples than that can have been taken by others.
        let mut lists: Vec<_> = self.candidates.nominations(context, query_size)?.into_iter().map(Vec::into_iter).collect();
        let mut rng = context.seed.rng(SLOT, context.round);
        let (mut taken, mut chosen): (HashSet<SampleId>, Vec<SampleId>) = (HashSet::new(), Vec::new());
        self.memory.givers.clear();
        let mut slots = vec![0.0; lists.len()];
        while chosen.len() < query_size {
            let giver = self.memory.draw(&weights, &mut rng);
            let Some(id) = lists[giver].find(|id| !taken.contains(id)) else { break };
            taken.insert(id);
            chosen.push(id);
            self.memory.givers.push(giver);
            slots[giver] += 1.0;
        }
        let weights = self.candidates.weights(&slots);
        let nominated_by = self.memory.givers.iter().map(|&giver| vec![self.candidates.name(giver).to_owned()]).collect();
        Ok(Selection { nominated_by, weights, ..Selection::of(chosen) })
    }

    fn observe(&mut self, outcome: &RoundOutcome<'_>) {
        self.memory.learn(outcome.labels, self.config.discount);
    }

    fn state(&self) -> StrategyState {
        save(&self.memory, &self.candidates)
    }

    fn restore(&mut self, state: &StrategyState) -> Result<(), StrategyError> {
        if let Some(memory) = load::<Memory>(Self::INFO.name, state, &mut self.candidates)? {
            if !memory.counts.is_empty() {
                check_len(Self::INFO.name, memory.counts.len(), self.candidates.len())?;
            }
            self.memory = memory;
        }
        Ok(())
    }
}

impl Buildable for Tailor {
    type Config = TailorConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "tailor",
        summary: "a mixture of strategies, learned from the classes of what each of them brought",
        paper: "Zhang et al., NeurIPS 2023",
        needs: &[Need::LogProba, Need::Embeddings, Need::LabeledEmbeddings, Need::LabeledLabels],
        parameters: &[
            Parameter {
                key: "candidates",
                default: "[\"random\", \"margin\", \"badge\", \"typi-clust\"]",
                doc: "the strategies that fill the query",
            },
            Parameter { key: "discount", default: "0.9", doc: "what is left of old counts after a round" },
        ],
    };

    fn build(config: TailorConfig) -> Result<Self, StrategyError> {
        if !(0.0..=1.0).contains(&config.discount) {
            return Err(config::parameter(Self::INFO.name, format!("`discount` is {}, expected 0 to 1", config.discount)));
        }
        Ok(Self { candidates: Candidates::build(Self::INFO.name, &config.candidates)?, memory: Memory::default(), config })
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::Seed;

    use super::*;

    #[test]
    fn rare_classes_weigh_most_and_a_majority_counts_against() {
        assert_eq!(class_weights(&[8, 1, 1]), [-0.125, 1.0, 1.0]);
        assert_eq!(class_weights(&[0, 5, 5]), [1.0, 0.2, 0.2]);
    }

    #[test]
    fn counts_fade_once_a_round_and_labels_go_to_the_strategy_that_brought_them() {
        let mut memory = Memory { counts: vec![vec![1.0; 2]; 2], givers: vec![0, 1, 0] };
        memory.learn(&[Label(1), Label(0), Label(1)], 0.9);
        assert_eq!(memory.counts, [[0.9, 2.9], [1.9, 0.9]]);
        memory.learn(&[], 0.5);
        assert_eq!(memory.counts, [[0.45, 1.45], [0.95, 0.45]]);
    }

    #[test]
    fn gamma_variates_have_the_mean_and_variance_of_their_shape() {
        let mut rng = Seed(1).rng(SLOT, 0);
        for shape in [1.0, 2.0, 7.5] {
            let draws: Vec<f64> = (0..40_000).map(|_| gamma(shape, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / 40_000.0;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 40_000.0;
            // Six standard errors of the mean, and of the variance for the widest of these.
            assert!((mean - shape).abs() < 6.0 * (shape / 40_000.0_f64).sqrt(), "{mean}");
            assert!((variance / shape - 1.0).abs() < 0.1, "{variance}");
        }
    }

    #[test]
    fn a_strategy_that_brings_the_rare_class_wins_most_slots() {
        let mut memory = Memory { counts: vec![vec![1.0; 3]; 3], givers: Vec::new() };
        let weights = class_weights(&[90, 5, 5]);
        let mut won = [0; 3];
        for round in 0..8 {
            let mut rng = Seed(2).rng(SLOT, round);
            memory.givers = (0..30).map(|_| memory.draw(&weights, &mut rng)).collect();
            won = [0; 3];
            memory.givers.iter().for_each(|giver| won[*giver] += 1);
            let labels: Vec<Label> = memory.givers.iter().map(|giver| Label(u16::from(*giver == 2))).collect();
            memory.learn(&labels, 0.9);
        }
        assert!(won[2] > 20, "{won:?}");
    }
}
