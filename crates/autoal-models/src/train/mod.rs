//! Training: a network and labels in, a trained model out.
//!
//! Everything that is drawn (first weights, order, crops, dropout) derives from (seed, stream, round, epoch, sample), so the result does
//! not depend on the order in which samples were labeled, on threads, or on what else ran before.

mod data;
mod epoch;
mod options;

use autoal_data::Seed;

pub use self::data::TrainingSet;
use self::epoch::{Learner, Trainer};
pub use self::options::{EpochReport, Observer, TASK_MODEL, TrainOptions};
use crate::config::{ModelConfig, TrainConfig};
use crate::{ComputeDevice, InputEncoder, LossHead, ModelError, Network, TrainedModel};

/// Trains a new network on the labels of a round.
///
/// Fails when a setting is out of range or does not fit the data or the device, when the loss becomes infinite or not a number, and when
/// the observer asks to stop.
pub fn train(
    model: &ModelConfig,
    config: &TrainConfig,
    data: &TrainingSet<'_>,
    seed: Seed,
    round: u32,
    device: &ComputeDevice,
    mut options: TrainOptions<'_>,
) -> Result<TrainedModel, ModelError> {
    config.check().and_then(|()| config.check_arch(model.arch)).map_err(ModelError::Config)?;
    device.check_precision(config.precision).map_err(ModelError::Config)?;
    data.check()?;
    let shape = data.samples.shape();
    let encoder = InputEncoder::new(shape, data.normalization, device)?;
    let mut rng = seed.rng(options.stream.child(options::INIT), round);
    let network = Network::init(model, shape, data.num_classes, &mut rng, device.burn())?;
    let network = network.with_backbone(&model.weights, options.pretrained)?.with_precision(config.precision);
    let head = options.loss_head.then(|| LossHead::init(&network.stage_widths(), &mut rng, device.burn()));

    let learner = Learner::new(network, head);
    let mut trainer = Trainer::new(config, data, &encoder, model.dropout, seed, round, options.stream);
    let (learner, train_loss) = trainer.run(learner, &mut options)?;
    let (network, loss_head) = learner.into_parts();
    Ok(TrainedModel {
        config: model.clone(),
        network,
        loss_head,
        train_loss,
        epochs: config.epochs,
        encoder,
        eval_batch_size: config.eval_batch_size,
    })
}
