//! Optimizer steps on `flex`. What no other tensor shares is changed in place.

use burn::backend::flex::FlexTensor;

use super::isa;
use super::tensor::{row_major, row_major_mut};
use crate::optimizer::{AdamStep, SgdStep};

/// Parameters and velocity after the step.
pub(super) fn sgd(mut x: FlexTensor, gradient: &FlexTensor, mut velocity: FlexTensor, step: SgdStep) -> (FlexTensor, FlexTensor) {
    step.apply(isa(), row_major_mut(&mut x), &row_major(gradient), row_major_mut(&mut velocity));
    (x, velocity)
}

/// Parameters and both moments after the step.
pub(super) fn adam(
    mut x: FlexTensor,
    gradient: &FlexTensor,
    [mut first, mut second]: [FlexTensor; 2],
    step: AdamStep,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let moments = [row_major_mut(&mut first), row_major_mut(&mut second)];
    step.apply(isa(), row_major_mut(&mut x), &row_major(gradient), moments);
    (x, first, second)
}
