//! Between Burn's tensors and channels-last slices.

use std::borrow::Cow;

use burn::{
    backend::flex::{FlexTensor, Layout},
    tensor::{Bytes, DType, Shape},
};
use rayon::prelude::*;

use super::{ConvShape, Convolution};

/// Sizes `[batch, channels, rows, columns]`.
pub(super) fn dims(tensor: &FlexTensor) -> [usize; 4] {
    let shape = tensor.layout().shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

/// The sizes of a convolution of tensors of these shapes.
pub(super) fn conv_shape(x: [usize; 4], weight: [usize; 4], convolution: Convolution) -> ConvShape {
    let Convolution { stride, padding, .. } = convolution;
    let ([batch, in_channels, height, width], [out_channels, _, kernel, _]) = (x, weight);
    ConvShape { batch, in_channels, out_channels, height, width, kernel, stride, padding }
}

/// The elements in row-major order; copied where the tensor is a view of another order.
pub(super) fn row_major(tensor: &FlexTensor) -> Cow<'_, [f32]> {
    match tensor.as_slice::<f32>() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(tensor.to_contiguous().as_slice::<f32>().expect("a contiguous tensor of f32").to_vec()),
    }
}

/// The elements in row-major order for writing; copied first where another tensor shares them or the order is another.
pub(super) fn row_major_mut(tensor: &mut FlexTensor) -> &mut [f32] {
    if tensor.as_slice::<f32>().is_none() {
        *tensor = tensor.to_contiguous();
    }
    let (start, count) = (tensor.layout().start_offset(), tensor.layout().num_elements());
    &mut tensor.storage_mut::<f32>()[start..start + count]
}

/// The tensor itself if it is stored channels-last, else such a copy.
pub(super) fn to_channels_last(tensor: FlexTensor) -> FlexTensor {
    let [_, channels, height, width] = dims(&tensor);
    if is_channels_last(&tensor) {
        return tensor;
    }
    let dims = dims(&tensor);
    let mut moved = vec![0.0; tensor.layout().num_elements()];
    let image = (channels * height * width).max(1);
    let from = row_major(&tensor);
    moved.par_chunks_mut(image).zip(from.par_chunks(image)).for_each(|(to, from)| transpose(from, height * width, to));
    from_channels_last(moved, dims)
}

/// Elements along each side of the squares that are transposed at a time; two squares fit a first-level cache.
const SQUARE: usize = 32;

/// `[rows, columns]` to `[columns, rows]`.
fn transpose(from: &[f32], columns: usize, to: &mut [f32]) {
    let rows = from.len() / columns;
    for row in (0..rows).step_by(SQUARE) {
        for column in (0..columns).step_by(SQUARE) {
            for c in column..(column + SQUARE).min(columns) {
                for r in row..(row + SQUARE).min(rows) {
                    to[c * rows + r] = from[r * columns + c];
                }
            }
        }
    }
}

fn channels_last_strides([_, channels, height, width]: [usize; 4]) -> [usize; 4] {
    [channels * height * width, 1, width * channels, channels]
}

fn is_channels_last(tensor: &FlexTensor) -> bool {
    let dims = dims(tensor);
    let strides = tensor.layout().strides();
    // The stride of a dimension of one element means nothing.
    (0..4).all(|d| dims[d] == 1 || usize::try_from(strides[d]) == Ok(channels_last_strides(dims)[d]))
}

/// The elements of a tensor that [`to_channels_last`] returned, `[batch, rows, columns, channels]`.
pub(super) fn channels_last(tensor: &FlexTensor) -> &[f32] {
    debug_assert!(is_channels_last(tensor));
    let start = tensor.layout().start_offset();
    &tensor.storage::<f32>()[start..start + tensor.layout().num_elements()]
}

/// A tensor `[batch, channels, rows, columns]` from elements `[batch, rows, columns, channels]`.
pub(super) fn from_channels_last(elements: Vec<f32>, dims: [usize; 4]) -> FlexTensor {
    let strides = channels_last_strides(dims).map(|stride| stride as isize).to_vec();
    FlexTensor::new(Bytes::from_elems(elements), Layout::new(Shape::from(dims), strides, 0), DType::F32)
}

/// The same for writing; the elements are copied first where another tensor shares them.
pub(super) fn channels_last_mut(tensor: &mut FlexTensor) -> &mut [f32] {
    debug_assert!(is_channels_last(tensor));
    let (start, count) = (tensor.layout().start_offset(), tensor.layout().num_elements());
    &mut tensor.storage_mut::<f32>()[start..start + count]
}

/// A tensor from elements in row-major order.
pub(super) fn from_row_major<const D: usize>(elements: Vec<f32>, dims: [usize; D]) -> FlexTensor {
    from_row_major_of(elements, Shape::from(dims))
}

/// The same for a shape of any rank.
pub(super) fn from_row_major_of(elements: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(elements), Layout::contiguous(shape), DType::F32)
}
