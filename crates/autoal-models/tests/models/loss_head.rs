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

#[test]
fn a_head_gives_one_loss_a_sample() {
    let device = device();
    let head = LossHead::init(&[4, 8], &mut Seed(1).rng(Stream::named("head"), 0), device.burn());
    let stages = [Tensor::ones([3, 4], device.burn()), Tensor::ones([3, 8], device.burn())];
    assert_eq!(head.forward(&stages).dims(), [3]);
}
