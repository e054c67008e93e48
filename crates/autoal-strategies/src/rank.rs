//! Ranking by score: score descending, then id ascending; a score that is not a number ranks last and is counted.
//!
//! The rule is one integer comparison. Score and id are packed into a key whose order is the ranking, so that the first `count` of `N`
//! candidates cost one partial selection and one sort of `count` keys: O(N + count log count) time, 16 bytes a candidate.

use autoal_data::SampleId;

use crate::{Selected, Selection};

/// The first `count` rows in ranking order.
///
/// `scores` and `ids` have one entry a row. All rows are returned when `count` exceeds them.
pub fn top(scores: &[f64], ids: &[SampleId], count: usize) -> Vec<usize> {
    debug_assert_eq!(scores.len(), ids.len());
    let mut keys: Vec<u128> = scores.iter().zip(ids).enumerate().map(|(row, (score, id))| key(*score, *id, row)).collect();
    if count == 0 || keys.is_empty() {
        return Vec::new();
    }
    if count < keys.len() {
        keys.select_nth_unstable(count - 1);
        keys.truncate(count);
    }
    keys.sort_unstable();
    keys.into_iter().map(|key| key as u32 as usize).collect()
}

/// The first `count` candidates in ranking order with their scores.
pub fn select(scores: &[f64], ids: &[SampleId], count: usize) -> Selection {
    let samples = top(scores, ids, count).into_iter().map(|row| Selected { id: ids[row], score: Some(scores[row]) }).collect();
    Selection { samples, nan_scores: scores.iter().filter(|score| score.is_nan()).count(), ..Selection::default() }
}

/// The row with the largest value, the lowest row among equals; values that are not numbers lose. `None` for no rows.
///
/// Among candidates in ascending order of id this is the ranking's first.
pub fn argmax(values: &[f64]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (row, &value) in values.iter().enumerate() {
        let wins = match best {
            None => true,
            Some((_, top)) => value > top || (top.is_nan() && !value.is_nan()),
        };
        if wins {
            best = Some((row, value));
        }
    }
    best.map(|(row, _)| row)
}

/// A key whose ascending order is the ranking: inverted score bits, id, row.
fn key(score: f64, id: SampleId, row: usize) -> u128 {
    (u128::from(!ordered_bits(score)) << 64) | (u128::from(id.0) << 32) | u128::from(row as u32)
}

/// Bits of a score that compare like the score; equal zeros are equal, not-a-number is below negative infinity.
fn ordered_bits(score: f64) -> u64 {
    if score.is_nan() {
        return 0;
    }
    // Adding zero turns -0 into +0.
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(numbers: &[u32]) -> Vec<SampleId> {
        numbers.iter().map(|&n| SampleId(n)).collect()
    }

    #[test]
    fn ties_go_to_the_lower_id_and_not_a_number_ranks_after_negative_infinity() {
        let scores = [0.0, f64::NAN, -0.0, f64::NEG_INFINITY, f64::INFINITY];
        let pool = ids(&[9, 1, 4, 7, u32::MAX]);
        assert_eq!(top(&scores, &pool, 5), [4, 2, 0, 3, 1]);
        let selection = select(&scores, &pool, 2);
        assert_eq!(selection.ids(), ids(&[u32::MAX, 4]));
        assert_eq!(selection.nan_scores, 1);
    }

    #[test]
    fn the_largest_value_is_found_behind_values_that_are_not_numbers() {
        assert_eq!(argmax(&[f64::NAN, 1.0, 3.0, 3.0, f64::NAN]), Some(2));
        assert_eq!(argmax(&[f64::NAN, f64::NEG_INFINITY]), Some(1));
        assert_eq!(argmax(&[]), None);
    }

    proptest! {
        #[test]
        fn partial_selection_equals_a_full_sort(values in prop::collection::vec(-3_i8..3, 1..60), count in 0_usize..70) {
            let scores: Vec<f64> = values.iter().map(|&v| if v == -3 { f64::NAN } else { f64::from(v) / 2.0 }).collect();
            let pool: Vec<SampleId> = (0..scores.len() as u32).map(|i| SampleId(i.wrapping_mul(2_654_435_761))).collect();
            let mut expected: Vec<usize> = (0..scores.len()).collect();
            expected.sort_by(|&a, &b| {
                let by_score = scores[b].partial_cmp(&scores[a]).unwrap_or_else(|| scores[a].is_nan().cmp(&scores[b].is_nan()));
                by_score.then(pool[a].cmp(&pool[b]))
            });
            expected.truncate(count);
            prop_assert_eq!(top(&scores, &pool, count), expected);
        }
    }
}
