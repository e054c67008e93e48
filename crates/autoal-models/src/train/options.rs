//! What a training may be told besides its configuration.

use std::ops::ControlFlow;
use std::path::Path;

use autoal_data::Stream;

/// The stream of the task model; other networks of a round have streams of their own.
pub const TASK_MODEL: Stream = Stream::named("task-model");

/// Children of a training's stream.
pub(super) const INIT: u64 = 0;
pub(super) const ORDER: u64 = 1;
pub(super) const AUGMENT: u64 = 2;
pub(super) const DROPOUT: u64 = 3;

/// One finished epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Mean loss of the epoch's steps, in nats.
    pub loss: f64,
    /// Learning rate of the epoch.
    pub lr: f64,
}

/// Hears of each epoch and may stop the training.
pub type Observer<'a> = &'a mut dyn FnMut(&EpochReport) -> ControlFlow<()>;

/// Options of one training.
pub struct TrainOptions<'a> {
    /// Train a loss-prediction head along with the network (LPL).
    pub loss_head: bool,
    /// Where random numbers come from; networks that must differ need different streams.
    pub stream: Stream,
    /// The file of ImageNet weights, for `weights = "imagenet"`: fetching it is the data crate's business.
    pub pretrained: Option<&'a Path>,
    /// Called after each epoch.
    pub observer: Option<Observer<'a>>,
}

impl Default for TrainOptions<'_> {
    fn default() -> Self {
        Self { loss_head: false, stream: TASK_MODEL, pretrained: None, observer: None }
    }
}
