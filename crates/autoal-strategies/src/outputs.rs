//! What a strategy may ask about samples.

use autoal_data::SampleId;
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2};

use crate::OutputsError;

/// Outputs of a task model on the candidates of a query and on the labeled samples.
///
/// Every method computes on first use and keeps its result, so strategies that ask for the same array share one pass over the pool.
/// Rows follow the order of the context's candidates (`N` rows) or labeled samples (`L` rows); `C` is the number of classes, `D` the
/// width of the embedding. Methods take `&self`, so that a strategy can hold several arrays at once.
pub trait ModelOutputs {
    /// Log-probabilities of the candidates, `[N, C]`. May hold negative infinity.
    fn log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError>;

    /// Embeddings of the candidates, taken before dropout and the classifier, `[N, D]`.
    fn embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError>;

    /// Embeddings of the labeled samples, `[L, D]`.
    fn labeled_embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError>;

    /// Log-probabilities of the labeled samples, `[L, C]`.
    fn labeled_log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Err(OutputsError::missing("labeled_log_proba"))
    }

    /// Accumulators over stochastic passes with dropout before the classifier.
    fn mc_dropout(&self) -> Result<&McOutputs, OutputsError> {
        Err(OutputsError::missing("mc_proba"))
    }

    /// Probabilities of every stochastic pass for some candidates, `[T, rows, C]`; only for strategies that need the joint outcome.
    fn mc_proba(&self, rows: &[usize]) -> Result<Array3<f32>, OutputsError> {
        let _ = rows;
        Err(OutputsError::missing("mc_proba"))
    }

    /// Losses of the candidates as predicted by the loss-prediction head, `[N]`.
    fn predicted_loss(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        Err(OutputsError::missing("predicted_loss"))
    }

    /// The last linear layer.
    fn head(&self) -> Result<&LinearHead, OutputsError> {
        Err(OutputsError::missing("head_weight"))
    }

    /// Accumulators over `members` independently trained models.
    fn ensemble(&self, members: usize) -> Result<&McOutputs, OutputsError> {
        let _ = members;
        Err(OutputsError::missing("ensemble_proba"))
    }

    /// Probability of being labeled, as told by a discriminator on a variational latent space (VAAL), `[N]`.
    fn labeled_probability(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        Err(OutputsError::missing("labeled_probability"))
    }

    /// Accuracy on `test` of a model trained on `train`, both parts of the labeled samples.
    fn holdout_accuracy(&self, train: &[SampleId], test: &[SampleId]) -> Result<f64, OutputsError> {
        let _ = (train, test);
        Err(OutputsError::Unsupported { what: "training on part of the labeled samples" })
    }
}

/// Sums over `T` stochastic passes: enough for every score on them, without the `[T, N, C]` array.
#[derive(Debug, Clone)]
pub struct McOutputs {
    /// Number of passes, `T`.
    pub draws: usize,
    /// Mean probability, `[N, C]`.
    pub mean_proba: Array2<f32>,
    /// Population standard deviation of the probability over passes, `[N, C]`.
    pub std_proba: Array2<f32>,
    /// Mean over passes of the entropy in nats, `[N]`; `f64` because BALD is a small difference.
    pub mean_entropy: Array1<f64>,
    /// Entropy of the mean probability in nats, `[N]`, from `f64` sums.
    pub entropy_of_mean: Array1<f64>,
    /// How often each class was the most probable one, `[N, C]`; ties within a pass go to the lowest class.
    pub votes: Array2<u32>,
}

/// The last linear layer of a task model: `logits = weight · embedding + bias`.
#[derive(Debug, Clone)]
pub struct LinearHead {
    /// `[C, D]`.
    pub weight: Array2<f32>,
    /// `[C]`.
    pub bias: Array1<f32>,
}
