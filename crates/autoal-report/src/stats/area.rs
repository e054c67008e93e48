//! Area under the budget curve.

/// AUBC: the trapezoids under the curve divided by the span of the labels, `Σ (a_i + a_(i+1)) b_i / 2 / Σ b_i`.
///
/// The curve is (labels, value) by ascending labels; a last step may be shorter. None of fewer than two points.
pub fn aubc(curve: &[(usize, f64)]) -> Option<f64> {
    let span = (curve.last()?.0 - curve.first()?.0) as f64;
    let area: f64 = curve.windows(2).map(|w| (w[0].1 + w[1].1) * (w[1].0 - w[0].0) as f64 / 2.0).sum();
    (span > 0.0).then(|| area / span)
}

/// The form that AutoAL's paper prints: AUBC to three decimals.
pub fn rounded(aubc: f64) -> f64 {
    (aubc * 1000.0).round() / 1000.0
}
