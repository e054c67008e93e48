//! Optimizers with PyTorch's arithmetic: our own gradient descent, and Burn's Adam with every default written out, because Burn's differ
//! (epsilon, decay).

mod sgd;

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer};

use crate::config::OptimizerConfig;

impl OptimizerConfig {
    /// A fresh optimizer; one optimizer serves one network.
    pub fn init(&self) -> ModuleOptimizer {
        let decay = |rate: f64| (rate > 0.0).then(|| WeightDecayConfig::new(rate as f32));
        match *self {
            Self::Sgd { momentum, nesterov, weight_decay, .. } => sgd::Sgd { momentum, nesterov, weight_decay }.into(),
            Self::Adam { betas, epsilon, weight_decay, .. } => AdamConfig::new()
                .with_beta_1(betas.0 as f32)
                .with_beta_2(betas.1 as f32)
                .with_epsilon(epsilon as f32)
                .with_weight_decay(decay(weight_decay))
                .init(),
            Self::AdamW { betas, epsilon, weight_decay, .. } => AdamWConfig::new()
                .with_beta_1(betas.0 as f32)
                .with_beta_2(betas.1 as f32)
                .with_epsilon(epsilon as f32)
                .with_weight_decay(weight_decay as f32)
                .init(),
        }
    }
}
