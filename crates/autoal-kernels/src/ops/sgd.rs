//! A step of gradient descent on `flex`.

use burn::backend::flex::FlexTensor;

use super::isa;
use super::tensor::{from_row_major_of, row_major};
use crate::sgd::{self, SgdStep};

/// Parameters and velocity after the step, of the parameters' shape.
pub(super) fn step(x: &FlexTensor, gradient: &FlexTensor, velocity: &FlexTensor, step: SgdStep) -> (FlexTensor, FlexTensor) {
    let (parameters, velocity) = sgd::step(isa(), step, &row_major(x), &row_major(gradient), &row_major(velocity));
    let shape = x.layout().shape();
    (from_row_major_of(parameters, shape.clone()), from_row_major_of(velocity, shape.clone()))
}
