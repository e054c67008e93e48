//! What SearchNet looks at: the samples themselves, or the task model's embeddings of them, computed once a round.

use autoal_data::{SampleId, Samples};
use autoal_models::{Input, InputEncoder};
use autoal_strategies::{QueryContext, Rows};
use burn::tensor::Device;
use ndarray::Array2;

use crate::BilevelError;
use crate::fit_net::AutoAlEnv;
use crate::tensors::{tensor_of, tensor_rows};

/// Inputs of SearchNet for the labeled samples and the candidates of a query.
pub(crate) enum SearchInput<'a> {
    /// Samples through their encoder, without augmentation.
    Samples { encoder: InputEncoder, samples: &'a Samples, labeled: &'a [SampleId], pool: &'a [SampleId] },
    /// Embeddings of the task model; those of the labeled samples, which every step looks at, are scaled already.
    Embeddings { scale: Scale, labeled: Array2<f32>, pool: Rows<'a>, device: Device },
}

/// Centre of the pool's embeddings and one scale for all units, so that the pool has unit mean square. Both parts are seen alike.
pub(crate) struct Scale {
    mean: Vec<f64>,
    factor: f64,
}

impl Scale {
    fn of(rows: Rows<'_>) -> Self {
        let n = rows.len().max(1) as f64;
        let mut mean = vec![0.0; rows.dim()];
        rows.iter().for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += f64::from(*x) / n));
        let squares: f64 =
            rows.iter().map(|row| row.iter().zip(&mean).map(|(x, m)| (f64::from(*x) - m).powi(2)).sum::<f64>()).sum();
        let mean_square = squares / (n * rows.dim() as f64);
        Self { mean, factor: if mean_square > 0.0 { mean_square.sqrt().recip() } else { 1.0 } }
    }

    /// Some of the rows, scaled, `[rows, D]`.
    fn apply(&self, embeddings: Rows<'_>, rows: impl ExactSizeIterator<Item = usize>) -> Array2<f32> {
        let shape = (rows.len(), embeddings.dim());
        let scaled =
            |row: usize| embeddings.row(row).iter().zip(&self.mean).map(|(x, m)| ((f64::from(*x) - m) * self.factor) as f32);
        Array2::from_shape_vec(shape, rows.flat_map(scaled).collect()).expect("every row has the same width")
    }
}

impl<'a> SearchInput<'a> {
    /// The samples of a query.
    pub(crate) fn samples(env: &'a AutoAlEnv, context: &QueryContext<'a>) -> Result<Self, BilevelError> {
        let samples = &env.dataset.train.samples;
        let encoder = InputEncoder::new(samples.shape(), env.dataset.normalization.as_ref(), &env.device)?;
        Ok(Self::Samples { encoder, samples, labeled: context.labeled, pool: context.candidates })
    }

    /// The task model's embeddings.
    pub(crate) fn embeddings(env: &AutoAlEnv, context: &QueryContext<'a>) -> Result<Self, BilevelError> {
        let (labeled, pool) = (context.labeled_embeddings()?, context.embeddings()?);
        let scale = Scale::of(pool);
        Ok(Self::Embeddings { labeled: scale.apply(labeled, 0..labeled.len()), scale, pool, device: env.device.burn().clone() })
    }

    /// Inputs of some of the labeled samples.
    pub(crate) fn labeled(&self, rows: &[usize]) -> Result<Input, BilevelError> {
        match self {
            Self::Samples { labeled, .. } => self.encode(labeled, rows),
            Self::Embeddings { labeled, device, .. } => Ok(Input::Features(tensor_rows(labeled, rows, device))),
        }
    }

    /// Inputs of some of the candidates.
    pub(crate) fn pool(&self, rows: &[usize]) -> Result<Input, BilevelError> {
        match self {
            Self::Samples { pool, .. } => self.encode(pool, rows),
            Self::Embeddings { scale, pool, device, .. } => {
                Ok(Input::Features(tensor_of(&scale.apply(*pool, rows.iter().copied()), device)))
            }
        }
    }

    fn encode(&self, ids: &[SampleId], rows: &[usize]) -> Result<Input, BilevelError> {
        let Self::Samples { encoder, samples, .. } = self else { unreachable!("only samples are encoded") };
        let rows: Vec<usize> = rows.iter().map(|&row| ids[row].row()).collect();
        Ok(encoder.encode(samples, &rows)?)
    }
}
