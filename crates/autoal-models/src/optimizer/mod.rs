//! Optimizers with PyTorch's arithmetic, on the CPU in one pass over memory.

mod adam;
mod sgd;

use burn::optim::ModuleOptimizer;

use self::{
    adam::{Adam, Decay},
    sgd::Sgd,
};
use crate::config::OptimizerConfig;

impl OptimizerConfig {
    /// A fresh optimizer; one optimizer serves one network.
    pub fn init(&self) -> ModuleOptimizer {
        match *self {
            Self::Sgd { momentum, nesterov, weight_decay, .. } => Sgd { momentum, nesterov, weight_decay }.into(),
            Self::Adam { betas, epsilon, weight_decay, .. } => {
                Adam { betas, epsilon, decay: Decay::Penalty(weight_decay) }.into()
            }
            Self::AdamW { betas, epsilon, weight_decay, .. } => {
                Adam { betas, epsilon, decay: Decay::Decoupled(weight_decay) }.into()
            }
        }
    }
}

/// Whether `autoal-kernels` can change these parameters.
#[cfg(feature = "flex")]
fn fits_kernels<const D: usize>(x: &burn::tensor::Tensor<D>) -> bool {
    autoal_kernels::ops::supports(&x.device()) && x.dtype() == burn::tensor::DType::F32 && !x.is_autodiff()
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::optim::Optimizer;
    use burn::tensor::{Device, Tensor, TensorData};

    use super::{Adam, Decay, Sgd};

    /// Three steps along made-up gradients, by the kernels or by Burn's operations, which take what tracks gradients.
    fn three_steps(optimizer: &impl Optimizer, device: &Device, by_kernels: bool) -> Vec<f32> {
        const LEN: usize = 37;
        let wave = |frequency: f32| {
            let values: Vec<f32> = (0..LEN).map(|i| (i as f32 * frequency).sin()).collect();
            Tensor::<1>::from_data(TensorData::new(values, [LEN]), device)
        };
        let (mut x, mut state) = (wave(0.7), None);
        assert_eq!(super::fits_kernels(&x), by_kernels);
        for step in 1..=3_u8 {
            (x, state) = optimizer.step(0.1, x, wave(f32::from(step)), state);
        }
        x.into_data().try_to_vec().expect("a tensor of f32")
    }

    fn kernels_agree_with_burn(optimizer: &impl Optimizer) {
        let device = Device::flex();
        let (fast, plain) = (three_steps(optimizer, &device, true), three_steps(optimizer, &device.autodiff(), false));
        let furthest = fast.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest < 1e-6, "{furthest:e}");
    }

    #[test]
    fn kernels_take_the_steps_of_burn_s_operations() {
        for nesterov in [false, true] {
            kernels_agree_with_burn(&Sgd { momentum: 0.9, nesterov, weight_decay: 0.01 });
        }
        for decay in [Decay::Penalty(0.01), Decay::Decoupled(0.01)] {
            kernels_agree_with_burn(&Adam { betas: (0.9, 0.999), epsilon: 1e-8, decay });
        }
    }
}
