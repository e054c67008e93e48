//! Model outputs that some other program computed: arrays in memory or in a mapped file.

use std::cell::OnceCell;

use ndarray::{Array3, ArrayView1, ArrayView2, ArrayView3, Axis, CowArray, Ix1, Ix2, Ix3};

use crate::{LinearHead, McOutputs, ModelOutputs, OutputsError};

/// Outputs given as arrays. An array that was not given is missing, and a strategy that needs it says so.
///
/// Arrays are borrowed where they are row-major, so a mapped file stays on disk; others are copied once into that layout.
#[derive(Default)]
pub struct ArrayOutputs<'a> {
    log_proba: Option<CowArray<'a, f32, Ix2>>,
    embeddings: Option<CowArray<'a, f32, Ix2>>,
    labeled_embeddings: Option<CowArray<'a, f32, Ix2>>,
    labeled_log_proba: Option<CowArray<'a, f32, Ix2>>,
    mc_proba: Option<CowArray<'a, f32, Ix3>>,
    ensemble_proba: Option<CowArray<'a, f32, Ix3>>,
    predicted_loss: Option<CowArray<'a, f32, Ix1>>,
    labeled_probability: Option<CowArray<'a, f32, Ix1>>,
    head: Option<LinearHead>,
    mc_sums: OnceCell<McOutputs>,
    ensemble_sums: OnceCell<McOutputs>,
}

/// The array itself when it is row-major, else a row-major copy.
fn row_major<'a, D: ndarray::Dimension>(array: impl Into<CowArray<'a, f32, D>>) -> CowArray<'a, f32, D> {
    let array = array.into();
    if array.is_standard_layout() { array } else { CowArray::from(array.as_standard_layout().into_owned()) }
}

impl<'a> ArrayOutputs<'a> {
    /// No arrays.
    pub fn new() -> Self {
        Self::default()
    }

    /// With log-probabilities of the candidates, `[N, C]`.
    #[must_use]
    pub fn with_log_proba(mut self, array: impl Into<CowArray<'a, f32, Ix2>>) -> Self {
        self.log_proba = Some(row_major(array));
        self
    }

    /// With embeddings of the candidates, `[N, D]`.
    #[must_use]
    pub fn with_embeddings(mut self, array: impl Into<CowArray<'a, f32, Ix2>>) -> Self {
        self.embeddings = Some(row_major(array));
        self
    }

    /// With embeddings of the labeled samples, `[L, D]`.
    #[must_use]
    pub fn with_labeled_embeddings(mut self, array: impl Into<CowArray<'a, f32, Ix2>>) -> Self {
        self.labeled_embeddings = Some(row_major(array));
        self
    }

    /// With log-probabilities of the labeled samples, `[L, C]`.
    #[must_use]
    pub fn with_labeled_log_proba(mut self, array: impl Into<CowArray<'a, f32, Ix2>>) -> Self {
        self.labeled_log_proba = Some(row_major(array));
        self
    }

    /// With probabilities of stochastic passes, `[T, N, C]`.
    #[must_use]
    pub fn with_mc_proba(mut self, array: impl Into<CowArray<'a, f32, Ix3>>) -> Self {
        self.mc_proba = Some(row_major(array));
        self
    }

    /// With probabilities of independently trained models, `[E, N, C]`.
    #[must_use]
    pub fn with_ensemble_proba(mut self, array: impl Into<CowArray<'a, f32, Ix3>>) -> Self {
        self.ensemble_proba = Some(row_major(array));
        self
    }

    /// With predicted losses of the candidates, `[N]`.
    #[must_use]
    pub fn with_predicted_loss(mut self, array: impl Into<CowArray<'a, f32, Ix1>>) -> Self {
        self.predicted_loss = Some(row_major(array));
        self
    }

    /// With probabilities of being labeled, `[N]`.
    #[must_use]
    pub fn with_labeled_probability(mut self, array: impl Into<CowArray<'a, f32, Ix1>>) -> Self {
        self.labeled_probability = Some(row_major(array));
        self
    }

    /// With the last linear layer.
    #[must_use]
    pub fn with_head(mut self, head: LinearHead) -> Self {
        self.head = Some(head);
        self
    }
}

fn given<'a, D: ndarray::Dimension>(
    array: Option<&'a CowArray<'_, f32, D>>,
    name: &'static str,
) -> Result<ndarray::ArrayView<'a, f32, D>, OutputsError> {
    array.map(|array| array.view()).ok_or_else(|| OutputsError::missing(name))
}

impl ArrayOutputs<'_> {
    fn passes(&self) -> Result<ArrayView3<'_, f32>, OutputsError> {
        let passes = given(self.mc_proba.as_ref(), "mc_proba")?;
        if passes.len_of(Axis(0)) == 0 {
            return Err(OutputsError::Failed("`mc_proba` has no pass, expected shape [T, N, C] with T of at least 1".into()));
        }
        Ok(passes)
    }
}

impl ModelOutputs for ArrayOutputs<'_> {
    fn log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        given(self.log_proba.as_ref(), "log_proba")
    }

    fn embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        given(self.embeddings.as_ref(), "embeddings")
    }

    fn labeled_embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        given(self.labeled_embeddings.as_ref(), "labeled_embeddings")
    }

    fn labeled_log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        given(self.labeled_log_proba.as_ref(), "labeled_log_proba")
    }

    fn mc_dropout(&self) -> Result<&McOutputs, OutputsError> {
        let passes = self.passes()?;
        Ok(self.mc_sums.get_or_init(|| McOutputs::from_passes(passes)))
    }

    fn mc_proba(&self, rows: &[usize]) -> Result<Array3<f32>, OutputsError> {
        let passes = self.passes()?;
        match rows.iter().find(|&&row| row >= passes.len_of(Axis(1))) {
            Some(row) => {
                Err(OutputsError::Failed(format!("`mc_proba` has {} samples, row {row} was asked for", passes.len_of(Axis(1)))))
            }
            None => Ok(passes.select(Axis(1), rows)),
        }
    }

    fn predicted_loss(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        given(self.predicted_loss.as_ref(), "predicted_loss")
    }

    fn head(&self) -> Result<&LinearHead, OutputsError> {
        self.head.as_ref().ok_or_else(|| OutputsError::missing("head_weight"))
    }

    fn ensemble(&self, members: usize) -> Result<&McOutputs, OutputsError> {
        let passes = given(self.ensemble_proba.as_ref(), "ensemble_proba")?;
        if passes.len_of(Axis(0)) != members {
            let text = format!("`ensemble_proba` has {} models, {members} were asked for", passes.len_of(Axis(0)));
            return Err(OutputsError::Failed(text));
        }
        Ok(self.ensemble_sums.get_or_init(|| McOutputs::from_passes(passes)))
    }

    fn labeled_probability(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        given(self.labeled_probability.as_ref(), "labeled_probability")
    }
}
