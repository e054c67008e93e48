//! Learning curves over seeds, and which of them may be averaged or compared.
//!
//! A mean over seeds that stop at different rounds would change its seeds along the way, and a difference between strategies with
//! different seed sets would measure the seed sets. So a seed is *complete* when it covers the experiment's whole span without a gap;
//! areas, tests and rankings use complete seeds only, and pairs need the same digest of the seed set. [`crate::Experiment::all_notes`]
//! says what was left out.

use crate::experiment::{Cell, Experiment, StrategyRuns};
use crate::metric::Metric;
use crate::stats::{Estimate, area, paired};

/// The curves of one metric over all strategies of an experiment.
#[derive(Debug, Clone)]
pub struct Curves {
    /// What the values are.
    pub metric: Metric,
    /// One entry a strategy, in the experiment's order.
    pub strategies: Vec<StrategyCurves>,
    /// First and last label count of the experiment; none without rounds.
    pub span: Option<(usize, usize)>,
}

/// The curves of one strategy.
#[derive(Debug, Clone)]
pub struct StrategyCurves {
    /// What the strategy is called.
    pub label: String,
    /// Seeds that cover the whole span without a gap.
    pub complete: Vec<SeedCurve>,
    /// The others that have at least one round.
    pub partial: Vec<SeedCurve>,
}

/// One seed's curve.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedCurve {
    /// The seed.
    pub seed: u64,
    /// (labels, value) by ascending labels.
    pub points: Vec<(usize, f64)>,
    /// Digest of the seed set, where it is known.
    pub digest: Option<String>,
    /// Digest of the data, where it is known.
    pub data_digest: Option<String>,
}

impl Curves {
    /// The curves of `metric`.
    pub fn of(experiment: &Experiment, metric: Metric) -> Self {
        let ends = |c: &Cell| Some((c.rounds.first()?.labels, c.rounds.last()?.labels));
        let span = experiment.cells().filter_map(ends).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let strategies = experiment.strategies.iter().map(|s| StrategyCurves::of(s, metric, span)).collect();
        Self { metric, strategies, span }
    }

    /// The strategy of that label.
    pub fn strategy(&self, label: &str) -> Option<&StrategyCurves> {
        self.strategies.iter().find(|s| s.label == label)
    }

    /// +1 where a higher value is better, -1 where a lower one is.
    pub fn sign(&self) -> f64 {
        if self.metric.higher_is_better() { 1.0 } else { -1.0 }
    }

    /// The fewest complete seeds of any strategy that has one.
    pub fn fewest_seeds(&self) -> usize {
        self.strategies.iter().map(|s| s.complete.len()).filter(|n| *n > 0).min().unwrap_or(0)
    }
}

impl StrategyCurves {
    fn of(runs: &StrategyRuns, metric: Metric, span: Option<(usize, usize)>) -> Self {
        let curves: Vec<SeedCurve> =
            runs.cells.iter().map(|c| SeedCurve::of(c, metric)).filter(|c| !c.points.is_empty()).collect();
        let mut labels: Vec<usize> = curves.iter().flat_map(SeedCurve::labels).collect();
        labels.sort_unstable();
        labels.dedup();
        let has_gap = |seed: u64| runs.cell(seed).is_some_and(|c| !missing_rounds(c).is_empty());
        let is_complete = |c: &SeedCurve| {
            c.labels().eq(labels.iter().copied())
                && span == c.points.first().zip(c.points.last()).map(|(a, b)| (a.0, b.0))
                && !has_gap(c.seed)
        };
        let (complete, partial) = curves.into_iter().partition(is_complete);
        Self { label: runs.label().to_owned(), complete, partial }
    }

    /// The seeds that a curve is drawn from: the complete ones, or all of them while there is none.
    pub fn shown(&self) -> &[SeedCurve] {
        if self.complete.is_empty() { &self.partial } else { &self.complete }
    }

    /// Mean and band at every label count that all shown seeds have.
    pub fn mean(&self) -> Vec<(usize, Estimate)> {
        let shown: Vec<&SeedCurve> = self.shown().iter().collect();
        let at = |l: usize| Some((l, Estimate::of(&values_at(&shown, l)?)?));
        common_labels(&shown).into_iter().filter_map(at).collect()
    }

    /// Mean and interval at a label count; none unless every complete seed has it.
    pub fn at(&self, labels: usize) -> Option<Estimate> {
        Estimate::of(&values_at(&self.complete.iter().collect::<Vec<_>>(), labels)?)
    }

    /// The area under each complete seed's curve.
    pub fn areas(&self) -> Vec<(u64, f64)> {
        self.complete.iter().filter_map(|c| Some((c.seed, area::aubc(&c.points)?))).collect()
    }

    /// The area over seeds.
    pub fn area(&self) -> Option<Estimate> {
        Estimate::of(&self.areas().into_iter().map(|(_, a)| a).collect::<Vec<_>>())
    }
}

impl SeedCurve {
    fn of(cell: &Cell, metric: Metric) -> Self {
        let digest = cell.seed_set_digest().map(str::to_owned);
        let data_digest = cell.manifest.as_ref().map(|m| m.data.digest.clone()).filter(|d| !d.is_empty());
        Self { seed: cell.seed, points: cell.curve(metric), digest, data_digest }
    }

    fn labels(&self) -> impl Iterator<Item = usize> {
        self.points.iter().map(|p| p.0)
    }

    /// The value at a label count.
    pub fn at(&self, labels: usize) -> Option<f64> {
        self.points.iter().find(|p| p.0 == labels).map(|p| p.1)
    }

    fn comparable(&self, other: &Self) -> bool {
        let agree = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        self.seed == other.seed && agree(&self.digest, &other.digest) && agree(&self.data_digest, &other.data_digest)
    }
}

/// Two strategies over the seeds that they share.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    /// The first strategy's curves.
    pub a: Vec<&'a SeedCurve>,
    /// The second's, seed by seed.
    pub b: Vec<&'a SeedCurve>,
}

impl<'a> Pairs<'a> {
    /// Complete seeds of both with the same seed set and data.
    pub fn of(a: &'a StrategyCurves, b: &'a StrategyCurves) -> Self {
        let pair = |x: &'a SeedCurve| Some((x, b.complete.iter().find(|y| x.comparable(y))?));
        let (a, b) = a.complete.iter().filter_map(pair).unzip();
        Self { a, b }
    }

    /// Label counts that all of them have.
    pub fn labels(&self) -> Vec<usize> {
        let all: Vec<&SeedCurve> = self.a.iter().chain(&self.b).copied().collect();
        common_labels(&all)
    }

    /// The test at one label count.
    pub fn test_at(&self, labels: usize) -> Option<paired::PairedT> {
        paired::test(&values_at(&self.a, labels)?, &values_at(&self.b, labels)?)
    }

    /// The test of the areas.
    pub fn test_areas(&self) -> Option<paired::PairedT> {
        let areas = |side: &[&SeedCurve]| side.iter().map(|c| area::aubc(&c.points)).collect::<Option<Vec<f64>>>();
        paired::test(&areas(&self.a)?, &areas(&self.b)?)
    }
}

/// Seeds that every one of `strategies` completed with the same seed set, and their curves: `[strategy][seed]`.
pub fn shared_seeds<'a>(strategies: &[&'a StrategyCurves]) -> Vec<Vec<&'a SeedCurve>> {
    let mut shared = vec![Vec::new(); strategies.len()];
    let Some((first, rest)) = strategies.split_first() else { return shared };
    for seed in &first.complete {
        let others: Option<Vec<&SeedCurve>> = rest.iter().map(|s| s.complete.iter().find(|c| seed.comparable(c))).collect();
        if let Some(others) = others {
            shared[0].push(seed);
            shared[1..].iter_mut().zip(others).for_each(|(list, c)| list.push(c));
        }
    }
    shared
}

/// Label counts that every curve has.
pub fn common_labels(curves: &[&SeedCurve]) -> Vec<usize> {
    let Some((first, rest)) = curves.split_first() else { return Vec::new() };
    first.labels().filter(|&l| rest.iter().all(|c| c.at(l).is_some())).collect()
}

fn values_at(curves: &[&SeedCurve], labels: usize) -> Option<Vec<f64>> {
    curves.iter().map(|c| c.at(labels)).collect()
}

/// Round numbers that a cell skips before its last one.
pub(crate) fn missing_rounds(cell: &Cell) -> Vec<usize> {
    let Some(last) = cell.rounds.last() else { return Vec::new() };
    let first = cell.rounds.first().map_or(0, |r| r.round).min(1);
    (first..last.round).filter(|r| cell.rounds.iter().all(|x| x.round != *r)).collect()
}
