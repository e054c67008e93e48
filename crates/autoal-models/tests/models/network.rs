//! Networks: shapes, first weights, statistics, pretrained weights.

use autoal_data::{InputShape, Samples, Seed, Stream};
use autoal_models::config::{Arch, Stem, Weights};
use autoal_models::{Input, InputEncoder, ModelConfig, ModelError, Network, TrainOptions, train};
use burn::module::Module;
use burn::tensor::Tensor;

use crate::support::{Labeled, device, features, images, short, small_resnet};

fn build(config: &ModelConfig, shape: InputShape, outputs: usize, seed: u64) -> Network {
    let mut rng = Seed(seed).rng(Stream::named("network"), 0);
    Network::init(config, shape, outputs, &mut rng, device().burn()).expect("the configuration fits")
}

fn input(data: &Labeled) -> Input {
    let encoder = InputEncoder::new(data.samples.shape(), None, &device()).expect("it fits");
    encoder.encode(&data.samples, &(0..data.samples.len()).collect::<Vec<_>>()).expect("rows are there")
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec_as::<f32>().expect("f32")
}

#[test]
fn every_kind_gives_embeddings_logits_and_stages() {
    let pictures = images(3, 16, 3);
    for stem in [Stem::Small, Stem::SmallMaxPool, Stem::Imagenet] {
        let network = build(&ModelConfig { stem, ..small_resnet() }, pictures.samples.shape(), 5, 1);
        let forward = network.forward(input(&pictures));
        assert_eq!((forward.embedding.dims(), forward.logits.dims()), ([3, 32], [3, 5]));
        assert_eq!(forward.stages.iter().map(|s| s.dims()[1]).collect::<Vec<_>>(), network.stage_widths());
        assert_eq!(network.stage_widths(), [4, 8, 16, 32]);
    }
    let vectors = features(3, 6, 2);
    for (arch, hidden, width) in [(Arch::Linear, vec![], 6), (Arch::Mlp, vec![9, 7], 7)] {
        let network = build(&ModelConfig { arch, hidden, ..ModelConfig::default() }, vectors.samples.shape(), 2, 1);
        let forward = network.forward(input(&vectors));
        assert_eq!((forward.embedding.dims(), forward.logits.dims()), ([3, width], [3, 2]));
        assert_eq!(network.stage_widths(), [width]);
    }
}

#[test]
fn the_embedding_of_a_linear_network_is_the_feature_itself() {
    let data = features(4, 6, 2);
    let network = build(&ModelConfig { arch: Arch::Linear, ..ModelConfig::default() }, data.samples.shape(), 2, 1);
    let Samples::Features(expected) = &data.samples else { panic!("features") };
    assert_eq!(values(network.forward(input(&data)).embedding), expected.values());
}

#[test]
fn first_weights_follow_the_seed_and_torchvision_s_rules() {
    let shape = InputShape::Image { channels: 3, height: 8, width: 8 };
    let config = ModelConfig { width: 16, ..ModelConfig::default() };
    let state = |seed| build(&config, shape, 10, seed).state().expect("readable");
    let (a, b, c) = (state(1), state(1), state(2));
    for (name, data) in a.iter() {
        data.assert_eq(b.get(name).expect("same names"), true);
    }
    assert_ne!(a.get("conv1.weight"), c.get("conv1.weight"));
    let spread = |name: &str| {
        let values = a.get(name).expect("there").try_to_vec_as::<f32>().expect("f32");
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32).sqrt(), values)
    };
    // Normal of standard deviation sqrt(2 / (128 * 9)); 147456 draws, so five standard errors are below 1 %.
    let (mean, std, _) = spread("layer4.1.conv2.weight");
    let expected = (2.0_f32 / (128.0 * 9.0)).sqrt();
    assert!(mean.abs() < 0.02 * expected && (std / expected - 1.0).abs() < 0.01, "{mean} {std} {expected}");
    let (_, _, classifier) = spread("fc.weight");
    let bound = 1.0 / 128.0_f32.sqrt();
    assert!(classifier.iter().all(|v| v.abs() <= bound) && classifier.iter().any(|v| v.abs() > 0.9 * bound));
    assert_eq!(spread("bn1.weight").2, [1.0; 16]);
    assert_eq!(spread("bn1.running_var").2, [1.0; 16]);
}

#[test]
fn a_training_forward_changes_nothing_until_it_is_absorbed() {
    let data = images(4, 8, 1);
    let network = build(&small_resnet(), data.samples.shape(), 2, 1);
    let twin = network.clone();
    let before = values(network.forward(input(&data)).logits);
    let (_, statistics) = network.forward_train(input(&data), None);
    assert_eq!(values(network.forward(input(&data)).logits), before);
    let moved = network.absorb(statistics);
    assert_ne!(values(moved.forward(input(&data)).logits), before);
    assert_eq!(values(twin.forward(input(&data)).logits), before);
}

#[test]
fn a_copy_that_is_trained_leaves_the_original_untouched() {
    use burn::optim::GradientsParams;
    let data = images(4, 8, 1);
    let original = build(&small_resnet(), data.samples.shape(), 2, 1).train();
    let before = values(original.forward(input(&data)).logits.inner());
    let copy = original.trainable_copy();
    let (forward, statistics) = copy.forward_train(input(&data), None);
    let gradients = GradientsParams::from_grads(forward.logits.powi_scalar(2).mean().backward(), &copy);
    let stepped = short(1).optimizer.init().step(0.1, copy, gradients).absorb(statistics);
    assert_ne!(values(stepped.forward(input(&data)).logits.inner()), before);
    assert_eq!(values(original.forward(input(&data)).logits.inner()), before);
}

#[test]
fn a_mask_of_ones_changes_nothing_and_zeros_leave_the_bias() {
    let data = features(3, 6, 2);
    let network = build(&ModelConfig { arch: Arch::Linear, ..ModelConfig::default() }, data.samples.shape(), 2, 1);
    let device = device();
    let plain = values(network.forward(input(&data)).logits);
    assert_eq!(values(network.forward_dropout(input(&data), Tensor::ones([3, 6], device.burn())).logits), plain);
    let bias = values(network.classifier().bias.val());
    let masked = network.forward_dropout(input(&data), Tensor::zeros([3, 6], device.burn()));
    assert_eq!(values(masked.logits), [bias.clone(), bias.clone(), bias].concat());
    let Samples::Features(unmasked) = &data.samples else { panic!("features") };
    assert_eq!(values(masked.embedding), unmasked.values());
}

#[test]
fn a_zero_classifier_says_zero_and_still_learns() {
    let data = features(3, 6, 2);
    let network = build(&ModelConfig { arch: Arch::Linear, ..ModelConfig::default() }, data.samples.shape(), 2, 1);
    let network = network.with_zero_classifier().train();
    let logits = network.forward(input(&data)).logits;
    assert_eq!(values(logits.clone().inner()), [0.0; 6]);
    let gradients = logits.sum().backward();
    let gradient = network.classifier().weight.val().grad(&gradients).expect("learned");
    assert!(values(gradient).iter().any(|g| *g != 0.0));
}

#[test]
fn pretrained_weights_fill_all_but_a_foreign_stem_and_the_classifier() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rn.safetensors");
    let donor = images(8, 16, 3).train(&ModelConfig { stem: Stem::Imagenet, ..small_resnet() }, &short(1));
    donor.save(&path).expect("written");
    let theirs = donor.network.state().expect("readable");

    let data = images(8, 16, 1);
    let config = ModelConfig { weights: Weights::File(path.clone()), ..small_resnet() };
    // A rate this small leaves the first weights as they were, up to rounding.
    let mut train_config = short(1);
    train_config.optimizer =
        autoal_models::config::OptimizerConfig::Sgd { lr: 1e-30, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let ours = data.train(&config, &train_config).network.state().expect("readable");
    for (name, data) in ours.iter().filter(|(name, _)| !name.contains("running")) {
        let same = Some(data) == theirs.get(name);
        assert_eq!(same, name != "conv1.weight" && !name.starts_with("fc."), "{name}");
    }

    let wider = ModelConfig { width: 8, ..config };
    let failure = train(&wider, &short(1), &data.set(), Seed(1), 0, &device(), TrainOptions::default());
    assert!(failure.expect_err("another width").to_string().contains("has shape"));
    let missing = ModelConfig { weights: Weights::File(folder.path().join("none.pth")), ..small_resnet() };
    let failure = train(&missing, &short(1), &data.set(), Seed(1), 0, &device(), TrainOptions::default());
    assert!(matches!(failure, Err(ModelError::Io { .. })));
    let unfetched = ModelConfig { weights: Weights::Imagenet, ..small_resnet() };
    let failure = train(&unfetched, &short(1), &data.set(), Seed(1), 0, &device(), TrainOptions::default());
    assert!(failure.expect_err("no file").to_string().contains("imagenet"));
}
