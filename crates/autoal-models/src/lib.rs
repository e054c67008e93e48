//! Task models on Burn: networks, training, evaluation, and the outputs that query strategies ask for.
//!
//! Two kinds of network stand behind one interface: a ResNet-18 over images, and `linear` or `mlp` heads over features that some other
//! network made. Trainer, outputs and whatever is built on them do not know which it is.

mod augment;
mod batch;
mod checkpoint;
pub mod config;
mod device;
mod dropout;
mod error;
mod evaluate;
mod feature_net;
mod init;
mod kernels;
mod linear;
mod loss;
mod loss_head;
mod network;
mod optimizer;
mod outputs;
mod pretrained;
mod proba;
mod resnet;
mod schedule;
mod state;
mod train;
mod trained;
mod vaal;

pub use batch::InputEncoder;
pub use config::{ModelConfig, TrainConfig};
pub use device::{BackendStatus, ComputeDevice};
pub use error::ModelError;
pub use evaluate::{Evaluation, Prediction, evaluate};
pub use kernels::Kernels;
pub use linear::Linear;
pub use loss::cross_entropy_per_sample;
pub use loss_head::{LossHead, ranking_loss};
pub use network::{BatchStatistics, Forward, Input, Network};
pub use outputs::{MAX_MEMBERS, PoolOutputs, PoolQuery};
pub use state::{State, Take};
pub use train::{EpochReport, Observer, TASK_MODEL, TrainOptions, TrainingSet, train};
pub use trained::{Inference, TrainedModel};
