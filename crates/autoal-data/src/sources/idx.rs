//! MNIST and its relatives: images and labels in IDX files.

use std::path::Path;

use super::Parts;
use crate::format::idx::read_idx;
use crate::{DataError, Images, Label, Samples, Split};

/// Reads train images, train labels, test images and test labels.
pub(crate) fn read_idx_set(files: [&Path; 4]) -> Result<Parts, DataError> {
    let train = read_part(files[0], files[1])?;
    let test = read_part(files[2], files[3])?;
    Ok(Parts { origin: files[0].to_owned(), train, validation: None, test, class_names: None })
}

fn read_part(images: &Path, labels: &Path) -> Result<Split, DataError> {
    let pixels = read_idx(images)?;
    let (height, width, channels) = match *pixels.shape {
        [_, height, width] => (height, width, 1),
        [_, height, width, channels @ (1 | 3)] => (height, width, channels),
        _ => return Err(DataError::format(images, format!("expected images (3 axes), found shape {:?}", pixels.shape))),
    };
    let samples = Images::new(pixels.values, height, width, channels);
    let samples = samples.ok_or_else(|| DataError::format(images, "expected images of at least one pixel"))?;
    let classes = read_idx(labels)?;
    if classes.shape != [samples.len()] {
        let detail = format!("expected {} labels (1 axis), one an image of `{}`", samples.len(), images.display());
        return Err(DataError::format(labels, format!("{detail}, found shape {:?}", classes.shape)));
    }
    let labels = classes.values.into_iter().map(|label| Label(u16::from(label))).collect();
    Ok(Split { samples: Samples::Images(samples), labels, sources: Vec::new() })
}
