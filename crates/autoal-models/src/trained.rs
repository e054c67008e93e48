//! A trained model, and what it says of samples.

use autoal_data::{SampleId, Samples};
use autoal_strategies::LinearHead;
use burn::module::Module;
use burn::tensor::Tensor;
use ndarray::{Array1, Array2};

use crate::{InputEncoder, LossHead, ModelConfig, ModelError, Network};

/// A network after training, with what is needed to use it.
#[derive(Debug, Clone)]
pub struct TrainedModel {
    /// How the network was built.
    pub config: ModelConfig,
    /// The network, without gradients.
    pub network: Network,
    /// The loss-prediction head, where one was trained.
    pub loss_head: Option<LossHead>,
    /// Mean loss of the last epoch, in nats.
    pub train_loss: f64,
    /// Epochs it was trained for.
    pub epochs: usize,
    /// How samples become inputs of the network.
    pub encoder: InputEncoder,
    /// Samples a batch when nothing is learned.
    pub eval_batch_size: usize,
}

/// What a network says of `N` samples.
#[derive(Debug, Clone)]
pub struct Inference {
    /// Before dropout and the classifier, `[N, D]`.
    pub embeddings: Array2<f32>,
    /// `[N, K]`.
    pub logits: Array2<f32>,
    /// `[N]`, where the model has a loss-prediction head.
    pub predicted_loss: Option<Array1<f32>>,
}

impl TrainedModel {
    /// The same model with another state of its network, whose gradients are dropped.
    #[must_use]
    pub fn with_network(&self, network: &Network) -> Self {
        Self { network: network.valid(), ..self.clone() }
    }

    /// One pass over some samples, in batches. Fails on an output that is infinite or not a number, and names the sample.
    pub fn infer(&self, samples: &Samples, ids: &[SampleId]) -> Result<Inference, ModelError> {
        let mut embeddings = Vec::with_capacity(ids.len() * self.network.embedding_width());
        let mut logits = Vec::with_capacity(ids.len() * self.network.outputs());
        let mut losses = self.loss_head.as_ref().map(|_| Vec::with_capacity(ids.len()));
        self.encoder.check(samples)?;
        for batch in ids.chunks(self.eval_batch_size.max(1)) {
            let rows: Vec<usize> = batch.iter().map(|id| id.row()).collect();
            let forward = self.network.forward(self.encoder.encode(samples, &rows)?);
            if let (Some(head), Some(losses)) = (&self.loss_head, losses.as_mut()) {
                append(losses, head.forward(&forward.stages), "predicted loss", batch)?;
            }
            append(&mut embeddings, forward.embedding, "embedding", batch)?;
            append(&mut logits, forward.logits, "output", batch)?;
        }
        let shaped = |values, width| Array2::from_shape_vec((ids.len(), width), values).expect("one row a sample");
        Ok(Inference {
            embeddings: shaped(embeddings, self.network.embedding_width()),
            logits: shaped(logits, self.network.outputs()),
            predicted_loss: losses.map(Array1::from_vec),
        })
    }

    /// The classifier on the host.
    pub fn head(&self) -> Result<LinearHead, ModelError> {
        let layer = self.network.classifier();
        let weight = host(layer.weight.val())?;
        let bias = host(layer.bias.val())?;
        let weight = Array2::from_shape_vec((layer.outputs(), layer.inputs()), weight).expect("a weight has its own shape");
        Ok(LinearHead { weight, bias: Array1::from_vec(bias) })
    }
}

/// A tensor's values, row-major.
pub(crate) fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    tensor
        .try_into_vec_as::<f32>()
        .map_err(|error| ModelError::Unsupported(format!("reading a tensor from the device ({error})")))
}

/// Appends a batch's values, all of which must be finite.
fn append<const D: usize>(
    values: &mut Vec<f32>,
    tensor: Tensor<D>,
    output: &'static str,
    batch: &[SampleId],
) -> Result<(), ModelError> {
    let new = host(tensor)?;
    let width = new.len() / batch.len();
    if let Some(at) = new.iter().position(|value| !value.is_finite()) {
        return Err(ModelError::NotANumber { output, sample: batch[at / width] });
    }
    values.extend(new);
    Ok(())
}
