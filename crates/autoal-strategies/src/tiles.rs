//! Rows stored in tiles of 16 whose numbers alternate, so that one instruction works on many rows and no sum runs across a register.

use rayon::prelude::*;

use crate::simd::{self, TILE};
use crate::{Rows, distance::BLOCK};

/// Rows in tiles, `[tiles][dim][TILE]`; infinity behind the last row, so that nothing is near it.
pub(crate) struct Tiles {
    rows: usize,
    dim: usize,
    data: Vec<f32>,
}

impl Tiles {
    /// No rows yet.
    pub(crate) fn empty(dim: usize) -> Self {
        Self { rows: 0, dim, data: Vec::new() }
    }

    /// Some of the rows.
    pub(crate) fn of(rows: Rows<'_>, chosen: &[usize]) -> Self {
        let dim = rows.dim();
        let mut data = vec![f32::INFINITY; chosen.len().div_ceil(TILE) * TILE * dim];
        data.par_chunks_mut(TILE * dim).zip(chosen.par_chunks(TILE)).for_each(|(tile, chosen)| {
            chosen.iter().enumerate().for_each(|(lane, &row)| put(tile, lane, rows.row(row)));
        });
        Self { rows: chosen.len(), dim, data }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: &[f32]) {
        if self.rows.is_multiple_of(TILE) {
            self.data.resize(self.data.len() + TILE * self.dim, f32::INFINITY);
        }
        let tile = self.data.len() - TILE * self.dim;
        put(&mut self.data[tile..], self.rows % TILE, row);
        self.rows += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// One row.
    pub(crate) fn row(&self, row: usize) -> Vec<f32> {
        let tile = &self.data[row / TILE * TILE * self.dim..];
        (0..self.dim).map(|d| tile[d * TILE + row % TILE]).collect()
    }

    /// Squared distances of the rows of a tile to a point.
    pub(crate) fn squared(&self, tile: usize, point: &[f32]) -> [f32; TILE] {
        simd::tile_squared(&self.data[tile * TILE * self.dim..(tile + 1) * TILE * self.dim], point)
    }

    /// The tiles of [`BLOCK`] rows each, in parallel.
    pub(crate) fn blocks(&self) -> impl IndexedParallelIterator<Item = std::slice::ChunksExact<'_, f32>> {
        self.data.par_chunks(BLOCK * self.dim).map(|block| block.chunks_exact(TILE * self.dim))
    }
}

fn put(tile: &mut [f32], lane: usize, row: &[f32]) {
    row.iter().enumerate().for_each(|(d, x)| tile[d * TILE + lane] = *x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_tile_are_those_of_the_rows() {
        let values: Vec<f32> = (0..20 * 3).map(|i| (i * i % 17) as f32).collect();
        let rows = Rows::new(&values, 3).expect("rows of width 3");
        let mut pushed = Tiles::empty(3);
        rows.iter().for_each(|row| pushed.push(row));
        let tiles = Tiles::of(rows, &(0..20).collect::<Vec<_>>());
        assert_eq!((tiles.len(), &tiles.data), (pushed.len(), &pushed.data));
        let point = [1.0, 2.0, 3.0];
        for (row, values) in rows.iter().enumerate() {
            assert_eq!(tiles.row(row), values);
            assert_eq!(tiles.squared(row / TILE, &point)[row % TILE], simd::squared(values, &point));
        }
        assert!(tiles.squared(1, &point)[4..].iter().all(|d| *d == f32::INFINITY));
    }
}
