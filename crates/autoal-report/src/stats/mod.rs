//! The statistics of a comparison, each held against `SciPy`, statsmodels, scikit-posthocs or scikit-learn in `tests/report/numbers.rs`.
//!
//! All of them are plain functions on slices. A quantity that the data does not define (a test on one seed, a t of zero variance) is
//! `None`, never a number that looks like a result.

pub mod area;
pub mod badge;
pub mod bootstrap;
pub mod classification;
pub mod friedman;
pub mod holm;
pub mod paired;
pub mod rank;
pub mod savings;
pub mod student;
pub mod studentized_range;
pub mod wilcoxon;

use serde::Serialize;

/// Two-sided confidence of every interval in a report.
pub const CONFIDENCE: f64 = 0.95;

/// A mean over seeds with its spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Number of seeds.
    pub n: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation with ddof 1; none for one seed.
    pub sd: Option<f64>,
    /// Half the width of the t-interval: `t(0.975, n - 1) sd / sqrt n`; none for one seed.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// The estimate from one value a seed; none from no values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let mean = mean(values)?;
        let sd = standard_deviation(values);
        let half_width = sd.map(|sd| student::quantile(f64::midpoint(1.0, CONFIDENCE), (n - 1) as f64) * sd / (n as f64).sqrt());
        Some(Self { n, mean, sd, half_width })
    }

    /// Lower end of the interval.
    pub fn low(&self) -> Option<f64> {
        self.half_width.map(|h| self.mean - h)
    }

    /// Upper end of the interval.
    pub fn high(&self) -> Option<f64> {
        self.half_width.map(|h| self.mean + h)
    }
}

/// Arithmetic mean; none of no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation with ddof 1; none of fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Upper tail of the standard normal distribution.
pub(crate) fn normal_tail(z: f64) -> f64 {
    0.5 * statrs::function::erf::erfc(z / std::f64::consts::SQRT_2)
}
