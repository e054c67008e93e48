//! Labels beside a chart, moved apart as little as possible.

/// Positions at least `gap` apart within `low..=high`, as near as possible to `wanted`, in the same order.
///
/// Neighbours that collide form a block around the mean of what they want, and blocks that collide merge: the least-squares solution.
/// Where the room is too small for all, the gap shrinks.
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let count = wanted.len();
    let gap = if count > 1 { gap.min((high - low) / (count - 1) as f64) } else { gap };
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    // A block is (sum of the tops its members want, members); its top is their mean.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    let top = |(sum, members): (f64, usize)| {
        let length = gap * (members - 1) as f64;
        (sum / members as f64).clamp(low, (high - length).max(low))
    };
    for &i in &order {
        let mut block = (wanted[i], 1);
        while let Some(&last) = blocks.last()
            && top(last) + gap * last.1 as f64 > top(block)
        {
            blocks.pop();
            // The joined members want the block's top to be higher by the space above them.
            block = (last.0 + block.0 - gap * (last.1 * block.1) as f64, last.1 + block.1);
        }
        blocks.push(block);
    }
    let positions = blocks.iter().flat_map(|&b| (0..b.1).map(move |i| top(b) + gap * i as f64));
    let mut placed = vec![0.0; count];
    order.iter().zip(positions).for_each(|(&i, p)| placed[i] = p);
    placed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_with_room_stay_where_they_are() {
        assert_eq!(spread(&[50.0, 10.0, 90.0], 12.0, 0.0, 100.0), [50.0, 10.0, 90.0]);
    }

    #[test]
    fn colliding_labels_share_the_shift() {
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
    }

    proptest! {
        #[test]
        fn labels_never_overlap_and_never_leave_the_room(wanted in prop::collection::vec(0.0..300.0_f64, 1..20)) {
            const ROUNDING: f64 = 1e-6;
            let mut placed = spread(&wanted, 14.0, 0.0, 300.0);
            placed.sort_by(f64::total_cmp);
            let gap = 14.0_f64.min(300.0 / (wanted.len().max(2) - 1) as f64);
            prop_assert!(placed.windows(2).all(|w| w[1] - w[0] >= gap - ROUNDING));
            prop_assert!(placed.iter().all(|p| (-ROUNDING..=300.0 + ROUNDING).contains(p)));
        }
    }
}
