//! Times ResNet-18: `resnet STEM MODE SIDE BATCH WIDTH REPEATS KERNELS`.
//!
//! STEM is `small` (3x3, no pooling) or `imagenet` (7x7 and pooling), MODE `train` (gradient descent), `train-adamw` or `infer`, KERNELS
//! `best`, `bf16` (the best with convolutions in bf16), `avx512`, `avx2`, `portable`, or `stock` for Burn's own operations. Prints one JSON
//! line with the median over REPEATS.

#![expect(clippy::print_stdout, reason = "its line of JSON is the result")]

use std::time::Instant;

use autoal_data::{InputShape, Seed, Stream};
use autoal_kernels::{Isa, ops};
use autoal_models::{
    Input, ModelConfig, Network,
    config::{OptimizerConfig, Precision, Stem},
    cross_entropy_per_sample,
};
use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Device, Int, Tensor, TensorData},
};

/// The program's own allocator.
#[path = "../src/allocator.rs"]
mod allocator;

/// Steps before the clock runs: the second still allocates what the first one did not keep.
const WARM_UP: usize = 2;

const SGD: OptimizerConfig = OptimizerConfig::Sgd { lr: 0.05, momentum: 0.9, nesterov: false, weight_decay: 5e-4 };

const ADAMW: OptimizerConfig = OptimizerConfig::AdamW { lr: 1e-3, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 0.01 };

struct Job {
    network: Network,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
}

impl Job {
    fn new(stem: &str, side: usize, batch: usize, width: usize, precision: Precision) -> Self {
        let device = Device::flex();
        let stem = if stem == "small" { Stem::Small } else { Stem::Imagenet };
        let config = ModelConfig { stem, width, ..ModelConfig::default() };
        let shape = InputShape::Image { channels: 3, height: side, width: side };
        let network =
            Network::init(&config, shape, 10, &mut Seed(1).rng(Stream::named("bench"), 0), &device).expect("a fitting network");
        let network = network.with_precision(precision);
        let pixels = (0..batch * 3 * side * side).map(|i| (i * 7919 % 1009) as f32 / 504.5 - 1.0).collect();
        let images = Tensor::from_data(TensorData::new(pixels, [batch, 3, side, side]), &device);
        let labels = (0..batch).map(|i| (i * 7 % 10) as i32).collect();
        Job { network, images, labels: Tensor::from_data(TensorData::new(labels, [batch]), &device) }
    }

    /// Seconds of forward, backward and update of each repeat.
    fn train(self, optimizer: &OptimizerConfig, repeats: usize) -> Vec<[f64; 3]> {
        let mut steps = optimizer.init();
        let mut one = |network: Network| {
            let start = Instant::now();
            let (forward, statistics) = network.forward_train(Input::Images(self.images.clone()), None);
            let loss = cross_entropy_per_sample(forward.logits, self.labels.clone()).mean();
            let forward = start.elapsed().as_secs_f64();
            let gradients = loss.backward();
            let backward = start.elapsed().as_secs_f64();
            let gradients = GradientsParams::from_grads(gradients, &network);
            let network = steps.step(optimizer.lr(), network, gradients).absorb(statistics);
            assert!(loss.into_scalar::<f32>().is_finite(), "the loss diverged");
            (network, [forward, backward - forward, start.elapsed().as_secs_f64() - backward])
        };
        let mut network = self.network.trainable_copy();
        let mut times = Vec::new();
        for _ in 0..WARM_UP + repeats {
            let seconds;
            (network, seconds) = one(network);
            times.push(seconds);
        }
        times.split_off(WARM_UP)
    }

    fn infer(self, repeats: usize) -> Vec<[f64; 3]> {
        let network = self.network.valid();
        let one = || {
            let start = Instant::now();
            let logits = network.forward(Input::Images(self.images.clone())).logits.into_data();
            std::hint::black_box(logits);
            [start.elapsed().as_secs_f64(), 0.0, 0.0]
        };
        for _ in 0..WARM_UP {
            one();
        }
        (0..repeats).map(|_| one()).collect()
    }
}

fn choose(kernels: &str) {
    match kernels {
        "best" | "bf16" => {}
        "stock" => ops::set_isa(None),
        name => {
            let isa = Isa::available().into_iter().find(|isa| isa.name() == name);
            ops::set_isa(Some(isa.unwrap_or_else(|| panic!("this processor does not run `{name}`"))));
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    allocator::keep_freed_memory();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [stem, mode, side, batch, width, repeats, kernels] = &args[..] else {
        panic!("usage: resnet STEM MODE SIDE BATCH WIDTH REPEATS KERNELS");
    };
    let number = |text: &String| text.parse::<usize>().unwrap_or_else(|_| panic!("`{text}` is not a number"));
    let (side, batch, width, repeats) = (number(side), number(batch), number(width), number(repeats));
    choose(kernels);
    let precision = if kernels == "bf16" { Precision::Bf16 } else { Precision::F32 };
    let job = Job::new(stem, side, batch, width, precision);
    let times = match mode.as_str() {
        "train" => job.train(&SGD, repeats),
        "train-adamw" => job.train(&ADAMW, repeats),
        "infer" => job.infer(repeats),
        other => panic!("`{other}` is not a mode"),
    };
    let seconds = median(times.iter().map(|parts| parts.iter().sum()).collect());
    let [forward, backward, update] = [0, 1, 2].map(|part| median(times.iter().map(|parts| parts[part]).collect()));
    println!(
        "{{\"side\":\"autoal\",\"kernels\":\"{kernels}\",\"stem\":\"{stem}\",\"mode\":\"{mode}\",\"image\":{side},\"batch\":{batch},\
         \"width\":{width},\"images_per_second\":{:.2},\"seconds\":{seconds:.5},\"forward\":{forward:.5},\
         \"backward\":{backward:.5},\"update\":{update:.5}}}",
        batch as f64 / seconds
    );
}
