//! Random choices keyed by seed, stream, round and sample, so that none depends on the order of the candidates.

use autoal_data::{SampleId, Stream};

use crate::QueryContext;

/// `count` of the given rows, drawn without replacement, in the order of the draw.
///
/// Every row has a number keyed by its id; the smallest numbers win. Asking for more continues the same order.
pub fn sample_rows(context: &QueryContext<'_>, stream: Stream, rows: &[usize], count: usize) -> Vec<usize> {
    let key = |row: usize| context.seed.hash(stream, context.round, context.candidates[row]);
    let mut keys: Vec<(u64, SampleId, usize)> = rows.iter().map(|&row| (key(row), context.candidates[row], row)).collect();
    if count < keys.len() && count > 0 {
        keys.select_nth_unstable(count - 1);
    }
    keys.truncate(count);
    keys.sort_unstable();
    keys.into_iter().map(|(_, _, row)| row).collect()
}

/// Appends random rows that are not yet in `chosen` until it holds `count` rows or all of them.
pub fn fill(context: &QueryContext<'_>, stream: Stream, chosen: &mut Vec<usize>, count: usize) {
    let missing = count.min(context.candidates.len()).saturating_sub(chosen.len());
    if missing == 0 {
        return;
    }
    let mut free = vec![true; context.candidates.len()];
    for &row in chosen.iter() {
        free[row] = false;
    }
    let rest: Vec<usize> = (0..free.len()).filter(|&row| free[row]).collect();
    chosen.extend(sample_rows(context, stream, &rest, missing));
}

/// A standard Gumbel variate for each candidate, `[N]`; adding it to log-weights and ranking draws without replacement.
pub fn gumbel(context: &QueryContext<'_>, stream: Stream) -> Vec<f64> {
    context.candidates.iter().map(|&id| -(-context.seed.unit(stream, context.round, id).ln()).ln()).collect()
}

/// One row drawn with probability `weights[row] / sum`, the race of exponential clocks keyed by sample; `None` when no weight is
/// positive.
///
/// The race needs no prefix sums, so the draw does not depend on the order of the rows.
pub fn weighted_row(context: &QueryContext<'_>, stream: Stream, weights: &[f64]) -> Option<usize> {
    let race = |row: usize| -context.seed.unit(stream, context.round, context.candidates[row]).ln() / weights[row];
    (0..weights.len())
        .filter(|&row| weights[row] > 0.0)
        .map(|row| (race(row), row))
        .min_by(|a, b| a.0.total_cmp(&b.0).then(context.candidates[a.1].cmp(&context.candidates[b.1])))
        .map(|(_, row)| row)
}

/// A uniform number for each candidate, `[N]`.
pub fn uniform(context: &QueryContext<'_>, stream: Stream) -> Vec<f64> {
    context.candidates.iter().map(|&id| context.seed.unit(stream, context.round, id)).collect()
}
