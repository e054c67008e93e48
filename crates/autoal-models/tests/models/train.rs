//! Training: it learns, and the result depends on nothing but its inputs.

use std::ops::ControlFlow;

use autoal_data::{Label, SampleId, Seed, Stream};
use autoal_models::config::{Arch, ClassWeights, OptimizerConfig};
use autoal_models::{ModelConfig, ModelError, TrainConfig, TrainOptions, TrainedModel, TrainingSet, train};

use crate::support::{Labeled, device, features, images, linear, short, small_resnet};

fn accuracy(model: &TrainedModel, data: &Labeled) -> f64 {
    model.evaluate(&data.samples, &data.ids, &data.labels).expect("finite").accuracy
}

/// Every array of a network, bit by bit.
fn fingerprint(model: &TrainedModel) -> Vec<(String, Vec<u32>)> {
    let state = model.network.state().expect("readable");
    let bits = |data: &burn::tensor::TensorData| data.try_to_vec_as::<f32>().expect("f32").iter().map(|v| v.to_bits()).collect();
    state.iter().map(|(name, data)| (name.to_string(), bits(data))).collect()
}

#[test]
fn every_kind_of_network_learns_an_easy_task() {
    let vectors = features(60, 10, 3);
    assert!(accuracy(&vectors.train(&linear(), &short(20)), &vectors) > 0.95);
    let mlp = ModelConfig { arch: Arch::Mlp, hidden: vec![16], ..ModelConfig::default() };
    assert!(accuracy(&vectors.train(&mlp, &short(20)), &vectors) > 0.95);
    let pictures = images(32, 16, 1);
    let resnet = ModelConfig { dropout: 0.0, ..small_resnet() };
    assert!(accuracy(&pictures.train(&resnet, &short(12)), &pictures) > 0.95);
}

#[test]
fn every_optimizer_lowers_the_loss() {
    let data = features(60, 10, 3);
    for optimizer in [
        OptimizerConfig::Sgd { lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.0 },
        OptimizerConfig::Adam { lr: 0.01, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 1e-4 },
        OptimizerConfig::AdamW { lr: 0.01, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 1e-2 },
    ] {
        let mut losses = Vec::new();
        let mut observer = |report: &autoal_models::EpochReport| {
            losses.push(report.loss);
            ControlFlow::Continue(())
        };
        let options = TrainOptions { observer: Some(&mut observer), ..TrainOptions::default() };
        let config = TrainConfig { optimizer, ..short(15) };
        train(&linear(), &config, &data.set(), Seed(1), 0, &device(), options).expect("trains");
        assert_eq!(losses.len(), 15);
        assert!(losses[14] < 0.7 * losses[0], "{losses:?}");
    }
}

#[test]
fn one_two_and_four_threads_give_the_same_bits() {
    let (pictures, vectors) = (images(20, 8, 3), features(60, 10, 3));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let (a, b) = (pictures.train(&small_resnet(), &short(2)), vectors.train(&linear(), &short(3)));
            let outputs = a.infer(&pictures.samples, &pictures.ids).expect("finite");
            (fingerprint(&a), fingerprint(&b), outputs.logits, a.train_loss.to_bits())
        })
    };
    let one = run(1);
    assert_eq!(one, run(1));
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
}

#[test]
fn the_order_in_which_samples_were_labeled_does_not_matter() {
    let data = images(20, 8, 1);
    let mut reversed = images(20, 8, 1);
    reversed.ids.reverse();
    reversed.labels.reverse();
    assert_eq!(fingerprint(&data.train(&small_resnet(), &short(2))), fingerprint(&reversed.train(&small_resnet(), &short(2))));
}

#[test]
fn seed_round_and_stream_each_change_the_result() {
    let data = features(20, 6, 2);
    let run = |seed, round, stream: Stream| {
        let options = TrainOptions { stream, ..TrainOptions::default() };
        fingerprint(&train(&linear(), &short(2), &data.set(), Seed(seed), round, &device(), options).expect("trains"))
    };
    let base = run(1, 0, autoal_models::TASK_MODEL);
    assert_eq!(base, run(1, 0, autoal_models::TASK_MODEL));
    assert_ne!(base, run(2, 0, autoal_models::TASK_MODEL));
    assert_ne!(base, run(1, 1, autoal_models::TASK_MODEL));
    assert_ne!(base, run(1, 0, Stream::named("other")));
}

#[test]
fn a_loss_head_learns_to_tell_which_losses_are_high() {
    // Labels of the second half of the samples are noise, so their losses stay high.
    let mut data = features(60, 6, 2);
    for i in 30..60 {
        data.labels[i] = Label((i / 2 % 2) as u16);
    }
    let plain = data.train(&linear(), &short(5));
    let options = TrainOptions { loss_head: true, ..TrainOptions::default() };
    let model = train(&linear(), &short(5), &data.set(), Seed(1), 0, &device(), options).expect("trains");
    assert!(plain.loss_head.is_none() && plain.infer(&data.samples, &data.ids).expect("finite").predicted_loss.is_none());
    let outputs = model.infer(&data.samples, &data.ids).expect("finite");
    let predicted = outputs.predicted_loss.expect("a head was trained");
    assert_eq!(predicted.len(), 60);
    assert!(predicted.iter().any(|loss| *loss != predicted[0]));
    // The features are the embedding of a linear network, so the head cannot change what the classifier learns.
    assert_eq!(fingerprint(&plain), fingerprint(&model));
}

#[test]
fn a_loss_head_shapes_the_backbone_until_it_is_detached() {
    let data = images(12, 8, 1);
    let run = |loss_head, epochs| {
        let options = TrainOptions { loss_head, ..TrainOptions::default() };
        train(&small_resnet(), &short(epochs), &data.set(), Seed(1), 0, &device(), options).expect("trains")
    };
    assert_ne!(fingerprint(&run(true, 2)), fingerprint(&run(false, 2)));
}

#[test]
fn balanced_weights_raise_the_recall_of_a_rare_class() {
    let base = features(400, 4, 2);
    let noisy = |i: usize| u16::from(i % 20 == 1);
    let ids: Vec<SampleId> = (0..400).filter(|i| i % 2 == 0 || i % 20 == 1).map(|i| SampleId(i as u32)).collect();
    let labels: Vec<Label> = ids.iter().map(|id| Label(noisy(id.row()))).collect();
    let data = Labeled { ids, labels, ..base };
    let rare_recall = |class_weights| {
        let config = TrainConfig { class_weights, ..short(1) };
        let model = data.train(&ModelConfig { dropout: 0.0, ..linear() }, &config);
        model.evaluate(&data.samples, &data.ids, &data.labels).expect("finite").recall[1].expect("it occurs")
    };
    assert!(rare_recall(ClassWeights::Balanced) > rare_recall(ClassWeights::None));
}

#[test]
fn the_observer_can_stop_a_training() {
    let data = features(20, 6, 2);
    let mut observer = |report: &autoal_models::EpochReport| {
        if report.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = TrainOptions { observer: Some(&mut observer), ..TrainOptions::default() };
    let stopped = train(&linear(), &short(5), &data.set(), Seed(1), 0, &device(), options);
    assert!(matches!(stopped, Err(ModelError::Interrupted { epoch: 2 })));
}

#[test]
fn a_diverged_training_says_which_epoch_and_what_to_change() {
    let data = features(20, 6, 2);
    let optimizer = OptimizerConfig::Sgd { lr: 1e38, momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    let config = TrainConfig { optimizer, ..short(20) };
    let error = train(&linear(), &config, &data.set(), Seed(1), 0, &device(), TrainOptions::default()).expect_err("it diverges");
    assert!(matches!(error, ModelError::Diverged { .. }), "{error}");
    assert!(error.to_string().contains("lower `optimizer.lr`"), "{error}");
}

#[test]
fn few_samples_one_class_and_a_last_batch_of_one_are_fine() {
    let one = images(1, 8, 1);
    assert!(one.train(&small_resnet(), &short(2)).train_loss.is_finite());
    let nine = images(9, 8, 1);
    assert!(nine.train(&small_resnet(), &short(1)).train_loss.is_finite());
    let mut same = features(10, 6, 2);
    same.labels.fill(Label(1));
    let model = same.train(&linear(), &TrainConfig { class_weights: ClassWeights::Balanced, ..short(3) });
    assert_eq!(accuracy(&model, &same), 1.0);
}

#[test]
fn unusable_labels_are_errors_that_name_the_sample() {
    let data = features(4, 6, 2);
    let run = |rows: &[u32], labels: &[u16]| {
        let rows: Vec<SampleId> = rows.iter().copied().map(SampleId).collect();
        let labels: Vec<Label> = labels.iter().copied().map(Label).collect();
        let set = TrainingSet { rows: &rows, labels: &labels, ..data.set() };
        train(&linear(), &short(1), &set, Seed(1), 0, &device(), TrainOptions::default()).expect_err("unusable").to_string()
    };
    assert!(run(&[], &[]).contains("no labeled sample"));
    assert!(run(&[0, 1], &[0]).contains("2 labeled samples have 1 labels"));
    assert!(run(&[0, 9], &[0, 1]).contains("sample 9"));
    assert!(run(&[0, 3], &[0, 2]).contains("sample 3 has label 2"));
}
