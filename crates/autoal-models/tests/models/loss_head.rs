//! The ranking loss and the loss-prediction head.

use autoal_data::{Seed, Stream};
use autoal_models::{LossHead, ranking_loss};
use burn::tensor::Tensor;

use crate::support::device;

const ROUNDING: f32 = 1e-6;

fn loss(predicted: &[f32], losses: &[f32]) -> f32 {
    let tensor = |values: &[f32]| Tensor::<1>::from_floats(values, device().burn());
    ranking_loss(tensor(predicted), tensor(losses), 1.0).into_scalar()
}

#[test]
fn the_ranking_loss_of_the_specification() {
    assert!((loss(&[0.3, 0.2, 0.4, 0.0], &[2.0, 1.0, 0.5, 0.1]) - 0.95).abs() < ROUNDING);
}

#[test]
fn the_last_row_of_an_odd_batch_is_dropped() {
    let even = loss(&[0.3, 0.2, 0.4, 0.0], &[2.0, 1.0, 0.5, 0.1]);
    assert_eq!(loss(&[0.3, 0.2, 0.4, 0.0, 9.0], &[2.0, 1.0, 0.5, 0.1, 7.0]), even);
    assert_eq!(loss(&[0.3], &[2.0]), 0.0);
}

#[test]
fn equal_losses_count_as_negative_sign() {
    // max(0, 1 + (0.7 - 0.2))
    assert!((loss(&[0.7, 0.2], &[1.0, 1.0]) - 1.5).abs() < ROUNDING);
}

#[test]
fn the_gradient_moves_both_of_a_violated_pair_and_none_of_a_satisfied_one() {
    let autodiff = device().burn().clone().autodiff();
    let predicted = Tensor::<1>::from_floats([0.3, 5.0, 0.0, 0.4], &autodiff).require_grad();
    let losses = Tensor::<1>::from_floats([2.0, 3.0, 0.5, 0.1], device().burn());
    let gradients = ranking_loss(predicted.clone(), losses, 1.0).backward();
    let gradient = predicted.grad(&gradients).expect("tracked").into_data().try_to_vec_as::<f32>().expect("f32");
    // The pair (0, 3) lacks margin: -1/2 and +1/2 of two pairs. The pair (1, 2) has it.
    assert_eq!(gradient, [-0.5, 0.0, 0.0, 0.5]);
}

/// The cases `lpl-loss` of the conformance fixtures: losses and gradients of the usual port of LPL.
#[test]
fn losses_and_gradients_are_those_of_the_conformance_fixtures() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../autoal-strategies/tests/conformance/values.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the fixtures")).expect("JSON");
    let cases = file["cases"].as_array().expect("cases").iter();
    let cases: Vec<_> = cases.filter(|case| case["name"].as_str().is_some_and(|name| name.starts_with("lpl-loss:"))).collect();
    assert_eq!(cases.len(), 4);
    let numbers = |value: &serde_json::Value| -> Vec<f32> {
        value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number") as f32).collect()
    };
    let autodiff = device().burn().clone().autodiff();
    for case in cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        let predicted = Tensor::<1>::from_floats(numbers(&input["predicted"]).as_slice(), &autodiff).require_grad();
        let losses = Tensor::<1>::from_floats(numbers(&input["loss"]).as_slice(), device().burn());
        let loss = ranking_loss(predicted.clone(), losses, input["margin"].as_f64().expect("a margin"));
        let value = loss.clone().into_data().try_to_vec_as::<f32>().expect("f32")[0];
        assert!((f64::from(value) - expected["loss"].as_f64().expect("a loss")).abs() < 1e-6, "{case}: {value}");
        let gradient = predicted.grad(&loss.backward()).expect("tracked").into_data().try_to_vec_as::<f32>().expect("f32");
        let wanted = numbers(&expected["gradient"]);
        assert!(gradient.iter().zip(&wanted).all(|(g, w)| (g - w).abs() < 1e-6), "{case}: {gradient:?}");
        // A last row that is dropped has no gradient.
        assert!(gradient[wanted.len()..].iter().all(|g| *g == 0.0));
    }
}

#[test]
fn a_head_gives_one_loss_a_sample() {
    let device = device();
    let head = LossHead::init(&[4, 8], &mut Seed(1).rng(Stream::named("head"), 0), device.burn());
    let stages = [Tensor::ones([3, 4], device.burn()), Tensor::ones([3, 8], device.burn())];
    assert_eq!(head.forward(&stages).dims(), [3]);
}
