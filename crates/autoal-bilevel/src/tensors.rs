//! Between host arrays and tensors: the few conversions that the search needs.

use burn::tensor::{Device, Tensor, TensorData};
use ndarray::Array2;

/// Values of a tensor of any rank, in row-major order.
pub(crate) fn host_f32<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data().try_into_vec_as::<f32>().expect("a float tensor converts to f32")
}

/// Values of a vector as `f64`.
pub(crate) fn host_f64(tensor: &Tensor<1>) -> Vec<f64> {
    host_f32(tensor).into_iter().map(f64::from).collect()
}

/// The one value of a `[1]` tensor.
pub(crate) fn scalar(tensor: &Tensor<1>) -> f64 {
    f64::from(host_f32(tensor)[0])
}

/// A vector without gradient.
pub(crate) fn tensor_1d(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// A matrix without gradient, rows `rows` of `array`.
pub(crate) fn tensor_rows(array: &Array2<f32>, rows: &[usize], device: &Device) -> Tensor<2> {
    let mut values: Vec<f32> = Vec::with_capacity(rows.len() * array.ncols());
    for &row in rows {
        values.extend(array.row(row).iter());
    }
    Tensor::from_data(TensorData::new(values, [rows.len(), array.ncols()]), device)
}

/// A matrix without gradient.
pub(crate) fn tensor_of(array: &Array2<f32>, device: &Device) -> Tensor<2> {
    let rows: Vec<usize> = (0..array.nrows()).collect();
    tensor_rows(array, &rows, device)
}

/// A matrix on the host.
pub(crate) fn host_matrix(tensor: &Tensor<2>) -> Array2<f32> {
    let [rows, columns] = tensor.dims();
    Array2::from_shape_vec((rows, columns), host_f32(tensor)).expect("a tensor has as many values as its shape says")
}
