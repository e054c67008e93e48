//! The loop over epochs and steps.

use autoal_data::{Seed, Stream};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::data::TrainingSet;
use super::options::{AUGMENT, DROPOUT, EpochReport, ORDER, TrainOptions};
use crate::augment::View;
use crate::config::{ClassWeights, TrainConfig};
use crate::dropout::fill_mask;
use crate::{InputEncoder, LossHead, ModelError, Network, cross_entropy_per_sample, ranking_loss};

/// Margin of the ranking loss, and its weight beside the classification loss: the values of the LPL paper.
const RANKING_MARGIN: f64 = 1.0;
/// Share of the epochs after which the loss head no longer shapes the backbone, as in the LPL paper (120 of 200).
const JOINT_SHARE: f64 = 0.6;

/// Everything that is learned.
#[derive(Module, Debug)]
pub(super) struct Learner {
    network: Network,
    loss_head: Option<LossHead>,
}

impl Learner {
    pub(super) fn new(network: Network, loss_head: Option<LossHead>) -> Self {
        Self { network, loss_head }
    }

    pub(super) fn into_parts(self) -> (Network, Option<LossHead>) {
        (self.network, self.loss_head)
    }
}

/// One training.
pub(super) struct Trainer<'a> {
    config: &'a TrainConfig,
    data: &'a TrainingSet<'a>,
    encoder: &'a InputEncoder,
    dropout: f64,
    class_weights: Option<Vec<f32>>,
    seed: Seed,
    round: u32,
    stream: Stream,
}

impl<'a> Trainer<'a> {
    pub(super) fn new(
        config: &'a TrainConfig,
        data: &'a TrainingSet<'a>,
        encoder: &'a InputEncoder,
        dropout: f64,
        seed: Seed,
        round: u32,
        stream: Stream,
    ) -> Self {
        let class_weights = (config.class_weights == ClassWeights::Balanced).then(|| data.balanced_weights());
        Self { config, data, encoder, dropout, class_weights, seed, round, stream }
    }

    /// All epochs; the learner without gradients, and the mean loss of the last epoch.
    pub(super) fn run(&mut self, learner: Learner, options: &mut TrainOptions<'_>) -> Result<(Learner, f64), ModelError> {
        let mut optimizer = self.config.optimizer.init();
        let mut learner = learner.train();
        let (epochs, base) = (self.config.epochs, self.config.optimizer.lr());
        let mut loss = f64::NAN;
        for epoch in 0..epochs {
            let lr = self.config.schedule.rate(base, epoch, epochs);
            (learner, loss) = self.epoch(learner, &mut optimizer, epoch, lr)?;
            if !loss.is_finite() {
                return Err(ModelError::Diverged { epoch: epoch + 1, loss, lr });
            }
            let report = EpochReport { epoch: epoch + 1, epochs, loss, lr };
            if let Some(observer) = options.observer.as_mut()
                && observer(&report).is_break()
            {
                return Err(ModelError::Interrupted { epoch: epoch + 1 });
            }
        }
        Ok((learner.valid(), loss))
    }

    fn epoch(
        &self,
        mut learner: Learner,
        optimizer: &mut ModuleOptimizer,
        epoch: usize,
        lr: f64,
    ) -> Result<(Learner, f64), ModelError> {
        let order = self.order(epoch);
        // Read once an epoch: a read makes a GPU wait.
        let mut total: Option<Tensor<1>> = None;
        let mut count = 0;
        for batch in order.chunks(self.config.batch_size) {
            if batch.len() == 1 && order.len() > 1 && learner.network.has_batch_norm() {
                continue; // Batch statistics of one sample say nothing.
            }
            let (next, loss) = self.step(learner, optimizer, batch, epoch, lr)?;
            learner = next;
            let sum = loss * batch.len() as f64;
            total = Some(total.map_or(sum.clone(), |total| total + sum));
            count += batch.len();
        }
        let total = total.map_or(f64::NAN, |total| total.into_scalar::<f32>().into());
        Ok((learner, total / count as f64))
    }

    /// Positions of the training set in the order of an epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let stream = self.stream.child(ORDER).child(epoch as u64);
        let mut keyed: Vec<_> = (0..self.data.rows.len())
            .map(|position| {
                let id = self.data.rows[position];
                (self.seed.hash(stream, self.round, id), id, position)
            })
            .collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, _, position)| position).collect()
    }

    /// One step; the learner after it and the loss before it, `[1]`, without gradients.
    fn step(
        &self,
        learner: Learner,
        optimizer: &mut ModuleOptimizer,
        batch: &[usize],
        epoch: usize,
        lr: f64,
    ) -> Result<(Learner, Tensor<1>), ModelError> {
        let device = self.encoder.device().burn();
        let input = self.encoder.encode_views(self.data.samples, &self.views(batch, epoch))?;
        let mask = self.mask(batch, epoch, learner.network.embedding_width(), device);
        let (forward, statistics) = learner.network.forward_train(input, mask);
        let losses = cross_entropy_per_sample(forward.logits, self.labels(batch, device));
        let mut loss = self.mean(losses.clone(), batch, device);
        if let Some(head) = &learner.loss_head {
            let joint = epoch < (JOINT_SHARE * self.config.epochs as f64).round() as usize;
            let stages: Vec<_> = forward.stages.into_iter().map(|x| if joint { x } else { x.detach() }).collect();
            loss = loss + ranking_loss(head.forward(&stages), losses.detach(), RANKING_MARGIN);
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &learner);
        let learner = optimizer.step(lr, learner, gradients);
        let network = learner.network.absorb(statistics);
        Ok((Learner { network, ..learner }, loss.without_autodiff()))
    }

    fn views(&self, batch: &[usize], epoch: usize) -> Vec<View> {
        let stream = self.stream.child(AUGMENT).child(epoch as u64);
        let view = |position: &usize| View::drawn(self.config.augment, self.seed, stream, self.round, self.data.rows[*position]);
        batch.iter().map(view).collect()
    }

    fn mask(&self, batch: &[usize], epoch: usize, width: usize, device: &Device) -> Option<Tensor<2>> {
        if self.dropout == 0.0 {
            return None;
        }
        let stream = self.stream.child(DROPOUT).child(epoch as u64);
        let mut values = vec![0.0; batch.len() * width];
        for (row, position) in values.chunks_exact_mut(width).zip(batch) {
            fill_mask(&mut self.seed.sample_rng(stream, self.round, self.data.rows[*position]), self.dropout, row);
        }
        Some(Tensor::from_data(TensorData::new(values, [batch.len(), width]), device))
    }

    fn labels(&self, batch: &[usize], device: &Device) -> Tensor<1, Int> {
        let labels: Vec<i32> = batch.iter().map(|position| i32::from(self.data.labels[*position].0)).collect();
        Tensor::from_data(TensorData::new(labels, [batch.len()]), device)
    }

    /// Mean of the losses, weighted by class where asked for, `[1]`.
    fn mean(&self, losses: Tensor<1>, batch: &[usize], device: &Device) -> Tensor<1> {
        let Some(weights) = &self.class_weights else {
            return losses.mean();
        };
        let of_batch: Vec<f32> = batch.iter().map(|position| weights[self.data.labels[*position].class()]).collect();
        let sum = of_batch.iter().sum::<f32>();
        (losses * Tensor::from_data(TensorData::new(of_batch, [batch.len()]), device)).sum() / sum
    }
}
