//! From samples in host memory to normalised tensors on a device, through burn-dataset's `Dataset` and Burn's `Batcher`.
//!
//! Batches are asked for one at a time in the caller's order (0 workers), so that their order never depends on timing.

use autoal_data::{Images, InputShape, Normalization, Samples};
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use crate::augment::View;
use crate::{ComputeDevice, Input, ModelError};

/// Turns rows of samples into batches: normalises, and places them on a device.
#[derive(Debug, Clone)]
pub struct InputEncoder {
    shape: InputShape,
    normalization: Option<Normalization>,
    /// The normalised value of each byte, one table a channel; empty for features.
    tables: Vec<[f32; 256]>,
    device: ComputeDevice,
}

/// The views of one batch, as a Burn data set.
struct Views<'a>(&'a [View]);

impl Dataset<View> for Views<'_> {
    fn get(&self, index: usize) -> Result<View, DatasetError> {
        Ok(self.0[index])
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Renders views of samples into one tensor.
struct SampleBatcher<'a> {
    samples: &'a Samples,
    tables: &'a [[f32; 256]],
}

impl Batcher<View, Input> for SampleBatcher<'_> {
    fn batch(&self, views: Vec<View>, device: &Device) -> Input {
        match self.samples {
            Samples::Images(images) => {
                let size = images.channels() * images.height() * images.width();
                let mut values = vec![0.0; views.len() * size];
                values.par_chunks_mut(size).zip(&views).for_each(|(out, view)| render(images, *view, self.tables, out));
                let shape = [views.len(), images.channels(), images.height(), images.width()];
                Input::Images(Tensor::from_data(TensorData::new(values, shape), device))
            }
            Samples::Features(features) => {
                let mut values = Vec::with_capacity(views.len() * features.dim());
                for view in &views {
                    values.extend_from_slice(features.get(view.row));
                }
                Input::Features(Tensor::from_data(TensorData::new(values, [views.len(), features.dim()]), device))
            }
        }
    }
}

impl InputEncoder {
    /// An encoder for samples of that shape; pixels become `(x / 255 - mean) / std`, or `x / 255` without normalisation.
    ///
    /// Fails when there is not one mean and one positive standard deviation a channel.
    pub fn new(shape: InputShape, normalization: Option<&Normalization>, device: &ComputeDevice) -> Result<Self, ModelError> {
        let tables = match shape {
            InputShape::Features { .. } => Vec::new(),
            InputShape::Image { channels, .. } => tables(channels, normalization)?,
        };
        Ok(Self { shape, normalization: normalization.cloned(), tables, device: device.clone() })
    }

    /// The samples at `rows` as they are, in that order. Fails when they have another shape or a row is not there.
    pub fn encode(&self, samples: &Samples, rows: &[usize]) -> Result<Input, ModelError> {
        let views: Vec<View> = rows.iter().map(|row| View::plain(*row)).collect();
        self.encode_views(samples, &views)
    }

    /// The device that batches are placed on.
    pub fn device(&self) -> &ComputeDevice {
        &self.device
    }

    /// Shape of one sample.
    pub fn shape(&self) -> InputShape {
        self.shape
    }

    /// How pixels are normalised.
    pub fn normalization(&self) -> Option<&Normalization> {
        self.normalization.as_ref()
    }

    pub(crate) fn encode_views(&self, samples: &Samples, views: &[View]) -> Result<Input, ModelError> {
        self.check(samples)?;
        if views.is_empty() {
            return Err(ModelError::Data("a batch needs at least one sample".into()));
        }
        if let Some(view) = views.iter().find(|view| view.row >= samples.len()) {
            return Err(ModelError::Data(format!("sample {} is not there: there are {}", view.row, samples.len())));
        }
        let views = Views(views);
        let items = views.iter().collect::<Result<Vec<_>, _>>().map_err(|error| ModelError::Data(error.to_string()))?;
        Ok(SampleBatcher { samples, tables: &self.tables }.batch(items, self.device.burn()))
    }

    /// Whether samples have the shape of this encoder.
    pub(crate) fn check(&self, samples: &Samples) -> Result<(), ModelError> {
        if samples.shape() == self.shape {
            return Ok(());
        }
        Err(ModelError::Data(format!("the samples are {:?}, but the network was made for {:?}", samples.shape(), self.shape)))
    }
}

/// The normalised value of each byte, for each channel.
fn tables(channels: usize, normalization: Option<&Normalization>) -> Result<Vec<[f32; 256]>, ModelError> {
    let (mean, std) = match normalization {
        None => (vec![0.0; channels], vec![1.0; channels]),
        Some(constants) => (constants.mean.clone(), constants.std.clone()),
    };
    if mean.len() != channels || std.len() != channels || std.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
        return Err(ModelError::Data(format!(
            "normalisation has means {mean:?} and standard deviations {std:?}, expected {channels} of each and deviations above 0"
        )));
    }
    let table =
        |(mean, std): (&f32, &f32)| std::array::from_fn(|byte| ((byte as f64 / 255.0 - *mean as f64) / *std as f64) as f32);
    Ok(mean.iter().zip(&std).map(table).collect())
}

/// Writes one view of an image, `[channel, row, column]`.
fn render(images: &Images, view: View, tables: &[[f32; 256]], out: &mut [f32]) {
    let (rows, columns, channels) = (images.height(), images.width(), images.channels());
    let pixels = images.get(view.row);
    for (channel, plane) in out.chunks_exact_mut(rows * columns).enumerate() {
        let table = &tables[channel];
        for (y, line) in plane.chunks_exact_mut(columns).enumerate() {
            let source_row = y.checked_add_signed(-view.down).filter(|row| *row < rows);
            for (x, value) in line.iter_mut().enumerate() {
                let x = if view.flip { columns - 1 - x } else { x };
                let source_column = x.checked_add_signed(-view.right).filter(|column| *column < columns);
                let byte = match (source_row, source_column) {
                    (Some(row), Some(column)) => pixels[(row * columns + column) * channels + channel],
                    _ => 0,
                };
                *value = table[usize::from(byte)];
            }
        }
    }
}
