//! How good a trained model is on samples with known labels.

use autoal_data::{Label, SampleId, Samples, Split};
use ndarray::ArrayView2;

use crate::proba::{argmax, log_softmax};
use crate::{ModelError, TrainedModel};

/// Bins of equal width of the calibration error.
const CALIBRATION_BINS: usize = 15;

/// What a model takes a sample for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The most probable class; ties go to the lowest.
    pub class: Label,
    /// Its probability.
    pub confidence: f64,
}

/// Figures of a model on a split.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evaluation {
    /// Number of samples.
    pub samples: usize,
    /// Share of samples whose most probable class is right; ties go to the lowest class.
    pub accuracy: f64,
    /// Mean recall of the classes that occur.
    pub balanced_accuracy: f64,
    /// Recall of each class; `None` where the class does not occur.
    pub recall: Vec<Option<f64>>,
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// Expected calibration error over 15 bins of equal width of the highest probability (Guo et al., ICML 2017).
    pub calibration_error: f64,
}

/// Runs a model over a split and compares with its labels. Fails when a sample has no label or one that the model does not know.
pub fn evaluate(model: &TrainedModel, split: &Split) -> Result<Evaluation, ModelError> {
    let ids: Vec<SampleId> = (0..split.len() as u32).map(SampleId).collect();
    model.evaluate(&split.samples, &ids, &split.labels)
}

impl TrainedModel {
    /// What the model takes each of some samples for.
    pub fn predict(&self, samples: &Samples, ids: &[SampleId]) -> Result<Vec<Prediction>, ModelError> {
        let log_proba = log_softmax(&self.infer(samples, ids)?.logits.view());
        let prediction = |row: ndarray::ArrayView1<'_, f32>| {
            let class = argmax(row.iter().copied());
            Prediction { class: Label(class as u16), confidence: f64::from(row[class]).exp() }
        };
        Ok(log_proba.outer_iter().map(prediction).collect())
    }

    /// Runs the model over some samples and compares with their labels. Fails when there is no sample, a sample has no label, or a label
    /// is one that the model does not know.
    pub fn evaluate(&self, samples: &Samples, ids: &[SampleId], labels: &[Label]) -> Result<Evaluation, ModelError> {
        if ids.is_empty() || labels.len() != ids.len() {
            return Err(ModelError::Data(format!("cannot evaluate on {} samples with {} labels", ids.len(), labels.len())));
        }
        let classes = self.network.outputs();
        if let Some((id, label)) = ids.iter().zip(labels).find(|(_, label)| label.class() >= classes) {
            return Err(ModelError::Data(format!("sample {id} has label {label}, expected one below {classes}")));
        }
        let log_proba = log_softmax(&self.infer(samples, ids)?.logits.view());
        let labels: Vec<usize> = labels.iter().map(|label| label.class()).collect();
        Ok(Evaluation::of(&log_proba.view(), &labels))
    }
}

impl Evaluation {
    /// From log-probabilities, `[N, C]`, and classes below `C`, `[N]`; `N` at least 1.
    pub fn of(log_proba: &ArrayView2<'_, f32>, labels: &[usize]) -> Self {
        let (samples, classes) = log_proba.dim();
        let (mut hits, mut counts) = (vec![0_usize; classes], vec![0_usize; classes]);
        let mut loss = 0.0;
        let mut bins = [Bin::default(); CALIBRATION_BINS];
        for (row, label) in log_proba.outer_iter().zip(labels) {
            let predicted = argmax(row.iter().copied());
            let hit = predicted == *label;
            counts[*label] += 1;
            hits[*label] += usize::from(hit);
            loss -= f64::from(row[*label]);
            Bin::add(&mut bins, f64::from(row[predicted]).exp(), hit);
        }
        let recall: Vec<Option<f64>> =
            hits.iter().zip(&counts).map(|(hit, count)| (*count > 0).then(|| *hit as f64 / *count as f64)).collect();
        let present: Vec<f64> = recall.iter().flatten().copied().collect();
        Self {
            samples,
            accuracy: hits.iter().sum::<usize>() as f64 / samples as f64,
            balanced_accuracy: present.iter().sum::<f64>() / present.len() as f64,
            recall,
            loss: loss / samples as f64,
            calibration_error: bins.iter().map(Bin::gap).sum::<f64>() / samples as f64,
        }
    }
}

/// One bin of the calibration error.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    confidence: f64,
    hits: f64,
}

impl Bin {
    /// Adds a sample to the bin `(lower, upper]` of its confidence.
    fn add(bins: &mut [Self; CALIBRATION_BINS], confidence: f64, hit: bool) {
        let index = (confidence * CALIBRATION_BINS as f64).ceil() as usize;
        let bin = &mut bins[index.clamp(1, CALIBRATION_BINS) - 1];
        bin.confidence += confidence;
        bin.hits += f64::from(u8::from(hit));
    }

    /// Distance of accuracy and confidence, times the samples in the bin.
    fn gap(&self) -> f64 {
        (self.confidence - self.hits).abs()
    }
}
