//! What strategies may ask of a round's model: computed on demand, once, in streaming batches.

mod accumulate;
mod mc;
mod retrain;

use std::cell::OnceCell;
use std::path::Path;

use autoal_data::{Label, Normalization, SampleId, Samples, Seed};
use autoal_strategies::{LinearHead, McOutputs, ModelOutputs, OutputsError};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2};

use crate::config::TrainConfig;
use crate::proba::log_softmax;
use crate::trained::Inference;
use crate::vaal::Vaal;
use crate::{ModelError, TrainedModel};

/// Largest ensemble that can be asked for.
pub const MAX_MEMBERS: usize = 32;

/// A model, and the samples that it is asked about.
#[derive(Clone, Copy)]
pub struct PoolQuery<'a> {
    /// The model of the round.
    pub model: &'a TrainedModel,
    /// How it was trained.
    pub train_config: &'a TrainConfig,
    /// The file of ImageNet weights, for `weights = "imagenet"`.
    pub pretrained: Option<&'a Path>,
    /// The samples of the pool.
    pub samples: &'a Samples,
    /// Candidates of the query.
    pub candidates: &'a [SampleId],
    /// Labeled samples.
    pub labeled: &'a [SampleId],
    /// Their labels.
    pub labels: &'a [Label],
    /// Number of classes.
    pub num_classes: usize,
    /// How pixels are normalised.
    pub normalization: Option<&'a Normalization>,
    /// The seed of the cell.
    pub seed: Seed,
    /// The round.
    pub round: u32,
}

/// Outputs of a trained model on the candidates and labeled samples of a query.
pub struct PoolOutputs<'a> {
    query: PoolQuery<'a>,
    candidates: OnceCell<Pass>,
    labeled: OnceCell<Pass>,
    head: OnceCell<LinearHead>,
    mc: OnceCell<McOutputs>,
    ensembles: Vec<OnceCell<McOutputs>>,
    labeled_probability: OnceCell<Array1<f32>>,
}

/// One pass over samples.
struct Pass {
    inference: Inference,
    log_proba: Array2<f32>,
}

impl<'a> PoolOutputs<'a> {
    /// Outputs of a query; nothing is computed yet.
    pub fn new(query: PoolQuery<'a>) -> Self {
        Self {
            query,
            candidates: OnceCell::new(),
            labeled: OnceCell::new(),
            head: OnceCell::new(),
            mc: OnceCell::new(),
            ensembles: (0..=MAX_MEMBERS).map(|_| OnceCell::new()).collect(),
            labeled_probability: OnceCell::new(),
        }
    }

    fn pass(&self, ids: &[SampleId]) -> Result<Pass, ModelError> {
        let inference = self.query.model.infer(self.query.samples, ids)?;
        let log_proba = log_softmax(&inference.logits.view());
        Ok(Pass { inference, log_proba })
    }

    fn candidates(&self) -> Result<&Pass, ModelError> {
        once(&self.candidates, || self.pass(self.query.candidates))
    }

    fn labeled(&self) -> Result<&Pass, ModelError> {
        once(&self.labeled, || self.pass(self.query.labeled))
    }

    fn linear_head(&self) -> Result<&LinearHead, ModelError> {
        once(&self.head, || self.query.model.head())
    }
}

impl ModelOutputs for PoolOutputs<'_> {
    fn log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.candidates()?.log_proba.view())
    }

    fn embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.candidates()?.inference.embeddings.view())
    }

    fn labeled_embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.labeled()?.inference.embeddings.view())
    }

    fn labeled_log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.labeled()?.log_proba.view())
    }

    fn mc_dropout(&self) -> Result<&McOutputs, OutputsError> {
        let outputs = once(&self.mc, || {
            let embeddings = &self.candidates()?.inference.embeddings;
            Ok::<_, ModelError>(self.mc_passes(self.linear_head()?).accumulate(&embeddings.view(), self.query.candidates))
        })?;
        Ok(outputs)
    }

    fn mc_proba(&self, rows: &[usize]) -> Result<Array3<f32>, OutputsError> {
        let embeddings = &self.candidates()?.inference.embeddings;
        Ok(self.mc_passes(self.linear_head()?).proba(&embeddings.view(), self.query.candidates, rows))
    }

    fn predicted_loss(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        let losses = self.candidates()?.inference.predicted_loss.as_ref();
        losses.map(|losses| losses.view()).ok_or(OutputsError::missing("predicted_loss"))
    }

    fn head(&self) -> Result<&LinearHead, OutputsError> {
        Ok(self.linear_head()?)
    }

    fn ensemble(&self, members: usize) -> Result<&McOutputs, OutputsError> {
        // A size out of range has no cell of its own: it fails in any.
        let cell = self.ensembles.get(members).unwrap_or(&self.ensembles[0]);
        Ok(once(cell, || self.train_ensemble(members))?)
    }

    fn labeled_probability(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        let query = &self.query;
        let vaal = Vaal {
            encoder: &query.model.encoder,
            samples: query.samples,
            labeled: query.labeled,
            unlabeled: query.candidates,
            batch_size: query.train_config.batch_size,
            seed: query.seed,
            round: query.round,
        };
        Ok(once(&self.labeled_probability, || vaal.labeled_probability())?.view())
    }

    fn holdout_accuracy(&self, train: &[SampleId], test: &[SampleId]) -> Result<f64, OutputsError> {
        Ok(self.train_holdout(train, test)?)
    }
}

/// The value of a cell, computed at most once when that succeeds.
fn once<T, E>(cell: &OnceCell<T>, compute: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = compute()?;
    Ok(cell.get_or_init(|| value))
}
