//! The loss-prediction head and its ranking loss (Yoo and Kweon, "Learning Loss for Active Learning", CVPR 2019).

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use rand::Rng;

use crate::linear::Linear;

/// Width of each stage's branch.
const BRANCH_WIDTH: usize = 128;

/// Predicts a sample's loss from the stages of a network: for each stage a linear layer and `ReLU`, then one linear layer over all.
#[derive(Module, Debug)]
pub struct LossHead {
    stages: Vec<Linear>,
    output: Linear,
}

impl LossHead {
    /// A head for stages of these widths, see [`crate::Network::stage_widths`]; first weights are drawn from `rng`.
    pub fn init(stage_widths: &[usize], rng: &mut impl Rng, device: &Device) -> Self {
        let stages: Vec<Linear> = stage_widths.iter().map(|width| Linear::init(*width, BRANCH_WIDTH, rng, device)).collect();
        let output = Linear::init(BRANCH_WIDTH * stages.len(), 1, rng, device);
        Self { stages, output }
    }

    /// Predicted losses, `[B]`, from [`crate::Forward::stages`].
    pub fn forward(&self, stages: &[Tensor<2>]) -> Tensor<1> {
        let branches = self.stages.iter().zip(stages).map(|(layer, x)| activation::relu(layer.forward(x.clone()))).collect();
        self.output.forward(Tensor::cat(branches, 1)).squeeze_dim::<1>(1)
    }
}

/// Mean over pairs of `max(0, margin - sign(l_i - l_j) (p_i - p_j))`, `[1]`: sample `i` is paired with `n - 1 - i`, the last row of an
/// odd batch is dropped, and equal losses count as negative sign. `losses` must be detached; 0 when there is no pair.
pub fn ranking_loss(predicted: Tensor<1>, losses: Tensor<1>, margin: f64) -> Tensor<1> {
    let pairs = predicted.dims()[0] / 2;
    if pairs == 0 {
        return predicted.sum() * 0.0;
    }
    let predicted_gap = pair_differences(predicted, pairs);
    let loss_gap = pair_differences(losses, pairs);
    let sign = loss_gap.greater_elem(0.0).float() * 2.0 - 1.0;
    (-(sign * predicted_gap) + margin).clamp_min(0.0).mean()
}

/// `x_i - x_{2 pairs - 1 - i}` for the first half, `[pairs]`.
fn pair_differences(x: Tensor<1>, pairs: usize) -> Tensor<1> {
    let first = x.clone().narrow(0, 0, pairs);
    let second = x.narrow(0, pairs, pairs).flip([0]);
    first - second
}
