//! The candidate farthest from a growing set of centres, without bringing every distance up to date.
//!
//! Distances to the nearest centre only fall as centres are added, so an old one is an upper bound. Candidates wait in a heap by their
//! bound. The top ones are brought up to date until the best exact distance is at least every bound that is left; then it is the
//! maximum, ties included. A bound also spares comparisons with centres: a centre twice as far from a candidate's nearest centre as
//! that centre is from the candidate cannot be nearer (triangle inequality).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use crate::{Rows, distance};

/// Candidates brought up to date together.
const GROUP: usize = 64;

/// Comparisons of a group that are worth a second thread.
const PARALLEL: usize = 4096;

/// Entries of the table of distances between centres, at most: 256 MiB.
const TABLE: usize = 1 << 26;

/// Above 4 by more than `f32` squares lose: pruning must not act on rounding.
const FAR: f32 = 4.001;

pub(super) struct Farthest<'a> {
    rows: Rows<'a>,
    labeled: Rows<'a>,
    /// Rows chosen as centres, after the labeled ones.
    chosen: Vec<usize>,
    /// Squared distances of each chosen centre to those chosen before it.
    table: Vec<Vec<f32>>,
    table_entries: usize,
    bounds: Vec<Bound>,
    heap: BinaryHeap<(Ordered, Reverse<u32>)>,
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
        self.table.push(self.chosen[..before].par_iter().map(|&other| distance::squared(centre, self.rows.row(other))).collect());
        self.table_entries += before;
        self.chosen.push(row);
        if self.centres() == 1 {
            self.start();
        }
    }

    /// The farthest row and its squared distance to the nearest centre, the lowest row among equals; `None` when every distance is 0.
    pub(super) fn peek(&mut self) -> Option<(usize, f32)> {
        let mut best: Option<(Ordered, Reverse<u32>)> = None;
        loop {
            let group = self.pop_group(&mut best);
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

    /// Up to [`GROUP`] rows whose bounds are out of date and exceed `best`. One that is up to date and on top is the new best.
    fn pop_group(&mut self, best: &mut Option<(Ordered, Reverse<u32>)>) -> Vec<usize> {
        let mut group = Vec::with_capacity(GROUP);
        while group.len() < GROUP
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
        let point = self.rows.row(row);
        while (bound.seen as usize) < self.centres() && bound.squared >= floor {
            let next = bound.seen as usize;
            if !self.is_far(next, bound) {
                let squared = distance::squared(point, self.centre(next));
                if squared < bound.squared {
                    (bound.squared, bound.nearest) = (squared, next as u32);
                }
            }
            bound.seen += 1;
        }
        bound
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
