//! The paired t-test: the same seeds under two strategies.

use serde::Serialize;

use super::{CONFIDENCE, mean, standard_deviation, student};

/// Differences whose spread is below this share of the values are equal but for rounding.
const EQUAL: f64 = 1e-12;

/// Differences `a - b` over paired seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedT {
    /// Number of pairs.
    pub n: usize,
    /// Mean of the differences.
    pub mean_difference: f64,
    /// Interval of the mean difference; none for one pair.
    pub interval: Option<(f64, f64)>,
    /// t statistic; none for one pair and for differences that are all equal.
    pub t: Option<f64>,
    /// Two-sided p-value; none for one pair and where all differences are 0. It is 0 where all differences are equal but not 0.
    pub p: Option<f64>,
}

/// Tests `a` against `b`, pair by pair; none of no pairs.
pub fn test(a: &[f64], b: &[f64]) -> Option<PairedT> {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let n = differences.len();
    let mean_difference = mean(&differences)?;
    let mut result = PairedT { n, mean_difference, interval: None, t: None, p: None };
    let Some(sd) = standard_deviation(&differences) else { return Some(result) };
    let df = (n - 1) as f64;
    let error = sd / (n as f64).sqrt();
    let half = student::quantile(f64::midpoint(1.0, CONFIDENCE), df) * error;
    result.interval = Some((mean_difference - half, mean_difference + half));
    let scale = a.iter().chain(b).fold(0.0_f64, |m, v| m.max(v.abs()));
    if sd > EQUAL * scale {
        let t = mean_difference / error;
        result.t = Some(t);
        result.p = Some(student::two_sided_p(t, df));
    } else if mean_difference.abs() > EQUAL * scale {
        result.p = Some(0.0);
    }
    Some(result)
}
