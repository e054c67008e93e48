//! Holm's step-down correction for several tests (Holm 1979).

/// Adjusted p-values, in the order of `p`: reject at α where the adjusted value is at most α.
pub fn adjust(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut highest = 0.0_f64;
    for (i, &at) in order.iter().enumerate() {
        highest = highest.max((p.len() - i) as f64 * p[at]).min(1.0);
        adjusted[at] = highest;
    }
    adjusted
}

/// [`adjust`] over the tests that gave a p-value; the others stay none and do not count as tests.
pub fn adjust_known(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known: Vec<f64> = p.iter().copied().flatten().collect();
    let mut adjusted = adjust(&known).into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}
