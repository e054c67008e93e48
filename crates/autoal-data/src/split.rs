//! Choosing a part of the samples: seed sets and limits.
//!
//! A part is the first so many ids by a hash of (seed, stream, id), so it does not depend on the order of the pool, and a larger part
//! contains the smaller one of the same seed.

use sha2::{Digest, Sha256};

use crate::{DataError, Label, SampleId, Seed, Stratification, Stream};

const SEED_SET: Stream = Stream::named("seed-set");

/// The samples that are labeled before the first query: the same for every strategy of one seed, in the order of their hash.
///
/// `labels` stand in the order of `ids`; they are read for [`Stratification::Stratified`] only, and may be empty otherwise.
pub fn seed_set(
    ids: &[SampleId],
    labels: &[Label],
    size: usize,
    seed: Seed,
    by: Stratification,
) -> Result<Vec<SampleId>, DataError> {
    if size > ids.len() {
        let detail = format!("a seed set of {size} samples cannot be drawn from a pool of {}", ids.len());
        return Err(DataError::Split(detail));
    }
    if by == Stratification::Stratified && labels.len() != ids.len() {
        return Err(DataError::Split("a stratified seed set needs the label of each sample of the pool".to_owned()));
    }
    Ok(choose(ids, labels, size, seed, SEED_SET, by))
}

/// SHA-256 in hexadecimal over ids in their order: equal digests mean equal seed sets.
pub fn digest_ids(ids: &[SampleId]) -> String {
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id.0.to_le_bytes());
    }
    hexadecimal(&hash.finalize())
}

/// `size` of `ids`, in the order of their hash; all of them when there are not more.
pub(crate) fn choose(
    ids: &[SampleId],
    labels: &[Label],
    size: usize,
    seed: Seed,
    stream: Stream,
    by: Stratification,
) -> Vec<SampleId> {
    let mut order: Vec<(u64, SampleId, usize)> =
        ids.iter().enumerate().map(|(index, id)| (seed.hash(stream, 0, *id), *id, index)).collect();
    order.sort_unstable();
    let mut quota = match by {
        Stratification::Uniform => vec![size],
        Stratification::Stratified => quotas(labels, size.min(ids.len())),
    };
    let class = |index: usize| if by == Stratification::Uniform { 0 } else { labels[index].class() };
    let taken = order.into_iter().filter(|(_, _, index)| {
        let left = &mut quota[class(*index)];
        let take = *left > 0;
        *left -= usize::from(take);
        take
    });
    taken.map(|(_, id, _)| id).collect()
}

/// How many of each class make up `size` samples with the shares of `labels`: the largest remainders are rounded up, the lower class
/// first among equals.
fn quotas(labels: &[Label], size: usize) -> Vec<usize> {
    let counts = class_counts(labels, 0);
    let total = labels.len().max(1);
    let mut quota: Vec<usize> = counts.iter().map(|count| size * count / total).collect();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|class| std::cmp::Reverse(size * counts[*class] % total));
    let missing = size - quota.iter().sum::<usize>();
    for class in by_remainder.into_iter().take(missing) {
        quota[class] += 1;
    }
    quota
}

/// Samples of each class; at least `classes` long.
pub(crate) fn class_counts(labels: &[Label], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for label in labels {
        if label.class() >= counts.len() {
            counts.resize(label.class() + 1, 0);
        }
        counts[label.class()] += 1;
    }
    counts
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(count: u32) -> Vec<SampleId> {
        (0..count).map(SampleId).collect()
    }

    #[test]
    fn a_seed_set_does_not_depend_on_the_order_of_the_pool() {
        let forward = ids(100);
        let backward: Vec<SampleId> = forward.iter().rev().copied().collect();
        let draw = |ids: &[SampleId]| seed_set(ids, &[], 10, Seed(3), Stratification::Uniform).expect("10 of 100");
        assert_eq!(draw(&forward), draw(&backward));
        assert_eq!(digest_ids(&draw(&forward)), digest_ids(&draw(&backward)));
        assert_ne!(draw(&forward), seed_set(&forward, &[], 10, Seed(4), Stratification::Uniform).expect("10 of 100"));
    }

    #[test]
    fn a_larger_seed_set_begins_with_the_smaller_one() {
        let draw = |size| seed_set(&ids(50), &[], size, Seed(0), Stratification::Uniform).expect("fits");
        assert_eq!(draw(20)[..7], draw(7));
    }

    #[test]
    fn a_seed_set_larger_than_the_pool_is_an_error() {
        let error = seed_set(&ids(5), &[], 6, Seed(0), Stratification::Uniform).expect_err("6 of 5");
        assert_eq!(error.to_string(), "a seed set of 6 samples cannot be drawn from a pool of 5");
    }

    #[test]
    fn the_digest_is_sha_256_over_little_endian_ids() {
        // Python: hashlib.sha256(struct.pack("<3I", 1, 2, 3)).hexdigest()
        let expected = "4636993d3e1da4e9d6b8f87b79e8f7c6d018580d52661950eabc3845c5897a4d";
        assert_eq!(digest_ids(&[SampleId(1), SampleId(2), SampleId(3)]), expected);
    }

    proptest! {
        #[test]
        fn a_stratified_part_keeps_the_share_of_each_class_to_within_one(classes in prop::collection::vec(0_u16..5, 1..200), part in 0.0..1.0) {
            let labels: Vec<Label> = classes.into_iter().map(Label).collect();
            let size = (labels.len() as f64 * part) as usize;
            let drawn = seed_set(&ids(labels.len() as u32), &labels, size, Seed(9), Stratification::Stratified).expect("fits");
            prop_assert_eq!(drawn.len(), size);
            let chosen: Vec<Label> = drawn.iter().map(|id| labels[id.row()]).collect();
            for (count, all) in class_counts(&chosen, 5).into_iter().zip(class_counts(&labels, 5)) {
                let share = size as f64 * all as f64 / labels.len() as f64;
                prop_assert!((count as f64 - share).abs() < 1.0, "{count} of {all}, share {share}");
            }
        }
    }
}
