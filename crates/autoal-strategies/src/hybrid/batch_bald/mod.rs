//! `BatchBALD`: the samples whose labels together tell most about the model's parameters.
//!
//! **Formula**: greedily maximises `a(S) = H(y_S) - Σ_{i∈S} E_t H(p_{t,i})`. The gain of a sample is the mean entropy of its label given
//! a joint outcome `y_S`, `E_{y_S} H(y_i | y_S)`, minus `E_t H(p_{t,i})`. The mean runs over all `C^|S|` outcomes while these are at most
//! `max-outcomes`, and from then on over that many outcomes drawn from the passes (equation 12 of the paper; as many from each pass).
//! With all outcomes a sample's gain never grows as the set does and starts at its BALD, so stale gains are upper bounds and most
//! samples are never evaluated (lazy greedy); the answer is that of plain greedy. With drawn outcomes that holds up to their noise.
//! `Selected::score` is the gain in nats.
//!
//! **Limits**: `a(S) <= ln T`, so a few picks exhaust `T` passes. When the best gain is below 1e-6 nats (1e-4 with drawn
//! outcomes), `max-greedy` samples are chosen, or `joint = "exact"` has too many outcomes, the rest of the query is drawn by `PowerBALD`;
//! those have no score.
//!
//! **Cost**: O(M T C) a gain and O(M T) memory for `M <= max-outcomes` outcomes, after O(N T C) for BALD; `shortlist` (0: all) keeps that
//! many of the highest BALD a pick, whose passes are held: O(shortlist T C) memory.
//!
//! **Reference**: Kirsch, van Amersfoort, Gal, NeurIPS 2019, equations 5 to 12.

mod joint;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use autoal_data::{SampleId, Stream};
use ndarray::Array3;
use rand::Rng;
use serde::{Deserialize, Serialize};

use self::joint::JointOutcomes;
use super::power::{self, Perturbation};
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Selected, Selection, StrategyError, StrategyInfo,
    SubsetOutputs, config, rank,
};

/// Gains below this many nats are rounding of a joint entropy near its ceiling.
const LEAST_GAIN: f64 = 1e-6;

/// Gains below this many nats are what drawn outcomes cannot tell from nothing.
const LEAST_DRAWN_GAIN: f64 = 1e-4;

const OUTCOMES: Stream = Stream::named("batch-bald-outcomes");

/// Mutual information between the labels of a batch and the parameters.
#[derive(Debug, Clone, Copy)]
pub struct BatchBald {
    config: BatchBaldConfig,
}

/// How the joint entropy is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Joint {
    /// Over all outcomes; no greedy choice where there are too many.
    Exact,
    /// Over all outcomes while there are few, then over drawn ones.
    Sampled,
}

/// Parameters of [`BatchBald`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct BatchBaldConfig {
    /// How the joint entropy is computed.
    pub joint: Joint,
    /// Most joint outcomes.
    pub max_outcomes: usize,
    /// Most samples chosen greedily.
    pub max_greedy: usize,
    /// Samples a pick that take part, those of the highest BALD; 0 for all.
    pub shortlist: usize,
}

impl Default for BatchBaldConfig {
    fn default() -> Self {
        Self { joint: Joint::Sampled, max_outcomes: 10_000, max_greedy: 50, shortlist: 50 }
    }
}

impl QueryStrategy for BatchBald {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let scores = power::bald(context, Self::INFO.name)?.to_vec();
        let rows = self.shortlist(&scores, context, query_size);
        let passes = context.outputs.mc_proba(&rows).map_err(QueryError::outputs(Self::INFO.name))?;
        let ids: Vec<SampleId> = rows.iter().map(|&row| context.candidates[row]).collect();
        let picks = self.greedy(&passes, &ids, query_size, &mut context.seed.rng(OUTCOMES, context.round));
        let mut samples: Vec<Selected> =
            picks.iter().map(|pick| Selected { id: context.candidates[rows[pick.0]], score: Some(pick.1) }).collect();
        let mut rest = vec![true; scores.len()];
        for pick in &picks {
            rest[rows[pick.0]] = false;
        }
        samples.extend(drawn_by_power(context, &scores, &rest, query_size - samples.len()));
        Ok(Selection { samples, nan_scores: scores.iter().filter(|score| score.is_nan()).count(), ..Selection::default() })
    }
}

impl BatchBald {
    /// Rows that take part in the greedy choice, by descending BALD.
    fn shortlist(&self, scores: &[f64], context: &QueryContext<'_>, query_size: usize) -> Vec<usize> {
        let picks = query_size.min(self.config.max_greedy);
        let count = if self.config.shortlist == 0 { scores.len() } else { picks.saturating_mul(self.config.shortlist) };
        let mut rows = rank::top(scores, context.candidates, count);
        rows.retain(|&row| !scores[row].is_nan());
        rows
    }

    /// Positions in the shortlist with their gains, in order of choice. `passes` `[T, shortlist, C]` and `ids` are of the shortlist.
    fn greedy(&self, passes: &Array3<f32>, ids: &[SampleId], query_size: usize, rng: &mut impl Rng) -> Vec<(usize, f64)> {
        let mut joint = JointOutcomes::new(passes);
        let gain = |position: usize| Gain { value: joint.gain(position), id: ids[position], position, round: 0 };
        let mut heap: BinaryHeap<Gain> = (0..ids.len()).map(gain).collect();
        let mut picks: Vec<(usize, f64)> = Vec::new();
        while let Some(best) = heap.pop() {
            if best.round < picks.len() {
                heap.push(Gain { value: joint.gain(best.position), round: picks.len(), ..best });
                continue;
            }
            let least = if joint.are_drawn() { LEAST_DRAWN_GAIN } else { LEAST_GAIN };
            if best.value < least || !best.value.is_finite() {
                break;
            }
            picks.push((best.position, best.value));
            if picks.len() == query_size.min(self.config.max_greedy) || !self.extend(&mut joint, best.position, rng) {
                break;
            }
        }
        picks
    }

    /// Adds a pick to the joint outcomes; false when there would be too many for the gains of a further one.
    fn extend(&self, joint: &mut JointOutcomes<'_>, position: usize, rng: &mut impl Rng) -> bool {
        if joint.would_be(2) <= self.config.max_outcomes {
            joint.add_all(position);
            return true;
        }
        if self.config.joint == Joint::Sampled {
            joint.add_drawn(position, self.config.max_outcomes, rng);
        }
        self.config.joint == Joint::Sampled
    }
}

/// The remaining samples of the query, drawn by `PowerBALD` among the rows in `rest`.
fn drawn_by_power(context: &QueryContext<'_>, scores: &[f64], rest: &[bool], count: usize) -> Vec<Selected> {
    let rows: Vec<usize> = (0..rest.len()).filter(|&row| rest[row]).collect();
    let scores: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
    let outputs = SubsetOutputs::new(context.outputs, rows);
    let candidates = outputs.ids(context.candidates);
    let rest = QueryContext { candidates: &candidates, outputs: &outputs, ..*context };
    let drawn = power::select(&scores, &rest, Perturbation::Power, 1.0, count);
    drawn.samples.into_iter().map(|sample| Selected { score: None, ..sample }).collect()
}

/// A gain as of `round` picks; ordered by gain, then by lower id.
struct Gain {
    value: f64,
    id: SampleId,
    position: usize,
    round: usize,
}

impl Ord for Gain {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then(other.id.cmp(&self.id))
    }
}

impl PartialOrd for Gain {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Gain {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Gain {}

impl Buildable for BatchBald {
    type Config = BatchBaldConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "batch-bald",
        summary: "samples whose labels together tell most about the parameters; small queries only",
        paper: "Kirsch et al., NeurIPS 2019",
        needs: &[Need::McDropout],
        parameters: &[
            Parameter {
                key: "joint",
                default: "\"sampled\"",
                doc: "outcomes of the joint entropy: `exact`, all; `sampled`, drawn ones where there are too many",
            },
            Parameter {
                key: "max-outcomes",
                default: "10000",
                doc: "most joint outcomes; beyond, `exact` leaves the rest to PowerBALD",
            },
            Parameter { key: "max-greedy", default: "50", doc: "samples beyond which PowerBALD draws the rest" },
            Parameter { key: "shortlist", default: "50", doc: "samples of the highest BALD that take part, per pick; 0 for all" },
        ],
    };

    fn build(config: BatchBaldConfig) -> Result<Self, StrategyError> {
        if config.max_greedy == 0 || config.max_outcomes == 0 {
            return Err(config::parameter(Self::INFO.name, "`max-greedy` and `max-outcomes` must be at least 1"));
        }
        Ok(Self { config })
    }
}

#[cfg(test)]
mod tests {
    use autoal_data::Seed;
    use ndarray::Axis;
    use proptest::prelude::*;

    use super::*;
    use crate::ArrayOutputs;

    /// Expected values are given with seven digits.
    const DIGITS: f64 = 2e-6;

    fn picks(passes: &Array3<f32>, count: usize) -> Vec<(u32, f64)> {
        let outputs = ArrayOutputs::new().with_mc_proba(passes.view());
        let candidates: Vec<SampleId> = (0..passes.len_of(Axis(1)) as u32).map(SampleId).collect();
        let context = QueryContext {
            candidates: &candidates,
            labeled: &[],
            labels: &[],
            num_classes: passes.len_of(Axis(2)),
            seed: Seed(0),
            round: 0,
            outputs: &outputs,
        };
        let mut strategy = BatchBald::build(BatchBaldConfig { shortlist: 0, ..Default::default() }).expect("valid");
        let selection = strategy.select(&context, count).expect("passes are given");
        selection.samples.iter().filter_map(|s| Some((s.id.0, s.score?))).collect()
    }

    /// Binary passes from the probabilities of the first class, `[N][T]`.
    fn binary(first: &[&[f32]]) -> Array3<f32> {
        Array3::from_shape_fn((first[0].len(), first.len(), 2), |(t, i, c)| if c == 0 { first[i][t] } else { 1.0 - first[i][t] })
    }

    #[test]
    fn gains_of_the_worked_example() {
        let passes = binary(&[&[0.9, 0.1], &[0.9, 0.1], &[0.8, 0.6], &[0.3, 0.7]]);
        let found = picks(&passes, 3);
        assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [0, 1, 3]);
        let totals: Vec<f64> = found
            .iter()
            .scan(0.0, |sum, (_, gain)| {
                *sum += gain;
                Some(*sum)
            })
            .collect();
        for (found, expected) in totals.iter().zip([0.368_064_2, 0.514_374_7, 0.532_528_5]) {
            assert!((found - expected).abs() < DIGITS, "{totals:?}");
        }
    }

    #[test]
    fn a_copy_of_a_chosen_sample_loses_against_a_new_one() {
        let passes = binary(&[&[0.9, 0.1, 0.9], &[0.9, 0.1, 0.9], &[0.2, 0.8, 0.8], &[0.5, 0.5, 0.5]]);
        let found = picks(&passes, 2);
        assert_eq!(found[1].0, 2);
        assert!((found[0].1 + found[1].1 - 0.478_350_2).abs() < DIGITS);
    }

    #[test]
    fn drawn_outcomes_estimate_the_gains_of_all_outcomes() {
        let first: Vec<Vec<f32>> = (0..8).map(|i| (0..4).map(|t| 0.1 + 0.2 * ((i * 3 + t * 5) % 5) as f32).collect()).collect();
        let passes = binary(&first.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (mut all, mut drawn) = (JointOutcomes::new(&passes), JointOutcomes::new(&passes));
        let mut rng = Seed(3).rng(OUTCOMES, 0);
        for position in 0..5 {
            all.add_all(position);
            drawn.add_drawn(position, 40_000, &mut rng);
            for other in position + 1..8 {
                // The entropy of one binary label varies by less than ln 2 from outcome to outcome: five standard errors.
                let error = (all.gain(other) - drawn.gain(other)).abs();
                assert!(error < 5.0 * 2.0_f64.ln() / 200.0, "{position} {other}: {error}");
            }
        }
    }

    #[test]
    fn a_long_query_goes_on_with_drawn_outcomes_and_stops_without_them() {
        let passes = Array3::from_shape_fn((20, 12, 3), |(t, i, c)| if (t * 7 + i * t + i) % 3 == c { 0.8 } else { 0.1 });
        let ids: Vec<SampleId> = (0..12).map(SampleId).collect();
        let picks = |joint| {
            let strategy = BatchBald::build(BatchBaldConfig { joint, max_outcomes: 100, shortlist: 0, ..Default::default() })
                .expect("valid");
            strategy.greedy(&passes, &ids, 12, &mut Seed(1).rng(OUTCOMES, 0))
        };
        let (exact, sampled) = (picks(Joint::Exact), picks(Joint::Sampled));
        assert!(exact.len() == 4 && sampled.len() > 6, "{} {}", exact.len(), sampled.len());
        assert_eq!(exact[..4].iter().map(|p| p.0).collect::<Vec<_>>(), sampled[..4].iter().map(|p| p.0).collect::<Vec<_>>());
        // The information of a set never exceeds the logarithm of the number of passes.
        assert!(sampled.iter().map(|pick| pick.1).sum::<f64>() < 20.0_f64.ln() + 0.05);
    }

    #[test]
    fn samples_without_information_are_left_to_the_random_draw() {
        let found = picks(&binary(&[&[0.5, 0.5], &[0.9, 0.1], &[0.2, 0.2]]), 3);
        assert_eq!(found.len(), 1);
    }

    proptest! {
        #[test]
        fn lazy_greedy_equals_plain_greedy(logits in prop::collection::vec(-2.0_f32..2.0, 4 * 6 * 3)) {
            let passes = Array3::from_shape_fn((4, 6, 3), |(t, i, c)| {
                let z = &logits[(t * 6 + i) * 3..(t * 6 + i) * 3 + 3];
                z[c].exp() / z.iter().map(|z| z.exp()).sum::<f32>()
            });
            let mut joint = JointOutcomes::new(&passes);
            let mut plain = Vec::new();
            for _ in 0..4 {
                let free: Vec<usize> = (0..6).filter(|i| !plain.contains(i)).collect();
                let gains: Vec<f64> = free.iter().map(|&i| joint.gain(i)).collect();
                plain.push(free[rank::argmax(&gains).expect("samples are left")]);
                joint.add_all(plain[plain.len() - 1]);
            }
            let lazy: Vec<usize> = picks(&passes, 4).iter().map(|(id, _)| *id as usize).collect();
            prop_assert_eq!(&lazy[..], &plain[..lazy.len()]);
        }
    }
}
