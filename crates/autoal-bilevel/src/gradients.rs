//! One backward pass, divided among the networks that it reaches: only the wanted one is stepped.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::tensors::host_f64;

struct SquaredNorm<'a> {
    gradients: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for SquaredNorm<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(parameter.id) {
            let len = gradient.shape().num_elements();
            self.sum += host_f64(&gradient.reshape([len])).iter().map(|g| g * g).sum::<f64>();
        }
    }
}

/// Euclidean norm of a module's gradients, summed in `f64` in the order of its parameters.
pub(crate) fn gradient_norm(module: &impl Module, gradients: &GradientsParams) -> f64 {
    let mut visitor = SquaredNorm { gradients, sum: 0.0 };
    module.visit(&mut visitor);
    visitor.sum.sqrt()
}
