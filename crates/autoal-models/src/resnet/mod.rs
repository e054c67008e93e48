//! ResNet-18 over images, with torchvision's layer names.

mod block;
mod layers;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::Rng;

use self::block::Block;
use self::layers::{After, BatchNorm, Conv, Pass, conv_norm, global_average, max_pool};
pub(crate) use self::layers::{ChannelStatistics, Statistics};
use crate::config::{Precision, Stem};

/// Four stages of two blocks after a stem; see [`Stem`] for the stems. The classifier is not part of it.
#[derive(Module, Debug)]
pub(crate) struct ResNet {
    conv1: Conv,
    bn1: BatchNorm,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    #[module(skip)]
    max_pool: bool,
    #[module(skip)]
    width: usize,
    #[module(skip)]
    precision: Precision,
}

impl ResNet {
    /// A network whose stages have `width`, 2, 4 and 8 times `width` channels, in f32.
    pub(crate) fn init(stem: Stem, channels: usize, width: usize, rng: &mut impl Rng, device: &Device) -> Self {
        let (kernel, stride) = if stem == Stem::Imagenet { (7, 2) } else { (3, 1) };
        let conv1 = Conv::init([channels, width], kernel, stride, rng, device);
        let mut stage = |inputs: usize, outputs: usize, stride: usize| {
            vec![Block::init(inputs, outputs, stride, rng, device), Block::init(outputs, outputs, 1, rng, device)]
        };
        Self {
            conv1,
            bn1: BatchNorm::init(width, device),
            layer1: stage(width, width, 1),
            layer2: stage(width, 2 * width, 2),
            layer3: stage(2 * width, 4 * width, 2),
            layer4: stage(4 * width, 8 * width, 2),
            max_pool: stem != Stem::Small,
            width,
            precision: Precision::F32,
        }
    }

    /// The same network with convolutions in that precision.
    pub(crate) fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// What its convolutions multiply in.
    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    /// Channels of the four stages.
    pub(crate) fn stage_widths(&self) -> [usize; 4] {
        [1, 2, 4, 8].map(|factor| factor * self.width)
    }

    /// Global averages of the four stages' outputs, `[batch, channels]` each; the last one is the embedding.
    pub(crate) fn forward(&self, images: Tensor<4>, statistics: Statistics<'_>) -> [Tensor<2>; 4] {
        let mut pass = Pass { statistics, precision: self.precision };
        let mut x = conv_norm(&self.conv1, &self.bn1, images, After::Relu, &mut pass);
        if self.max_pool {
            x = max_pool(x);
        }
        [&self.layer1, &self.layer2, &self.layer3, &self.layer4].map(|blocks| {
            for block in blocks {
                x = block.forward(x.clone(), &mut pass);
            }
            global_average(x.clone())
        })
    }

    /// Moves the running statistics towards those that a training forward gave.
    pub(crate) fn absorb(self, batch: Vec<ChannelStatistics>) -> Self {
        let mut batch = batch.into_iter();
        let bn1 = match batch.next() {
            Some(statistics) => self.bn1.absorb(statistics),
            None => self.bn1,
        };
        let mut stage = |blocks: Vec<Block>| blocks.into_iter().map(|block| block.absorb(&mut batch)).collect::<Vec<_>>();
        let layer1 = stage(self.layer1);
        let layer2 = stage(self.layer2);
        let layer3 = stage(self.layer3);
        let layer4 = stage(self.layer4);
        Self { bn1, layer1, layer2, layer3, layer4, ..self }
    }
}
