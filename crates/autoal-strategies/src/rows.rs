//! A matrix of `f32` rows that lie one after the other in memory.

use ndarray::ArrayView2;

/// Row vectors, `[len, dim]`, contiguous. Strategies compute on these; the memory may be a mapped file.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    data: &'a [f32],
    dim: usize,
}

impl<'a> Rows<'a> {
    /// Wraps `data`; `None` when its length is not a multiple of `dim` or `dim` is zero.
    pub fn new(data: &'a [f32], dim: usize) -> Option<Self> {
        (dim > 0 && data.len().is_multiple_of(dim)).then_some(Self { data, dim })
    }

    /// Wraps a view; `None` when it is not row-major or has no columns.
    pub fn from_view(view: ArrayView2<'a, f32>) -> Option<Self> {
        Self::new(view.to_slice()?, view.ncols())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.data.len() / self.dim
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Length of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One row.
    pub fn row(&self, index: usize) -> &'a [f32] {
        &self.data[index * self.dim..(index + 1) * self.dim]
    }

    /// All values.
    pub fn data(&self) -> &'a [f32] {
        self.data
    }

    /// The rows `start..end`.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Self {
        Self { data: &self.data[start * self.dim..end * self.dim], dim: self.dim }
    }

    /// All rows in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, f32> {
        self.data.chunks_exact(self.dim)
    }

    /// The rows as an array, `[len, dim]`.
    pub fn view(&self) -> ArrayView2<'a, f32> {
        ArrayView2::from_shape((self.len(), self.dim), self.data).expect("the length is a multiple of the width")
    }
}

impl<'a> IntoIterator for &Rows<'a> {
    type Item = &'a [f32];
    type IntoIter = std::slice::ChunksExact<'a, f32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
