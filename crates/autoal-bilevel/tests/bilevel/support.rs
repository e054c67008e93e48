//! What several tests need: a device, tensors from host values, small data sets, model outputs.

use std::sync::Arc;

use autoal_bilevel::{AutoAl, AutoAlConfig, AutoAlEnv};
use autoal_data::{Dataset, Features, Label, SampleId, Samples, Seed, Split, Stream};
use autoal_models::config::{Arch, OptimizerConfig, ScheduleConfig};
use autoal_models::{ComputeDevice, Input, ModelConfig, PoolOutputs, PoolQuery, TrainConfig, TrainOptions, TrainingSet, train};
use autoal_strategies::QueryContext;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use ndarray::Array2;
use rand::RngExt;

/// Agreement of `f32` tensor code with `f64` closed forms of order one.
pub(crate) const SINGLE: f64 = 2e-5;

pub(crate) fn compute() -> ComputeDevice {
    ComputeDevice::parse("cpu").expect("a CPU backend is always compiled in for tests")
}

pub(crate) fn device() -> Device {
    compute().burn().clone()
}

pub(crate) fn vector(values: &[f64]) -> Tensor<1> {
    let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    Tensor::from_data(TensorData::new(values.clone(), [values.len()]), &device())
}

/// A vector whose gradient is recorded.
pub(crate) fn leaf(values: &[f64]) -> Tensor<1> {
    vector(values).autodiff().require_grad()
}

pub(crate) fn matrix(array: &Array2<f32>) -> Tensor<2> {
    let values: Vec<f32> = array.iter().copied().collect();
    Tensor::from_data(TensorData::new(values, [array.nrows(), array.ncols()]), &device())
}

pub(crate) fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().try_into_vec_as::<f32>().expect("floats").into_iter().map(f64::from).collect()
}

pub(crate) fn features(rows: &Array2<f32>, at: &[usize]) -> Input {
    Input::Features(matrix(&rows.select(ndarray::Axis(0), at)))
}

#[track_caller]
pub(crate) fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{actual:?} against {expected:?}");
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() <= tolerance, "{actual:?} against {expected:?}, tolerance {tolerance}");
    }
}

/// Numbers with mean 0 and variance 1 (sums of twelve even ones, near enough to normal for tests).
pub(crate) fn noise(seed: u64, n: usize) -> Vec<f32> {
    let mut rng = Seed(seed).rng(Stream::named("test-noise"), 0);
    (0..n).map(|_| (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0).collect()
}

/// `n` samples of `classes` overlapping blobs in `dim` dimensions.
pub(crate) fn blobs(n: usize, classes: usize, dim: usize, seed: u64) -> Arc<Dataset> {
    let split = |n: usize, seed: u64| {
        let mut values = noise(seed, n * dim);
        let labels: Vec<Label> = (0..n).map(|i| Label((i % classes) as u16)).collect();
        for (row, label) in values.chunks_exact_mut(dim).zip(&labels) {
            row[label.class() % dim] += 2.5;
        }
        Split { samples: Samples::Features(Features::new(values, dim).expect("whole rows")), labels, sources: Vec::new() }
    };
    Arc::new(Dataset {
        name: "blobs".into(),
        classes: (0..classes).map(|c| format!("class {c}")).collect(),
        train: split(n, seed),
        validation: None,
        test: split(n / 2, seed + 1),
        normalization: None,
        digest: String::new(),
    })
}

/// A linear task model that trains in milliseconds.
pub(crate) fn env(dataset: Arc<Dataset>) -> AutoAlEnv {
    AutoAlEnv {
        dataset,
        model: ModelConfig { arch: Arch::Linear, ..ModelConfig::default() },
        train: TrainConfig {
            epochs: 10,
            batch_size: 32,
            optimizer: OptimizerConfig::Adam { lr: 0.02, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 0.0 },
            schedule: ScheduleConfig::Constant {},
            ..TrainConfig::default()
        },
        device: compute(),
        pretrained: None,
    }
}

pub(crate) fn ids(range: std::ops::Range<u32>) -> Vec<SampleId> {
    range.map(SampleId).collect()
}

struct Collect(Vec<f32>);

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.0.extend(parameter.val().into_data().try_into_vec_as::<f32>().expect("floats"));
    }
}

/// All parameters and buffers of a module, bit by bit.
pub(crate) fn bits(module: &impl Module) -> Vec<u32> {
    let mut collect = Collect(Vec::new());
    module.visit(&mut collect);
    collect.0.into_iter().map(f32::to_bits).collect()
}

/// Trains a task model on the first `labeled` samples and hands a query over the others to `ask`.
pub(crate) fn with_query<T>(env: &AutoAlEnv, labeled: u32, seed: u64, round: u32, ask: impl FnOnce(&QueryContext<'_>) -> T) -> T {
    let train_split = &env.dataset.train;
    let (labeled, pool) = (ids(0..labeled), ids(labeled..train_split.len() as u32));
    let labels: Vec<Label> = labeled.iter().map(|id| train_split.labels[id.row()]).collect();
    let (samples, num_classes) = (&train_split.samples, env.dataset.num_classes());
    let data = TrainingSet { samples, rows: &labeled, labels: &labels, num_classes, normalization: None };
    let model = train(&env.model, &env.train, &data, Seed(seed), round, &env.device, TrainOptions::default()).expect("trains");
    let outputs = PoolOutputs::new(PoolQuery {
        model: &model,
        train_config: &env.train,
        pretrained: None,
        samples,
        candidates: &pool,
        labeled: &labeled,
        labels: &labels,
        num_classes,
        normalization: None,
        seed: Seed(seed),
        round,
    });
    ask(&QueryContext {
        candidates: &pool,
        labeled: &labeled,
        labels: &labels,
        num_classes,
        seed: Seed(seed),
        round,
        outputs: &outputs,
    })
}

/// AutoAL from TOML keys.
pub(crate) fn autoal(keys: &str, env: &AutoAlEnv) -> AutoAl {
    let table: toml::Table = keys.parse().expect("the test's TOML is valid");
    AutoAl::new(AutoAlConfig::from_table(&table).expect("in range"), env.clone()).expect("candidates are in the catalog")
}
