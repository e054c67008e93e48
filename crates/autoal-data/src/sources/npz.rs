//! `.npz` files in MedMNIST's layout: `{train,val,test}_{images,labels}`.
//!
//! Images are `[N, H, W]` (grey) or `[N, H, W, C]` with C = 1 or 3, of `uint8`; labels are `[N]` or `[N, 1]` of any whole-number type.
//! Layout: Yang et al. 2023, "MedMNIST v2", Scientific Data 10:41.

use std::path::Path;

use super::Parts;
use crate::npy::{Dtype, Npz};
use crate::{DataError, Images, Label, Samples, Split};

/// Reads the three parts; the validation part may be missing or empty.
pub(crate) fn read_npz(path: &Path) -> Result<Parts, DataError> {
    let mut npz = Npz::open(path)?;
    let train = read_part(&mut npz, "train")?;
    let validation = if npz.contains("val_images") { Some(read_part(&mut npz, "val")?) } else { None };
    let test = read_part(&mut npz, "test")?;
    let validation = validation.filter(|split| !split.is_empty());
    Ok(Parts { origin: path.to_owned(), train, validation, test, class_names: None })
}

fn read_part(npz: &mut Npz, part: &str) -> Result<Split, DataError> {
    let samples = Samples::Images(read_images(npz, &format!("{part}_images"))?);
    let labels = read_labels(npz, &format!("{part}_labels"), samples.len())?;
    Ok(Split { samples, labels, sources: Vec::new() })
}

fn read_images(npz: &mut Npz, name: &str) -> Result<Images, DataError> {
    let array = npz.read(name)?;
    let found = format!("found {} of shape {:?}", array.dtype(), array.shape());
    let wrong = |expected: &str| DataError::format(npz.path(), format!("array `{name}`: expected {expected}, {found}"));
    if array.dtype() != Dtype::U8 {
        return Err(wrong("uint8 pixels in 0..=255"));
    }
    let (height, width, channels) = match *array.shape() {
        [_, height, width] => (height, width, 1),
        [_, height, width, channels @ (1 | 3)] => (height, width, channels),
        _ => return Err(wrong("shape [samples, height, width] or [samples, height, width, 1 or 3]")),
    };
    let error = wrong("images of at least one pixel");
    let pixels = array.into_u8().map_err(|source| DataError::array(npz.path(), name, source))?;
    Images::new(pixels, height, width, channels).ok_or(error)
}

/// Reads labels of shape `[samples]` or `[samples, 1]`.
pub(super) fn read_labels(npz: &mut Npz, name: &str, samples: usize) -> Result<Vec<Label>, DataError> {
    let array = npz.read(name)?;
    if !matches!(*array.shape(), [count] | [count, 1] if count == samples) {
        let detail = format!("array `{name}`: expected shape [{samples}] or [{samples}, 1], found {:?}", array.shape());
        let several = array.shape().first() == Some(&samples) && array.shape().len() == 2;
        let hint = if several { "; several labels a sample are not supported" } else { "" };
        return Err(DataError::format(npz.path(), format!("{detail}{hint}")));
    }
    let labels = array.to_u16().map_err(|source| DataError::array(npz.path(), name, source))?;
    Ok(labels.into_iter().map(Label).collect())
}
