//! How likely a sample is already labeled, as told by a discriminator on the latent space of a variational autoencoder (VAAL: Sinha,
//! Ebrahimi and Darrell, "Variational Adversarial Active Learning", ICCV 2019).
//!
//! The autoencoder learns to make labeled and unlabeled samples look alike, the discriminator to tell them apart; what it still takes
//! for unlabeled is unlike anything labeled. Neither sees labels nor the task model. As in the paper: latent width 32, discriminator
//! 32-512-512-1, two steps of the autoencoder for one of the discriminator, Adam at 5e-4, weights 1. Ours: smaller convolutions without
//! batch norm, and the evidence bound divided by the number of input values, so that its terms do not depend on the image size.

mod autoencoder;
mod batches;
mod layers;

use autoal_data::{SampleId, Samples, Seed, Stream};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Tensor, TensorData, activation};
use ndarray::Array1;

use self::autoencoder::Autoencoder;
use self::batches::Cycle;
use self::layers::Discriminator;
use crate::config::OptimizerConfig;
use crate::init::normal_pair;
use crate::trained::host;
use crate::{Input, InputEncoder, ModelError};

const STREAM: Stream = Stream::named("vaal");
const INIT: u64 = 0;
const LABELED: u64 = 1;
const UNLABELED: u64 = 2;
const NOISE: u64 = 3;

/// Width of the latent space.
const LATENT: usize = 32;
const EPOCHS: usize = 30;
/// Steps of the autoencoder for one of the discriminator.
const AUTOENCODER_STEPS: usize = 2;
const OPTIMIZER: OptimizerConfig = OptimizerConfig::Adam { lr: 5e-4, betas: (0.9, 0.999), epsilon: 1e-8, weight_decay: 0.0 };
/// Weight of the Kullback-Leibler term.
const BETA: f64 = 1.0;
/// Weight of the adversarial term.
const ADVERSARIAL: f64 = 1.0;

/// Labeled and unlabeled samples, and how they become inputs.
#[derive(Clone, Copy)]
pub(crate) struct Vaal<'a> {
    pub(crate) encoder: &'a InputEncoder,
    pub(crate) samples: &'a Samples,
    pub(crate) labeled: &'a [SampleId],
    pub(crate) unlabeled: &'a [SampleId],
    pub(crate) batch_size: usize,
    pub(crate) seed: Seed,
    pub(crate) round: u32,
}

/// What is learned, with the optimizers.
struct Players {
    autoencoder: Autoencoder,
    discriminator: Discriminator,
    autoencoder_steps: ModuleOptimizer,
    discriminator_steps: ModuleOptimizer,
}

impl Vaal<'_> {
    /// Trains both players and gives each unlabeled sample's probability of being labeled, `[N]`.
    pub(crate) fn labeled_probability(&self) -> Result<Array1<f32>, ModelError> {
        if self.labeled.is_empty() || self.unlabeled.is_empty() {
            return Err(ModelError::Data("a discriminator needs labeled and unlabeled samples".into()));
        }
        let mut players = self.players();
        let steps = self.labeled.len().max(self.unlabeled.len()).div_ceil(self.batch_size);
        let mut labeled = Cycle::new(self.labeled, self.seed, STREAM.child(LABELED), self.round);
        let mut unlabeled = Cycle::new(self.unlabeled, self.seed, STREAM.child(UNLABELED), self.round);
        let mut noise = self.seed.rng(STREAM.child(NOISE), self.round);
        for _ in 0..EPOCHS * steps {
            for _ in 0..AUTOENCODER_STEPS {
                let batches = [labeled.take(self.batch_size), unlabeled.take(self.batch_size)];
                players = self.autoencoder_step(players, &batches, &mut noise)?;
            }
            let batches = [labeled.take(self.batch_size), unlabeled.take(self.batch_size)];
            players = self.discriminator_step(players, &batches)?;
        }
        self.score(&players)
    }

    fn players(&self) -> Players {
        let device = self.encoder.device().burn();
        let mut rng = self.seed.rng(STREAM.child(INIT), self.round);
        Players {
            autoencoder: Autoencoder::init(self.encoder.shape(), LATENT, &mut rng, device).train(),
            discriminator: Discriminator::init(LATENT, &mut rng, device).train(),
            autoencoder_steps: OPTIMIZER.init(),
            discriminator_steps: OPTIMIZER.init(),
        }
    }

    /// One step of the autoencoder: rebuild both batches, and pass for labeled.
    fn autoencoder_step(
        &self,
        mut players: Players,
        batches: &[Vec<SampleId>; 2],
        rng: &mut impl rand::Rng,
    ) -> Result<Players, ModelError> {
        let mut loss: Option<Tensor<1>> = None;
        for batch in batches {
            let input = self.input(batch)?;
            let latent = players.autoencoder.encode(&input);
            let z = latent.sample(self.noise(batch.len(), rng));
            let values = input_values(&input);
            let bound = players.autoencoder.error(z, input) + latent.divergence() * (BETA / values as f64);
            let taken_for_labeled = binary_cross_entropy(players.discriminator.forward(latent.mean), true);
            let part = bound + taken_for_labeled * ADVERSARIAL;
            loss = Some(loss.map_or(part.clone(), |loss| loss + part));
        }
        let mut gradients = loss.expect("there are two batches").backward();
        // The discriminator has gradients as well; only the autoencoder moves.
        let of_autoencoder = GradientsParams::from_module(&mut gradients, &players.autoencoder);
        players.autoencoder = players.autoencoder_steps.step(OPTIMIZER.lr(), players.autoencoder, of_autoencoder);
        Ok(players)
    }

    /// One step of the discriminator: tell the batches apart.
    fn discriminator_step(&self, mut players: Players, batches: &[Vec<SampleId>; 2]) -> Result<Players, ModelError> {
        let frozen = players.autoencoder.valid();
        let judge = |batch: &[SampleId], labeled| {
            let mean = frozen.encode(&self.input(batch)?).mean;
            Ok::<_, ModelError>(binary_cross_entropy(players.discriminator.forward(mean), labeled))
        };
        let loss = judge(&batches[0], true)? + judge(&batches[1], false)?;
        let gradients = GradientsParams::from_grads(loss.backward(), &players.discriminator);
        players.discriminator = players.discriminator_steps.step(OPTIMIZER.lr(), players.discriminator, gradients);
        Ok(players)
    }

    fn score(&self, players: &Players) -> Result<Array1<f32>, ModelError> {
        let (autoencoder, discriminator) = (players.autoencoder.valid(), players.discriminator.valid());
        let mut scores = Vec::with_capacity(self.unlabeled.len());
        for batch in self.unlabeled.chunks(self.batch_size) {
            let logits = discriminator.forward(autoencoder.encode(&self.input(batch)?).mean);
            scores.extend(host(activation::sigmoid(logits))?);
        }
        match scores.iter().position(|score| score.is_nan()) {
            Some(at) => Err(ModelError::NotANumber { output: "probability of being labeled", sample: self.unlabeled[at] }),
            None => Ok(Array1::from_vec(scores)),
        }
    }

    fn input(&self, batch: &[SampleId]) -> Result<Input, ModelError> {
        let rows: Vec<usize> = batch.iter().map(|id| id.row()).collect();
        self.encoder.encode(self.samples, &rows)
    }

    /// Standard normal numbers, `[batch, LATENT]`.
    fn noise(&self, batch: usize, rng: &mut impl rand::Rng) -> Tensor<2> {
        let pairs = std::iter::repeat_with(|| normal_pair(rng)).flat_map(|(a, b)| [a as f32, b as f32]);
        let values: Vec<f32> = pairs.take(batch * LATENT).collect();
        Tensor::from_data(TensorData::new(values, [batch, LATENT]), self.encoder.device().burn())
    }
}

/// Values in one sample.
fn input_values(input: &Input) -> usize {
    match input {
        Input::Images(x) => x.dims()[1..].iter().product(),
        Input::Features(x) => x.dims()[1],
    }
}

/// Mean cross-entropy of logits against one answer for all, `[1]`.
fn binary_cross_entropy(logits: Tensor<1>, answer: bool) -> Tensor<1> {
    // -ln sigmoid(x) = softplus(-x)
    activation::softplus(if answer { logits.neg() } else { logits }, 1.0).mean()
}
