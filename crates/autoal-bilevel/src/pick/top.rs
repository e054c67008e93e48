//! The highest combined scores.

use std::cmp::Ordering;

use autoal_data::SampleId;

/// The first `count` rows by (score descending, support descending, id ascending); scores that are not numbers come last.
///
/// `support` is the sum of a sample's nominations. Rows without any stand behind all others whatever their score: with raw weights a
/// nominated sample may have a negative score, and would otherwise rank below samples that nobody wants. Every candidate nominates at
/// least `count` samples or all there are, so such rows are never needed.
pub fn top(scores: &[f64], support: &[f64], ids: &[SampleId], count: usize) -> Vec<usize> {
    let descending = |a: f64, b: f64| match (a.is_nan(), b.is_nan()) {
        (false, false) => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
        (a, b) => a.cmp(&b),
    };
    let order = |a: &usize, b: &usize| {
        let nominated = (support[*b] > 0.0).cmp(&(support[*a] > 0.0));
        let by_value = descending(scores[*a], scores[*b]).then_with(|| descending(support[*a], support[*b]));
        nominated.then(by_value).then_with(|| ids[*a].cmp(&ids[*b]))
    };
    let mut rows: Vec<usize> = (0..ids.len()).collect();
    if count > 0 && count < rows.len() {
        rows.select_nth_unstable_by(count - 1, order);
    }
    rows.truncate(count);
    rows.sort_unstable_by(order);
    rows
}
