//! Calibration by one temperature.
//!
//! `softmax(ln p / τ)` equals `softmax(z / τ)`, so log-probabilities are enough. On hold-out, τ is the value of a grid with the smallest
//! expected calibration error of a head (multinomial logistic regression on embeddings) that is fitted to 80 % of each class's labels
//! and looks at the rest. With fewer than 20 labels or two a class on average, τ is 1.

use autoal_data::{SampleId, Stream};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::{OutputsError, QueryContext, StrategyError, config, distance};

const STREAM: Stream = Stream::named("temperature-holdout");

/// Share of each class's labels that is held out.
const HELD_OUT: f64 = 0.2;

/// Bins of the calibration error, closed on the right.
const BINS: usize = 15;

/// Steps and step size of the head's gradient descent, on embeddings of length 1.
const STEPS: usize = 200;
const STEP_SIZE: f32 = 2.0;

/// The temperature τ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Temperature {
    /// This value.
    Fixed(f64),
    /// A rule.
    Rule(TemperatureRule),
}

/// How a temperature follows from the labeled samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TemperatureRule {
    /// Best calibrated on held-out labels.
    Holdout,
}

pub(super) fn check(strategy: &str, temperature: Temperature) -> Result<(), StrategyError> {
    match temperature {
        Temperature::Fixed(t) if !(t > 0.0 && t.is_finite()) => {
            Err(config::parameter(strategy, format!("`temperature` is {t}, expected a positive number or `holdout`")))
        }
        _ => Ok(()),
    }
}

/// The temperature for a query.
pub(super) fn resolve(temperature: Temperature, context: &QueryContext<'_>) -> Result<f64, OutputsError> {
    match temperature {
        Temperature::Fixed(temperature) => Ok(temperature),
        Temperature::Rule(TemperatureRule::Holdout) => on_holdout(context),
    }
}

/// `softmax(ln p / τ)`, `[C]`; not a number where a log-probability is.
pub(super) fn soften(log_proba: ArrayView1<'_, f32>, temperature: f64) -> Array1<f32> {
    if temperature == 1.0 {
        return log_proba.mapv(|lp| f64::from(lp).exp() as f32);
    }
    let top = log_proba.iter().fold(f32::NEG_INFINITY, |top, &lp| if lp > top || lp.is_nan() { lp } else { top });
    let weights: Vec<f64> = log_proba.iter().map(|&lp| (f64::from(lp - top) / temperature).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| (w / sum) as f32).collect()
}

fn on_holdout(context: &QueryContext<'_>) -> Result<f64, OutputsError> {
    let labels: Vec<usize> = context.labels.iter().map(|label| label.class()).collect();
    if labels.len() < 20.max(2 * context.num_classes) {
        return Ok(1.0);
    }
    let (unit, _) = distance::normalized(context.labeled_embeddings()?);
    let (train, test) = split(context, &labels);
    if train.is_empty() || test.is_empty() {
        return Ok(1.0);
    }
    let pick = |rows: &[usize]| rows.iter().map(|&row| labels[row]).collect::<Vec<_>>();
    let logits = fit(unit.select(Axis(0), &train).view(), &pick(&train), context.num_classes);
    let logits = unit.select(Axis(0), &test).dot(&logits);
    Ok(best(logits.view(), &pick(&test), BINS))
}

/// Rows to fit and rows held out, a fixed share of every class by keyed draw.
fn split(context: &QueryContext<'_>, labels: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    let key = |id: SampleId| (context.seed.hash(STREAM, context.round, id), id);
    for class in 0..context.num_classes {
        let mut members: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
        members.sort_by_key(|&row| key(context.labeled[row]));
        let held = (members.len() as f64 * HELD_OUT).round() as usize;
        test.extend_from_slice(&members[..held]);
        train.extend_from_slice(&members[held..]);
    }
    (train, test)
}

/// Weights of a multinomial logistic regression without bias, `[D, C]`, by full-batch gradient descent from zero.
fn fit(rows: ArrayView2<'_, f32>, labels: &[usize], classes: usize) -> Array2<f32> {
    let mut weight = Array2::<f32>::zeros((rows.ncols(), classes));
    for _ in 0..STEPS {
        let mut residual = rows.dot(&weight);
        for (mut row, &label) in residual.outer_iter_mut().zip(labels) {
            let proba = soften(row.view(), 1.000_000_1);
            row.assign(&proba);
            row[label] -= 1.0;
        }
        weight.scaled_add(-STEP_SIZE / labels.len() as f32, &rows.t().dot(&residual));
    }
    weight
}

/// The temperature of 1.0, 1.1, ... 19.9 with the smallest calibration error, the lowest among equals.
fn best(logits: ArrayView2<'_, f32>, labels: &[usize], bins: usize) -> f64 {
    let grid = (10..200).map(|tenths| f64::from(tenths) / 10.0);
    let error = |temperature: f64| calibration_error(logits, labels, temperature, bins);
    grid.map(|t| (error(t), t)).fold((f64::INFINITY, 1.0), |best, next| if next.0 < best.0 { next } else { best }).1
}

/// Expected calibration error over bins of equal width that are closed on the right.
fn calibration_error(logits: ArrayView2<'_, f32>, labels: &[usize], temperature: f64, bins: usize) -> f64 {
    let mut gaps = vec![0.0; bins];
    for (row, &label) in logits.outer_iter().zip(labels) {
        let top = (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
        let sum: f64 = row.iter().map(|&z| (f64::from(z - row[top]) / temperature).exp()).sum();
        let confidence = 1.0 / sum;
        let bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        gaps[bin] += confidence - f64::from(u8::from(top == label));
    }
    gaps.iter().map(|gap: &f64| gap.abs()).sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn worked_example_of_calibration() {
        let logits = array![[4.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 0.0], [0.0, 3.0], [2.0, 0.0]];
        let labels = [0, 1, 1, 0, 1, 1];
        for (bins, at_one, best_at) in [(2, 0.229_969_1, 3.5), (15, 0.319_616_3, 5.8)] {
            assert!((calibration_error(logits.view(), &labels, 1.0, bins) - at_one).abs() < 1e-6);
            assert_eq!(best(logits.view(), &labels, bins), best_at);
        }
    }

    #[test]
    fn the_head_learns_two_separate_classes() {
        let rows = array![[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]];
        let logits = rows.dot(&fit(rows.view(), &[0, 0, 1, 1], 2));
        assert!(logits.outer_iter().zip([0, 0, 1, 1]).all(|(z, y)| z[y] > z[1 - y]));
    }
}
