//! The innermost loops over rows, compiled twice: for every processor, and for those with AVX2, chosen at run time.
//!
//! Both do the same operations in the same order (sums in 32 lanes, no fused multiply-add), so results do not depend on the processor.

#![expect(unsafe_code, reason = "a function compiled for a processor feature may only be called where the processor has it")]
#![expect(clippy::inline_always, reason = "a loop is compiled for AVX2 only as part of the function that asks for AVX2")]

/// Independent sums of a loop: four registers of AVX2, so that additions do not wait for one another.
const LANES: usize = 32;

/// Independent minima, or `f64` sums, of a loop.
const NARROW: usize = 16;

/// Defines a function, and the same for AVX2, which it calls where it can.
macro_rules! compiled_twice {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $output:ty = $body:expr) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $type),*) -> $output {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($argument: $type),*) -> $output {
                    $body
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor was asked for the only feature that the function needs.
                    return unsafe { wide($($argument),*) };
                }
            }
            $body
        }
    };
}

compiled_twice! {
    /// `|a - b|²`, from differences.
    fn squared(a: &[f32], b: &[f32]) -> f32 = fold(a, b, |x, y| (x - y) * (x - y))
}

compiled_twice! {
    /// `a · b`.
    fn dot(a: &[f32], b: &[f32]) -> f32 = fold(a, b, |x, y| x * y)
}

compiled_twice! {
    /// `|a|²` in `f64`.
    fn square_sum(a: &[f32]) -> f64 = squares(a)
}

/// Rows of a tile: two registers of AVX2.
pub(crate) const TILE: usize = 16;

compiled_twice! {
    /// Squared distances of the rows of a tile `[D][TILE]` to `point` `[D]`.
    fn tile_squared(tile: &[f32], point: &[f32]) -> [f32; TILE] = tile_distances(tile, point)
}

compiled_twice! {
    /// For each row of a tile `[D][TILE]` the smaller of its squared distance to `point` `[D]` and `nearest` `[TILE]`, into `after`; returns
    /// their sum.
    fn nearer(tile: &[f32], point: &[f32], nearest: &[f32], after: &mut [f32]) -> f64 = nearer_of(tile, point, nearest, after)
}

compiled_twice! {
    /// Adds a row to `f64` sums.
    fn add(sums: &mut [f64], row: &[f32]) -> () = sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x))
}

compiled_twice! {
    /// The two smallest values; infinity where there are fewer. NaN is never among them.
    fn two_smallest(values: &[f32]) -> (f32, f32) = two_least(values)
}

#[inline(always)]
fn fold(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    for (sum, (x, y)) in sums.iter_mut().zip(a_tail.iter().zip(b_tail)) {
        *sum += term(*x, *y);
    }
    total(&sums)
}

#[inline(always)]
fn squares(a: &[f32]) -> f64 {
    let mut sums = [0.0; NARROW];
    let (chunks, tail) = a.as_chunks::<NARROW>();
    for chunk in chunks {
        for lane in 0..NARROW {
            sums[lane] += f64::from(chunk[lane]) * f64::from(chunk[lane]);
        }
    }
    sums.iter().sum::<f64>() + tail.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>()
}

#[inline(always)]
fn tile_distances(tile: &[f32], point: &[f32]) -> [f32; TILE] {
    let mut squared = [0.0; TILE];
    for (values, x) in tile.as_chunks::<TILE>().0.iter().zip(point) {
        for lane in 0..TILE {
            let difference = values[lane] - x;
            squared[lane] += difference * difference;
        }
    }
    squared
}

#[inline(always)]
fn nearer_of(tile: &[f32], point: &[f32], nearest: &[f32], after: &mut [f32]) -> f64 {
    let mut sum = 0.0;
    for ((after, nearest), squared) in after.iter_mut().zip(nearest).zip(tile_distances(tile, point)) {
        *after = if squared < *nearest { squared } else { *nearest };
        sum += f64::from(*after);
    }
    sum
}

/// Sum of the lanes. A function of its own, and opaque before its last step: seen as a whole, the order of these few additions decides how
/// the compiler lays out the loop above, which is slower by half.
#[inline(never)]
fn total(sums: &[f32; LANES]) -> f32 {
    let mut quad = [0.0; 4];
    for part in sums.as_chunks::<4>().0 {
        for lane in 0..4 {
            quad[lane] += part[lane];
        }
    }
    let quad = std::hint::black_box(quad);
    (quad[0] + quad[2]) + (quad[1] + quad[3])
}

#[inline(always)]
fn two_least(values: &[f32]) -> (f32, f32) {
    let (mut least, mut second) = ([f32::INFINITY; NARROW], [f32::INFINITY; NARROW]);
    let chunks = values.chunks_exact(NARROW);
    let tail = chunks.remainder();
    for chunk in chunks {
        for lane in 0..NARROW {
            let value = chunk[lane];
            let loser = if value < least[lane] { least[lane] } else { value };
            second[lane] = if loser < second[lane] { loser } else { second[lane] };
            least[lane] = if value < least[lane] { value } else { least[lane] };
        }
    }
    let mut found = (f32::INFINITY, f32::INFINITY);
    for &value in least.iter().chain(&second).chain(tail) {
        if value < found.0 {
            found = (value, found.0);
        } else if value < found.1 {
            found.1 = value;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_versions_give_the_same_bits(values in prop::collection::vec(-1e3_f32..1e3, 0..200)) {
            let (a, b) = values.split_at(values.len() / 2);
            let b = &b[..a.len()];
            prop_assert_eq!(squared(a, b).to_bits(), fold(a, b, |x, y| (x - y) * (x - y)).to_bits());
            prop_assert_eq!(dot(a, b).to_bits(), fold(a, b, |x, y| x * y).to_bits());
        }

        #[test]
        fn the_two_smallest_are_those_of_a_sort(values in prop::collection::vec(-5_i8..5, 0..70)) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f32::total_cmp);
            sorted.extend([f32::INFINITY; 2]);
            prop_assert_eq!(two_smallest(&values), (sorted[0], sorted[1]));
        }
    }
}
