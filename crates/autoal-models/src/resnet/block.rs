//! The basic block of ResNet-18.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use super::layers::{After, BatchNorm, ChannelStatistics, Conv, Pass, conv_norm, fork};

/// Two 3x3 convolutions and a shortcut (He et al., CVPR 2016), with torchvision's names.
#[derive(Module, Debug)]
pub(crate) struct Block {
    conv1: Conv,
    bn1: BatchNorm,
    conv2: Conv,
    bn2: BatchNorm,
    downsample: Option<Downsample>,
}

/// The 1x1 shortcut where size or channels change; torchvision calls its parts `0` and `1`.
#[derive(Module, Debug)]
pub(crate) struct Downsample {
    conv: Conv,
    bn: BatchNorm,
}

impl Block {
    pub(crate) fn init(inputs: usize, outputs: usize, stride: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let conv1 = Conv::init([inputs, outputs], 3, stride, rng, device);
        let conv2 = Conv::init([outputs, outputs], 3, 1, rng, device);
        let downsample = (stride != 1 || inputs != outputs).then(|| Downsample {
            conv: Conv::init([inputs, outputs], 1, stride, rng, device),
            bn: BatchNorm::init(outputs, device),
        });
        Self { conv1, bn1: BatchNorm::init(outputs, device), conv2, bn2: BatchNorm::init(outputs, device), downsample }
    }

    /// `[batch, in, rows, columns]` to `[batch, out, rows / stride, columns / stride]`.
    pub(crate) fn forward(&self, input: Tensor<4>, pass: &mut Pass<'_>) -> Tensor<4> {
        let [input, shortcut] = fork(input);
        let inner = conv_norm(&self.conv1, &self.bn1, input, After::Relu, pass);
        let shortcut = match &self.downsample {
            None => shortcut,
            Some(down) => conv_norm(&down.conv, &down.bn, shortcut, After::Identity, pass),
        };
        conv_norm(&self.conv2, &self.bn2, inner, After::AddRelu(shortcut), pass)
    }

    /// Takes this block's batch statistics off the list, in forward order.
    pub(crate) fn absorb(self, batch: &mut impl Iterator<Item = ChannelStatistics>) -> Self {
        let mut next = |norm: BatchNorm| match batch.next() {
            Some(statistics) => norm.absorb(statistics),
            None => norm,
        };
        let bn1 = next(self.bn1);
        let downsample = self.downsample.map(|down| Downsample { bn: next(down.bn), ..down });
        let bn2 = next(self.bn2);
        Self { bn1, bn2, downsample, ..self }
    }
}
