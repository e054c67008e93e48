//! From scores to samples.

use autoal_bilevel::pick::{coverage, sharpened_mass, top};
use autoal_data::SampleId;
use autoal_strategies::Rows;
use proptest::prelude::*;

use crate::support::{assert_close, ids, noise};

/// Unit vectors at these degrees.
fn at_degrees(degrees: &[f64]) -> Vec<f32> {
    degrees.iter().flat_map(|d| [d.to_radians().cos() as f32, d.to_radians().sin() as f32]).collect()
}

#[test]
fn the_top_goes_by_score_then_support_then_id() {
    let pool = [SampleId(9), SampleId(3), SampleId(5), SampleId(1), SampleId(7)];
    let scores = [0.5, 0.5, 0.5, 0.9, f64::NAN];
    let support = [2.0, 1.0, 1.0, 1.0, 3.0];
    assert_eq!(top(&scores, &support, &pool, 5), [3, 0, 1, 2, 4]);
}

#[test]
fn a_sample_that_nobody_nominates_stands_behind_a_nominated_one_of_negative_score() {
    assert_eq!(top(&[-4.0, 0.0], &[1.0, 0.0], &ids(0..2), 2), [0, 1]);
}

#[test]
fn coverage_with_mass_one_is_max_herding_on_its_oracle() {
    let (pool, labeled) = (at_degrees(&[0.0, 10.0, 25.0, 90.0, 100.0]), at_degrees(&[180.0]));
    let rows = |data| Rows::new(data, 2).expect("pairs");
    let picks = coverage(rows(&pool), rows(&labeled), &[1.0; 5], None, 3, 1.0);
    let (order, gains): (Vec<usize>, Vec<f64>) = picks.into_iter().map(|pick| (pick.row, pick.gain)).unzip();
    // The samples at 90 and 100 degrees gain the same in exact arithmetic, so rounding chooses between them.
    assert!(order == [2, 3, 0] || order == [2, 4, 0], "{order:?}");
    assert_close(&gains, &[0.583_865_2, 0.285_567_9, 0.041_365_1], 1e-5);
}

#[test]
fn coverage_with_mass_is_uncertainty_herding_on_its_oracle() {
    let (pool, labeled) = (at_degrees(&[0.0, 10.0, 25.0, 90.0, 100.0]), at_degrees(&[180.0]));
    let rows = |data| Rows::new(data, 2).expect("pairs");
    let picks = coverage(rows(&pool), rows(&labeled), &[0.1, 0.2, 0.9, 0.5, 0.05], None, 3, 1.0);
    let (order, gains): (Vec<usize>, Vec<f64>) = picks.into_iter().map(|pick| (pick.row, pick.gain)).unzip();
    assert_eq!(order, [2, 3, 1]);
    assert_close(&gains, &[0.247_184_9, 0.075_916_5, 0.005_454_1], 1e-5);
}

#[test]
fn sharpened_mass_is_a_power_of_the_level() {
    assert_eq!(sharpened_mass(&[3.0, 1.0], 3.0), [0.421_875, 0.015_625]);
    assert_eq!(sharpened_mass(&[3.0, 1.0], 0.0), [1.0, 1.0]);
}

proptest! {
    #[test]
    fn coverage_returns_distinct_rows_with_falling_gains(n in 2_usize..40, seed in 0_u64..30) {
        let data = noise(seed, n * 3);
        let mass: Vec<f32> = (0..n).map(|i| (i + 1) as f32 / n as f32).collect();
        let picks = coverage(Rows::new(&data, 3).expect("triples"), Rows::new(&[], 3).expect("none"), &mass, None, n, 1.0);
        let mut rows: Vec<usize> = picks.iter().map(|pick| pick.row).collect();
        // Kernel values have six digits.
        prop_assert!(picks.windows(2).all(|pair| pair[1].gain <= pair[0].gain + 1e-6));
        rows.sort_unstable();
        prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
    }
}
