//! Labels needed to reach a target, and what that saves.

use serde::Serialize;

use super::bootstrap::{percentile, resample};
use super::{CONFIDENCE, mean};

/// Where a curve (labels, value; higher is better) first reaches `target`, between two rounds by a straight line; none if it never does.
pub fn labels_to_reach(curve: &[(f64, f64)], target: f64) -> Option<f64> {
    let first = curve.first()?;
    if first.1 >= target {
        return Some(first.0);
    }
    let crossing = curve.windows(2).find(|w| w[1].1 >= target)?;
    let ((x0, y0), (x1, y1)) = (crossing[0], crossing[1]);
    Some(x0 + (x1 - x0) * (target - y0) / (y1 - y0))
}

/// The level to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// What the baseline reaches with the whole budget; in a resample, what it reaches there.
    BaselineFinal,
    /// A fixed value.
    Value(f64),
}

/// Labels that a strategy's mean curve needs, and the share of the baseline's labels that this saves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Saving {
    /// Labels at which the strategy's mean curve reaches the target; none if it never does.
    pub labels: Option<f64>,
    /// Labels at which the baseline's does.
    pub baseline_labels: Option<f64>,
    /// `1 - labels / baseline_labels`.
    pub saving: Option<f64>,
    /// Lower end of the bootstrap interval; none where more than 2.5 % of the resamples never reach the target.
    pub low: Option<f64>,
    /// Upper end; none where the target is reached in too few resamples to say.
    pub high: Option<f64>,
}

/// Compares `strategy[seed][round]` with `baseline[seed][round]` at the same `labels` and seeds, higher is better.
///
/// Seeds are resampled jointly. A resample in which the strategy never reaches the target counts as the worst saving.
pub fn saving(labels: &[f64], strategy: &[Vec<f64>], baseline: &[Vec<f64>], target: Target, resamples: usize) -> Saving {
    let seeds = strategy.len();
    let once = |drawn: &[usize]| -> Option<(Option<f64>, Option<f64>)> {
        let theirs = mean_curve(labels, baseline, drawn)?;
        let level = match target {
            Target::BaselineFinal => theirs.last()?.1,
            Target::Value(v) => v,
        };
        Some((labels_to_reach(&mean_curve(labels, strategy, drawn)?, level), labels_to_reach(&theirs, level)))
    };
    let all: Vec<usize> = (0..seeds).collect();
    let Some((needed, baseline_labels)) = once(&all) else { return Saving::default() };
    let share = |needed: Option<f64>, theirs: Option<f64>| Some(1.0 - needed? / theirs.filter(|t| *t > 0.0)?);
    let mut drawn_savings = Vec::with_capacity(resamples);
    if seeds > 1 {
        resample(seeds, resamples, |drawn| {
            drawn_savings.push(once(drawn).and_then(|(a, b)| share(a, b)).unwrap_or(f64::NEG_INFINITY));
        });
    }
    drawn_savings.sort_by(f64::total_cmp);
    let end = |p: f64| percentile(&drawn_savings, p).filter(|v| v.is_finite());
    Saving {
        labels: needed,
        baseline_labels,
        saving: share(needed, baseline_labels),
        low: end((1.0 - CONFIDENCE) / 2.0),
        high: end(f64::midpoint(1.0, CONFIDENCE)),
    }
}

fn mean_curve(labels: &[f64], curves: &[Vec<f64>], drawn: &[usize]) -> Option<Vec<(f64, f64)>> {
    let at = |(i, &l): (usize, &f64)| Some((l, mean(&drawn.iter().map(|&s| curves[s][i]).collect::<Vec<_>>())?));
    labels.iter().enumerate().map(at).collect()
}
