//! Ranks, with ties sharing their mean rank.

/// Ranks of `values`, 1 for the smallest; equal values share the mean of their ranks.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let order = ascending(values);
    let mut ranks = vec![0.0; values.len()];
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.iter().position(|i| *i == group[0]).expect("a group is part of the order");
        let rank = first as f64 + f64::midpoint(1.0, group.len() as f64);
        for &i in group {
            ranks[i] = rank;
        }
    }
    ranks
}

/// Sizes of the groups of equal values, by ascending value.
pub fn tie_sizes(values: &[f64]) -> Vec<usize> {
    ascending(values).chunk_by(|&a, &b| values[a] == values[b]).map(<[usize]>::len).collect()
}

fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}
