//! Adam and `AdamW`, on the CPU in one pass over memory.

use burn::optim::{AdamState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

/// Where weight decay acts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decay {
    /// As an L2 penalty in the gradient: Adam.
    Penalty(f64),
    /// On the parameters alone, decoupled from the moments: `AdamW`.
    Decoupled(f64),
}

/// Both moments with PyTorch's arithmetic: epsilon is added to the corrected root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adam {
    pub(super) betas: (f64, f64),
    pub(super) epsilon: f64,
    pub(super) decay: Decay,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        x: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let (time, moments) = match state {
            Some(AdamState { momentum }) => (momentum.time, [momentum.moment_1, momentum.moment_2]),
            None => (0, [gradient.zeros_like(), gradient.zeros_like()]),
        };
        let time = time + 1;
        let [x, first, second] = self.factors(lr, time).moved(x, gradient, moments);
        (x, Some(AdamState::new(AdaptiveMomentumState::new(time, first, second))))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        AdamState::new(state.momentum.to_device(device))
    }
}

/// What a step multiplies with: `g' = g + penalty x`, `m' = b1 m + (1 - b1) g'`, `v' = b2 v + (1 - b2) g'^2` and
/// `x' = kept x - rate m' / (correction sqrt(v') + epsilon)`.
struct Factors {
    rate: f64,
    betas: (f64, f64),
    correction: f64,
    epsilon: f64,
    penalty: f64,
    kept: f64,
}

impl Adam {
    fn factors(&self, lr: f64, time: usize) -> Factors {
        let Self { betas, epsilon, decay } = *self;
        let (penalty, kept) = match decay {
            Decay::Penalty(rate) => (rate, 1.0),
            Decay::Decoupled(rate) => (0.0, 1.0 - lr * rate),
        };
        // Moments start at zero; these make up for it.
        let missing = |beta: f64| 1.0 - beta.powf(time as f64);
        Factors { rate: lr / missing(betas.0), betas, correction: 1.0 / missing(betas.1).sqrt(), epsilon, penalty, kept }
    }
}

impl Factors {
    /// Parameters and both moments after a step.
    fn moved<const D: usize>(&self, x: Tensor<D>, gradient: Tensor<D>, moments: [Tensor<D>; 2]) -> [Tensor<D>; 3] {
        let Self { rate, betas, correction, epsilon, penalty, kept } = *self;
        #[cfg(feature = "flex")]
        if super::fits_kernels(&x) {
            let step = autoal_kernels::optimizer::AdamStep { rate, betas, correction, epsilon, penalty, kept };
            return autoal_kernels::ops::adam_step(x, gradient, moments, step);
        }
        let [first, second] = moments;
        let gradient = gradient + x.clone() * penalty;
        let first = first * betas.0 + gradient.clone() * (1.0 - betas.0);
        let second = second * betas.1 + gradient.square() * (1.0 - betas.1);
        let divisor = second.clone().sqrt() * correction + epsilon;
        [x * kept - first.clone() / divisor * rate, first, second]
    }
}
