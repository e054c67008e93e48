//! The small matrices of Winograd's F(4x4, 3x3), applied to vectors of channels.
//!
//! `Y = A^T [(G g G^T) * (B^T d B)] A` (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4.3), with
//! interpolation points 0, 1, -1, 2, -2 and infinity. The weight gradient uses the transposes: `G^T [(B^T d B) * (A dY A^T)] G`.

use crate::simd::Simd;

/// `B^T d`: six input values.
#[inline(always)]
fn input<V: Simd>(d: [V; 6]) -> [V; 6] {
    let (two, four, minus_four, minus_five) = (V::splat(2.0), V::splat(4.0), V::splat(-4.0), V::splat(-5.0));
    let even = d[2].mul_add(minus_four, d[4]);
    let odd = d[1].mul_add(minus_four, d[3]);
    let even_two = d[4].sub(d[2]);
    let odd_two = two.mul(d[3].sub(d[1]));
    [
        d[0].mul_add(four, d[2].mul_add(minus_five, d[4])),
        even.add(odd),
        even.sub(odd),
        even_two.add(odd_two),
        even_two.sub(odd_two),
        d[1].mul_add(four, d[3].mul_add(minus_five, d[5])),
    ]
}

/// `A^T m`: four outputs.
#[inline(always)]
fn output<V: Simd>(m: [V; 6]) -> [V; 4] {
    let (sum_one, difference_one) = (m[1].add(m[2]), m[1].sub(m[2]));
    let (sum_two, difference_two) = (m[3].add(m[4]), m[3].sub(m[4]));
    [
        m[0].add(sum_one.add(sum_two)),
        difference_two.mul_add(V::splat(2.0), difference_one),
        sum_two.mul_add(V::splat(4.0), sum_one),
        m[5].add(difference_two.mul_add(V::splat(8.0), difference_one)),
    ]
}

/// `A y`: four output gradients.
#[inline(always)]
fn output_gradient<V: Simd>(y: [V; 4]) -> [V; 6] {
    let (even, odd) = (y[0].add(y[2]), y[1].add(y[3]));
    let even_two = y[2].mul_add(V::splat(4.0), y[0]);
    let odd_two = y[3].mul_add(V::splat(8.0), y[1].mul(V::splat(2.0)));
    [y[0], even.add(odd), even.sub(odd), even_two.add(odd_two), even_two.sub(odd_two), y[3]]
}

/// `G g`: three weights.
#[inline(always)]
fn weight<V: Simd>(g: [V; 3]) -> [V; 6] {
    let sixth = V::splat(-1.0 / 6.0);
    let outer = g[0].add(g[2]);
    let even_two = g[2].mul_add(V::splat(1.0 / 6.0), g[0].mul(V::splat(1.0 / 24.0)));
    let odd_two = g[1].mul(V::splat(1.0 / 12.0));
    [
        g[0].mul(V::splat(0.25)),
        sixth.mul(outer.add(g[1])),
        sixth.mul(outer.sub(g[1])),
        even_two.add(odd_two),
        even_two.sub(odd_two),
        g[2],
    ]
}

/// `G^T u`: three weight gradients.
#[inline(always)]
fn weight_gradient<V: Simd>(u: [V; 6]) -> [V; 3] {
    let (sum_one, difference_one) = (u[1].add(u[2]), u[2].sub(u[1]));
    let (sum_two, difference_two) = (u[3].add(u[4]), u[3].sub(u[4]));
    let sixth = V::splat(1.0 / 6.0);
    let minus_sum_one = sum_one.mul(V::splat(-1.0 / 6.0));
    [
        u[0].mul_add(V::splat(0.25), sum_two.mul_add(V::splat(1.0 / 24.0), minus_sum_one)),
        difference_two.mul_add(V::splat(1.0 / 12.0), difference_one.mul(sixth)),
        u[5].add(sum_two.mul_add(sixth, minus_sum_one)),
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
