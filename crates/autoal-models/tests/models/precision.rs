//! Networks whose convolutions multiply in bf16.

use std::path::Path;

use autoal_data::Seed;
use autoal_models::config::{Holdout, Precision};
use autoal_models::{ModelConfig, PoolOutputs, PoolQuery, TrainConfig, TrainOptions, TrainedModel, train};
use autoal_strategies::ModelOutputs;
use burn::module::Module;

use crate::support::{Labeled, device, features, images, linear, short, small_resnet};

/// Largest difference of an output from that in f32, as a share of the largest output: 20 convolutions whose operands are rounded to 8
/// bits. Rounding inputs and weights alone gives 0.005; a Winograd transform in bf16 adds up rounded values with factors above 1.
const ROUNDING: f32 = 0.05;

fn bf16(epochs: usize) -> TrainConfig {
    TrainConfig { precision: Precision::Bf16, ..short(epochs) }
}

/// The model with another precision and the same weights.
fn with_precision(model: &TrainedModel, precision: Precision) -> TrainedModel {
    TrainedModel { network: model.network.clone().with_precision(precision), ..model.clone() }
}

fn saved_and_loaded(model: &TrainedModel, path: &Path) -> TrainedModel {
    model.save(path).expect("written");
    TrainedModel::load(path, &device()).expect("readable")
}

#[test]
fn a_network_keeps_its_precision_through_training_and_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let data = images(10, 8, 1);
    for (config, precision) in [(short(2), Precision::F32), (bf16(2), Precision::Bf16)] {
        let model = data.train(&small_resnet(), &config);
        let loaded = saved_and_loaded(&model, &path);
        assert_eq!((model.network.precision(), loaded.network.precision()), (precision, precision));
        let logits = |model: &TrainedModel| model.infer(&data.samples, &data.ids).expect("finite").logits;
        assert_eq!(logits(&model), logits(&loaded));
    }
}

#[test]
fn a_network_keeps_its_precision_whatever_becomes_of_it() {
    let network = images(10, 8, 1).train(&small_resnet(), &bf16(1)).network;
    let state = network.state().expect("readable");
    for derived in [
        network.trainable_copy(),
        network.clone().train(),
        network.clone().with_zero_classifier(),
        network.clone().with_state(&state, autoal_models::Take::All).expect("its own state"),
    ] {
        assert_eq!(derived.precision(), Precision::Bf16);
    }
    assert_eq!(network.with_precision(Precision::F32).precision(), Precision::F32);
}

#[test]
fn a_file_without_a_precision_is_of_f32() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    images(10, 8, 1).train(&small_resnet(), &bf16(1)).save(&path).expect("written");
    let bytes = std::fs::read(&path).expect("readable");
    let entry = br#"\"precision\":\"bf16\","#;
    let at = bytes.windows(entry.len()).position(|window| window == entry).expect("the entry is there");
    // Of the same length, since the file counts the bytes of its header.
    let older = [&bytes[..at], &[b' '; 24][..entry.len()], &bytes[at + entry.len()..]].concat();
    std::fs::write(&path, older).expect("written");
    assert_eq!(TrainedModel::load(&path, &device()).expect("readable").network.precision(), Precision::F32);
}

#[test]
fn a_training_over_features_in_bf16_is_refused() {
    let data = features(10, 6, 2);
    let refused = train(&linear(), &bf16(1), &data.set(), Seed(1), 0, &device(), TrainOptions::default());
    let message = refused.expect_err("no convolution").to_string();
    assert!(message.contains("`train.precision` is `bf16`") && message.contains("use `f32`"), "{message}");
}

/// A classifier on embeddings has no convolution, although the task model has.
#[test]
fn holdout_accuracy_is_there_for_a_model_in_bf16() {
    let Labeled { samples, ids, labels, classes } = images(24, 8, 1);
    for holdout in [Holdout::Head, Holdout::Full] {
        let data = Labeled { samples: samples.clone(), ids: ids.clone(), labels: labels.clone(), classes };
        let (model, config) = (data.train(&ModelConfig { holdout, ..small_resnet() }, &bf16(3)), bf16(3));
        let outputs = PoolOutputs::new(PoolQuery {
            model: &model,
            train_config: &config,
            pretrained: None,
            samples: &data.samples,
            candidates: &[],
            labeled: &data.ids,
            labels: &data.labels,
            num_classes: data.classes,
            normalization: None,
            seed: Seed(1),
            round: 0,
        });
        let (train, test) = data.ids.split_at(20);
        assert!((0.0..=1.0).contains(&outputs.holdout_accuracy(train, test).expect("trains")));
    }
}

#[test]
fn a_network_learns_in_bf16() {
    let data = images(32, 16, 1);
    let model = data.train(&ModelConfig { dropout: 0.0, ..small_resnet() }, &bf16(12));
    assert!(model.evaluate(&data.samples, &data.ids, &data.labels).expect("finite").accuracy > 0.95);
}

#[test]
fn bf16_outputs_are_near_those_of_f32() {
    let data = images(16, 16, 3);
    let model = data.train(&ModelConfig { width: 16, ..small_resnet() }, &short(2));
    let logits = |precision| with_precision(&model, precision).infer(&data.samples, &data.ids).expect("finite").logits;
    let (exact, rounded) = (logits(Precision::F32), logits(Precision::Bf16));
    assert_eq!(exact, model.infer(&data.samples, &data.ids).expect("finite").logits);
    assert_ne!(exact, rounded);
    let largest = |values: &ndarray::Array2<f32>| values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let (gap, scale) = (largest(&(&exact - &rounded)), largest(&exact));
    assert!(gap < ROUNDING * scale, "{gap} of {scale}");
    let losses = [short(2), bf16(2)].map(|config| data.train(&small_resnet(), &config).train_loss);
    assert_ne!(losses[0], losses[1], "training is in bf16 as well");
}
