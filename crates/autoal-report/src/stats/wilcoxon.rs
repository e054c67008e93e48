//! Wilcoxon's signed-rank test: pairs without the assumption that differences are normal.

use super::normal_tail;
use super::rank::{average_ranks, tie_sizes};

/// What becomes of pairs that do not differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// They are left out (Wilcoxon).
    Drop,
    /// They are ranked, then left out (Pratt 1959).
    Pratt,
    /// Their ranks are shared between both signs.
    Split,
}

/// Rank sums of the differences, with the moments of the normal approximation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRanks {
    /// Rank sum of the positive differences.
    pub plus: f64,
    /// Rank sum of the negative differences.
    pub minus: f64,
    mean: f64,
    sd: f64,
    /// Pairs that take part, and whether they have all different ranks.
    distinct: Option<usize>,
}

/// Ranks `differences` by size.
pub fn signed_ranks(differences: &[f64], zeros: Zeros) -> SignedRanks {
    let kept: Vec<f64> = differences.iter().copied().filter(|d| zeros != Zeros::Drop || *d != 0.0).collect();
    let sizes: Vec<f64> = kept.iter().map(|d| d.abs()).collect();
    let ranks = average_ranks(&sizes);
    let sum = |keep: fn(f64) -> bool| kept.iter().zip(&ranks).filter(|(d, _)| keep(**d)).map(|(_, r)| r).sum::<f64>();
    let (mut plus, mut minus) = (sum(|d| d > 0.0), sum(|d| d < 0.0));
    let n = kept.len() as f64;
    let mut mean = n * (n + 1.0) / 4.0;
    let mut square = n * (n + 1.0) * (2.0 * n + 1.0);
    let mut ties = tie_sizes(&sizes);
    let zero_count = kept.iter().filter(|d| **d == 0.0).count();
    if zeros == Zeros::Pratt {
        let z = zero_count as f64;
        mean -= z * (z + 1.0) / 4.0;
        square -= z * (z + 1.0) * (2.0 * z + 1.0);
        if zero_count > 0 {
            ties.remove(0);
        }
    } else if zeros == Zeros::Split {
        let half = sum(|d| d == 0.0) / 2.0;
        plus += half;
        minus += half;
    }
    square -= ties.iter().map(|&t| (t as f64).powi(3) - t as f64).sum::<f64>() / 2.0;
    let distinct = (zero_count == 0 && ties.iter().all(|&t| t == 1)).then_some(kept.len());
    SignedRanks { plus, minus, mean, sd: (square / 24.0).sqrt(), distinct }
}

impl SignedRanks {
    /// The smaller of the two rank sums.
    pub fn w(&self) -> f64 {
        self.plus.min(self.minus)
    }

    /// Two-sided p-value by the normal approximation with correction for ties, and for continuity if asked; none without spread.
    pub fn normal_p(&self, continuity: bool) -> Option<f64> {
        let off = (self.w() - self.mean).abs() - if continuity { 0.5 } else { 0.0 };
        (self.sd > 0.0).then(|| (2.0 * normal_tail(off.max(0.0) / self.sd)).min(1.0))
    }

    /// Two-sided p-value by counting all signs; none with ties or zeros, where the count does not apply.
    pub fn exact_p(&self) -> Option<f64> {
        let n = self.distinct?;
        // ways[s]: shares of the 2^n sign patterns whose positive ranks sum to s.
        let mut ways = vec![0.0; n * (n + 1) / 2 + 1];
        ways[0] = 1.0;
        for rank in 1..=n {
            for s in (0..ways.len()).rev() {
                let with = if s >= rank { ways[s - rank] } else { 0.0 };
                ways[s] = 0.5 * (ways[s] + with);
            }
        }
        let below: f64 = ways.iter().take(self.w() as usize + 1).sum();
        Some((2.0 * below).min(1.0))
    }
}
