//! Both masks: oracles of specification 4.3, gradients against closed forms and finite differences.

use autoal_bilevel::mask::{budget_penalty, budget_threshold, exact_budget, sample_threshold, soft_mask};
use proptest::prelude::*;

use crate::support::{SINGLE, assert_close, host, leaf, vector};

/// Central differences of an `f64` function with this step are good to about its square.
const STEP: f64 = 1e-5;

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The mask in `f64`, by its definition.
fn definition(scores: &[f64], budget: f64, temperature: f64) -> Vec<f64> {
    let threshold = budget_threshold(scores, budget, temperature);
    scores.iter().map(|s| logistic((s - threshold) / temperature)).collect()
}

/// Gradient of `f` by central differences.
fn differences(at: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let moved = |i: usize, by: f64| {
        let mut point = at.to_vec();
        point[i] += by;
        f(&point)
    };
    (0..at.len()).map(|i| (moved(i, STEP) - moved(i, -STEP)) / (2.0 * STEP)).collect()
}

#[test]
fn the_exact_budget_equals_the_oracles() {
    let scores = [0.9, 0.5, 0.4, 0.1];
    assert_close(&[budget_threshold(&scores, 2.0, 0.1)], &[0.453_600_2], 1e-7);
    let mask = host(exact_budget(vector(&scores), 2.0, 0.1));
    assert_close(&mask, &[0.988_614_9, 0.613_962_1, 0.369_118_0, 0.028_305_0], SINGLE);
    assert_close(&[budget_threshold(&[0.0, 0.0, 0.0, 1.0], 1.0, 0.1)], &[0.555_319_6], 1e-7);
}

#[test]
fn the_exact_budgets_gradient_equals_the_oracle_the_closed_form_and_finite_differences() {
    let (scores, losses) = ([0.9, 0.5, 0.4, 0.1], [2.0, 1.0, 3.0, 0.0]);
    let at = leaf(&scores);
    let total = (exact_budget(at.clone(), 2.0, 0.1) * vector(&losses)).sum();
    let gradient = host(at.grad(&total.backward()).expect("scores are in the graph"));
    assert_close(&gradient, &[0.013_089_1, -2.094_502_2, 2.599_505_7, -0.518_092_6], 1e-4);

    let value = |s: &[f64]| definition(s, 2.0, 0.1).iter().zip(losses).map(|(m, l)| m * l).sum();
    assert_close(&gradient, &differences(&scores, value), 1e-4);

    let mask = definition(&scores, 2.0, 0.1);
    let slope: Vec<f64> = mask.iter().map(|m| m * (1.0 - m) / 0.1).collect();
    let sum: f64 = slope.iter().sum();
    let mean: f64 = slope.iter().zip(losses).map(|(g, l)| g * l / sum).sum();
    let closed: Vec<f64> = slope.iter().zip(losses).map(|(g, l)| g * (l - mean)).collect();
    assert_close(&gradient, &closed, 1e-4);
}

#[test]
fn the_penalty_and_its_gradient_equal_the_oracle() {
    let scores = [0.3; 4];
    let at = leaf(&scores);
    let penalty = budget_penalty(soft_mask(at.clone(), 0.3, 0.1), 1.0);
    assert_close(&host(penalty.clone()), &[1.0], SINGLE);
    let gradient = host(at.grad(&penalty.backward()).expect("scores are in the graph"));
    assert_close(&gradient, &[5.0; 4], 1e-4);
}

#[test]
fn the_penaltys_gradient_equals_finite_differences() {
    let scores = [0.9, 0.52, 0.4, 0.1, 0.55];
    let at = leaf(&scores);
    let penalty = budget_penalty(soft_mask(at.clone(), 0.5, 0.1), 2.0);
    let gradient = host(at.grad(&penalty.backward()).expect("scores are in the graph"));
    let value = |s: &[f64]| {
        let selected: f64 = s.iter().map(|s| logistic((s - 0.5) / 0.1)).sum();
        ((selected - 2.0) / 2.0).powi(2)
    };
    assert_close(&gradient, &differences(&scores, value), 1e-4);
}

#[test]
fn the_sample_threshold_lies_between_the_last_inside_and_the_first_outside() {
    let scores = [0.1, 0.9, 0.5, 0.7];
    assert_close(&[sample_threshold(&scores, 2), sample_threshold(&scores, 4)], &[0.6, 0.1], 1e-12);
}

proptest! {
    #[test]
    fn the_mask_sums_to_the_budget(scores in prop::collection::vec(0.0_f64..1.0, 3..120), part in 0.05_f64..0.95) {
        let budget = (part * scores.len() as f64).max(0.5);
        let selected: f64 = host(exact_budget(vector(&scores), budget, 0.05)).iter().sum();
        prop_assert!((selected - budget).abs() < 1e-4, "{selected} against {budget}");
    }

    #[test]
    fn a_common_shift_of_the_scores_changes_nothing(scores in prop::collection::vec(0.0_f64..1.0, 3..30), shift in -1.0_f64..1.0) {
        let moved: Vec<f64> = scores.iter().map(|s| s + shift).collect();
        let (a, b) = (definition(&scores, 1.5, 0.1), definition(&moved, 1.5, 0.1));
        prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
        // So the gradients of one mask entry with respect to all scores sum to zero.
        let at = leaf(&scores);
        let entry = exact_budget(at.clone(), 1.5, 0.1).narrow(0, 0, 1);
        let sum: f64 = host(at.grad(&entry.backward()).expect("scores are in the graph")).iter().sum();
        prop_assert!(sum.abs() < 1e-4, "{sum}");
    }
}
