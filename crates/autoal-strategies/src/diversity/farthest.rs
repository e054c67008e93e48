//! The candidate farthest from a growing set of centres, without bringing every distance up to date.
//!
//! Distances to the nearest centre only fall as centres are added, so an old one is an upper bound. Candidates wait in a heap by their
//! bound. The top ones are brought up to date until the best exact distance is at least every bound that is left; then it is the
//! maximum, ties included. A bound also spares comparisons with centres: a centre twice as far from a candidate's nearest centre as
//! that centre is from the candidate cannot be nearer (triangle inequality), nor can one whose sketch is too far.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use crate::simd::TILE;
use crate::sketch::{Sketch, Sketches};
use crate::tiles::Tiles;
use crate::{Rows, distance};

/// Candidates brought up to date together at first; each further group for the same maximum is twice as large.
const GROUP: usize = 64;

/// The largest group.
const LARGEST_GROUP: usize = 1024;

/// Comparisons of a group that are worth a second thread.
const PARALLEL: usize = 4096;

/// Entries of the table of distances between centres, at most: 256 MiB.
const TABLE: usize = 1 << 26;

/// Above 4 by more than `f32` squares lose: pruning must not act on rounding.
const FAR: f32 = 4.001;

pub(super) struct Farthest<'a> {
    rows: Rows<'a>,
    labeled: Rows<'a>,
    sketched: Option<Sketched>,
    /// Rows chosen as centres, after the labeled ones.
    chosen: Vec<usize>,
    /// Squared distances of each chosen centre to those chosen before it.
    table: Vec<Vec<f32>>,
    table_entries: usize,
    bounds: Vec<Bound>,
    heap: BinaryHeap<(Ordered, Reverse<u32>)>,
}

/// Sketches of the candidates and of the centres.
struct Sketched {
    rows: Sketches,
    centres: Tiles,
    /// How far the sketch of each centre may be off.
    errors: Vec<f32>,
}

impl Sketched {
    fn new(rows: Rows<'_>, labeled: Rows<'_>) -> Option<Self> {
        let sketch = Sketch::worth_it(rows)?;
        let (rows, labeled) = (sketch.map(rows), sketch.map(labeled));
        let mut this = Self { centres: Tiles::empty(rows.rows().dim()), rows, errors: Vec::new() };
        for (row, values) in labeled.rows().iter().enumerate() {
            this.centres.push(values);
            this.errors.push(labeled.error(row));
        }
        Some(this)
    }

    /// Makes a row a centre.
    fn choose(&mut self, row: usize) {
        self.centres.push(self.rows.rows().row(row));
        self.errors.push(self.rows.error(row));
    }
}

/// What is known of a row's distance to its nearest centre.
#[derive(Debug, Clone, Copy)]
struct Bound {
    squared: f32,
    /// Number of centres looked at.
    seen: u32,
    /// The nearest of them.
    nearest: u32,
}

/// A non-negative number that compares.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f32);

impl Eq for Ordered {}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Farthest<'a> {
    pub(super) fn new(rows: Rows<'a>, labeled: Rows<'a>) -> Self {
        let mut this = Self {
            rows,
            labeled,
            sketched: Sketched::new(rows, labeled),
            chosen: Vec::new(),
            table: Vec::new(),
            table_entries: 0,
            bounds: vec![Bound { squared: f32::INFINITY, seen: 0, nearest: 0 }; rows.len()],
            heap: BinaryHeap::new(),
        };
        if !labeled.is_empty() {
            this.start();
        }
        this
    }

    /// Looks at the first centre from everywhere and fills the heap.
    fn start(&mut self) {
        let centre = self.centre(0);
        let first = distance::map_rows(self.rows, |row| distance::squared(row, centre));
        self.bounds.iter_mut().zip(first).for_each(|(bound, squared)| *bound = Bound { squared, seen: 1, nearest: 0 });
        let entry = |(row, bound): (usize, &Bound)| (Ordered(bound.squared), Reverse(row as u32));
        self.heap = self.bounds.iter().enumerate().map(entry).collect();
    }

    fn centre(&self, index: usize) -> &'a [f32] {
        match index.checked_sub(self.labeled.len()) {
            None => self.labeled.row(index),
            Some(chosen) => self.rows.row(self.chosen[chosen]),
        }
    }

    fn centres(&self) -> usize {
        self.labeled.len() + self.chosen.len()
    }

    /// Makes a row a centre.
    pub(super) fn choose(&mut self, row: usize) {
        let centre = self.rows.row(row);
        let before = if self.table_entries + self.chosen.len() <= TABLE { self.chosen.len() } else { 0 };
        self.table.push(
            self.chosen[..before]
                .par_iter()
                .with_min_len(GROUP)
                .map(|&other| distance::squared(centre, self.rows.row(other)))
                .collect(),
        );
        self.table_entries += before;
        self.chosen.push(row);
        if let Some(sketched) = &mut self.sketched {
            sketched.choose(row);
        }
        if self.centres() == 1 {
            self.start();
        }
    }

    /// The farthest row and its squared distance to the nearest centre, the lowest row among equals; `None` when every distance is 0.
    pub(super) fn peek(&mut self) -> Option<(usize, f32)> {
        let mut best: Option<(Ordered, Reverse<u32>)> = None;
        let mut size = GROUP;
        loop {
            let group = self.pop_group(&mut best, size);
            size = (2 * size).min(LARGEST_GROUP);
            if group.is_empty() {
                break;
            }
            let floor = best.map_or(0.0, |(squared, _)| squared.0);
            let work: usize = group.iter().map(|&row| self.centres() - self.bounds[row].seen as usize).sum();
            let updated: Vec<Bound> = if work < PARALLEL {
                group.iter().map(|&row| self.updated(row, floor)).collect()
            } else {
                group.par_iter().map(|&row| self.updated(row, floor)).collect()
            };
            for (row, bound) in group.into_iter().zip(updated) {
                self.bounds[row] = bound;
                let entry = (Ordered(bound.squared), Reverse(row as u32));
                self.heap.push(entry);
                if bound.seen as usize == self.centres() {
                    best = best.max(Some(entry));
                }
            }
        }
        best.map(|(squared, Reverse(row))| (row as usize, squared.0)).filter(|(_, squared)| *squared > 0.0)
    }

    /// Up to `size` rows whose bounds are out of date and exceed `best`. One that is up to date and on top is the new best.
    fn pop_group(&mut self, best: &mut Option<(Ordered, Reverse<u32>)>, size: usize) -> Vec<usize> {
        let mut group = Vec::with_capacity(size);
        while group.len() < size
            && let Some(&top) = self.heap.peek()
            && best.is_none_or(|best| top > best)
        {
            let row = top.1.0 as usize;
            if self.bounds[row].seen as usize == self.centres() {
                *best = Some(top);
                break;
            }
            self.heap.pop();
            group.push(row);
        }
        group
    }

    /// The bound of a row after looking at the centres it has not seen, given up as soon as it falls below `floor`.
    fn updated(&self, row: usize, floor: f32) -> Bound {
        let mut bound = self.bounds[row];
        let mut distance = bound.squared.sqrt();
        while (bound.seen as usize) < self.centres() && bound.squared >= floor {
            let tile = bound.seen as usize / TILE;
            let sketches = self.sketched.as_ref().map(|sketched| sketched.centres.squared(tile, sketched.rows.rows().row(row)));
            for next in bound.seen as usize..self.centres().min((tile + 1) * TILE) {
                let looks_far = sketches.is_some_and(|squared| squared[next % TILE] > self.sketch_limit(row, next, distance));
                if !looks_far && !self.is_far(next, bound) {
                    let squared = distance::squared(self.rows.row(row), self.centre(next));
                    if squared < bound.squared {
                        (bound.squared, bound.nearest) = (squared, next as u32);
                        distance = squared.sqrt();
                    }
                }
                bound.seen += 1;
                if bound.squared < floor {
                    break;
                }
            }
        }
        bound
    }

    /// The squared distance of two sketches beyond which centre `next` is farther from the row than `distance`.
    fn sketch_limit(&self, row: usize, next: usize, distance: f32) -> f32 {
        let limit = |sketched: &Sketched| sketched.rows.limit(row, sketched.errors[next], distance);
        self.sketched.as_ref().map_or(f32::INFINITY, limit)
    }

    /// Whether the triangle inequality rules out that centre `next` is nearer than the nearest so far.
    fn is_far(&self, next: usize, bound: Bound) -> bool {
        let (Some(next), Some(nearest)) =
            (next.checked_sub(self.labeled.len()), (bound.nearest as usize).checked_sub(self.labeled.len()))
        else {
            return false;
        };
        self.table[next].get(nearest).is_some_and(|&apart| apart > FAR * bound.squared)
    }
}
