//! Learning loss: a head on the task model predicts the loss of each sample, and the highest predictions are selected.
//!
//! The head is trained with the task model by a ranking loss; here is only its use. **Reference**: Yoo & Kweon, CVPR 2019.

acquisition!(
    /// Predicted loss.
    PredictedLoss, "lpl", "samples whose loss a trained head predicts to be high", "Yoo & Kweon, CVPR 2019", [PredictedLoss],
    |context| Ok(context.predicted_loss()?.mapv(f64::from))
);
