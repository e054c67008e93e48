//! What can go wrong with a device, a network, its training and its files.

use std::path::PathBuf;

use autoal_data::SampleId;
use autoal_strategies::OutputsError;

/// A model that cannot be built, trained, evaluated, saved or loaded, and what the user can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The device name is not one of ours, the backend is not compiled in, or no hardware was found.
    #[error("device `{name}`: {detail}")]
    Device {
        /// As written by the user.
        name: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// A setting is out of range or does not fit the data.
    #[error("{0}")]
    Config(String),
    /// Samples, labels or ids do not fit each other or the network.
    #[error("{0}")]
    Data(String),
    /// The loss became infinite or not a number.
    #[error(
        "training diverged in epoch {epoch}: the loss is {loss}; lower `optimizer.lr` (now {lr}), or check that the inputs are normalised"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The mean loss of that epoch.
        loss: f64,
        /// The learning rate at that epoch.
        lr: f64,
    },
    /// An output of the network is infinite or not a number.
    #[error(
        "the model's {output} of sample {sample} is infinite or not a number; train with a lower `optimizer.lr`, or check that sample's values"
    )]
    NotANumber {
        /// Which output.
        output: &'static str,
        /// The first such sample: its id in the pool, or its row in a split.
        sample: SampleId,
    },
    /// The observer asked to stop.
    #[error("training was interrupted after epoch {epoch}")]
    Interrupted {
        /// Epochs that were finished.
        epoch: usize,
    },
    /// A file could not be read or written.
    #[error("cannot access `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of weights or a checkpoint is not what was expected.
    #[error("`{}`: {detail}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        detail: String,
    },
    /// This cannot be done.
    #[error("{0} is not possible here")]
    Unsupported(String),
}

impl From<ModelError> for OutputsError {
    fn from(error: ModelError) -> Self {
        Self::Failed(error.to_string())
    }
}
