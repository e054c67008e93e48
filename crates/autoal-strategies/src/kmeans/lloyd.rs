//! Lloyd's iteration with Hamerly's bounds.

use ndarray::Array2;
use rayon::prelude::*;

use super::{Clustering, members};
use crate::Rows;
use crate::distance::{self, BLOCK, Probe};

/// Share of a distance that bounds are widened by, far above what `f32` products of centred rows lose.
const SLACK: f32 = 1e-4;

/// What is known of one row.
#[derive(Debug, Clone, Copy)]
struct Point {
    cluster: u32,
    /// At least the distance to the own centre.
    upper: f32,
    /// At most the distance to any other centre.
    lower: f32,
}

pub(super) fn run(rows: Rows<'_>, mut centres: Array2<f32>, max_iterations: usize, tolerance: f64) -> Clustering {
    let clusters = centres.nrows();
    if clusters == 0 {
        return Clustering { centres, assignment: Vec::new(), squared: Vec::new(), inertia: Vec::new() };
    }
    let mut points = vec![Point { cluster: 0, upper: f32::INFINITY, lower: 0.0 }; rows.len()];
    let mut assignment = vec![u32::MAX; rows.len()];
    let mut inertia = Vec::new();
    let mut squared;
    loop {
        assign(rows, &centres, &mut points);
        squared = own_distances(rows, &centres, &points);
        inertia.push(sum(&squared));
        let before = std::mem::replace(&mut assignment, points.iter().map(|point| point.cluster).collect());
        if inertia.len() > max_iterations || has_settled(&inertia, tolerance) || before == assignment {
            break;
        }
        let shifts = recentre(rows, &mut centres, &mut points, &before, &squared);
        move_bounds(&mut points, &shifts);
    }
    Clustering { centres, assignment, squared, inertia }
}

/// Whether the last iteration lowered the inertia by less than `tolerance` of itself.
fn has_settled(inertia: &[f64], tolerance: f64) -> bool {
    match inertia {
        [.., before, now] => before - now <= tolerance * before,
        _ => false,
    }
}

fn view(centres: &Array2<f32>) -> Rows<'_> {
    Rows::from_view(centres.view()).expect("centres are row-major with the rows' width")
}

/// Sum in a fixed order.
fn sum(squared: &[f32]) -> f64 {
    squared.iter().map(|&d| f64::from(d)).sum()
}

/// Half the distance from each centre to its nearest other centre: a row nearer than that to its own is nearest to it.
fn half_gaps(centres: &Array2<f32>) -> Vec<f32> {
    let rows = view(centres);
    (0..rows.len())
        .into_par_iter()
        .map(|k| {
            let others = (0..rows.len()).filter(|&other| other != k);
            others.map(|other| distance::squared(rows.row(k), rows.row(other))).fold(f32::INFINITY, f32::min).sqrt() / 2.0
        })
        .collect()
}

/// Gives every row its nearest centre; rows whose bounds settle the matter are not compared.
fn assign(rows: Rows<'_>, centres: &Array2<f32>, points: &mut [Point]) {
    let gaps = half_gaps(centres);
    let settled = |point: &Point| point.upper * (1.0 + SLACK) < point.lower.max(gaps[point.cluster as usize]);
    let doubtful: Vec<usize> = (0..points.len()).into_par_iter().filter(|&row| !settled(&points[row])).collect();
    let probe = Probe::new(view(centres));
    let compared: Vec<Vec<Point>> = doubtful
        .par_chunks(BLOCK)
        .map_init(
            || (probe.scratch(), vec![0.0; BLOCK * rows.dim()]),
            |(scratch, gathered), chosen| {
                for (to, &row) in gathered.chunks_exact_mut(rows.dim()).zip(chosen) {
                    to.copy_from_slice(rows.row(row));
                }
                let block = Rows::new(&gathered[..chosen.len() * rows.dim()], rows.dim()).expect("a block holds whole rows");
                compare(&probe, scratch, block)
            },
        )
        .collect();
    doubtful.iter().zip(compared.into_iter().flatten()).for_each(|(&row, point)| points[row] = point);
}

/// The two nearest centres of every row of a block.
fn compare(probe: &Probe, scratch: &mut distance::Scratch, block: Rows<'_>) -> Vec<Point> {
    let mut found = vec![Point { cluster: 0, upper: f32::INFINITY, lower: f32::INFINITY }; block.len()];
    probe.scan(block, scratch, |row, first, offsets| {
        let point = &mut found[row];
        for (k, &offset) in offsets.iter().enumerate() {
            if offset < point.upper {
                (point.lower, point.upper, point.cluster) = (point.upper, offset, (first + k) as u32);
            } else if offset < point.lower {
                point.lower = offset;
            }
        }
    });
    for (point, row) in found.iter_mut().zip(&block) {
        let norm = probe.squared_norm(row);
        point.upper = (norm + point.upper).max(0.0).sqrt();
        point.lower = (norm + point.lower).max(0.0).sqrt() * (1.0 - SLACK);
    }
    found
}

/// Squared distance of every row to its own centre, from differences.
fn own_distances(rows: Rows<'_>, centres: &Array2<f32>, points: &[Point]) -> Vec<f32> {
    let centres = view(centres);
    let pairs = rows.data().par_chunks(rows.dim()).zip(points.par_iter()).with_min_len(BLOCK);
    pairs.map(|(row, point)| distance::squared(row, centres.row(point.cluster as usize))).collect()
}

/// Moves every centre whose members changed to their mean and returns how far each moved, `[K]`.
fn recentre(rows: Rows<'_>, centres: &mut Array2<f32>, points: &mut [Point], before: &[u32], squared: &[f32]) -> Vec<f32> {
    let clusters = centres.nrows();
    let mut changed = vec![false; clusters];
    for (point, &before) in points.iter().zip(before) {
        if point.cluster != before {
            changed[point.cluster as usize] = true;
            if let Some(left) = changed.get_mut(before as usize) {
                *left = true;
            }
        }
    }
    let assignment: Vec<u32> = points.iter().map(|point| point.cluster).collect();
    let members = members(&assignment, clusters);
    let mut farthest = Farthest::new(squared);
    let fresh: Vec<Option<usize>> = members.iter().map(|members| members.is_empty().then(|| farthest.next()).flatten()).collect();
    let dim = rows.dim();
    let data = centres.as_slice_mut().expect("centres are row-major");
    data.par_chunks_mut(dim)
        .enumerate()
        .map(|(k, centre)| {
            let moved = match fresh[k] {
                Some(row) => rows.row(row).to_vec(),
                None if changed[k] && !members[k].is_empty() => mean_of(rows, &members[k]),
                None => return 0.0,
            };
            let shift = distance::squared(centre, &moved).sqrt();
            centre.copy_from_slice(&moved);
            shift
        })
        .collect()
}

/// Mean of every cluster's members, `[K, D]`; zero for an empty cluster.
pub(super) fn means(rows: Rows<'_>, clustering: &Clustering) -> Array2<f32> {
    let means: Vec<Vec<f32>> = clustering.members().par_iter().map(|members| mean_of(rows, members)).collect();
    Array2::from_shape_fn((means.len(), rows.dim()), |(k, d)| means[k][d])
}

fn mean_of(rows: Rows<'_>, members: &[usize]) -> Vec<f32> {
    let mut sum = vec![0.0; rows.dim()];
    for &row in members {
        distance::add(&mut sum, rows.row(row));
    }
    sum.iter().map(|s| (s / members.len().max(1) as f64) as f32).collect()
}

/// Rows by descending distance to their centre, sorted only when a cluster is empty.
struct Farthest<'a> {
    squared: &'a [f32],
    order: Option<std::vec::IntoIter<usize>>,
}

impl<'a> Farthest<'a> {
    fn new(squared: &'a [f32]) -> Self {
        Self { squared, order: None }
    }

    fn next(&mut self) -> Option<usize> {
        let order = self.order.get_or_insert_with(|| {
            let mut rows: Vec<usize> = (0..self.squared.len()).filter(|&row| self.squared[row] > 0.0).collect();
            rows.sort_by(|&a, &b| self.squared[b].total_cmp(&self.squared[a]));
            rows.into_iter()
        });
        order.next()
    }
}

/// Widens the bounds by the moves of the centres.
fn move_bounds(points: &mut [Point], shifts: &[f32]) {
    let (mut most, mut second, mut mover) = (0.0_f32, 0.0_f32, 0);
    for (k, &shift) in shifts.iter().enumerate() {
        if shift > most {
            (second, most, mover) = (most, shift, k as u32);
        } else {
            second = second.max(shift);
        }
    }
    points.par_iter_mut().with_min_len(BLOCK).for_each(|point| {
        point.upper += shifts[point.cluster as usize];
        point.lower -= if point.cluster == mover { second } else { most };
    });
}
