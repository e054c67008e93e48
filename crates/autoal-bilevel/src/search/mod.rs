//! The two searches, and what they share: optimisers, the step that divides one backward pass, precision.

pub mod fit_nets;
pub mod improved;
pub mod paper;
pub(crate) mod round;

use autoal_data::{Seed, Stream};
use autoal_models::LossHead;
use autoal_models::config::OptimizerConfig;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Gradients;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::BilevelError;
use crate::gradients::gradient_norm;

/// Margin of the loss module's ranking loss, `ξ`.
pub const RANKING_MARGIN: f64 = 1.0;

/// The seed and round that every random number of a search derives from.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Seed of the cell.
    pub seed: Seed,
    /// The round.
    pub round: u32,
}

impl Key {
    /// A generator for one purpose within the round.
    pub(crate) fn rng(self, stream: Stream) -> ChaCha8Rng {
        self.seed.rng(stream, self.round)
    }

    /// `0..n` in a random order.
    pub(crate) fn shuffled(self, n: usize, stream: Stream) -> Vec<usize> {
        let mut rng = self.rng(stream);
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, rng.random_range(0..=i));
        }
        order
    }
}

/// A network in training with its optimizer.
pub struct Trained<M> {
    /// The network, with gradients.
    pub net: M,
    optimizer: ModuleOptimizer,
}

impl<M: Module> Trained<M> {
    /// Takes a network that went through `train()`.
    pub fn new(net: M, optimizer: ModuleOptimizer) -> Self {
        Self { net, optimizer }
    }

    /// Takes this network's gradients out of a backward pass and makes one step; returns their norm.
    #[must_use]
    pub fn step(self, gradients: &mut Gradients, lr: f64) -> (Self, f64) {
        let own = GradientsParams::from_module(gradients, &self.net);
        let norm = gradient_norm(&self.net, &own);
        let mut optimizer = self.optimizer;
        let net = optimizer.step(lr, self.net, own);
        (Self { net, optimizer }, norm)
    }

    /// The same optimizer state around a changed network.
    #[must_use]
    pub fn map(self, change: impl FnOnce(M) -> M) -> Self {
        Self { net: change(self.net), optimizer: self.optimizer }
    }
}

/// The loss module in training.
pub type TrainedHead = Trained<LossHead>;

/// Momentum 0.9 and weight decay 5e-4; the learning rate is given to each step.
pub fn sgd() -> ModuleOptimizer {
    OptimizerConfig::Sgd { lr: 1.0, momentum: 0.9, nesterov: false, weight_decay: 5e-4 }.init()
}

/// PyTorch's Adam, no weight decay; the learning rate is given to each step.
pub fn adam() -> ModuleOptimizer {
    OptimizerConfig::Adam { lr: 1.0, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 0.0 }.init()
}

/// Share of the `budget` highest `scores` that are among the `budget` highest `losses`; the lower row wins ties.
pub fn precision(scores: &[f64], losses: &[f64], budget: usize) -> f64 {
    let budget = budget.clamp(1, scores.len().max(1));
    let top = |values: &[f64]| {
        let mut rows: Vec<usize> = (0..values.len()).collect();
        rows.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        rows.truncate(budget);
        rows.sort_unstable();
        rows
    };
    let wanted = top(losses);
    let hits = top(scores).iter().filter(|row| wanted.binary_search(row).is_ok()).count();
    hits as f64 / budget as f64
}

/// The loss as a number; an error when it is not finite.
pub(crate) fn finite(loss: f64, step: usize, net: &'static str, key: &'static str) -> Result<f64, BilevelError> {
    if loss.is_finite() { Ok(loss) } else { Err(BilevelError::Diverged { step, net, key }) }
}
