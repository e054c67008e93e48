//! What strategies are told about a round's model.

use autoal_data::{Features, SampleId, Samples, Seed};
use autoal_models::{ModelConfig, PoolOutputs, PoolQuery, TrainConfig, TrainedModel};
use autoal_strategies::ModelOutputs;
use ndarray::{Array2, Axis};

use crate::support::{Labeled, features, images, linear, short, small_resnet};

/// Probabilities are exact to the rounding of `f32`.
const ROUNDING: f32 = 2e-6;

struct Round {
    data: Labeled,
    model: TrainedModel,
    config: TrainConfig,
    candidates: Vec<SampleId>,
    labeled: usize,
}

impl Round {
    fn new(data: Labeled, model: &ModelConfig, labeled: usize) -> Self {
        let config = short(3);
        let part = Labeled { ids: data.ids[..labeled].to_vec(), labels: data.labels[..labeled].to_vec(), ..data };
        let model = part.train(model, &config);
        let candidates = (labeled..part.samples.len()).map(|i| SampleId(i as u32)).collect();
        Self { data: part, model, config, candidates, labeled }
    }

    fn outputs<'a>(&'a self, candidates: &'a [SampleId]) -> PoolOutputs<'a> {
        PoolOutputs::new(PoolQuery {
            model: &self.model,
            train_config: &self.config,
            pretrained: None,
            samples: &self.data.samples,
            candidates,
            labeled: &self.data.ids,
            labels: &self.data.labels,
            num_classes: self.data.classes,
            normalization: None,
            seed: Seed(1),
            round: 0,
        })
    }
}

fn over_features(dropout: f64, mc_draws: usize) -> Round {
    Round::new(features(40, 10, 3), &ModelConfig { dropout, mc_draws, ..linear() }, 20)
}

#[test]
fn shapes_and_sums_are_as_promised() {
    for round in [over_features(0.5, 4), Round::new(images(20, 8, 1), &ModelConfig { mc_draws: 4, ..small_resnet() }, 10)] {
        let outputs = round.outputs(&round.candidates);
        let (n, classes, width) = (round.candidates.len(), round.data.classes, round.model.network.embedding_width());
        let log_proba = outputs.log_proba().expect("computed");
        assert_eq!(log_proba.dim(), (n, classes));
        for sum in log_proba.mapv(f32::exp).sum_axis(Axis(1)) {
            assert!((sum - 1.0).abs() < ROUNDING);
        }
        assert_eq!(outputs.embeddings().expect("computed").dim(), (n, width));
        assert_eq!(outputs.labeled_embeddings().expect("computed").dim(), (round.labeled, width));
        assert_eq!(outputs.labeled_log_proba().expect("computed").dim(), (round.labeled, classes));
        let mc = outputs.mc_dropout().expect("computed");
        assert_eq!((mc.draws, mc.mean_proba.dim()), (4, (n, classes)));
        assert!(mc.votes.sum_axis(Axis(1)).iter().all(|votes| *votes == 4));
        assert!(outputs.predicted_loss().is_err());
    }
}

#[test]
fn the_head_and_the_embeddings_give_the_log_probabilities() {
    let round = over_features(0.5, 1);
    let outputs = round.outputs(&round.candidates);
    let head = outputs.head().expect("computed");
    let logits = outputs.embeddings().expect("computed").dot(&head.weight.t()) + &head.bias;
    for (row, expected) in logits.outer_iter().zip(outputs.log_proba().expect("computed").outer_iter()) {
        let normalizer = row.mapv(f32::exp).sum().ln();
        assert!(row.iter().zip(expected).all(|(a, b)| (a - normalizer - b).abs() < 1e-5));
    }
}

#[test]
fn answers_do_not_depend_on_the_order_of_the_pool_or_on_the_batch_size() {
    let round = over_features(0.5, 6);
    let reversed: Vec<SampleId> = round.candidates.iter().rev().copied().collect();
    let (a, b) = (round.outputs(&round.candidates), round.outputs(&reversed));
    let turned = |array: &Array2<f32>| array.slice(ndarray::s![..;-1, ..]).to_owned();
    assert_eq!(a.log_proba().expect("computed"), turned(&b.log_proba().expect("computed").to_owned()));
    let (mc_a, mc_b) = (a.mc_dropout().expect("computed"), b.mc_dropout().expect("computed"));
    assert_eq!(mc_a.mean_proba, turned(&mc_b.mean_proba));
    assert_eq!(mc_a.std_proba, turned(&mc_b.std_proba));
}

#[test]
fn without_dropout_all_passes_agree_exactly() {
    let round = over_features(0.0, 5);
    let outputs = round.outputs(&round.candidates);
    let mc = outputs.mc_dropout().expect("computed");
    assert!(mc.std_proba.iter().all(|std| *std == 0.0));
    for (total, mean) in mc.entropy_of_mean.iter().zip(&mc.mean_entropy) {
        assert!((total - mean).abs() < 1e-12);
    }
    let proba = outputs.log_proba().expect("computed").mapv(f32::exp);
    assert!(mc.mean_proba.iter().zip(&proba).all(|(a, b)| (a - b).abs() < ROUNDING));
}

#[test]
fn many_masks_average_to_the_deterministic_logits() {
    // The logits' mean over masks is unbiased by the inverted scaling; checked on log-odds of single passes.
    let round = over_features(0.5, 4000);
    let outputs = round.outputs(&round.candidates[..1]);
    let proba = outputs.mc_proba(&[0]).expect("computed");
    let log_proba = outputs.log_proba().expect("computed");
    for class in 1..3 {
        let log_odds = proba.outer_iter().map(|pass| (pass[[0, class]] / pass[[0, 0]]).ln());
        let mean = log_odds.clone().sum::<f32>() / 4000.0;
        let variance = log_odds.map(|v| (v - mean).powi(2)).sum::<f32>() / 4000.0;
        let expected = log_proba[[0, class]] - log_proba[[0, 0]];
        let five_errors = 5.0 * (variance / 4000.0).sqrt();
        assert!(variance > 0.0 && (mean - expected).abs() < five_errors, "{mean} {expected} {five_errors}");
    }
}

#[test]
fn the_accumulators_are_those_of_the_single_passes() {
    let round = over_features(0.5, 6);
    let outputs = round.outputs(&round.candidates);
    let rows = [3, 0, 7];
    let proba = outputs.mc_proba(&rows).expect("computed");
    let mc = outputs.mc_dropout().expect("computed");
    for (at, row) in rows.into_iter().enumerate() {
        let passes = proba.index_axis(Axis(1), at).mapv(f64::from);
        let mean = passes.mean_axis(Axis(0)).expect("passes");
        let std = passes.std_axis(Axis(0), 0.0);
        let entropy = |p: ndarray::ArrayView1<'_, f64>| -p.iter().map(|p| p * p.ln()).sum::<f64>();
        let mean_entropy = passes.outer_iter().map(entropy).sum::<f64>() / 6.0;
        assert!((mc.mean_entropy[row] - mean_entropy).abs() < 1e-5);
        assert!((mc.entropy_of_mean[row] - entropy(mean.view())).abs() < 1e-5);
        assert!(mc.entropy_of_mean[row] - mc.mean_entropy[row] > 0.0);
        for class in 0..3 {
            assert!((f64::from(mc.mean_proba[[row, class]]) - mean[class]).abs() < 1e-6);
            assert!((f64::from(mc.std_proba[[row, class]]) - std[class]).abs() < 1e-6);
            let wins = passes.outer_iter().filter(|p| p.iter().all(|other| *other <= p[class])).count();
            assert_eq!(mc.votes[[row, class]] as usize, wins);
        }
    }
}

#[test]
fn an_ensemble_of_one_is_the_model_and_more_members_disagree() {
    let round = over_features(0.5, 1);
    let outputs = round.outputs(&round.candidates);
    let one = outputs.ensemble(1).expect("computed");
    assert!(one.std_proba.iter().all(|std| *std == 0.0));
    let three = outputs.ensemble(3).expect("computed");
    assert!((three.draws == 3) && three.std_proba.iter().any(|std| *std > 0.0));
    assert!(outputs.ensemble(0).is_err() && outputs.ensemble(1000).is_err());
    assert_eq!(three.mean_proba, round.outputs(&round.candidates).ensemble(3).expect("computed").mean_proba);
}

#[test]
fn holdout_accuracy_is_high_on_an_easy_task_and_refuses_unlabeled_samples() {
    let pictures = |holdout| Round::new(images(32, 8, 1), &ModelConfig { holdout, dropout: 0.0, ..small_resnet() }, 24);
    for round in
        [over_features(0.0, 1), pictures(autoal_models::config::Holdout::Head), pictures(autoal_models::config::Holdout::Full)]
    {
        let outputs = round.outputs(&round.candidates);
        let (train, test) = round.data.ids.split_at(round.labeled - 4);
        let accuracy = outputs.holdout_accuracy(train, test).expect("trains");
        assert!((0.5..=1.0).contains(&accuracy), "{accuracy}");
        assert_eq!(accuracy, outputs.holdout_accuracy(train, test).expect("trains"));
        let error = outputs.holdout_accuracy(train, &round.candidates[..1]).expect_err("unlabeled");
        assert!(error.to_string().contains(&format!("sample {} is not labeled", round.candidates[0])), "{error}");
    }
}

#[test]
fn an_output_that_is_not_a_number_names_the_sample() {
    let mut round = over_features(0.5, 1);
    let Samples::Features(vectors) = &round.data.samples else { panic!("features") };
    let mut values = vectors.values().to_vec();
    values[25 * 10 + 3] = f32::NAN;
    round.data.samples = Samples::Features(Features::new(values, 10).expect("whole rows"));
    let outputs = round.outputs(&round.candidates);
    let error = outputs.log_proba().expect_err("not a number").to_string();
    assert!(error.contains("sample 25"), "{error}");
}

#[test]
fn asking_changes_neither_weights_nor_running_statistics() {
    let round = Round::new(images(20, 8, 1), &small_resnet(), 10);
    let before = round.model.network.state().expect("readable");
    let outputs = round.outputs(&round.candidates);
    outputs.mc_dropout().expect("computed");
    outputs.ensemble(2).expect("computed");
    let after = round.model.network.state().expect("readable");
    for (name, data) in before.iter() {
        data.assert_eq(after.get(name).expect("same names"), true);
    }
}

#[test]
fn the_discriminator_takes_samples_unlike_the_labeled_ones_for_unlabeled() {
    // Labeled samples have class 0; candidates are more of them (even positions) and others (odd positions).
    let mut data = features(120, 10, 2);
    data.ids = (0..40).map(|i| SampleId(2 * i)).collect();
    data.labels = vec![autoal_data::Label(0); 40];
    let model = data.train(&linear(), &short(1));
    let candidates: Vec<SampleId> = (80..120).map(SampleId).collect();
    let config = TrainConfig { batch_size: 16, ..short(1) };
    let round = Round { data, model, config, candidates, labeled: 40 };
    let outputs = round.outputs(&round.candidates);
    let probability = outputs.labeled_probability().expect("computed");
    assert!(probability.iter().all(|p| (0.0..=1.0).contains(p)));
    // The autoencoder works against the discriminator, so all are near 1/2: what counts is the order.
    let part = |odd: usize| probability.iter().skip(odd).step_by(2).copied().collect::<Vec<f32>>();
    let (alike, unlike) = (part(0), part(1));
    let ordered = alike.iter().map(|a| unlike.iter().filter(|u| a > u).count()).sum::<usize>();
    assert!(ordered > 320, "{ordered} of 400 pairs are in order");
    let reversed: Vec<SampleId> = round.candidates.iter().rev().copied().collect();
    let again = round.outputs(&reversed).labeled_probability().expect("computed").to_vec();
    assert!(again.iter().rev().eq(probability.iter()));
}

#[test]
fn the_discriminator_works_on_images_of_odd_sizes() {
    let round = Round::new(images(12, 9, 3), &small_resnet(), 4);
    let outputs = round.outputs(&round.candidates);
    let probability = outputs.labeled_probability().expect("computed");
    assert!(probability.len() == 8 && probability.iter().all(|p| (0.0..=1.0).contains(p)));
}
