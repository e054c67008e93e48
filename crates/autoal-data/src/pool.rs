//! The pool: which samples have labels and which do not.

use crate::{Label, SampleId};

/// All samples that may be labeled, in two parts. A sample is in exactly one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    labeled: Vec<(SampleId, Label)>,
    unlabeled: Vec<SampleId>,
}

/// What was wrong with labels that were to be added to a pool.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PoolError {
    /// The sample has a label already, or is not in the pool.
    #[error("sample {0} is not among the unlabeled samples of the pool")]
    NotUnlabeled(SampleId),
}

impl Pool {
    /// A pool of `ids` without labels; duplicates are dropped.
    pub fn new(mut ids: Vec<SampleId>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        Self { labeled: Vec::new(), unlabeled: ids }
    }

    /// Labeled samples in the order in which they were labeled.
    pub fn labeled(&self) -> &[(SampleId, Label)] {
        &self.labeled
    }

    /// Unlabeled samples by ascending id.
    pub fn unlabeled(&self) -> &[SampleId] {
        &self.unlabeled
    }

    /// Moves samples to the labeled part. Nothing changes when one of them is not unlabeled.
    pub fn label(&mut self, labels: &[(SampleId, Label)]) -> Result<(), PoolError> {
        let mut added: Vec<SampleId> = labels.iter().map(|(id, _)| *id).collect();
        added.sort_unstable();
        for (i, id) in added.iter().enumerate() {
            if self.unlabeled.binary_search(id).is_err() || (i > 0 && added[i - 1] == *id) {
                return Err(PoolError::NotUnlabeled(*id));
            }
        }
        self.unlabeled.retain(|id| added.binary_search(id).is_err());
        self.labeled.extend_from_slice(labels);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labeling_twice_is_an_error_and_changes_nothing() {
        let mut pool = Pool::new(vec![SampleId(2), SampleId(1), SampleId(5)]);
        pool.label(&[(SampleId(5), Label(1))]).expect("5 is unlabeled");
        let before = pool.clone();
        assert_eq!(pool.label(&[(SampleId(1), Label(0)), (SampleId(5), Label(1))]), Err(PoolError::NotUnlabeled(SampleId(5))));
        assert_eq!(pool.label(&[(SampleId(1), Label(0)), (SampleId(1), Label(0))]), Err(PoolError::NotUnlabeled(SampleId(1))));
        assert_eq!(pool, before);
        assert_eq!(pool.unlabeled(), [SampleId(1), SampleId(2)]);
    }
}
