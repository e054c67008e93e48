//! The only source of randomness: every number derives from (seed, stream, round, sample).
//!
//! The four values form the key of a `ChaCha8` generator. Two streams never share numbers, so one strategy cannot disturb another, a
//! resumed run needs no saved generator, and a random choice does not depend on the order of the pool.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::SampleId;

/// A random seed: one repetition of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// What random numbers are for. A purpose never shares numbers with another; `Stream::named` makes further ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stream(u64);

impl Stream {
    /// The stream of that name. The name is part of the result files' meaning: renaming a stream changes results.
    pub const fn named(name: &str) -> Self {
        // FNV-1a, chosen because it can run in a constant.
        let bytes = name.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
            i += 1;
        }
        Self(hash)
    }

    /// A stream under this one, for the `index`-th of several equal things (an epoch, a member, a draw).
    #[must_use]
    pub const fn child(self, index: u64) -> Self {
        // The multiplier is the 64-bit golden ratio; the rotation keeps child(a).child(b) apart from child(b).child(a).
        Self(self.0.rotate_left(23) ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Seed {
    /// A generator for one purpose in one round.
    pub fn rng(self, stream: Stream, round: u32) -> ChaCha8Rng {
        self.keyed(stream, u64::from(round), u64::MAX)
    }

    /// A generator for one purpose, round and sample.
    pub fn sample_rng(self, stream: Stream, round: u32, sample: SampleId) -> ChaCha8Rng {
        self.keyed(stream, u64::from(round), u64::from(sample.0))
    }

    /// One number for one purpose, round and sample.
    pub fn hash(self, stream: Stream, round: u32, sample: SampleId) -> u64 {
        self.sample_rng(stream, round, sample).next_u64()
    }

    /// One number in the open interval (0, 1) for one purpose, round and sample.
    pub fn unit(self, stream: Stream, round: u32, sample: SampleId) -> f64 {
        ((self.hash(stream, round, sample) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn keyed(self, stream: Stream, round: u64, sample: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        for (slot, value) in key.chunks_exact_mut(8).zip([self.0, stream.0, round, sample]) {
            slot.copy_from_slice(&value.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_key_changes_the_numbers() {
        let stream = Stream::named("init");
        let base = Seed(1).hash(stream, 2, SampleId(3));
        assert_eq!(base, Seed(1).hash(stream, 2, SampleId(3)));
        for other in [
            Seed(2).hash(stream, 2, SampleId(3)),
            Seed(1).hash(Stream::named("split"), 2, SampleId(3)),
            Seed(1).hash(stream.child(0), 2, SampleId(3)),
            Seed(1).hash(stream, 3, SampleId(3)),
            Seed(1).hash(stream, 2, SampleId(4)),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn children_of_children_differ_by_order() {
        let stream = Stream::named("mask");
        assert_ne!(stream.child(1).child(2), stream.child(2).child(1));
        assert_ne!(stream.child(0), stream);
    }

    #[test]
    fn unit_numbers_lie_strictly_inside_the_interval() {
        let mean = (0..1000).map(|i| Seed(7).unit(Stream::named("t"), 0, SampleId(i))).inspect(|u| assert!(*u > 0.0 && *u < 1.0));
        assert!((mean.sum::<f64>() / 1000.0 - 0.5).abs() < 0.05);
    }
}
