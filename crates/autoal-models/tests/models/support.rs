//! What the tests share: a device, small data sets, small configurations.

use autoal_data::{Features, Images, Label, SampleId, Samples, Seed, Stream};
use autoal_models::config::{Arch, OptimizerConfig, ScheduleConfig};
use autoal_models::{ComputeDevice, ModelConfig, TrainConfig, TrainOptions, TrainedModel, TrainingSet, train};

/// Samples with all their labels.
pub(crate) struct Labeled {
    pub(crate) samples: Samples,
    pub(crate) ids: Vec<SampleId>,
    pub(crate) labels: Vec<Label>,
    pub(crate) classes: usize,
}

/// The CPU device of this build.
pub(crate) fn device() -> ComputeDevice {
    ComputeDevice::parse("cpu").expect("a CPU backend is compiled in")
}

/// Numbers of a fixed sequence, uniform in (0, 1).
pub(crate) fn unit(name: &str, index: usize) -> f32 {
    Seed(5).unit(Stream::named(name), 0, SampleId(index as u32)) as f32
}

impl Labeled {
    fn new(samples: Samples, classes: usize) -> Self {
        let count = samples.len();
        let labels = (0..count).map(|i| Label((i % classes) as u16)).collect();
        Self { samples, ids: (0..count as u32).map(SampleId).collect(), labels, classes }
    }

    pub(crate) fn set(&self) -> TrainingSet<'_> {
        TrainingSet {
            samples: &self.samples,
            rows: &self.ids,
            labels: &self.labels,
            num_classes: self.classes,
            normalization: None,
        }
    }

    pub(crate) fn train(&self, model: &ModelConfig, config: &TrainConfig) -> TrainedModel {
        train(model, config, &self.set(), Seed(1), 0, &device(), TrainOptions::default()).expect("this training works")
    }
}

/// Features around a centre for each class; sample `i` has class `i % classes`.
pub(crate) fn features(count: usize, dim: usize, classes: usize) -> Labeled {
    let value = |i: usize| unit("features", i) - 0.5 + if i % dim % classes == i / dim % classes { 1.0 } else { 0.0 };
    let samples = Features::new((0..count * dim).map(value).collect(), dim).expect("whole rows");
    Labeled::new(Samples::Features(samples), classes)
}

/// Noisy images with a brighter or darker half for each of two classes.
pub(crate) fn images(count: usize, side: usize, channels: usize) -> Labeled {
    let size = side * side * channels;
    let pixel = |i: usize| {
        let (image, row) = (i / size, i % size / (side * channels));
        let bright = (row < side / 2) == (image % 2 == 0);
        (unit("images", i) * 100.0) as u8 + if bright { 120 } else { 0 }
    };
    let samples = Images::new((0..count * size).map(pixel).collect(), side, side, channels).expect("whole images");
    Labeled::new(Samples::Images(samples), 2)
}

/// A network over features.
pub(crate) fn linear() -> ModelConfig {
    ModelConfig { arch: Arch::Linear, ..ModelConfig::default() }
}

/// A small ResNet.
pub(crate) fn small_resnet() -> ModelConfig {
    ModelConfig { width: 4, ..ModelConfig::default() }
}

/// A short training.
pub(crate) fn short(epochs: usize) -> TrainConfig {
    TrainConfig {
        epochs,
        batch_size: 8,
        optimizer: OptimizerConfig::Sgd { lr: 0.05, momentum: 0.9, nesterov: false, weight_decay: 5e-4 },
        schedule: ScheduleConfig::Constant {},
        eval_batch_size: 7,
        ..TrainConfig::default()
    }
}
