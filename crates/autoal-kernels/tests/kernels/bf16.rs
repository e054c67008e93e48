//! Convolutions with bf16 factors: against the naive sum over rounded values where nothing else is rounded, and within a stated error
//! where Winograd's transforms come before the rounding.

use autoal_kernels::{
    Arithmetic, Isa, Precision,
    conv::{self, Algorithm, ConvShape},
};
use proptest::prelude::*;

use crate::{conv::small_shapes, naive};

/// Products of bf16 values are exact in f32, so only the sums are rounded.
const DIRECT_ERROR: f64 = 2e-6;

/// Transformed values are rounded to 8 bits: root mean square of the error relative to that of the result.
const WINOGRAD_ERROR: f64 = 0.02;

fn arithmetics() -> impl Iterator<Item = Arithmetic> {
    Isa::available().into_iter().map(|isa| Arithmetic { isa, precision: Precision::Bf16 })
}

/// The nearest value with 8 significant bits; of two equally near ones, the one whose last bit is 0.
fn rounded(values: &[f32]) -> Vec<f32> {
    let round = |value: &f32| {
        let (below, step) = (value.to_bits() & 0xffff_0000, 0x0001_0000);
        let (below, above) = (f32::from_bits(below), f32::from_bits(below + step));
        let (down, up) = ((value - below).abs(), (above - value).abs());
        let to_even = if below.to_bits() & step == 0 { below } else { above };
        if down < up {
            below
        } else if up < down {
            above
        } else {
            to_even
        }
    };
    values.iter().map(round).collect()
}

fn run(arithmetic: Arithmetic, s: &ConvShape, [x, w, gy]: [&[f32]; 3]) -> [Vec<f32>; 3] {
    [conv::forward(arithmetic, s, x, w), conv::input_gradient(arithmetic, s, gy, w), conv::weight_gradient(arithmetic, s, x, gy)]
}

/// Root mean square of the error, relative to that of what was expected.
fn relative_error(actual: &[f32], expected: &[f64]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let error = square(&mut actual.iter().zip(expected).map(|(&a, e)| f64::from(a) - e));
    (error / square(&mut expected.iter().copied()).max(1e-30)).sqrt()
}

fn check(s: &ConvShape) {
    let (x, w, gy) = (naive::noise(s.input_len(), 1), naive::noise(s.weight_len(), 2), naive::noise(s.output_len(), 3));
    let winograd = s.algorithm() == Algorithm::Winograd;
    let [xr, wr, gr] = if winograd { [x.clone(), w.clone(), gy.clone()] } else { [rounded(&x), rounded(&w), rounded(&gy)] };
    let expected = [naive::forward(s, &xr, &wr), naive::input_gradient(s, &gr, &wr), naive::weight_gradient(s, &xr, &gr)];
    for arithmetic in arithmetics() {
        let actual = run(arithmetic, s, [&x, &w, &gy]);
        for (name, (actual, expected)) in ["output", "input gradient", "weight gradient"].iter().zip(actual.iter().zip(&expected))
        {
            let (error, bound) = if winograd {
                (relative_error(actual, expected), WINOGRAD_ERROR)
            } else {
                (naive::error(actual, expected), DIRECT_ERROR)
            };
            assert!(error < bound, "{name} of {s:?} with {}: error {error:.1e}", arithmetic.isa.name());
        }
    }
}

fn shape(batch: usize, channels: [usize; 2], size: [usize; 2], kernel: usize, stride: usize, padding: usize) -> ConvShape {
    let ([in_channels, out_channels], [height, width]) = (channels, size);
    ConvShape { batch, in_channels, out_channels, height, width, kernel, stride, padding }
}

#[test]
fn small_convolutions_agree_with_the_naive_sum() {
    for s in small_shapes() {
        check(&s);
    }
}

#[test]
fn every_convolution_of_resnet18_agrees_with_the_naive_sum() {
    for (size, batch) in [(7, 3), (8, 2)] {
        check(&shape(batch, [3, 64], [4 * size, 4 * size], 3, 1, 1));
        check(&shape(batch, [3, 64], [4 * size, 4 * size], 7, 2, 3));
        check(&shape(batch, [64, 64], [size, size], 3, 1, 1));
        check(&shape(batch, [64, 128], [size, size], 3, 2, 1));
        check(&shape(batch, [64, 128], [size, size], 1, 2, 0));
    }
    for size in 1..5 {
        check(&shape(3, [96, 96], [size, size], 3, 1, 1));
        check(&shape(3, [96, 128], [size, size], 3, 2, 1));
        check(&shape(3, [96, 128], [size, size], 1, 2, 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_convolution_agrees_with_the_naive_sum(
        batch in 1usize..6, ci in 1usize..40, co in 1usize..40, height in 1usize..12, width in 1usize..12,
        kernel in 1usize..6, stride in 1usize..4, padding in 0usize..3,
    ) {
        let s = shape(batch, [ci, co], [height, width], kernel, stride, padding);
        prop_assume!(height.min(width) + 2 * padding >= kernel);
        check(&s);
    }

    #[test]
    fn any_winograd_convolution_agrees_with_the_naive_sum(
        batch in 1usize..6, ci in 8usize..50, co in 8usize..50, height in 3usize..14, width in 3usize..14,
    ) {
        let s = shape(batch, [ci, co], [height, width], 3, 1, 1);
        prop_assert_eq!(s.algorithm(), Algorithm::Winograd);
        check(&s);
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let shapes = [
        shape(40, [64, 64], [14, 14], 3, 1, 1),
        shape(9, [3, 20], [16, 16], 3, 1, 1),
        shape(9, [24, 40], [9, 9], 3, 2, 1),
        shape(33, [40, 48], [2, 2], 3, 1, 1),
    ];
    for s in shapes {
        let (x, w, gy) = (naive::noise(s.input_len(), 1), naive::noise(s.weight_len(), 2), naive::noise(s.output_len(), 3));
        for arithmetic in arithmetics() {
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small thread pool");
                pool.install(|| run(arithmetic, &s, [&x, &w, &gy]))
            };
            let one = on(1);
            assert!([2, 3].into_iter().all(|threads| on(threads) == one), "{s:?} with {}", arithmetic.isa.name());
        }
    }
}

#[test]
fn values_that_are_not_numbers_stay_so() {
    let s = shape(1, [2, 1], [1, 1], 1, 1, 0);
    for arithmetic in arithmetics() {
        let y = |x: [f32; 2]| conv::forward(arithmetic, &s, &x, &[1.0, 0.0])[0];
        assert!(y([f32::from_bits(0x7f80_0001), 0.0]).is_nan(), "{}", arithmetic.isa.name());
        assert!(y([f32::INFINITY, 1.0]) == f32::INFINITY, "{}", arithmetic.isa.name());
        assert!(y([-1.0, f32::NAN]).is_nan(), "{}", arithmetic.isa.name());
    }
}
