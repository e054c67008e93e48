//! Outputs that need further trainings: ensembles, and accuracy on labels that were held out.

use autoal_data::{Features, Label, SampleId, Samples, Stream};
use autoal_strategies::McOutputs;
use ndarray::ArrayView2;

use super::accumulate::{SampleSums, collect};
use super::{MAX_MEMBERS, PoolOutputs};
use crate::config::{Arch, AugmentConfig, Holdout, Precision, Weights};
use crate::{ModelConfig, ModelError, TrainConfig, TrainOptions, TrainedModel, TrainingSet, train};

const ENSEMBLE: Stream = Stream::named("ensemble");
const HOLDOUT: Stream = Stream::named("holdout");

impl PoolOutputs<'_> {
    /// Sums over the round's model and `members - 1` others that were trained on the same labels from other first weights, in another
    /// order (Beluch et al., "The Power of Ensembles for Active Learning", CVPR 2018).
    pub(super) fn train_ensemble(&self, members: usize) -> Result<McOutputs, ModelError> {
        if members == 0 || members > MAX_MEMBERS {
            return Err(ModelError::Config(format!(
                "an ensemble of {members} models was asked for, expected 1 to {MAX_MEMBERS}"
            )));
        }
        let query = &self.query;
        let mut sums = vec![SampleSums::new(query.num_classes); query.candidates.len()];
        add_pass(&mut sums, &self.candidates()?.inference.logits.view());
        for member in 1..members {
            let options = TrainOptions { stream: ENSEMBLE.child(member as u64), ..self.options() };
            let config = &query.model.config;
            let model = train(config, query.train_config, &self.training_set(), query.seed, query.round, self.device(), options)?;
            add_pass(&mut sums, &model.infer(query.samples, query.candidates)?.logits.view());
        }
        Ok(collect(sums, members, query.num_classes))
    }

    /// Accuracy on `test` of a model trained on `train`, see [`Holdout`].
    pub(super) fn train_holdout(&self, train_ids: &[SampleId], test_ids: &[SampleId]) -> Result<f64, ModelError> {
        let (train_at, test_at) = (self.positions(train_ids)?, self.positions(test_ids)?);
        match self.query.model.config.holdout {
            Holdout::Head => self.holdout_head(&train_at, &test_at),
            Holdout::Full => self.holdout_full(&train_at, &test_at),
        }
    }

    /// A linear classifier on the current embeddings of the labeled samples.
    fn holdout_head(&self, train_at: &[usize], test_at: &[usize]) -> Result<f64, ModelError> {
        let embeddings = &self.labeled()?.inference.embeddings;
        let values: Vec<f32> = embeddings.iter().copied().collect();
        let features = Features::new(values, embeddings.ncols()).expect("an embedding has at least one unit");
        // Of these features, a labeled sample's row is its position.
        let rows: Vec<SampleId> = (0..self.query.labeled.len() as u32).map(SampleId).collect();
        let config = ModelConfig { arch: Arch::Linear, weights: Weights::Scratch, ..self.query.model.config.clone() };
        // Neither is for features.
        let (augment, precision) = (AugmentConfig::default(), Precision::F32);
        let train_config = TrainConfig { augment, precision, ..self.query.train_config.clone() };
        self.holdout(&config, &train_config, &Samples::Features(features), &rows, train_at, test_at)
    }

    /// The whole network, from its first weights.
    fn holdout_full(&self, train_at: &[usize], test_at: &[usize]) -> Result<f64, ModelError> {
        let query = &self.query;
        self.holdout(&query.model.config, query.train_config, query.samples, query.labeled, train_at, test_at)
    }

    /// `rows` holds the row in `samples` of each labeled sample.
    fn holdout(
        &self,
        config: &ModelConfig,
        train_config: &TrainConfig,
        samples: &Samples,
        rows: &[SampleId],
        train_at: &[usize],
        test_at: &[usize],
    ) -> Result<f64, ModelError> {
        let query = &self.query;
        let part = |at: &[usize]| -> (Vec<SampleId>, Vec<Label>) { at.iter().map(|i| (rows[*i], query.labels[*i])).unzip() };
        let ((train_rows, train_labels), (test_rows, test_labels)) = (part(train_at), part(test_at));
        let normalization = matches!(samples, Samples::Images(_)).then_some(query.normalization).flatten();
        let (rows, labels) = (&train_rows, &train_labels);
        let data = TrainingSet { samples, rows, labels, num_classes: query.num_classes, normalization };
        let options = TrainOptions { stream: HOLDOUT, ..self.options() };
        let model = train(config, train_config, &data, query.seed, query.round, self.device(), options)?;
        Ok(model.evaluate(samples, &test_rows, &test_labels)?.accuracy)
    }

    /// Where samples are among the labeled ones.
    fn positions(&self, ids: &[SampleId]) -> Result<Vec<usize>, ModelError> {
        let mut known: Vec<(SampleId, usize)> = self.query.labeled.iter().copied().zip(0..).collect();
        known.sort_unstable();
        let position = |id: &SampleId| match known.binary_search_by_key(id, |(known, _)| *known) {
            Ok(at) => Ok(known[at].1),
            Err(_) => Err(ModelError::Data(format!("sample {id} is not labeled"))),
        };
        ids.iter().map(position).collect()
    }

    fn training_set(&self) -> TrainingSet<'_> {
        let query = &self.query;
        TrainingSet {
            samples: query.samples,
            rows: query.labeled,
            labels: query.labels,
            num_classes: query.num_classes,
            normalization: query.normalization,
        }
    }

    fn options(&self) -> TrainOptions<'_> {
        TrainOptions { pretrained: self.query.pretrained, ..TrainOptions::default() }
    }

    fn device(&self) -> &crate::ComputeDevice {
        self.model().encoder.device()
    }

    fn model(&self) -> &TrainedModel {
        self.query.model
    }
}

fn add_pass(sums: &mut [SampleSums], logits: &ArrayView2<'_, f32>) {
    for (sample, row) in sums.iter_mut().zip(logits.outer_iter()) {
        sample.add(row.as_slice().expect("rows of a standard layout"));
    }
}
