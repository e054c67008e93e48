//! TypiClust: the most typical sample of each cluster, clusters with the fewest labels first.
//!
//! All embeddings, labeled ones included, are clustered into `min(|L| + b, 500)` clusters. Clusters of at most 5 members are left aside.
//! The others, ordered by labels (few first), size (large first) and number, are visited in turn; each visit selects the member of
//! highest typicality among the unlabeled ones, `1 / (mean squared distance to the k nearest unlabeled members + 1e-5)` with
//! `k = min(20, members / 2)`. A cluster without unlabeled members is passed over; when all are, the small clusters follow.
//! `inverse` selects the least typical member of the smallest cluster first (a surrogate that SelectAL asks for).
//! The authors use mini-batch k-means above 50 clusters; here the iterations of k-means see only the sketches of wide embeddings and its
//! last assignment alone sees them whole, unless `full-width` is set.
//! **Cost**: k-means + `O(Σ n_c² D)` for clusters of `n_c` members, one cluster a task; `O(n_c)` memory a member's neighbours. Above 5000
//! members the neighbours come from 5000 of them, drawn at random.
//! **Reference**: Hacohen, Dekel & Weinshall, ICML 2022; squared distances, size rule and order as in the authors' code.

use std::cmp::Reverse;

use autoal_data::Stream;
use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::kmeans::KMeans;
use crate::{
    Buildable, Need, Parameter, QueryContext, QueryError, QueryStrategy, Rows, Selection, StrategyError, StrategyInfo, config,
    distance, random,
};

const STREAM: Stream = Stream::named("typi-clust");

/// Members of a cluster among which neighbours are looked for.
const NEIGHBOURHOOD: usize = 5000;

/// Relative change of the inertia that ends k-means: clusters only have to be compact.
const TOLERANCE: f64 = 3e-3;

/// Added to the mean squared distance.
const EPSILON: f64 = 1e-5;

/// Parameters of [`TypiClust`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct TypiClustConfig {
    /// Most clusters.
    pub max_clusters: usize,
    /// Clusters of at most this many members are left aside.
    pub min_cluster_size: usize,
    /// Most neighbours that typicality looks at.
    pub neighbours: usize,
    /// The least typical member of the smallest cluster instead.
    pub inverse: bool,
    /// Iterations of k-means.
    pub max_iterations: usize,
    /// Whether all of k-means sees wide embeddings whole.
    pub full_width: bool,
}

impl Default for TypiClustConfig {
    fn default() -> Self {
        Self { max_clusters: 500, min_cluster_size: 5, neighbours: 20, inverse: false, max_iterations: 25, full_width: false }
    }
}

/// Typical members of uncovered clusters.
#[derive(Debug, Clone, Copy)]
pub struct TypiClust(TypiClustConfig);

impl QueryStrategy for TypiClust {
    fn name(&self) -> &str {
        Self::INFO.name
    }

    fn select(&mut self, context: &QueryContext<'_>, query_size: usize) -> Result<Selection, QueryError> {
        let rows = context.embeddings().map_err(QueryError::outputs(self.name()))?;
        let labeled = context.labeled_embeddings().map_err(QueryError::outputs(self.name()))?;
        let clusters = (labeled.len() + query_size).min(self.0.max_clusters);
        let search = KMeans {
            max_iterations: self.0.max_iterations,
            tolerance: TOLERANCE,
            seeding_trials: 1,
            sketched: !self.0.full_width,
            ..KMeans::new(clusters)
        };
        let all = joined(rows, labeled);
        let all = Rows::from_view(all.view()).expect("a fresh array is row-major");
        let clustering = search.fit(all, &mut context.seed.rng(STREAM, context.round));
        let (of_rows, of_labeled) = clustering.assignment.split_at(rows.len());
        let partition = Partition { rows, of_rows, of_labeled, config: self.0 };
        let QueryContext { seed, round, candidates, .. } = *context;
        let mut chosen = partition.pick(query_size, |row| seed.hash(STREAM, round, candidates[row]));
        random::fill(context, STREAM.child(1), &mut chosen, query_size);
        Ok(context.selection(&chosen))
    }
}

/// Candidate rows first, labeled rows after them.
fn joined(rows: Rows<'_>, labeled: Rows<'_>) -> Array2<f32> {
    concatenate(Axis(0), &[rows.view(), labeled.view()]).expect("both have the same width")
}

impl Buildable for TypiClust {
    type Config = TypiClustConfig;

    const INFO: StrategyInfo = StrategyInfo {
        name: "typi-clust",
        summary: "the most typical sample of each cluster, clusters without labels first",
        paper: "Hacohen, Dekel & Weinshall, ICML 2022",
        needs: &[Need::Embeddings, Need::LabeledEmbeddings],
        parameters: &[
            Parameter { key: "max-clusters", default: "500", doc: "most clusters" },
            Parameter { key: "min-cluster-size", default: "5", doc: "clusters of at most this many members are left aside" },
            Parameter { key: "neighbours", default: "20", doc: "most neighbours that typicality looks at" },
            Parameter { key: "inverse", default: "false", doc: "the least typical member of the smallest cluster instead" },
            Parameter { key: "max-iterations", default: "25", doc: "iterations of k-means" },
            Parameter {
                key: "full-width",
                default: "false",
                doc: "iterations of k-means on whole embeddings, not on their sketches",
            },
        ],
    };

    fn build(config: TypiClustConfig) -> Result<Self, StrategyError> {
        if config.max_clusters == 0 || config.neighbours == 0 {
            return Err(config::parameter(Self::INFO.name, "`max-clusters` and `neighbours` must be at least 1"));
        }
        Ok(Self(config))
    }
}

/// A given clustering of candidates and labeled samples.
#[derive(Debug, Clone, Copy)]
pub struct Partition<'a> {
    /// Embeddings of the candidates, `[N, D]`.
    pub rows: Rows<'a>,
    /// Their clusters, `[N]`.
    pub of_rows: &'a [u32],
    /// Clusters of the labeled samples, `[L]`.
    pub of_labeled: &'a [u32],
    /// Which clusters are used, and how.
    pub config: TypiClustConfig,
}

impl Partition<'_> {
    /// Up to `count` rows in the order of the visits. Where a cluster is too large to compare all members, those with the smallest `key`
    /// stand for it.
    pub fn pick(&self, count: usize, key: impl Fn(usize) -> u64 + Sync) -> Vec<usize> {
        let clusters = self.clusters();
        let visits = self.visits(&clusters, count);
        let picked: Vec<Vec<usize>> = (clusters.par_iter().zip(&visits))
            .map(|(members, visits)| pick_in_cluster(self.rows, members, visits.len(), self.config, &key))
            .collect();
        let mut order: Vec<(usize, usize)> = Vec::with_capacity(count);
        for (visits, picked) in visits.iter().zip(picked) {
            order.extend(visits.iter().copied().zip(picked));
        }
        order.sort_unstable();
        order.into_iter().map(|(_, row)| row).collect()
    }

    /// Typicality of every candidate among the unlabeled members of its cluster, `[N]`.
    pub fn typicality(&self) -> Vec<f64> {
        let mut typicality = vec![0.0; self.rows.len()];
        for members in self.clusters() {
            let neighbours = Neighbours::of(self.rows, &members, &members, self.config.neighbours);
            let free = vec![true; members.len()];
            let k = self.config.neighbours.min(members.len() / 2);
            members.iter().enumerate().for_each(|(at, &row)| typicality[row] = neighbours.typicality(at, k, &free));
        }
        typicality
    }

    /// Candidate rows of every cluster, ascending.
    fn clusters(&self) -> Vec<Vec<usize>> {
        crate::kmeans::members(self.of_rows, self.count_clusters())
    }

    fn count_clusters(&self) -> usize {
        self.of_rows.iter().chain(self.of_labeled).max().map_or(0, |&last| last as usize + 1)
    }

    /// For every cluster the places in the order of selection that it fills.
    fn visits(&self, clusters: &[Vec<usize>], count: usize) -> Vec<Vec<usize>> {
        let mut labels = vec![0_usize; clusters.len()];
        self.of_labeled.iter().for_each(|&cluster| labels[cluster as usize] += 1);
        let size = |cluster: usize| clusters[cluster].len() + labels[cluster];
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        if self.config.inverse {
            order.sort_by_key(|&cluster| (labels[cluster], size(cluster)));
        } else {
            order.sort_by_key(|&cluster| (labels[cluster], Reverse(size(cluster))));
        }
        let (large, small): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|&cluster| size(cluster) > self.config.min_cluster_size);
        let mut visits = vec![Vec::new(); clusters.len()];
        let mut place = 0;
        for mut turn in [large, small] {
            while place < count && !turn.is_empty() {
                turn.retain(|&cluster| visits[cluster].len() < clusters[cluster].len());
                for &cluster in turn.iter().take(count - place) {
                    visits[cluster].push(place);
                    place += 1;
                }
            }
        }
        visits
    }
}

/// The members selected by `count` visits to one cluster.
fn pick_in_cluster(
    rows: Rows<'_>,
    members: &[usize],
    count: usize,
    config: TypiClustConfig,
    key: impl Fn(usize) -> u64,
) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    let mut among = members.to_vec();
    if members.len() > NEIGHBOURHOOD {
        among.select_nth_unstable_by_key(NEIGHBOURHOOD, |&row| (key(row), row));
        among.truncate(NEIGHBOURHOOD);
        among.sort_unstable();
    }
    // Each visit takes away at most one neighbour.
    let neighbours = Neighbours::of(rows, members, &among, config.neighbours + count - 1);
    let mut free = vec![true; members.len()];
    let mut picked = Vec::with_capacity(count);
    for left in (0..=members.len()).rev().take(count) {
        let k = config.neighbours.min(left / 2);
        let open = (0..members.len()).filter(|&at| free[at]);
        let score = |at: usize| neighbours.typicality(at, k, &free) * if config.inverse { -1.0 } else { 1.0 };
        let scored = open.map(|at| (score(at), at));
        let Some((_, best)) = scored.reduce(|best, next| if next.0 > best.0 { next } else { best }) else {
            break;
        };
        free[best] = false;
        picked.push(members[best]);
    }
    picked
}

/// The nearest other members of every member of a cluster, nearest first.
struct Neighbours(Vec<Vec<(f32, u32)>>);

impl Neighbours {
    /// `keep` neighbours of each of `members` among `among`, both ascending rows; neighbours are numbered within `members`.
    fn of(rows: Rows<'_>, members: &[usize], among: &[usize], keep: usize) -> Self {
        let places: Vec<u32> =
            among.iter().map(|row| members.binary_search(row).expect("neighbours are members") as u32).collect();
        let nearest = |at: usize| {
            let row = rows.row(members[at]);
            let others = among.iter().zip(&places).filter(|(_, place)| **place as usize != at);
            let mut near: Vec<(f32, u32)> =
                others.map(|(&other, &place)| (distance::squared(row, rows.row(other)), place)).collect();
            let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            if keep < near.len() {
                near.select_nth_unstable_by(keep, order);
                near.truncate(keep);
            }
            near.sort_unstable_by(order);
            near
        };
        Self((0..members.len()).into_par_iter().map(nearest).collect())
    }

    /// `1 / (mean squared distance to the k nearest free members + ε)`; with k = 0 as if all neighbours were at distance 0.
    fn typicality(&self, at: usize, k: usize, free: &[bool]) -> f64 {
        let near = self.0[at].iter().filter(|(_, place)| free[*place as usize]).take(k);
        let (sum, count) = near.fold((0.0, 0), |(sum, count), (squared, _)| (sum + f64::from(*squared), count + 1));
        1.0 / (sum / f64::from(count.max(1)) + EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(rows: Rows<'_>, neighbours: usize) -> (Vec<f64>, Vec<usize>) {
        let of_rows = vec![0; rows.len()];
        let config = TypiClustConfig { neighbours, ..TypiClustConfig::default() };
        let partition = Partition { rows, of_rows: &of_rows, of_labeled: &[], config };
        (partition.typicality(), partition.pick(rows.len(), |row| row as u64))
    }

    #[test]
    fn worked_example_of_one_cluster() {
        let rows = [0.0, 0.1, 0.2, 0.35, 0.6, 0.65, 0.8];
        let (typicality, picked) = whole(Rows::new(&rows, 1).expect("rows"), 3);
        // `f32` squares of differences of such size have six digits.
        for (t, expected) in typicality.iter().zip([17.388, 36.350, 41.362, 20.335, 28.563, 26.080, 11.319]) {
            assert!((t - expected).abs() < 1e-3 * expected, "{t} against {expected}");
        }
        assert_eq!(picked[0], 2);
    }

    #[test]
    fn the_last_member_is_taken_although_it_has_no_neighbour() {
        let (_, mut picked) = whole(Rows::new(&[0.0, 1.0, 5.0], 1).expect("rows"), 20);
        picked.sort_unstable();
        assert_eq!(picked, [0, 1, 2]);
    }

    #[test]
    fn clusters_with_labels_and_small_clusters_come_last() {
        let rows: Vec<f32> = (0..20).map(|i| i as f32).collect();
        let of_rows: Vec<u32> = (0..20)
            .map(|i| {
                if i < 8 {
                    0
                } else if i < 17 {
                    1
                } else {
                    2
                }
            })
            .collect();
        let config = TypiClustConfig::default();
        let partition = Partition { rows: Rows::new(&rows, 1).expect("rows"), of_rows: &of_rows, of_labeled: &[1], config };
        let picked = partition.pick(20, |row| row as u64);
        let clusters: Vec<u32> = picked.iter().map(|&row| of_rows[row]).collect();
        assert_eq!(clusters[..4], [0, 1, 0, 1]);
        assert_eq!(clusters[16..], [1, 2, 2, 2]);
    }
}
