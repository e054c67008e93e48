//! Student's t distribution.
//!
//! The tail is the regularised incomplete beta function `I_x(ν/2, 1/2)` at x = ν / (ν + t²); the quantile inverts it by bisection, which
//! costs microseconds and cannot diverge.

use statrs::function::beta::beta_reg;

/// Two-sided p-value of `t` with `df` degrees of freedom.
pub fn two_sided_p(t: f64, df: f64) -> f64 {
    if t == 0.0 {
        return 1.0;
    }
    beta_reg(df / 2.0, 0.5, df / (df + t * t))
}

/// The value that a t-distributed variable stays below with probability `p`, for 0.5 < p < 1; 0 for p = 0.5.
pub fn quantile(p: f64, df: f64) -> f64 {
    let tail = 2.0 * (1.0 - p);
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided_p(high, df) > tail {
        high *= 2.0;
    }
    // 200 halvings of any finite interval end at neighbouring floats.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if two_sided_p(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}
