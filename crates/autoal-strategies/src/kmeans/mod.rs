//! k-means: k-means++ seeding, then Lloyd's iteration with exact pruning.
//!
//! Lloyd's iteration compares only the points whose bounds leave a doubt (Hamerly, "Making k-means even faster", SDM 2010): each point
//! keeps an upper bound on the distance to its own centre and a lower bound on the distance to every other, both moved by how far
//! centres move. The answer is that of plain Lloyd up to rounding. Means are `f64` sums over the members in order of their rows, one
//! task a cluster, so the number of threads does not matter. An empty cluster restarts at the point farthest from its centre.
//!
//! Time O(N K D) for the first iteration and less for each later one; memory O(N + K D).

mod lloyd;
mod seeding;
mod two_level;

use lloyd::Sketched;
use ndarray::Array2;
use rand::Rng;

use crate::Rows;

/// How clusters are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KMeans {
    /// Number of clusters, K; at most as many as there are rows.
    pub clusters: usize,
    /// Iterations of Lloyd after seeding.
    pub max_iterations: usize,
    /// Stops when the inertia falls by less than this share of itself.
    pub tolerance: f64,
    /// Rows that seeding looks at; at least four times K are taken.
    pub seeding_rows: usize,
    /// Rows drawn for each first centre, of which the best is kept; 0 for `2 + ln K`.
    pub seeding_trials: usize,
    /// Whether iterations see only the sketches of wide rows and the last assignment alone sees them whole. An approximation.
    pub sketched: bool,
    /// More clusters than this are found in two levels: coarse cells, then clusters within each. Same objective, not the same answer.
    pub two_level_above: usize,
}

impl KMeans {
    /// `clusters` clusters with the defaults of the crate: 25 iterations, relative change 1e-4, seeding on 10 000 rows, two levels
    /// above 2000 clusters.
    pub fn new(clusters: usize) -> Self {
        Self {
            clusters,
            max_iterations: 25,
            tolerance: 1e-4,
            seeding_rows: 10_000,
            seeding_trials: 0,
            sketched: false,
            two_level_above: 2000,
        }
    }

    /// Clusters the rows. `rng` makes the random choices of the seeding; no row gives no cluster.
    pub fn fit(&self, rows: Rows<'_>, rng: &mut (impl Rng + Send)) -> Clustering {
        let clusters = self.clusters.min(rows.len());
        if clusters > self.two_level_above {
            return two_level::fit(&Self { clusters, ..*self }, rows, rng);
        }
        let options = Self { clusters, ..*self };
        // Within the pool the many small parallel steps need no hand-over from thread to thread.
        rayon::scope(|_| options.fit_one_level(rows, rng))
    }

    fn fit_one_level(&self, rows: Rows<'_>, rng: &mut impl Rng) -> Clustering {
        let sketched = Sketched::worth_it(rows);
        let seen = sketched.as_ref().map_or(rows, Sketched::rows);
        let seeds = seeding::seed(rows, seen, self, rng);
        match sketched.as_ref().filter(|_| self.sketched) {
            None => lloyd::run(rows, sketched.as_ref(), seeds, self.max_iterations, self.tolerance),
            Some(sketched) => {
                let seeds = sketched.sketch(Rows::from_view(seeds.view()).expect("a fresh array is row-major"));
                let found = lloyd::run(seen, None, seeds, self.max_iterations, self.tolerance);
                lloyd::run(rows, Some(sketched), lloyd::means(rows, &found), 0, 0.0)
            }
        }
    }

    /// [`KMeans::fit`] from given centres, `[K, D]`.
    pub fn fit_from(&self, rows: Rows<'_>, centres: Array2<f32>) -> Clustering {
        lloyd::run(rows, Sketched::worth_it(rows).as_ref(), centres, self.max_iterations, self.tolerance)
    }
}

/// Clusters and who belongs to them.
#[derive(Debug, Clone)]
pub struct Clustering {
    /// Centres, `[K, D]`: the means of the members at the last move.
    pub centres: Array2<f32>,
    /// The cluster of every row, `[N]`.
    pub assignment: Vec<u32>,
    /// Squared distance of every row to its centre, `[N]`.
    pub squared: Vec<f32>,
    /// Inertia, the sum of squared distances, after each assignment; the last belongs to `assignment`.
    pub inertia: Vec<f64>,
}

impl Clustering {
    /// Number of clusters.
    pub fn len(&self) -> usize {
        self.centres.nrows()
    }

    /// Whether there is no cluster.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of every cluster, ascending.
    pub fn members(&self) -> Vec<Vec<usize>> {
        members(&self.assignment, self.len())
    }

    /// The member nearest to each centre, the lowest row among equals; `None` for an empty cluster.
    pub fn medoids(&self) -> Vec<Option<usize>> {
        let mut nearest: Vec<Option<usize>> = vec![None; self.len()];
        for (row, &cluster) in self.assignment.iter().enumerate() {
            let best = &mut nearest[cluster as usize];
            if best.is_none_or(|best| self.squared[row] < self.squared[best]) {
                *best = Some(row);
            }
        }
        nearest
    }
}

/// Rows of every one of `clusters` clusters, ascending.
pub fn members(assignment: &[u32], clusters: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); clusters];
    assignment.iter().enumerate().for_each(|(row, &cluster)| members[cluster as usize].push(row));
    members
}
