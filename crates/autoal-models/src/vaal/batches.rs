//! Endless batches over some samples, in a new order each time around.

use autoal_data::{SampleId, Seed, Stream};

/// The order of each turn derives from (seed, stream, turn, round, sample), not from the order in which samples are given.
pub(super) struct Cycle<'a> {
    ids: &'a [SampleId],
    seed: Seed,
    stream: Stream,
    round: u32,
    turn: u64,
    /// What is left of this turn, the next one last.
    left: Vec<SampleId>,
}

impl<'a> Cycle<'a> {
    /// A cycle over at least one sample.
    pub(super) fn new(ids: &'a [SampleId], seed: Seed, stream: Stream, round: u32) -> Self {
        Self { ids, seed, stream, round, turn: 0, left: Vec::new() }
    }

    /// The next `count` samples; small sets repeat within a batch.
    pub(super) fn take(&mut self, count: usize) -> Vec<SampleId> {
        (0..count).map(|_| self.next()).collect()
    }

    fn next(&mut self) -> SampleId {
        loop {
            if let Some(id) = self.left.pop() {
                return id;
            }
            let stream = self.stream.child(self.turn);
            let mut keyed: Vec<_> = self.ids.iter().map(|id| (self.seed.hash(stream, self.round, *id), *id)).collect();
            keyed.sort_unstable();
            self.left = keyed.into_iter().map(|(_, id)| id).collect();
            self.turn += 1;
        }
    }
}
