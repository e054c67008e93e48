//! EXP4.P: weights over experts from rewards of what they advised.
//!
//! **Formula**: `p_κ = (1 - K p_min) w_κ / Σ w + p_min`; a sample is drawn by `q_i = Σ_κ p_κ φ_κ(i)`; a reward `r` for sample `i` gives
//! `w_κ ← w_κ exp(p_min / 2 (r φ_κ(i) / q_i + sqrt(ln(K / δ) / (K T)) / p_κ))`.
//!
//! `p_min = sqrt(ln K / (K T))`, clipped to `1 / (2 K)` so that shares stay positive for short horizons `T`.
//!
//! **Reference**: Beygelzimer, Langford, Li, Reyzin, Schapire, AISTATS 2011, Algorithm 1.

/// Settings of EXP4.P for `K` experts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exp4P {
    /// Least share of an expert.
    pub p_min: f64,
    /// `sqrt(ln(K / δ) / (K T))`, the width of the confidence bound.
    pub confidence: f64,
}

impl Exp4P {
    /// For `experts` experts, `horizon` updates and failure probability `delta`.
    pub fn new(experts: usize, horizon: f64, delta: f64) -> Self {
        let k = experts as f64;
        Self {
            p_min: (k.ln() / (k * horizon)).sqrt().min(1.0 / (2.0 * k)),
            confidence: ((k / delta).ln() / (k * horizon)).sqrt(),
        }
    }

    /// As `deepal` codes it: `p_min = 1 / (10 K)` and a confidence bound without the horizon.
    pub fn deepal(experts: usize, delta: f64) -> Self {
        let k = experts as f64;
        Self { p_min: 1.0 / (10.0 * k), confidence: ((k / delta).ln() / k).sqrt() }
    }

    /// `p`, from the logarithms of the weights.
    pub fn shares(&self, log_weights: &[f64]) -> Vec<f64> {
        let most = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = log_weights.iter().map(|w| (w - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        let free = 1.0 - log_weights.len() as f64 * self.p_min;
        weights.iter().map(|w| free * w / total + self.p_min).collect()
    }

    /// Adds the reward to the weights; `advice[κ]` is `φ_κ(i) / q_i` of the sample asked for.
    pub fn update(&self, log_weights: &mut [f64], shares: &[f64], advice: &[f64], reward: f64) {
        for ((weight, share), advice) in log_weights.iter_mut().zip(shares).zip(advice) {
            *weight += self.p_min / 2.0 * (reward * advice + self.confidence / share);
        }
    }
}

/// `q`, `[n]`, from shares and the experts' advice `φ`, `[K][n]`.
pub fn mixture(shares: &[f64], advice: &[Vec<f64>]) -> Vec<f64> {
    let samples = advice.first().map_or(0, Vec::len);
    (0..samples).map(|i| shares.iter().zip(advice).map(|(p, phi)| p * phi[i]).sum()).collect()
}

/// Importance-weighted accuracy, `1 / n Σ correct_τ / q_τ` a draw: unbiased when `τ` is drawn by `q` from `population` samples.
pub fn importance_weighted_accuracy(draws: impl Iterator<Item = (bool, f64)>, population: usize) -> f64 {
    let (sum, count) =
        draws.fold((0.0, 0_usize), |(sum, count), (correct, q)| (sum + if correct { 1.0 / q } else { 0.0 }, count + 1));
    sum / (population.max(1) as f64 * count.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values have seven digits.
    const DIGITS: f64 = 1e-7;

    #[test]
    fn one_step_of_the_worked_example() {
        let settings = Exp4P::new(2, 100.0, 0.1);
        assert!((settings.p_min - 0.058_870_5).abs() < DIGITS);
        let mut weights = [0.0, 0.0];
        let shares = settings.shares(&weights);
        assert_eq!(shares, [0.5, 0.5]);
        settings.update(&mut weights, &shares, &[1.0 / 0.5, 0.0], 0.01);
        assert!((weights[0].exp() - 1.007_824_2).abs() < DIGITS);
        assert!((weights[1].exp() - 1.007_231_0).abs() < DIGITS);
    }

    #[test]
    fn deepal_multiplies_by_the_factor_of_the_worked_example() {
        let mut weights = [0.0];
        Exp4P::deepal(2, 0.1).update(&mut weights, &[0.5], &[1.0], 0.8);
        assert!((weights[0].exp() - 1.084_580_9).abs() < DIGITS);
    }

    #[test]
    fn shares_sum_to_one_and_never_fall_below_the_least_even_for_a_short_horizon() {
        let settings = Exp4P::new(7, 10.0, 0.1);
        assert_eq!(settings.p_min, 1.0 / 14.0);
        let shares = settings.shares(&[900.0, 0.0, -900.0, 3.0, 3.0, 3.0, 3.0]);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < DIGITS);
        assert!(shares.iter().all(|p| *p >= settings.p_min));
    }

    #[test]
    fn importance_weighted_accuracy_is_unbiased() {
        let (q, correct) = ([0.4, 0.3, 0.2, 0.1], [true, false, true, true]);
        let expectation: f64 = (0..4).map(|i| q[i] * importance_weighted_accuracy([(correct[i], q[i])].into_iter(), 4)).sum();
        assert!((expectation - 0.75).abs() < 1e-12);
    }

    #[test]
    fn the_only_expert_that_earns_ends_with_the_largest_share() {
        let settings = Exp4P::new(3, 50.0, 0.1);
        let mut weights = [0.0; 3];
        for _ in 0..50 {
            let shares = settings.shares(&weights);
            settings.update(&mut weights, &shares, &[0.0, 1.0 / shares[1], 0.0], 0.9);
        }
        let shares = settings.shares(&weights);
        assert!(shares[1] > 0.5 && shares[1] > shares[0] && shares[1] > shares[2]);
    }
}
