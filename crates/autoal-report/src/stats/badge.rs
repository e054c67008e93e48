//! The pairwise comparison of BADGE's authors (Ash et al. 2020, section 4 and appendix).
//!
//! At each of n label budgets, a strategy that beats another in a paired t-test over seeds gives it a penalty of 1/n.

use serde::Serialize;

use super::paired;

/// Penalties of every pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PenaltyMatrix {
    /// `penalty[i][j]`: share of the budgets at which i beats j.
    pub penalty: Vec<Vec<f64>>,
    /// `wins[i][j]`: number of budgets at which i beats j.
    pub wins: Vec<Vec<usize>>,
    /// Mean of a column, over all strategies with the diagonal's 0 among them; lower is better.
    pub column_mean: Vec<f64>,
    /// `t[i][j][budget]`; none on the diagonal and where all differences are equal.
    pub t: Vec<Vec<Vec<Option<f64>>>>,
    /// Number of budgets.
    pub budgets: usize,
}

/// Compares `values[strategy][seed][budget]`, higher is better; i beats j where its t is above `threshold`.
///
/// Where every seed differs by the same amount, which has no t, the sign decides.
pub fn penalty_matrix(values: &[Vec<Vec<f64>>], threshold: f64) -> PenaltyMatrix {
    let k = values.len();
    let budgets = values.first().and_then(|s| s.first()).map_or(0, Vec::len);
    let mut matrix = PenaltyMatrix {
        penalty: vec![vec![0.0; k]; k],
        wins: vec![vec![0; k]; k],
        column_mean: vec![0.0; k],
        t: vec![vec![vec![None; budgets]; k]; k],
        budgets,
    };
    for i in 0..k {
        for j in (0..k).filter(|&j| j != i) {
            for budget in 0..budgets {
                let at = |s: usize| values[s].iter().map(|seed| seed[budget]).collect::<Vec<_>>();
                let Some(test) = paired::test(&at(i), &at(j)) else { continue };
                matrix.t[i][j][budget] = test.t;
                let constant_win = test.t.is_none() && test.p == Some(0.0) && test.mean_difference > 0.0;
                if constant_win || test.t.is_some_and(|t| t > threshold) {
                    matrix.wins[i][j] += 1;
                }
            }
            matrix.penalty[i][j] = matrix.wins[i][j] as f64 / budgets.max(1) as f64;
            matrix.column_mean[j] += matrix.penalty[i][j] / k as f64;
        }
    }
    matrix
}

/// The label budgets that count: `initial`, then `initial + 2^(m-1) query_size` for m = 1, 2, ..., each while Random's mean accuracy
/// there is at most 99 % of its last. Late rounds, where all strategies are alike, would otherwise outvote the rest.
pub fn budgets(labels: &[usize], random_mean: &[f64], initial: usize, query_size: usize) -> Vec<usize> {
    let mut chosen = vec![initial];
    let Some(last) = random_mean.last() else { return chosen };
    for m in 0.. {
        let next = query_size.checked_shl(m).and_then(|step| initial.checked_add(step));
        let Some(at) = next.and_then(|next| labels.iter().position(|&l| l == next)) else { break };
        if random_mean[at] / last > 0.99 {
            break;
        }
        chosen.push(labels[at]);
    }
    chosen
}
