//! FitNet: a classifier of the task model's kind, trained on part of the labels so that it can judge the rest.

use std::path::PathBuf;
use std::sync::Arc;

use autoal_data::{Dataset, InputShape, Label, SampleId, Stream};
use autoal_models::{
    ComputeDevice, ModelConfig, Network, PoolOutputs, PoolQuery, TrainConfig, TrainOptions, TrainedModel, TrainingSet, train,
};
use autoal_strategies::{ModelOutputs, QueryContext};

use crate::BilevelError;
use crate::nominations::{Ask, Candidates, Signals};
use crate::objective::OutOfFold;
use crate::search::Key;

const FIT_NET: Stream = Stream::named("autoal-fit-net");
const FOLDS: Stream = Stream::named("autoal-folds");

/// What AutoAL needs of its surroundings to train networks of its own.
#[derive(Clone)]
pub struct AutoAlEnv {
    /// The data set; only the inputs of its training split are looked at, never its labels.
    pub dataset: Arc<Dataset>,
    /// How the task model is built; FitNet and SearchNet follow it.
    pub model: ModelConfig,
    /// How the task model is trained; FitNet in improved mode follows it.
    pub train: TrainConfig,
    /// Where networks run.
    pub device: ComputeDevice,
    /// The file of ImageNet weights, for `weights = "imagenet"`.
    pub pretrained: Option<PathBuf>,
}

/// What cross-fitting gives.
pub struct CrossFit {
    /// What the candidates say of every labeled sample.
    pub signals: Signals,
    /// What FitNets say of it.
    pub out_of_fold: OutOfFold,
    /// The fold of every labeled sample, `[n]`.
    pub fold_of: Vec<usize>,
    /// The FitNet of each fold, which has not seen it.
    pub nets: Vec<Network>,
}

/// Labeled samples of a query.
#[derive(Clone, Copy)]
pub struct Labeled<'a> {
    /// The samples.
    pub ids: &'a [SampleId],
    /// Their labels.
    pub labels: &'a [Label],
    /// Number of classes.
    pub num_classes: usize,
}

impl Labeled<'_> {
    fn at(&self, rows: &[usize]) -> (Vec<SampleId>, Vec<Label>) {
        (rows.iter().map(|&row| self.ids[row]).collect(), rows.iter().map(|&row| self.labels[row]).collect())
    }
}

impl AutoAlEnv {
    /// Whether samples are feature vectors, for which networks cost next to nothing.
    pub(crate) fn has_features(&self) -> bool {
        matches!(self.dataset.train.samples.shape(), InputShape::Features { .. })
    }

    /// Trains a FitNet on some of the labeled samples; `part` tells the networks of a round apart, and a loss-prediction head is trained
    /// along where a candidate asks for predicted losses.
    pub fn train_fit_net(
        &self,
        labeled: Labeled<'_>,
        rows: &[usize],
        config: &TrainConfig,
        part: u64,
        loss_head: bool,
        key: Key,
    ) -> Result<TrainedModel, BilevelError> {
        let (ids, labels) = labeled.at(rows);
        let data = TrainingSet {
            samples: &self.dataset.train.samples,
            rows: &ids,
            labels: &labels,
            num_classes: labeled.num_classes,
            normalization: self.dataset.normalization.as_ref(),
        };
        let options = TrainOptions {
            loss_head,
            stream: FIT_NET.child(part),
            pretrained: self.pretrained.as_deref(),
            ..TrainOptions::default()
        };
        Ok(train(&self.model, config, &data, key.seed, key.round, &self.device, options)?)
    }

    /// Asks the candidates about the labeled samples at `rows`, through a FitNet that was trained on those at `trained`.
    ///
    /// Also gives the FitNet's loss on each of `rows`.
    #[expect(clippy::too_many_arguments, reason = "each is a different part of one question")]
    pub fn judge(
        &self,
        fit_net: &TrainedModel,
        labeled: Labeled<'_>,
        rows: &[usize],
        trained: &[usize],
        candidates: &mut Candidates,
        ask: Ask,
        key: Key,
    ) -> Result<(Signals, Vec<f64>), BilevelError> {
        let (ids, labels) = labeled.at(rows);
        let (trained_ids, trained_labels) = labeled.at(trained);
        let outputs = PoolOutputs::new(PoolQuery {
            model: fit_net,
            train_config: &self.train,
            pretrained: self.pretrained.as_deref(),
            samples: &self.dataset.train.samples,
            candidates: &ids,
            labeled: &trained_ids,
            labels: &trained_labels,
            num_classes: labeled.num_classes,
            normalization: self.dataset.normalization.as_ref(),
            seed: key.seed,
            round: key.round,
        });
        let context = QueryContext {
            candidates: &ids,
            labeled: &trained_ids,
            labels: &trained_labels,
            num_classes: labeled.num_classes,
            seed: key.seed,
            round: key.round,
            outputs: &outputs,
        };
        let signals = candidates.ask(&context, ask)?;
        let log_proba = outputs.log_proba()?;
        let losses = labels.iter().enumerate().map(|(row, label)| -f64::from(log_proba[[row, label.class()]])).collect();
        Ok((signals, losses))
    }

    /// Signals and losses of all labeled samples, each from a FitNet that has not seen it (cross-fitting).
    ///
    /// `ask` gives, for the size of a fold, how its samples are asked about.
    pub fn cross_fit(
        &self,
        labeled: Labeled<'_>,
        folds: usize,
        config: &TrainConfig,
        candidates: &mut Candidates,
        ask: impl Fn(usize) -> Ask,
        key: Key,
    ) -> Result<CrossFit, BilevelError> {
        let n = labeled.ids.len();
        let fold_of = stratified_folds(labeled, folds, key);
        let mut losses = vec![0.0; n];
        let (mut parts, mut nets) = (Vec::with_capacity(folds), Vec::with_capacity(folds));
        for fold in 0..folds {
            let (held_out, training): (Vec<usize>, Vec<usize>) = (0..n).partition(|&row| fold_of[row] == fold);
            let fit_net = self.train_fit_net(labeled, &training, config, fold as u64, candidates.needs_loss_head(), key)?;
            let (signals, fold_losses) =
                self.judge(&fit_net, labeled, &held_out, &training, candidates, ask(held_out.len()), key)?;
            held_out.iter().zip(fold_losses).for_each(|(&row, loss)| losses[row] = loss);
            parts.push((held_out, signals));
            nets.push(fit_net.network);
        }
        Ok(CrossFit { signals: Signals::join(&parts, n), out_of_fold: OutOfFold { losses }, fold_of, nets })
    }
}

/// The fold of each labeled sample: classes are dealt out one after the other, in an order keyed by sample id.
///
/// Every fold gets a sample when there are at least as many samples as folds; sizes differ by at most one.
pub fn stratified_folds(labeled: Labeled<'_>, folds: usize, key: Key) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labeled.ids.len()).collect();
    order.sort_by_key(|&row| (labeled.labels[row], key.seed.hash(FOLDS, key.round, labeled.ids[row])));
    let mut fold_of = vec![0; order.len()];
    for (position, row) in order.into_iter().enumerate() {
        fold_of[row] = position % folds;
    }
    fold_of
}
