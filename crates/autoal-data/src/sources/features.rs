//! Feature vectors that some other network made: `{train,test}_embeddings` and `{train,test}_labels` in a `.npz` file.

use std::path::Path;

use super::Parts;
use super::npz::read_labels;
use crate::npy::Npz;
use crate::{DataError, Features, Samples, Split};

/// Reads the parts; `val_embeddings` may be missing.
pub(crate) fn read_features(path: &Path) -> Result<Parts, DataError> {
    let mut npz = Npz::open(path)?;
    let train = read_part(&mut npz, "train")?;
    let validation = if npz.contains("val_embeddings") { Some(read_part(&mut npz, "val")?) } else { None };
    let test = read_part(&mut npz, "test")?;
    let validation = validation.filter(|split| !split.is_empty());
    Ok(Parts { origin: path.to_owned(), train, validation, test, class_names: None })
}

fn read_part(npz: &mut Npz, part: &str) -> Result<Split, DataError> {
    let name = format!("{part}_embeddings");
    let array = npz.read(&name)?;
    let wrong = |detail: String| DataError::format(npz.path(), format!("array `{name}`: {detail}"));
    let [_, dim] = *array.shape() else {
        return Err(wrong(format!("expected shape [samples, dimension], found {:?}", array.shape())));
    };
    let values = array.to_f32();
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let (row, column) = (index / dim, index % dim);
        return Err(wrong(format!("row {row}, column {column} is {}; features must be finite", values[index])));
    }
    let features = Features::new(values, dim).ok_or_else(|| wrong("expected a dimension of at least 1".to_owned()))?;
    let samples = Samples::Features(features);
    let labels = read_labels(npz, &format!("{part}_labels"), samples.len())?;
    Ok(Split { samples, labels, sources: Vec::new() })
}
