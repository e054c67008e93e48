//! The outputs of some of the candidates: other strategies' sub-pools, caps, another order.

use std::cell::OnceCell;

use autoal_data::SampleId;
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};

use crate::{LinearHead, McOutputs, ModelOutputs, OutputsError};

/// Rows of another [`ModelOutputs`], gathered on first use. Labeled arrays pass through.
pub struct SubsetOutputs<'a> {
    inner: &'a dyn ModelOutputs,
    rows: Vec<usize>,
    log_proba: OnceCell<Array2<f32>>,
    embeddings: OnceCell<Array2<f32>>,
    mc_dropout: OnceCell<McOutputs>,
    predicted_loss: OnceCell<Array1<f32>>,
    ensemble: OnceCell<(usize, McOutputs)>,
    labeled_probability: OnceCell<Array1<f32>>,
}

impl<'a> SubsetOutputs<'a> {
    /// The outputs at `rows` of `inner`, in that order.
    pub fn new(inner: &'a dyn ModelOutputs, rows: Vec<usize>) -> Self {
        Self {
            inner,
            rows,
            log_proba: OnceCell::new(),
            embeddings: OnceCell::new(),
            mc_dropout: OnceCell::new(),
            predicted_loss: OnceCell::new(),
            ensemble: OnceCell::new(),
            labeled_probability: OnceCell::new(),
        }
    }

    /// The rows of the inner outputs.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The ids at these rows of `candidates`, for the context that goes with these outputs.
    pub fn ids(&self, candidates: &[SampleId]) -> Vec<SampleId> {
        self.rows.iter().map(|&row| candidates[row]).collect()
    }

    fn gather(&self, view: ArrayView2<'_, f32>, name: &str) -> Result<Array2<f32>, OutputsError> {
        self.check(view.nrows(), name)?;
        Ok(view.select(Axis(0), &self.rows))
    }

    fn gather_vector(&self, view: ArrayView1<'_, f32>, name: &str) -> Result<Array1<f32>, OutputsError> {
        self.check(view.len(), name)?;
        Ok(view.select(Axis(0), &self.rows))
    }

    fn check(&self, len: usize, name: &str) -> Result<(), OutputsError> {
        match self.rows.iter().find(|&&row| row >= len) {
            Some(row) => Err(OutputsError::Failed(format!("`{name}` has {len} rows, row {row} was asked for"))),
            None => Ok(()),
        }
    }
}

/// The value of `cell`, computed on first use.
fn memo<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, OutputsError>) -> Result<&T, OutputsError> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

impl ModelOutputs for SubsetOutputs<'_> {
    fn log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        memo(&self.log_proba, || self.gather(self.inner.log_proba()?, "log_proba")).map(|array| array.view())
    }

    fn embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        memo(&self.embeddings, || self.gather(self.inner.embeddings()?, "embeddings")).map(|array| array.view())
    }

    fn labeled_embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.inner.labeled_embeddings()
    }

    fn labeled_log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.inner.labeled_log_proba()
    }

    fn mc_dropout(&self) -> Result<&McOutputs, OutputsError> {
        memo(&self.mc_dropout, || {
            let mc = self.inner.mc_dropout()?;
            self.check(mc.mean_entropy.len(), "mc_proba")?;
            Ok(mc.select(&self.rows))
        })
    }

    fn mc_proba(&self, rows: &[usize]) -> Result<Array3<f32>, OutputsError> {
        let rows: Vec<usize> = rows.iter().map(|&row| self.rows[row]).collect();
        self.inner.mc_proba(&rows)
    }

    fn predicted_loss(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        memo(&self.predicted_loss, || self.gather_vector(self.inner.predicted_loss()?, "predicted_loss"))
            .map(|array| array.view())
    }

    fn head(&self) -> Result<&LinearHead, OutputsError> {
        self.inner.head()
    }

    fn ensemble(&self, members: usize) -> Result<&McOutputs, OutputsError> {
        let (made, outputs) = memo(&self.ensemble, || {
            let outputs = self.inner.ensemble(members)?;
            self.check(outputs.mean_entropy.len(), "ensemble_proba")?;
            Ok((members, outputs.select(&self.rows)))
        })?;
        if *made != members {
            return Err(OutputsError::Failed(format!(
                "an ensemble of {made} was made in this query, {members} members were asked for"
            )));
        }
        Ok(outputs)
    }

    fn labeled_probability(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        memo(&self.labeled_probability, || self.gather_vector(self.inner.labeled_probability()?, "labeled_probability"))
            .map(|array| array.view())
    }

    fn holdout_accuracy(&self, train: &[SampleId], test: &[SampleId]) -> Result<f64, OutputsError> {
        self.inner.holdout_accuracy(train, test)
    }
}
