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
        let [x, first, second] = self.moved(lr, time, x, gradient, moments);
        (x, Some(AdamState::new(AdaptiveMomentumState::new(time, first, second))))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        AdamState::new(state.momentum.to_device(device))
    }
}

impl Adam {
    /// Parameters and both moments after step `time`, which counts from one.
    fn moved<const D: usize>(
        &self,
        lr: f64,
        time: usize,
        x: Tensor<D>,
        gradient: Tensor<D>,
        [first, second]: [Tensor<D>; 2],
    ) -> [Tensor<D>; 3] {
        let Self { betas, epsilon, decay } = *self;
        // Moments start at zero; dividing by this share makes up for it.
        let seen = |beta: f64| 1.0 - beta.powf(time as f64);
        let (rate, correction) = (lr / seen(betas.0), 1.0 / seen(betas.1).sqrt());
        #[cfg(feature = "flex")]
        if super::fits_kernels(&x) {
            let (penalty, kept) = match decay {
                Decay::Penalty(decay) => (decay, 1.0),
                Decay::Decoupled(decay) => (0.0, 1.0 - lr * decay),
            };
            let step = autoal_kernels::optimizer::AdamStep { rate, betas, correction, epsilon, penalty, kept };
            return autoal_kernels::ops::adam_step(x, gradient, [first, second], step);
        }
        let (x, gradient) = match decay {
            Decay::Penalty(decay) => (x.clone(), gradient + x * decay),
            Decay::Decoupled(decay) => (x * (1.0 - lr * decay), gradient),
        };
        let first = first * betas.0 + gradient.clone() * (1.0 - betas.0);
        let second = second * betas.1 + gradient.square() * (1.0 - betas.1);
        let divisor = second.clone().sqrt() * correction + epsilon;
        [x - first.clone() / divisor * rate, first, second]
    }
}
