//! Lloyd's iteration with Hamerly's bounds; rows whose bounds leave a doubt are compared with all centres by their sketches first, and in
//! full with those that may be the nearest.

use ndarray::Array2;
use rayon::prelude::*;

use super::{Clustering, members};
use crate::distance::{self, BLOCK, Probe};
use crate::sketch::{Sketch, Sketches};
use crate::{Rows, simd};

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

pub(super) fn run(
    rows: Rows<'_>,
    sketched: Option<&Sketched>,
    mut centres: Array2<f32>,
    max_iterations: usize,
    tolerance: f64,
) -> Clustering {
    let clusters = centres.nrows();
    if clusters == 0 {
        return Clustering { centres, assignment: Vec::new(), squared: Vec::new(), inertia: Vec::new() };
    }
    let sketched = sketched.filter(|_| clusters >= Sketched::LEAST_CENTRES);
    let mut points = vec![Point { cluster: 0, upper: f32::INFINITY, lower: 0.0 }; rows.len()];
    let mut assignment = vec![u32::MAX; rows.len()];
    let mut inertia = Vec::new();
    let mut squared = vec![f32::INFINITY; rows.len()];
    loop {
        assign(rows, sketched, &centres, &mut points, &mut squared);
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

/// Gives every row its nearest centre and the squared distance to it; rows whose bounds settle the matter are not compared.
fn assign(rows: Rows<'_>, sketched: Option<&Sketched>, centres: &Array2<f32>, points: &mut [Point], squared: &mut [f32]) {
    let gaps = half_gaps(centres);
    let is_first = points.first().is_some_and(|point| point.upper == f32::INFINITY);
    if !is_first {
        measure(rows, centres, points, squared);
    }
    let settled = |point: &Point| point.upper * (1.0 + SLACK) < point.lower.max(gaps[point.cluster as usize]);
    let doubtful: Vec<usize> = (0..points.len()).into_par_iter().filter(|&row| !settled(&points[row])).collect();
    let compared = match sketched {
        Some(sketched) => sketched.compare(rows, view(centres), &doubtful, points, squared),
        None => compare_all(rows, view(centres), &doubtful),
    };
    doubtful.iter().zip(compared).for_each(|(&row, (point, distance))| {
        points[row] = point;
        squared[row] = distance;
    });
}

/// The two nearest centres of some rows, and the squared distance to the nearest.
fn compare_all(rows: Rows<'_>, centres: Rows<'_>, chosen: &[usize]) -> Vec<(Point, f32)> {
    let probe = Probe::new(centres);
    let blocks: Vec<Vec<(Point, f32)>> = chosen
        .par_chunks(BLOCK)
        .map_init(
            || (probe.scratch(), vec![0.0; BLOCK * rows.dim()]),
            |(scratch, gathered), chosen| compare(&probe, scratch, gather_into(gathered, rows, chosen), centres),
        )
        .collect();
    blocks.into_iter().flatten().collect()
}

/// Copies rows one after the other.
fn gather_into<'a>(memory: &'a mut [f32], rows: Rows<'_>, chosen: &[usize]) -> Rows<'a> {
    for (to, &row) in memory.chunks_exact_mut(rows.dim()).zip(chosen) {
        to.copy_from_slice(rows.row(row));
    }
    Rows::new(&memory[..chosen.len() * rows.dim()], rows.dim()).expect("a block holds whole rows")
}

/// Squared distances of all rows to their own centres, and the upper bounds that these are.
fn measure(rows: Rows<'_>, centres: &Array2<f32>, points: &mut [Point], squared: &mut [f32]) {
    let centres = view(centres);
    let own = rows.data().par_chunks(rows.dim()).zip(points.par_iter_mut().zip(squared)).with_min_len(BLOCK);
    own.for_each(|(row, (point, squared))| {
        *squared = distance::squared(row, centres.row(point.cluster as usize));
        point.upper = squared.sqrt();
    });
}

/// The two nearest centres of every row of a block, and the squared distance to the nearest, from differences.
fn compare(probe: &Probe, scratch: &mut distance::Scratch, block: Rows<'_>, centres: Rows<'_>) -> Vec<(Point, f32)> {
    let mut found = vec![Point { cluster: 0, upper: f32::INFINITY, lower: f32::INFINITY }; block.len()];
    probe.scan(block, scratch, |row, first, offsets| {
        let point = &mut found[row];
        let (least, second) = simd::two_smallest(offsets);
        if least < point.upper {
            let k = offsets.iter().position(|&offset| offset == least).expect("the smallest is one of them");
            (point.lower, point.upper, point.cluster) = (point.upper.min(second), least, (first + k) as u32);
        } else {
            point.lower = point.lower.min(least);
        }
    });
    let measured = |(point, row): (Point, &[f32])| {
        let squared = distance::squared(row, centres.row(point.cluster as usize));
        let lower = (probe.squared_norm(row) + point.lower).max(0.0).sqrt() * (1.0 - SLACK);
        (Point { upper: squared.sqrt(), lower, ..point }, squared)
    };
    found.into_iter().zip(&block).map(measured).collect()
}

/// Sketches of all rows, for comparisons with many centres.
pub(super) struct Sketched {
    sketch: Sketch,
    rows: Sketches,
}

impl Sketched {
    /// Fewer centres than this are compared in full: a sketch costs as much as some dozens of comparisons.
    const LEAST_CENTRES: usize = 128;

    /// Sketches of rows that are wide and many.
    pub(super) fn worth_it(rows: Rows<'_>) -> Option<Self> {
        let sketch = Sketch::worth_it(rows)?;
        Some(Self { rows: sketch.map(rows), sketch })
    }

    /// The sketches of all rows.
    pub(super) fn rows(&self) -> Rows<'_> {
        self.rows.rows()
    }

    /// Sketches of other rows of the same width.
    pub(super) fn sketch(&self, rows: Rows<'_>) -> Array2<f32> {
        self.sketch.map(rows).into_values()
    }

    /// The nearest centre of some rows with the squared distance to it, the lowest among equals, and a bound for all others.
    fn compare(
        &self,
        rows: Rows<'_>,
        centres: Rows<'_>,
        chosen: &[usize],
        points: &[Point],
        squared: &[f32],
    ) -> Vec<(Point, f32)> {
        let of_centres = self.sketch.map(centres);
        let probe = Probe::new(of_centres.rows());
        let (error, norm) = (of_centres.largest_error(), probe.largest_squared_norm());
        let dim = self.rows.rows().dim();
        let blocks: Vec<Vec<(Point, f32)>> = chosen
            .par_chunks(BLOCK)
            .map_init(
                || (probe.scratch(), vec![0.0; BLOCK * dim]),
                |(scratch, gathered), chosen| {
                    let block = gather_into(gathered, self.rows.rows(), chosen);
                    let start = |(&row, sketch): (&usize, &[f32])| {
                        let norms = (probe.squared_norm(sketch), norm);
                        Race::new(rows.row(row), points[row].cluster, squared[row], norms, self.rows.error(row) + error)
                    };
                    let mut races: Vec<Race<'_>> = chosen.iter().zip(&block).map(start).collect();
                    probe.scan(block, scratch, |row, first, offsets| races[row].run(centres, first, offsets));
                    races.into_iter().map(Race::result).collect()
                },
            )
            .collect();
        blocks.into_iter().flatten().collect()
    }
}

/// The search for the nearest centre of one row.
struct Race<'a> {
    row: &'a [f32],
    /// The nearest centre so far and the squared distance to it, infinite at first where no distance is known.
    nearest: (f32, u32),
    /// The centre whose distance was known.
    known: Option<u32>,
    /// The second smallest squared distance.
    second: f32,
    /// The smallest offset of a sketch that was not looked into.
    least_skipped: f32,
    /// What an offset lacks to be the squared distance of two sketches, and what rounding may have added to that.
    norm: f32,
    rounding: f32,
    /// How far both sketches may be off.
    error: f32,
}

impl<'a> Race<'a> {
    fn new(row: &'a [f32], cluster: u32, squared: f32, norms: (f32, f32), error: f32) -> Self {
        let known = squared.is_finite().then_some(cluster);
        let rounding = SLACK * (norms.0 + norms.1);
        Self {
            row,
            nearest: (squared, cluster),
            known,
            second: f32::INFINITY,
            least_skipped: f32::INFINITY,
            norm: norms.0,
            rounding,
            error,
        }
    }

    /// An offset that is not below this belongs to a centre that is surely farther than the nearest so far.
    fn limit(&self) -> f32 {
        (self.nearest.0.sqrt() * (1.0 + SLACK) + self.error).powi(2) + self.rounding - self.norm
    }

    /// Goes through the offsets of the centres from `first` on.
    fn run(&mut self, centres: Rows<'_>, first: usize, offsets: &[f32]) {
        if self.nearest.0 == f32::INFINITY {
            let (least, _) = simd::two_smallest(offsets);
            let k = offsets.iter().position(|&offset| offset == least).unwrap_or(0);
            self.look(centres, (first + k) as u32);
            self.known = Some((first + k) as u32);
        }
        let mut limit = self.limit();
        for (k, &offset) in offsets.iter().enumerate() {
            let centre = (first + k) as u32;
            if offset >= limit {
                self.least_skipped = self.least_skipped.min(offset);
            } else if self.known != Some(centre) {
                self.look(centres, centre);
                limit = self.limit();
            }
        }
    }

    fn look(&mut self, centres: Rows<'_>, centre: u32) {
        let found = (distance::squared(self.row, centres.row(centre as usize)), centre);
        if found < self.nearest {
            self.second = self.nearest.0;
            self.nearest = found;
        } else {
            self.second = self.second.min(found.0);
        }
    }

    fn result(self) -> (Point, f32) {
        let skipped = (self.least_skipped + self.norm - self.rounding).max(0.0).sqrt() - self.error;
        let lower = self.second.sqrt().min(skipped).max(0.0) * (1.0 - SLACK);
        (Point { cluster: self.nearest.1, upper: self.nearest.0.sqrt(), lower }, self.nearest.0)
    }
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
        simd::add(&mut sum, rows.row(row));
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

#[cfg(test)]
mod tests {
    use autoal_data::{Seed, Stream};
    use rand::RngExt;

    use super::*;

    /// `[600, 140]` near a subspace of six dimensions, and as many first centres as sketches need.
    fn wide(seed: u64) -> (Array2<f32>, Array2<f32>) {
        let mut rng = Seed(seed).rng(Stream::named("wide"), 0);
        let mut uniform = |rows, columns| Array2::from_shape_simple_fn((rows, columns), || rng.random::<f32>() - 0.5);
        let rows = uniform(600, 6).dot(&uniform(6, 140)) + 0.1 * uniform(600, 140) + 3.0;
        let first = rows.slice(ndarray::s![..Sketched::LEAST_CENTRES, ..]).to_owned();
        (rows, first)
    }

    #[test]
    fn sketches_change_nothing_and_the_inertia_never_rises() {
        for seed in 0..4 {
            let (rows, first) = wide(seed);
            let rows = Rows::from_view(rows.view()).expect("rows");
            let sketched = Sketched::worth_it(rows).expect("wide and many");
            let (with, without) = (run(rows, Some(&sketched), first.clone(), 20, 0.0), run(rows, None, first, 20, 0.0));
            assert_eq!(with.assignment, without.assignment);
            assert_eq!(with.centres, without.centres);
            // Rounding of a mean to `f32` may raise the sum by its last digit.
            assert!(with.inertia.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-6)), "{:?}", with.inertia);
            assert!(with.inertia.len() > 3);
            for (row, &cluster) in with.assignment.iter().enumerate() {
                let nearest =
                    view(&with.centres).iter().map(|c| distance::squared(rows.row(row), c)).fold(f32::INFINITY, f32::min);
                assert_eq!(distance::squared(rows.row(row), view(&with.centres).row(cluster as usize)), nearest);
            }
        }
    }
}
