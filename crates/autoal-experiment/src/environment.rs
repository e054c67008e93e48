//! What all cells of an experiment share.

use std::path::PathBuf;
use std::sync::Arc;

use autoal_data::Dataset;
use autoal_models::ComputeDevice;

use crate::seed_set_model::SeedSetModels;
use crate::{Event, ExperimentConfig, ExperimentError, Observer, Stop};

/// A checked configuration with its data in memory and its device found.
pub struct Environment<'a> {
    /// The configuration.
    pub config: ExperimentConfig,
    /// The data.
    pub dataset: Arc<Dataset>,
    /// Where networks are computed.
    pub device: ComputeDevice,
    /// The file of ImageNet weights, where the model starts from them.
    pub pretrained: Option<PathBuf>,
    /// Hears what happens.
    pub observer: &'a dyn Observer,
    /// Asked between steps.
    pub stop: Stop,
    pub(crate) seed_set_models: SeedSetModels,
}

impl<'a> Environment<'a> {
    /// Puts the parts together; an error when the configuration does not fit the data or the device.
    pub fn new(
        config: ExperimentConfig,
        dataset: Arc<Dataset>,
        device: ComputeDevice,
        pretrained: Option<PathBuf>,
        observer: &'a dyn Observer,
        stop: Stop,
    ) -> Result<Self, ExperimentError> {
        config.check_on(&device)?;
        config.check_against(&dataset)?;
        Ok(Self { config, dataset, device, pretrained, observer, stop, seed_set_models: SeedSetModels::default() })
    }

    pub(crate) fn tell(&self, event: &Event) {
        self.observer.event(event);
    }

    pub(crate) fn go_on(&self) -> Result<(), ExperimentError> {
        if self.stop.requested() { Err(ExperimentError::Stopped) } else { Ok(()) }
    }
}
