//! The small matrices of Winograd's F(4x4, 3x3), applied to vectors of channels.
//!
//! `Y = A^T [(G g G^T) * (B^T d B)] A` (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4.3). The
//! weight gradient uses the transposes: `G^T [(B^T d B) * (A dY A^T)] G`.

use crate::simd::Simd;

/// The interpolation points are 0, `A`, `-A`, `B`, `-B` and infinity. Of the points whose powers are exact in f32, these were seen to
/// give the smallest rounding errors: a third of those of the textbook's 1 and 2 (Barabasz et al., "Error Analysis and Improving the
/// Accuracy of Winograd Convolution for Deep Neural Networks", 2020, on why points matter).
const A: f32 = 0.625;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;

/// Product of the differences between a point and all others: 0, `A` or `-A`, `B` or `-B`.
const AT_ZERO: f32 = A2 * B2;
const AT_A: f32 = 2.0 * A2 * (A2 - B2);
const AT_B: f32 = 2.0 * B2 * (B2 - A2);

/// `B^T d`: six input values.
#[inline(always)]
fn input<V: Simd>(d: [V; 6]) -> [V; 6] {
    let (minus_a2, minus_b2) = (V::splat(-A2), V::splat(-B2));
    let (product, minus_sum) = (V::splat(A2 * B2), V::splat(-A2 - B2));
    let (even_a, odd_a) = (d[2].mul_add(minus_b2, d[4]), d[1].mul_add(minus_b2, d[3]));
    let (even_b, odd_b) = (d[2].mul_add(minus_a2, d[4]), d[1].mul_add(minus_a2, d[3]));
    [
        d[0].mul_add(product, d[2].mul_add(minus_sum, d[4])),
        odd_a.mul_add(V::splat(A), even_a),
        odd_a.mul_add(V::splat(-A), even_a),
        odd_b.mul_add(V::splat(B), even_b),
        odd_b.mul_add(V::splat(-B), even_b),
        d[1].mul_add(product, d[3].mul_add(minus_sum, d[5])),
    ]
}

/// `A^T m`: four outputs.
#[inline(always)]
fn output<V: Simd>(m: [V; 6]) -> [V; 4] {
    let (sum_a, difference_a) = (m[1].add(m[2]), m[1].sub(m[2]));
    let (sum_b, difference_b) = (m[3].add(m[4]), m[3].sub(m[4]));
    [
        m[0].add(sum_a.add(sum_b)),
        difference_b.mul_add(V::splat(B), difference_a.mul(V::splat(A))),
        sum_b.mul_add(V::splat(B2), sum_a.mul(V::splat(A2))),
        difference_b.mul_add(V::splat(B * B2), difference_a.mul_add(V::splat(A * A2), m[5])),
    ]
}

/// `A y`: four output gradients.
#[inline(always)]
fn output_gradient<V: Simd>(y: [V; 4]) -> [V; 6] {
    let (even_a, even_b) = (y[2].mul_add(V::splat(A2), y[0]), y[2].mul_add(V::splat(B2), y[0]));
    let (odd_a, odd_b) = (y[3].mul_add(V::splat(A2), y[1]), y[3].mul_add(V::splat(B2), y[1]));
    [
        y[0],
        odd_a.mul_add(V::splat(A), even_a),
        odd_a.mul_add(V::splat(-A), even_a),
        odd_b.mul_add(V::splat(B), even_b),
        odd_b.mul_add(V::splat(-B), even_b),
        y[3],
    ]
}

/// `G g`: three weights.
#[inline(always)]
fn weight<V: Simd>(g: [V; 3]) -> [V; 6] {
    let even_a = g[2].mul_add(V::splat(A2 / AT_A), g[0].mul(V::splat(1.0 / AT_A)));
    let even_b = g[2].mul_add(V::splat(B2 / AT_B), g[0].mul(V::splat(1.0 / AT_B)));
    [
        g[0].mul(V::splat(1.0 / AT_ZERO)),
        g[1].mul_add(V::splat(A / AT_A), even_a),
        g[1].mul_add(V::splat(-A / AT_A), even_a),
        g[1].mul_add(V::splat(B / AT_B), even_b),
        g[1].mul_add(V::splat(-B / AT_B), even_b),
        g[2],
    ]
}

/// `G^T u`: three weight gradients.
#[inline(always)]
fn weight_gradient<V: Simd>(u: [V; 6]) -> [V; 3] {
    let (sum_a, difference_a) = (u[1].add(u[2]), u[1].sub(u[2]));
    let (sum_b, difference_b) = (u[3].add(u[4]), u[3].sub(u[4]));
    let with_zero = sum_a.mul_add(V::splat(1.0 / AT_A), u[0].mul(V::splat(1.0 / AT_ZERO)));
    [
        sum_b.mul_add(V::splat(1.0 / AT_B), with_zero),
        difference_b.mul_add(V::splat(B / AT_B), difference_a.mul(V::splat(A / AT_A))),
        sum_b.mul_add(V::splat(B2 / AT_B), sum_a.mul_add(V::splat(A2 / AT_A), u[5])),
    ]
}

/// Applies a transform to the columns, then the rows, of a square. Loops, because closures inside `array::from_fn` and `map` are not
/// always inlined, and then lose the instruction set.
macro_rules! both_sides {
    ($(#[$doc:meta])* $name:ident, $one_side:ident, $from:literal => $to:literal) => {
        $(#[$doc])*
        #[inline(always)]
        pub(super) fn $name<V: Simd>(square: [[V; $from]; $from]) -> [[V; $to]; $to] {
            let zero = V::splat(0.0);
            let mut half = [[zero; $from]; $to];
            for column in 0..$from {
                let mut values = [zero; $from];
                for row in 0..$from {
                    values[row] = square[row][column];
                }
                let values = $one_side(values);
                for row in 0..$to {
                    half[row][column] = values[row];
                }
            }
            let mut whole = [[zero; $to]; $to];
            for row in 0..$to {
                whole[row] = $one_side(half[row]);
            }
            whole
        }
    };
}

both_sides!(
    /// `B^T d B`
    input_tile, input, 6 => 6
);
both_sides!(
    /// `A^T m A`
    output_tile, output, 6 => 4
);
both_sides!(
    /// `A y A^T`
    output_gradient_tile, output_gradient, 4 => 6
);
both_sides!(
    /// `G g G^T`
    weight_tile, weight, 3 => 6
);
both_sides!(
    /// `G^T u G`
    weight_gradient_tile, weight_gradient, 6 => 3
);
