//! The model of the seed set, trained once a seed for all strategies.
//!
//! The first round is the same for every strategy of a seed: same samples, same initial weights, same order of training. Cells that ask
//! for it while another cell trains it wait, and then take the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use autoal_data::Seed;
use autoal_models::TrainedModel;

use crate::ExperimentError;

/// A trained model and the seconds that its training took, whoever paid for them.
#[derive(Debug, Clone)]
pub(crate) struct SeedSetModel {
    /// The model.
    pub(crate) model: Arc<TrainedModel>,
    /// Seconds of its training.
    pub(crate) seconds: f64,
}

/// What makes two first rounds the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SeedSetKey {
    /// The seed.
    pub(crate) seed: Seed,
    /// Whether a loss-prediction head is trained along.
    pub(crate) loss_head: bool,
}

type Slot = Arc<Mutex<Option<SeedSetModel>>>;

/// All seed-set models of a run.
#[derive(Debug, Default)]
pub(crate) struct SeedSetModels(Mutex<HashMap<SeedSetKey, Slot>>);

impl SeedSetModels {
    /// The model of `key`, trained by `train` when nobody has yet.
    pub(crate) fn get(
        &self,
        key: SeedSetKey,
        train: impl FnOnce() -> Result<SeedSetModel, ExperimentError>,
    ) -> Result<SeedSetModel, ExperimentError> {
        let slot = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = slot.as_ref() {
            return Ok(model.clone());
        }
        let model = train()?;
        *slot = Some(model.clone());
        Ok(model)
    }
}
