//! Figures of a model.

use autoal_models::Evaluation;
use ndarray::array;

const ROUNDING: f64 = 1e-6;

#[test]
fn figures_of_a_small_table_are_those_made_by_hand() {
    let proba = array![[0.8_f32, 0.1, 0.1], [0.4, 0.5, 0.1], [0.3, 0.3, 0.4], [0.5, 0.5, 0.0]];
    let evaluation = Evaluation::of(&proba.mapv(f32::ln).view(), &[0, 0, 1, 0]);
    assert_eq!(evaluation.samples, 4);
    // Hits: the first, and the last by the tie rule.
    assert!((evaluation.accuracy - 0.5).abs() < ROUNDING);
    assert_eq!(evaluation.recall, [Some(2.0 / 3.0), Some(0.0), None]);
    assert!((evaluation.balanced_accuracy - 1.0 / 3.0).abs() < ROUNDING);
    let loss = -(0.8_f64.ln() + 0.4_f64.ln() + 0.3_f64.ln() + 0.5_f64.ln()) / 4.0;
    assert!((evaluation.loss - loss).abs() < ROUNDING);
    // Bins of width 1/15: .8 hit, .4 miss, and {.5 miss, .5 hit} share one.
    let calibration = (0.2 + 0.4 + 0.0) / 4.0;
    assert!((evaluation.calibration_error - calibration).abs() < ROUNDING, "{evaluation:?}");
}

#[test]
fn a_confident_and_right_model_has_no_calibration_error() {
    let log_proba = array![[0.0_f32, f32::NEG_INFINITY], [f32::NEG_INFINITY, 0.0]];
    let evaluation = Evaluation::of(&log_proba.view(), &[0, 1]);
    assert_eq!((evaluation.accuracy, evaluation.calibration_error, evaluation.loss), (1.0, 0.0, 0.0));
}
