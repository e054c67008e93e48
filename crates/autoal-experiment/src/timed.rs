//! Model outputs that count the seconds they take, so that a round can tell passes over the pool from the strategy's own work.

use std::cell::Cell;
use std::time::Instant;

use autoal_data::SampleId;
use autoal_strategies::{LinearHead, McOutputs, ModelOutputs, OutputsError};
use ndarray::{Array3, ArrayView1, ArrayView2};

/// Outputs of a task model with a clock around each request.
pub(crate) struct TimedOutputs<'a> {
    inner: &'a dyn ModelOutputs,
    seconds: Cell<f64>,
}

impl<'a> TimedOutputs<'a> {
    /// Puts a clock around `inner`.
    pub(crate) fn new(inner: &'a dyn ModelOutputs) -> Self {
        Self { inner, seconds: Cell::new(0.0) }
    }

    /// Seconds of all requests so far. A strategy that trains models of its own through these outputs pays for them here as well.
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds.get()
    }

    fn timed<T>(&self, request: impl FnOnce(&'a dyn ModelOutputs) -> T) -> T {
        let start = Instant::now();
        let answer = request(self.inner);
        self.seconds.set(self.seconds.get() + start.elapsed().as_secs_f64());
        answer
    }
}

impl ModelOutputs for TimedOutputs<'_> {
    fn log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.timed(|inner| inner.log_proba())
    }

    fn embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.timed(|inner| inner.embeddings())
    }

    fn labeled_embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.timed(|inner| inner.labeled_embeddings())
    }

    fn labeled_log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.timed(|inner| inner.labeled_log_proba())
    }

    fn mc_dropout(&self) -> Result<&McOutputs, OutputsError> {
        self.timed(|inner| inner.mc_dropout())
    }

    fn mc_proba(&self, rows: &[usize]) -> Result<Array3<f32>, OutputsError> {
        self.timed(|inner| inner.mc_proba(rows))
    }

    fn predicted_loss(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        self.timed(|inner| inner.predicted_loss())
    }

    fn head(&self) -> Result<&LinearHead, OutputsError> {
        self.timed(|inner| inner.head())
    }

    fn ensemble(&self, members: usize) -> Result<&McOutputs, OutputsError> {
        self.timed(|inner| inner.ensemble(members))
    }

    fn labeled_probability(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        self.timed(|inner| inner.labeled_probability())
    }

    fn holdout_accuracy(&self, train: &[SampleId], test: &[SampleId]) -> Result<f64, OutputsError> {
        self.timed(|inner| inner.holdout_accuracy(train, test))
    }
}
