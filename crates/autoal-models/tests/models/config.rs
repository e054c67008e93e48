//! Configuration tables: defaults, strictness, ranges, schedules.

use autoal_data::InputShape;
use autoal_models::config::{Arch, ClassWeights, Holdout, OptimizerConfig, Precision, ScheduleConfig, Stem, Weights};
use autoal_models::{ModelConfig, TrainConfig};

const IMAGE: InputShape = InputShape::Image { channels: 3, height: 28, width: 28 };

#[test]
fn empty_tables_are_the_defaults() {
    assert_eq!(toml::from_str::<ModelConfig>("").expect("valid"), ModelConfig::default());
    assert_eq!(toml::from_str::<TrainConfig>("").expect("valid"), TrainConfig::default());
    assert_eq!(ModelConfig::default().check(IMAGE), Ok(()));
    assert_eq!(TrainConfig::default().check(), Ok(()));
}

#[test]
fn every_model_key_is_read() {
    let text = r#"
        arch = "mlp"
        stem = "imagenet"
        width = 16
        dropout = 0.2
        weights = "weights/rn18.pth"
        hidden = [64, 32]
        mc-draws = 5
        holdout = "full""#;
    let expected = ModelConfig {
        arch: Arch::Mlp,
        stem: Stem::Imagenet,
        width: 16,
        dropout: 0.2,
        weights: Weights::File("weights/rn18.pth".into()),
        hidden: vec![64, 32],
        mc_draws: 5,
        holdout: Holdout::Full,
    };
    assert_eq!(toml::from_str::<ModelConfig>(text).expect("valid"), expected);
    let again = toml::to_string(&expected).expect("serialisable");
    assert_eq!(toml::from_str::<ModelConfig>(&again).expect("valid"), expected);
}

#[test]
fn every_train_key_is_read() {
    let text = r#"
        epochs = 10
        batch-size = 32
        optimizer = { kind = "adamw", lr = 0.001 }
        schedule = { kind = "multi-step", milestones = [0.6, 120] }
        augment = { crop-padding = 4, flip = true }
        class-weights = "balanced"
        precision = "bf16"
        eval-batch-size = 100"#;
    let config: TrainConfig = toml::from_str(text).expect("valid");
    let pytorch = OptimizerConfig::AdamW { lr: 0.001, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 0.01 };
    assert_eq!(config.optimizer, pytorch);
    assert_eq!(config.schedule, ScheduleConfig::MultiStep { milestones: vec![0.6, 120.0], gamma: 0.1 });
    assert_eq!((config.augment.crop_padding, config.augment.flip), (4, true));
    assert_eq!((config.class_weights, config.precision), (ClassWeights::Balanced, Precision::Bf16));
    let again = toml::to_string(&config).expect("serialisable");
    assert_eq!(toml::from_str::<TrainConfig>(&again).expect("valid"), config);
}

#[test]
fn unknown_keys_are_errors_at_every_level() {
    assert!(toml::from_str::<ModelConfig>("depth = 3").expect_err("unknown").to_string().contains("depth"));
    for text in [
        "epoch = 3",
        r#"optimizer = { kind = "sgd", lr = 0.1, beta = 3 }"#,
        r#"optimizer = { kind = "adam", lr = 0.1, momentum = 0.9 }"#,
        r#"schedule = { kind = "constant", gamma = 3 }"#,
        "augment = { rotate = 3 }",
    ] {
        assert!(toml::from_str::<TrainConfig>(text).is_err(), "{text}");
    }
}

#[test]
fn another_precision_is_refused_with_those_that_there_are() {
    assert_eq!(TrainConfig::default().precision, Precision::F32);
    let message = toml::from_str::<TrainConfig>(r#"precision = "fp16""#).expect_err("unknown").to_string();
    assert!(message.contains("unknown variant `fp16`, expected `f32` or `bf16`"), "{message}");
}

#[test]
fn bf16_is_for_networks_with_convolutions() {
    let config = TrainConfig { precision: Precision::Bf16, ..TrainConfig::default() };
    assert_eq!(config.check_arch(Arch::ResNet18), Ok(()));
    for arch in [Arch::Linear, Arch::Mlp] {
        assert_eq!(TrainConfig::default().check_arch(arch), Ok(()));
        let message = config.check_arch(arch).expect_err("no convolution");
        assert!(message.contains("`train.precision` is `bf16`") && message.ends_with("use `f32`"), "{message}");
    }
}

#[test]
fn values_out_of_range_name_the_key() {
    let model = |change: fn(&mut ModelConfig), shape, key: &str| {
        let mut config = ModelConfig::default();
        change(&mut config);
        let message = config.check(shape).expect_err(key);
        assert!(message.contains(key), "{message}");
    };
    model(|c| c.width = 0, IMAGE, "model.width");
    model(|c| c.dropout = 1.0, IMAGE, "model.dropout");
    model(|c| c.dropout = f64::NAN, IMAGE, "model.dropout");
    model(|c| c.mc_draws = 0, IMAGE, "model.mc-draws");
    model(|c| c.arch = Arch::Linear, IMAGE, "resnet18");
    model(|_| (), InputShape::Features { dim: 3 }, "linear");
    model(|_| (), InputShape::Image { channels: 4, height: 8, width: 8 }, "4 channels");
    let train = |change: fn(&mut TrainConfig), key: &str| {
        let mut config = TrainConfig::default();
        change(&mut config);
        let message = config.check().expect_err(key);
        assert!(message.contains(key), "{message}");
    };
    train(|c| c.epochs = 0, "train.epochs");
    train(|c| c.batch_size = 0, "train.batch-size");
    train(
        |c| c.optimizer = OptimizerConfig::Sgd { lr: -1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0 },
        "train.optimizer.lr",
    );
    train(
        |c| c.optimizer = OptimizerConfig::Adam { lr: 1.0, betas: (0.9, 1.0), epsilon: 1e-8, weight_decay: 0.0 },
        "train.optimizer.betas",
    );
    train(|c| c.schedule = ScheduleConfig::MultiStep { milestones: vec![1.5], gamma: 0.1 }, "train.schedule.milestones");
}

#[test]
fn schedules_give_the_rates_of_pytorch() {
    let steps = ScheduleConfig::MultiStep { milestones: vec![0.6, 9.0], gamma: 0.1 };
    let rates: Vec<f64> = (0..10).map(|epoch| steps.rate(1.0, epoch, 10)).collect();
    let expected = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01];
    assert!(rates.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{rates:?}");
    // torch.optim.lr_scheduler.CosineAnnealingLR, lr 0.1, T_max 4, eta_min 0.02
    let cosine = ScheduleConfig::Cosine { minimum: 0.02 };
    for (epoch, expected) in [0.1, 0.088_284_271_247, 0.06, 0.031_715_728_753].into_iter().enumerate() {
        assert!((cosine.rate(0.1, epoch, 4) - expected).abs() < 1e-11);
    }
}
