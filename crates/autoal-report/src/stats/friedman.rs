//! Friedman's test over data sets and Nemenyi's after it (Demšar 2006, "Statistical comparisons of classifiers over multiple data sets").

use serde::Serialize;
use statrs::function::{beta::beta_reg, gamma::gamma_ur};

use super::rank::{average_ranks, tie_sizes};
use super::studentized_range;

/// Do `k` strategies have the same average rank over `n` data sets?
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Friedman {
    /// Number of data sets.
    pub n: usize,
    /// Average rank by strategy; 1 is best.
    pub average_ranks: Vec<f64>,
    /// χ² statistic, corrected for ties; none where all values are tied.
    pub statistic: Option<f64>,
    /// Its p-value with k - 1 degrees of freedom.
    pub p: Option<f64>,
    /// χ² statistic without correction for ties.
    pub plain_statistic: f64,
    /// Iman and Davenport's F, less conservative than χ²; none where it is infinite.
    pub iman_davenport: Option<f64>,
    /// Its p-value.
    pub iman_davenport_p: Option<f64>,
}

/// Tests `scores[data set][strategy]`, higher is better; none with fewer than two strategies or data sets.
pub fn test(scores: &[Vec<f64>]) -> Option<Friedman> {
    let (n, k) = (scores.len(), scores.first()?.len());
    if n < 2 || k < 2 {
        return None;
    }
    let mut average = vec![0.0; k];
    let mut ties = 0.0;
    for row in scores {
        let negated: Vec<f64> = row.iter().map(|v| -v).collect();
        average_ranks(&negated).iter().zip(&mut average).for_each(|(r, a)| *a += r / n as f64);
        ties += tie_sizes(row).iter().map(|&t| (t as f64).powi(3) - t as f64).sum::<f64>();
    }
    let (nf, kf) = (n as f64, k as f64);
    let squares: f64 = average.iter().map(|r| r * r).sum();
    let plain = 12.0 * nf / (kf * (kf + 1.0)) * (squares - kf * (kf + 1.0).powi(2) / 4.0);
    let correction = 1.0 - ties / (nf * kf * (kf * kf - 1.0));
    let statistic = (correction > 0.0).then(|| plain / correction);
    let room = nf * (kf - 1.0) - plain;
    let f = (room > 1e-12).then(|| (nf - 1.0) * plain / room);
    let (d1, d2) = (kf - 1.0, (kf - 1.0) * (nf - 1.0));
    Some(Friedman {
        n,
        statistic,
        p: statistic.map(|x| gamma_ur(d1 / 2.0, x.max(0.0) / 2.0)),
        plain_statistic: plain,
        iman_davenport: f,
        iman_davenport_p: f.map(|f| beta_reg(d2 / 2.0, d1 / 2.0, d2 / (d2 + d1 * f.max(0.0)))),
        average_ranks: average,
    })
}

/// Nemenyi's p-value for a difference of average ranks between two of `k` strategies over `n` data sets.
pub fn nemenyi_p(rank_difference: f64, k: usize, n: usize) -> f64 {
    let error = rank_error(k, n);
    studentized_range::tail(rank_difference.abs() / error * std::f64::consts::SQRT_2, k)
}

/// The smallest difference of average ranks that Nemenyi's test calls significant at `alpha`.
pub fn critical_difference(alpha: f64, k: usize, n: usize) -> f64 {
    critical_value(alpha, k) * rank_error(k, n)
}

/// Demšar's q: the studentised range's quantile divided by √2.
pub fn critical_value(alpha: f64, k: usize) -> f64 {
    studentized_range::quantile(alpha, k) / std::f64::consts::SQRT_2
}

fn rank_error(k: usize, n: usize) -> f64 {
    (k as f64 * (k as f64 + 1.0) / (6.0 * n as f64)).sqrt()
}
