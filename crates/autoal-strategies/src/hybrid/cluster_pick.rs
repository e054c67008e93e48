//! One sample from each of `b` clusters of a filtered set: the last step of `DropQuery` and ALFA-Mix.
//!
//! The filtered rows are clustered by k-means with `K = b` on normalised embeddings, and the member nearest to each centre is selected.
//! More than 25 rows a cluster are first thinned at random to that number; fewer rows than `b` are all selected and the rest of the
//! query is random.

use autoal_data::Stream;
use ndarray::Axis;

use crate::kmeans::KMeans;
use crate::{QueryContext, Rows, distance, random};

/// Filtered rows a cluster beyond which they are thinned.
pub(crate) const ROWS_A_CLUSTER: usize = 25;

/// `count` rows: one a cluster of `filtered`, then random ones. O(25 count² D) a k-means iteration.
pub(crate) fn cluster_pick(
    context: &QueryContext<'_>,
    embeddings: Rows<'_>,
    filtered: &[usize],
    count: usize,
    stream: Stream,
) -> Vec<usize> {
    let mut chosen =
        if filtered.len() <= count { filtered.to_vec() } else { medoids(context, embeddings, filtered, count, stream) };
    random::fill(context, stream.child(1), &mut chosen, count);
    chosen
}

fn medoids(context: &QueryContext<'_>, embeddings: Rows<'_>, filtered: &[usize], count: usize, stream: Stream) -> Vec<usize> {
    let mut rows = random::sample_rows(context, stream.child(2), filtered, ROWS_A_CLUSTER.saturating_mul(count));
    rows.sort_unstable();
    let gathered = embeddings.view().select(Axis(0), &rows);
    let (unit, _) = distance::normalized(Rows::from_view(gathered.view()).expect("a fresh array is row-major"));
    let unit = Rows::from_view(unit.view()).expect("a fresh array is row-major");
    let clustering = KMeans::new(count).fit(unit, &mut context.seed.rng(stream, context.round));
    clustering.medoids().into_iter().flatten().map(|position| rows[position]).collect()
}
