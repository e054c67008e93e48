//! The range of k standard normal variables (the studentised range with infinite degrees of freedom), which Nemenyi's test needs.

use super::normal_tail;

/// Simpson intervals over the integrand, which is smooth; 400 give twelve digits.
const STEPS: usize = 400;
/// The normal density is below 1e-15 of its peak outside ± this.
const REACH: f64 = 8.5;

/// Probability that the range of `k` standard normal variables is above `q`: one minus `k ∫ φ(z) [Φ(z) - Φ(z - q)]^(k-1) dz`.
pub fn tail(q: f64, k: usize) -> f64 {
    if q <= 0.0 {
        return 1.0;
    }
    let integrand = |z: f64| {
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let between = normal_tail(z - q) - normal_tail(z);
        density * between.powi(k as i32 - 1)
    };
    let step = 2.0 * REACH / STEPS as f64;
    let weight = |i: usize| match i {
        0 | STEPS => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let sum: f64 = (0..=STEPS).map(|i| weight(i) * integrand(-REACH + i as f64 * step)).sum();
    (1.0 - k as f64 * sum * step / 3.0).clamp(0.0, 1.0)
}

/// The value that the range of `k` standard normal variables exceeds with probability `alpha`.
pub fn quantile(alpha: f64, k: usize) -> f64 {
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if tail(middle, k) > alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}
