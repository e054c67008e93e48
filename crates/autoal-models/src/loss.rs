//! Cross-entropy of each sample.

use burn::tensor::{Int, Tensor, activation};

/// Cross-entropy in nats, `[B]`, of `logits` `[B, K]` against classes below `K`, `[B]`.
pub fn cross_entropy_per_sample(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    activation::log_softmax(logits, 1).gather(1, labels.unsqueeze_dim::<2>(1)).neg().squeeze_dim::<1>(1)
}
