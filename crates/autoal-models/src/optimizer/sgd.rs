//! Stochastic gradient descent with momentum, on the CPU in one pass over memory.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// Momentum and weight decay with PyTorch's arithmetic: no dampening, the first velocity is the gradient.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sgd {
    pub(super) momentum: f64,
    pub(super) nesterov: bool,
    pub(super) weight_decay: f64,
}

/// What is kept of a parameter between steps.
#[derive(Clone)]
pub(super) struct SgdState<const D: usize> {
    velocity: Tensor<D>,
}

/// The name of the velocity in a record.
const VELOCITY: &str = "velocity";

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, VELOCITY, self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = from.take_tensor(prefix, VELOCITY)?;
        Some(Self { velocity: Tensor::from_data(velocity, device) })
    }
}

impl Optimizer for Sgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        x: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        let velocity = state.map_or_else(|| gradient.zeros_like(), |state| state.velocity);
        let [x, velocity] = self.moved(lr, x, gradient, velocity);
        (x, Some(SgdState { velocity }))
    }

    fn to_device<const D: usize>(state: SgdState<D>, device: &Device) -> SgdState<D> {
        SgdState { velocity: state.velocity.to_device(device) }
    }
}

impl Sgd {
    /// Parameters and velocity after a step.
    fn moved<const D: usize>(&self, lr: f64, x: Tensor<D>, gradient: Tensor<D>, velocity: Tensor<D>) -> [Tensor<D>; 2] {
        #[cfg(feature = "flex")]
        if super::fits_kernels(&x) {
            let Self { momentum, nesterov, weight_decay } = *self;
            let (lr, momentum, weight_decay) = (lr as f32, momentum as f32, weight_decay as f32);
            let step = autoal_kernels::optimizer::SgdStep { lr, momentum, nesterov, weight_decay };
            return autoal_kernels::ops::sgd_step(x, gradient, velocity, step);
        }
        let gradient = gradient + x.clone() * self.weight_decay;
        let velocity = velocity * self.momentum + gradient.clone();
        let direction = if self.nesterov { gradient + velocity.clone() * self.momentum } else { velocity.clone() };
        [x - direction * lr, velocity]
    }
}
