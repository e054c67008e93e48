//! A strip of the first selected images of a round, for the report's contact sheets.

use std::io::Cursor;
use std::path::Path;

use autoal_data::{Images, SampleId, Samples};
use image::{ImageFormat, Rgb, RgbImage};

use crate::ExperimentError;
use crate::files::write_atomic;

/// Images in a strip: more than anyone compares at a glance is not worth the bytes.
const IMAGES: usize = 20;

/// Writes `thumbnails/round-<round>.png`, `round` as in `queries.csv`, with the first selected images side by side in rank order; features have no pictures.
pub(crate) fn write(folder: &Path, round: u32, samples: &Samples, selected: &[SampleId]) -> Result<(), ExperimentError> {
    let Samples::Images(images) = samples else { return Ok(()) };
    let path = folder.join("thumbnails").join(format!("round-{round}.png"));
    let mut png = Cursor::new(Vec::new());
    strip(images, &selected[..selected.len().min(IMAGES)])
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| ExperimentError::io(&path, std::io::Error::other(error)))?;
    write_atomic(&path, png.get_ref())
}

fn strip(images: &Images, selected: &[SampleId]) -> RgbImage {
    let (height, width, channels) = (images.height(), images.width(), images.channels());
    let mut strip = RgbImage::new((width * selected.len().max(1)) as u32, height as u32);
    for (place, id) in selected.iter().enumerate() {
        for (pixel, values) in images.get(id.row()).chunks_exact(channels).enumerate() {
            let rgb = if channels == 3 { [values[0], values[1], values[2]] } else { [values[0]; 3] };
            strip.put_pixel((place * width + pixel % width) as u32, (pixel / width) as u32, Rgb(rgb));
        }
    }
    strip
}
