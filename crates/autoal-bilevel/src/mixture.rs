//! A one-dimensional Gaussian mixture and its upper quantile: the threshold of the paper's equations (2) to (4).
//!
//! Scores are standardised before expectation-maximisation. Without that the authors' scores (near 0.001) lie below the variance floor
//! and the threshold is noise. All arithmetic is `f64` in one fixed order, so a fit is the same for any number of threads.

use rand::{Rng, RngExt};
use statrs::function::erf::erfc;

/// Below this spread all scores count as equal and nothing is fitted.
const MIN_STD: f64 = 1e-12;
/// Added to every variance (of standardised scores), so that no component collapses onto one sample.
const VARIANCE_FLOOR: f64 = 1e-6;
/// Expectation-maximisation ends when the mean log-likelihood rises by less.
const TOLERANCE: f64 = 1e-3;
const MAX_ITERATIONS: usize = 100;
/// Halvings of the bisection: more than the bits of an `f64`'s mantissa.
const BISECTIONS: usize = 100;

/// One Gaussian of a mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Its share; the shares sum to 1.
    pub weight: f64,
    /// Its mean.
    pub mean: f64,
    /// Its variance, positive.
    pub variance: f64,
}

/// A one-dimensional Gaussian mixture, equation (2).
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    components: Vec<Component>,
}

impl Mixture {
    /// A mixture of given components.
    pub fn new(components: Vec<Component>) -> Self {
        Self { components }
    }

    /// The components.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// Fits at most `max_components` Gaussians (fewer when there are fewer distinct values) to finite `scores`; `None` when the scores
    /// are all equal or there are none.
    pub fn fit(scores: &[f64], max_components: usize, rng: &mut impl Rng) -> Option<Self> {
        let (mean, std) = mean_and_std(scores);
        if scores.is_empty() || std.is_nan() || std < MIN_STD {
            return None;
        }
        let standardised: Vec<f64> = scores.iter().map(|s| (s - mean) / std).collect();
        let mut fitted = Self::seeded(&standardised, max_components, rng);
        let mut before = f64::NEG_INFINITY;
        for _ in 0..MAX_ITERATIONS {
            let likelihood = fitted.step(&standardised, VARIANCE_FLOOR);
            if likelihood - before < TOLERANCE {
                break;
            }
            before = likelihood;
        }
        for component in &mut fitted.components {
            component.mean = component.mean * std + mean;
            component.variance *= std * std;
        }
        Some(fitted)
    }

    /// Starting components: k-means++ centres, each with the samples nearest to it.
    fn seeded(values: &[f64], max_components: usize, rng: &mut impl Rng) -> Self {
        let centers = plus_plus_centers(values, max_components, rng);
        let mut members: Vec<Vec<f64>> = vec![Vec::new(); centers.len()];
        for &value in values {
            let nearest = (0..centers.len())
                .fold(0, |best, c| if (value - centers[c]).abs() < (value - centers[best]).abs() { c } else { best });
            members[nearest].push(value);
        }
        let component = |member: &Vec<f64>| {
            let (mean, std) = mean_and_std(member);
            Component { weight: member.len() as f64 / values.len() as f64, mean, variance: std * std + VARIANCE_FLOOR }
        };
        Self { components: members.iter().filter(|member| !member.is_empty()).map(component).collect() }
    }

    /// One step of expectation-maximisation; returns the mean log-likelihood of `values` before it.
    pub fn step(&mut self, values: &[f64], variance_floor: f64) -> f64 {
        let mut mass = vec![0.0; self.components.len()];
        let mut first = vec![0.0; self.components.len()];
        let mut shares: Vec<Vec<f64>> = Vec::with_capacity(values.len());
        let mut likelihood = 0.0;
        for &value in values {
            let (share, log_density) = self.responsibilities(value);
            likelihood += log_density;
            for (g, r) in share.iter().enumerate() {
                mass[g] += r;
                first[g] += r * value;
            }
            shares.push(share);
        }
        for (g, component) in self.components.iter_mut().enumerate() {
            // A component that explains nothing keeps its place and loses its weight.
            component.weight = mass[g] / values.len() as f64;
            if mass[g] > f64::MIN_POSITIVE {
                component.mean = first[g] / mass[g];
                let second: f64 = values.iter().zip(&shares).map(|(v, r)| r[g] * (v - component.mean).powi(2)).sum();
                component.variance = second / mass[g] + variance_floor;
            }
        }
        likelihood / values.len() as f64
    }

    /// Shares of the components in `value` and its log-density, by log-sum-exp.
    fn responsibilities(&self, value: f64) -> (Vec<f64>, f64) {
        let logs: Vec<f64> = self.components.iter().map(|c| log_density(c, value)).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|l| (l - top).exp()).sum();
        let total = top + sum.ln();
        (logs.iter().map(|l| (l - total).exp()).collect(), total)
    }

    /// The value that a share `upper` of the mixture exceeds: the root of `Σ π Φ((ϑ − μ)/σ) = 1 − upper`, by bisection.
    ///
    /// # Panics
    /// Never; `upper` is clamped into the open unit interval.
    pub fn upper_quantile(&self, upper: f64) -> f64 {
        let upper = upper.clamp(1e-12, 1.0 - 1e-12);
        let reach = |c: &Component, sign: f64| c.mean + sign * 10.0 * c.variance.sqrt();
        let mut low = self.components.iter().map(|c| reach(c, -1.0)).fold(f64::INFINITY, f64::min);
        let mut high = self.components.iter().map(|c| reach(c, 1.0)).fold(f64::NEG_INFINITY, f64::max);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            if self.upper_tail(middle) > upper {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    }

    /// Probability of exceeding `value`.
    fn upper_tail(&self, value: f64) -> f64 {
        self.components.iter().map(|c| c.weight * 0.5 * erfc((value - c.mean) / (2.0 * c.variance).sqrt())).sum()
    }

    /// The authors' form of [`Mixture::upper_quantile`]: the percentile, with linear interpolation, of `draws` samples of the mixture.
    pub fn sampled_upper_quantile(&self, upper: f64, draws: usize, rng: &mut impl Rng) -> f64 {
        let mut samples: Vec<f64> = (0..draws.max(1)).map(|_| self.sample(rng)).collect();
        samples.sort_unstable_by(f64::total_cmp);
        let position = (1.0 - upper).clamp(0.0, 1.0) * (samples.len() - 1) as f64;
        let below = position.floor() as usize;
        let above = (below + 1).min(samples.len() - 1);
        samples[below] + (position - below as f64) * (samples[above] - samples[below])
    }

    fn sample(&self, rng: &mut impl Rng) -> f64 {
        let mut left = rng.random::<f64>();
        let last = self.components.len() - 1;
        let chosen = self.components.iter().position(|c| {
            left -= c.weight;
            left < 0.0
        });
        let component = self.components[chosen.unwrap_or(last)];
        // Box-Muller; 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * rng.random::<f64>();
        component.mean + component.variance.sqrt() * radius * angle.cos()
    }
}

/// `ln(π 𝒩(value | μ, σ²))`, equation (3).
fn log_density(component: &Component, value: f64) -> f64 {
    let distance = (value - component.mean).powi(2) / component.variance;
    component.weight.ln() - 0.5 * (distance + (std::f64::consts::TAU * component.variance).ln())
}

/// Mean and population standard deviation.
pub(crate) fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

/// Up to `count` distinct values: the first drawn evenly, each further one in proportion to its squared distance from the nearest.
fn plus_plus_centers(values: &[f64], count: usize, rng: &mut impl Rng) -> Vec<f64> {
    let mut centers = vec![values[rng.random_range(0..values.len())]];
    let mut distance: Vec<f64> = values.iter().map(|v| (v - centers[0]).powi(2)).collect();
    while centers.len() < count.max(1) {
        let total: f64 = distance.iter().sum();
        if total <= 0.0 {
            break;
        }
        let mut left = rng.random::<f64>() * total;
        let drawn = distance.iter().position(|d| {
            left -= d;
            left < 0.0 && *d > 0.0
        });
        // Rounding can leave a remainder; the farthest value then takes it.
        let farthest = || (0..values.len()).fold(0, |best, i| if distance[i] > distance[best] { i } else { best });
        let center = values[drawn.unwrap_or_else(farthest)];
        centers.push(center);
        for (d, v) in distance.iter_mut().zip(values) {
            *d = d.min((v - center).powi(2));
        }
    }
    centers
}
