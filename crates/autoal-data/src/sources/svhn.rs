//! SVHN, cropped digits: `train_32x32.mat` and `test_32x32.mat`.
//!
//! `X` is `[row, column, channel, sample]` of `uint8` in column-major order, `y` is `[sample, 1]` with labels 1 to 10, where 10 is the
//! digit 0. Layout: Netzer et al. 2011.

use std::path::Path;

use super::Parts;
use crate::format::mat::{MatArray, MatValues, read_mat};
use crate::{DataError, Images, Label, Progress, Samples, Split};

/// Reads the train and the test file.
pub(crate) fn read_svhn(train: &Path, test: &Path, progress: &dyn Progress) -> Result<Parts, DataError> {
    Ok(Parts {
        origin: train.to_owned(),
        train: read_part(train, progress)?,
        validation: None,
        test: read_part(test, progress)?,
        class_names: None,
    })
}

fn read_part(path: &Path, progress: &dyn Progress) -> Result<Split, DataError> {
    let mut arrays = read_mat(path, progress)?;
    let mut take = |name: &str| {
        let index = arrays.iter().position(|array| array.name == name);
        let missing = || {
            let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
            DataError::format(path, format!("expected the arrays `X` and `y`, found {names:?}"))
        };
        index.ok_or_else(missing).map(|index| arrays.swap_remove(index))
    };
    let images = to_images(path, &take("X")?)?;
    let labels = to_labels(path, &take("y")?, images.len())?;
    Ok(Split { samples: Samples::Images(images), labels, sources: Vec::new() })
}

fn to_images(path: &Path, array: &MatArray) -> Result<Images, DataError> {
    let wrong =
        || DataError::format(path, format!("array `X`: expected [height, width, 3, samples] of uint8, found {:?}", array.dims));
    let ([height, width, channels @ 3, samples], MatValues::U8(values)) = (&*array.dims, &array.values) else {
        return Err(wrong());
    };
    let (height, width, channels) = (*height, *width, *channels);
    let size = height * width * channels;
    let mut pixels = vec![0; size * samples];
    if size == 0 {
        return Err(wrong());
    }
    for (stored, picture) in values.chunks_exact(size).zip(pixels.chunks_exact_mut(size)) {
        for (channel, plane) in stored.chunks_exact(height * width).enumerate() {
            for (column, values) in plane.chunks_exact(height).enumerate() {
                for (row, value) in values.iter().enumerate() {
                    picture[(row * width + column) * channels + channel] = *value;
                }
            }
        }
    }
    Images::new(pixels, height, width, channels).ok_or_else(wrong)
}

fn to_labels(path: &Path, array: &MatArray, samples: usize) -> Result<Vec<Label>, DataError> {
    let values: Vec<f64> = match &array.values {
        MatValues::U8(values) => values.iter().map(|value| f64::from(*value)).collect(),
        MatValues::Other(values) => values.clone(),
    };
    if values.len() != samples {
        return Err(DataError::format(path, format!("array `y`: expected {samples} labels, found {}", values.len())));
    }
    let parse = |(row, value): (usize, f64)| match value {
        10.0 => Ok(Label(0)),
        digit if (1.0..10.0).contains(&digit) && digit.fract() == 0.0 => Ok(Label(digit as u16)),
        _ => Err(DataError::format(
            path,
            format!("array `y`: sample {row} has label {value}, expected 1 to 10 (10 is the digit 0)"),
        )),
    };
    values.into_iter().enumerate().map(parse).collect()
}
