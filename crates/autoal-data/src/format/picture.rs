//! JPEG and PNG pictures to pixels of one size.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use crate::Resize;

/// Endings of the files that are taken for pictures, in lower case.
pub(crate) const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The size and the channels that all pictures of a data set are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) height: u32,
    pub(crate) width: u32,
    /// 1 (grey) or 3 (RGB); grey pictures become RGB by repeating their one channel.
    pub(crate) channels: usize,
    /// `None` refuses pictures of another size.
    pub(crate) resize: Option<Resize>,
}

/// Decodes a picture to `[row, column, channel]`, turned upright where its EXIF data says how.
pub(crate) fn decode(bytes: &[u8], target: Target) -> Result<Vec<u8>, String> {
    let picture = open(bytes).map_err(|error| error.to_string())?;
    let picture = fit(picture, target)?;
    Ok(if target.channels == 1 { picture.into_luma8().into_raw() } else { picture.into_rgb8().into_raw() })
}

fn open(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(ImageError::IoError)?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn fit(picture: DynamicImage, target: Target) -> Result<DynamicImage, String> {
    let (width, height) = (picture.width(), picture.height());
    if (width, height) == (target.width, target.height) {
        return Ok(picture);
    }
    match target.resize {
        None => Err(format!("expected {} x {} pixels, found {width} x {height}", target.width, target.height)),
        Some(Resize::Stretch) => Ok(scale(&picture, target)),
        Some(Resize::Crop) => {
            // The largest part in the middle that has the target's aspect; products avoid a rounded ratio.
            let (tall, wide) = (u64::from(height) * u64::from(target.width), u64::from(width) * u64::from(target.height));
            let crop_width = if wide > tall { (tall / u64::from(target.height)).max(1) as u32 } else { width };
            let crop_height = if tall > wide { (wide / u64::from(target.width)).max(1) as u32 } else { height };
            let (x, y) = ((width - crop_width) / 2, (height - crop_height) / 2);
            Ok(scale(&picture.crop_imm(x, y, crop_width, crop_height), target))
        }
    }
}

/// A triangle filter whose width follows the scale, on one thread: the same pixels for any number of threads.
fn scale(picture: &DynamicImage, target: Target) -> DynamicImage {
    if target.channels == 1 {
        imageops::resize(&picture.to_luma8(), target.width, target.height, FilterType::Triangle).into()
    } else {
        imageops::resize(&picture.to_rgb8(), target.width, target.height, FilterType::Triangle).into()
    }
}
