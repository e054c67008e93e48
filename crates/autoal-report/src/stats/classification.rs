//! Measures of a classifier from its predictions, for results that hold predictions instead of measures.

use serde::Serialize;

/// Measures by class and over classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// `confusion[truth][predicted]`.
    pub confusion: Vec<Vec<usize>>,
    /// Share that is classified correctly.
    pub accuracy: f64,
    /// Mean recall of the classes that occur in truth.
    pub balanced_accuracy: f64,
    /// Recall by class; 0 for a class that never occurs.
    pub recall: Vec<f64>,
    /// Precision by class; 0 for a class that is never predicted.
    pub precision: Vec<f64>,
    /// F1 by class; 0 where precision and recall are.
    pub f1: Vec<f64>,
    /// Mean F1 over all classes, absent ones as 0.
    pub f1_macro: f64,
    /// F1 weighted by how often a class occurs.
    pub f1_weighted: f64,
}

/// Scores `predicted` against `truth`, class numbers below `classes`; none of no samples or of a number that is not below.
pub fn scores(truth: &[usize], predicted: &[usize], classes: usize) -> Option<Scores> {
    let mut confusion = vec![vec![0_usize; classes]; classes];
    for (&t, &p) in truth.iter().zip(predicted) {
        *confusion.get_mut(t)?.get_mut(p)? += 1;
    }
    let n = truth.len() as f64;
    let share = |part: usize, of: usize| if of == 0 { 0.0 } else { part as f64 / of as f64 };
    let hits: Vec<usize> = (0..classes).map(|c| confusion[c][c]).collect();
    let occurs: Vec<usize> = confusion.iter().map(|row| row.iter().sum()).collect();
    let guessed: Vec<usize> = (0..classes).map(|c| confusion.iter().map(|row| row[c]).sum()).collect();
    let recall: Vec<f64> = (0..classes).map(|c| share(hits[c], occurs[c])).collect();
    let precision: Vec<f64> = (0..classes).map(|c| share(hits[c], guessed[c])).collect();
    let f1: Vec<f64> = (0..classes).map(|c| share(2 * hits[c], occurs[c] + guessed[c])).collect();
    let present = occurs.iter().filter(|o| **o > 0).count();
    (present > 0).then(|| Scores {
        accuracy: share(hits.iter().sum(), truth.len()),
        balanced_accuracy: recall.iter().sum::<f64>() / present as f64,
        f1_macro: f1.iter().sum::<f64>() / classes as f64,
        f1_weighted: f1.iter().zip(&occurs).map(|(f, &o)| f * o as f64 / n).sum(),
        confusion,
        recall,
        precision,
        f1,
    })
}

/// Expected calibration error over equal bins `(i/bins, (i+1)/bins]`, the first closed at 0: the sum over bins of the share of samples
/// times |accuracy - mean confidence|. None of no samples.
pub fn calibration_error(confidence: &[f64], correct: &[bool], bins: usize) -> Option<f64> {
    let mut sums = vec![(0.0, 0.0); bins];
    for (&c, &hit) in confidence.iter().zip(correct) {
        let bin = ((c * bins as f64).ceil() as usize).saturating_sub(1).min(bins - 1);
        sums[bin].0 += c;
        sums[bin].1 += f64::from(u8::from(hit));
    }
    // A bin's share times its mean difference is its summed difference over all samples.
    (!confidence.is_empty()).then(|| sums.iter().map(|(c, h)| (h - c).abs()).sum::<f64>() / confidence.len() as f64)
}
