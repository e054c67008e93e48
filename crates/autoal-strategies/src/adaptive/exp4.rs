//! EXP4 with experts that advise samples, and its form with one arm a strategy (EXP3), as COMB and DEAL use it.
//!
//! **Formula**: `p(x) = (1 - γ) Σ_κ w_κ ξ_κ(x) / Σ w + γ / n`; after a reward `u` for the arm `x`, `û = u / p(x)` and
//! `w_κ ← w_κ exp(γ ξ_κ(x) û / n)`. With one arm a strategy, `ξ` is one-hot and `n = K`: pool samples as arms would leave `γ / n` and
//! `û / n` without effect, or set `γ = 1`.
//!
//! **Reference**: Auer, Cesa-Bianchi, Freund, Schapire, SIAM J. Comput. 2002, sections 3, 4 and 7.

use serde::{Deserialize, Serialize};

/// `p`, `[n]`, from weights and the experts' advice, `[K][n]`.
pub fn probabilities(weights: &[f64], advice: &[Vec<f64>], gamma: f64) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let arms = advice.first().map_or(0, Vec::len);
    let advised = |x: usize| weights.iter().zip(advice).map(|(w, xi)| w * xi[x]).sum::<f64>() / total;
    (0..arms).map(|x| (1.0 - gamma) * advised(x) + gamma / arms as f64).collect()
}

/// Multiplies the weights after a reward for the arm `x` that was drawn with probability `p`; `advice[κ]` is `ξ_κ(x)`.
pub fn update(weights: &mut [f64], advice: &[f64], gamma: f64, arms: usize, p: f64, reward: f64) {
    for (weight, xi) in weights.iter_mut().zip(advice) {
        *weight *= (gamma * xi * reward / p / arms as f64).exp();
    }
}

/// Weights of strategies as arms; logarithms, because they grow without bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arms {
    /// `ln w`, one a strategy.
    pub log_weights: Vec<f64>,
}

impl Arms {
    /// Equal weights.
    pub fn new(arms: usize) -> Self {
        Self { log_weights: vec![0.0; arms] }
    }

    /// `p`, one a strategy.
    pub fn shares(&self, gamma: f64) -> Vec<f64> {
        let most = self.log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = self.log_weights.iter().map(|w| (w - most).exp()).collect();
        let (total, arms) = (weights.iter().sum::<f64>(), weights.len() as f64);
        weights.iter().map(|w| (1.0 - gamma) * w / total + gamma / arms).collect()
    }

    /// Adds a reward for the arm that was drawn with probability `p`.
    pub fn reward(&mut self, arm: usize, gamma: f64, p: f64, reward: f64) {
        self.log_weights[arm] += gamma * reward / p / self.log_weights.len() as f64;
    }
}

/// `min(1, sqrt(K ln K / ((e - 1) g)))`: exploration for a bound `g` on the best arm's total reward.
pub fn exploration(arms: usize, bound: f64) -> f64 {
    let k = arms as f64;
    (k * k.ln() / ((std::f64::consts::E - 1.0) * bound)).sqrt().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values have seven digits.
    const DIGITS: f64 = 1e-7;

    #[test]
    fn a_step_with_experts_that_advise_samples() {
        let advice = [vec![1.0, 0.0, 0.0], vec![0.0, 0.5, 0.5]];
        let mut weights = [1.0, 1.0];
        let p = probabilities(&weights, &advice, 0.3);
        for (p, expected) in p.iter().zip([0.45, 0.275, 0.275]) {
            assert!((p - expected).abs() < DIGITS);
        }
        update(&mut weights, &[advice[0][1], advice[1][1]], 0.3, 3, p[1], 0.6);
        assert_eq!(weights[0], 1.0);
        assert!((weights[1] - 1.115_263_7).abs() < DIGITS);
    }

    #[test]
    fn a_step_with_one_arm_a_strategy() {
        let mut arms = Arms::new(3);
        let shares = arms.shares(0.3);
        arms.reward(0, 0.3, shares[0], 0.8);
        assert!((arms.log_weights[0].exp() - 1.271_249_2).abs() < DIGITS);
        assert_eq!(arms.log_weights[1..], [0.0, 0.0]);
    }
}
