//! The mixture and its quantile: oracles of specification 4.1, laws.

use autoal_bilevel::config::Threshold;
use autoal_bilevel::gate::threshold;
use autoal_bilevel::mixture::{Component, Mixture};
use autoal_data::{Seed, Stream};
use proptest::prelude::*;
use rand::Rng;

use crate::support::{assert_close, noise};

/// Bisection runs to the last bits; `erfc` is good to about 1e-15.
const QUANTILE: f64 = 1e-7;
/// Digits that the specification gives.
const PRINTED: f64 = 5e-8;

fn rng(seed: u64) -> impl Rng {
    Seed(seed).rng(Stream::named("test-mixture"), 0)
}

fn component(weight: f64, mean: f64, variance: f64) -> Component {
    Component { weight, mean, variance }
}

#[test]
fn quantiles_equal_the_specifications_oracles() {
    let normal = Mixture::new(vec![component(1.0, 0.0, 1.0)]);
    assert_close(&[normal.upper_quantile(0.02)], &[2.053_748_9], QUANTILE);
    let two = Mixture::new(vec![component(0.5, -1.0, 0.01), component(0.5, 1.0, 0.01)]);
    assert_close(&[two.upper_quantile(0.25), two.upper_quantile(0.02)], &[1.0, 1.175_068_6], QUANTILE);
}

#[test]
fn one_step_of_expectation_maximisation_equals_the_oracle() {
    let mut mixture = Mixture::new(vec![component(0.5, 0.25, 0.25), component(0.5, 0.75, 0.25)]);
    let likelihood = mixture.step(&[0.0, 0.0, 1.0, 1.0], 0.0);
    // The specification's log-likelihood is of all four samples.
    assert_close(&[4.0 * likelihood], &[-2.922_707_4], PRINTED);
    let [first, second] = mixture.components() else { panic!("two components went in") };
    assert_close(&[first.mean, second.mean], &[0.268_941_4, 0.731_058_6], PRINTED);
    assert_close(&[first.variance, second.variance], &[0.196_611_9, 0.196_611_9], PRINTED);
    assert_close(&[first.weight, second.weight], &[0.5, 0.5], PRINTED);
}

#[test]
fn one_component_is_the_sample_mean_and_population_variance() {
    let values = [1.0, 2.0, 4.0, 9.0];
    let mut mixture = Mixture::new(vec![component(1.0, 0.3, 2.0)]);
    mixture.step(&values, 0.0);
    assert_close(&[mixture.components()[0].mean, mixture.components()[0].variance], &[4.0, 9.5], 1e-12);
}

#[test]
fn equal_scores_fit_nothing_and_the_threshold_is_their_value() {
    assert!(Mixture::fit(&[0.7; 9], 5, &mut rng(0)).is_none());
    assert_eq!(threshold(&[0.7; 9], 0.1, Threshold::Mixture, &mut rng(0)), 0.7);
    assert!(Mixture::fit(&[], 5, &mut rng(0)).is_none());
}

#[test]
fn there_are_no_more_components_than_distinct_values() {
    let mixture = Mixture::fit(&[0.0, 0.0, 1.0, 1.0, 1.0], 5, &mut rng(3)).expect("two values differ");
    assert_eq!(mixture.components().len(), 2);
    let weight: f64 = mixture.components().iter().map(|c| c.weight).sum();
    assert_close(&[weight], &[1.0], 1e-12);
}

#[test]
fn sampled_and_exact_quantile_agree_on_a_fitted_mixture() {
    let values: Vec<f64> = noise(1, 400).into_iter().enumerate().map(|(i, z)| f64::from(z) * 0.1 + (i % 2) as f64).collect();
    let mixture = Mixture::fit(&values, 5, &mut rng(1)).expect("values differ");
    let (exact, sampled) = (mixture.upper_quantile(0.1), mixture.sampled_upper_quantile(0.1, 10_000, &mut rng(2)));
    // The density at the quantile is about 0.6, so 10 000 draws have a standard error of 0.005; four of them.
    assert_close(&[sampled], &[exact], 0.02);
    let above = values.iter().filter(|v| **v > exact).count();
    assert!((30..=50).contains(&above), "{above} of 400 lie above the upper tenth");
}

proptest! {
    #[test]
    fn likelihood_never_falls(values in prop::collection::vec(-5.0_f64..5.0, 6..40), means in prop::collection::vec(-5.0_f64..5.0, 1..4)) {
        let share = 1.0 / means.len() as f64;
        let mut mixture = Mixture::new(means.iter().map(|mean| component(share, *mean, 4.0)).collect());
        let mut before = f64::NEG_INFINITY;
        for _ in 0..30 {
            let now = mixture.step(&values, 0.0);
            // Components may shrink onto one sample; the law ends where the density overflows.
            prop_assume!(now.is_finite() && mixture.components().iter().all(|c| c.variance > 1e-9));
            prop_assert!(now >= before - 1e-9, "{now} after {before}");
            before = now;
        }
    }

    #[test]
    fn the_threshold_moves_with_the_scores(scale in 0.01_f64..50.0, shift in -10.0_f64..10.0, seed in 0_u64..50) {
        let scores: Vec<f64> = noise(seed, 60).into_iter().map(f64::from).collect();
        let moved: Vec<f64> = scores.iter().map(|s| scale * s + shift).collect();
        let fit = |values: &[f64]| threshold(values, 0.1, Threshold::Mixture, &mut rng(seed));
        let (expected, actual) = (scale * fit(&scores) + shift, fit(&moved));
        prop_assert!((actual - expected).abs() < 1e-6 * (1.0 + scale), "{actual} against {expected}");
    }
}
