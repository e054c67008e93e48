//! Log-probabilities from whichever form was exported.

use autoal_data::DataError;
use ndarray::Array2;
use rayon::prelude::*;

use super::source::Source;

/// How far a probability may be outside \[0, 1\], and a log-probability above 0: rounding of single and half precision.
const ROUNDING: f32 = 1e-3;

/// Reads `{prefix}log_proba`, or makes it from `{prefix}proba` or `{prefix}logits`; `None` when none of them is there, an error when
/// several are or when a value cannot be what its name says. Values that are not numbers are kept: they rank last.
pub(super) fn log_probabilities(source: &mut Source, prefix: &str) -> Result<Option<Array2<f32>>, DataError> {
    let names = ["log_proba", "proba", "logits"].map(|form| format!("{prefix}{form}"));
    let mut found = None;
    for (form, name) in names.iter().enumerate() {
        let Some(array) = source.floats(name, 2)? else { continue };
        if let Some((earlier, _)) = found {
            let earlier: &String = &names[earlier];
            return Err(source.error(&format!("`{earlier}` and `{name}` are both there, expected one of them")));
        }
        found = Some((form, array.matrix().to_owned()));
    }
    let Some((form, mut values)) = found else { return Ok(None) };
    if values.ncols() == 0 {
        return Err(source.error(&format!("`{}` has no column, expected one a class", names[form])));
    }
    let allowed = [f32::NEG_INFINITY..=ROUNDING, -ROUNDING..=1.0 + ROUNDING, f32::NEG_INFINITY..=f32::INFINITY];
    if let Some(((row, class), value)) =
        values.indexed_iter().find(|(_, value)| !value.is_nan() && !allowed[form].contains(value))
    {
        let expected = ["at most 0 (are these `logits`?)", "0 to 1 (are these `logits`?)", "a number"][form];
        return Err(source.error(&format!("`{}` is {value} at row {row}, class {class}, expected {expected}", names[form])));
    }
    let convert = [|_: &mut [f32]| {}, logarithms, log_softmax][form];
    let classes = values.ncols();
    values.as_slice_mut().expect("a fresh array is row-major").par_chunks_mut(classes).for_each(convert);
    Ok(Some(values))
}

fn logarithms(row: &mut [f32]) {
    for p in row {
        // `max` would turn a value that is not a number into 0.
        *p = if p.is_nan() { f32::NAN } else { f64::from(p.max(0.0)).ln() as f32 };
    }
}

fn log_softmax(row: &mut [f32]) {
    let top = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = row.iter().map(|z| (f64::from(*z) - top).exp()).sum();
    for z in row {
        *z = (f64::from(*z) - top - sum.ln()) as f32;
    }
}
