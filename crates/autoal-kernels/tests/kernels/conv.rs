//! Convolutions of every algorithm and instruction set against the naive sum.

use autoal_kernels::{
    Isa,
    conv::{self, Algorithm, ConvShape},
};
use proptest::prelude::*;

use crate::naive;

/// Sums of f32 products in another order: a few roundings relative to the largest sum.
const DIRECT_ERROR: f64 = 2e-6;

/// Winograd's transforms multiply by up to 3 and cancel again, which costs about one bit more.
const WINOGRAD_ERROR: f64 = 5e-6;

fn check(s: &ConvShape) {
    let (x, w, gy) = (naive::noise(s.input_len(), 1), naive::noise(s.weight_len(), 2), naive::noise(s.output_len(), 3));
    let bound = if s.algorithm() == Algorithm::Winograd { WINOGRAD_ERROR } else { DIRECT_ERROR };
    let expected = [naive::forward(s, &x, &w), naive::input_gradient(s, &gy, &w), naive::weight_gradient(s, &x, &gy)];
    for isa in Isa::available() {
        let actual =
            [conv::forward(isa, s, &x, &w), conv::input_gradient(isa, s, &gy, &w), conv::weight_gradient(isa, s, &x, &gy)];
        for (name, (actual, expected)) in ["output", "input gradient", "weight gradient"].iter().zip(actual.iter().zip(&expected))
        {
            let error = naive::error(actual, expected);
            assert!(error < bound, "{name} of {s:?} with {}: error {error:.1e}", isa.name());
        }
    }
}

fn shape(batch: usize, channels: [usize; 2], size: [usize; 2], kernel: usize, stride: usize, padding: usize) -> ConvShape {
    let ([in_channels, out_channels], [height, width]) = (channels, size);
    ConvShape { batch, in_channels, out_channels, height, width, kernel, stride, padding }
}

/// Every algorithm, whole and partial vectors and tiles, sums in one pass and in two; small enough for Miri.
pub fn small_shapes() -> [ConvShape; 6] {
    let shapes = [
        (Algorithm::Winograd, shape(1, [8, 9], [5, 3], 3, 1, 1)),
        (Algorithm::Dense, shape(3, [5, 6], [2, 2], 3, 1, 1)),
        (Algorithm::Dense, shape(3, [6, 9], [1, 1], 3, 1, 1)),
        (Algorithm::Gather, shape(3, [3, 9], [5, 4], 3, 2, 1)),
        (Algorithm::Gather, shape(3, [4, 5], [4, 4], 1, 2, 0)),
        (Algorithm::Gather, shape(1, [66, 2], [2, 3], 2, 1, 0)),
    ];
    shapes.map(|(algorithm, s)| {
        assert_eq!(s.algorithm(), algorithm);
        s
    })
}

#[test]
fn small_convolutions_agree_with_the_naive_sum() {
    for s in small_shapes() {
        check(&s);
    }
}

#[test]
#[should_panic(expected = "batch: 0")]
fn an_empty_batch_is_declined() {
    conv::weight_gradient(Isa::detect(), &shape(0, [8, 8], [3, 3], 3, 1, 1), &[], &[]);
}

#[test]
fn every_convolution_of_resnet18_agrees_with_the_naive_sum() {
    for size in [7, 8] {
        check(&shape(2, [3, 64], [4 * size, 4 * size], 3, 1, 1));
        check(&shape(2, [3, 64], [4 * size, 4 * size], 7, 2, 3));
        check(&shape(2, [64, 64], [size, size], 3, 1, 1));
        check(&shape(2, [64, 128], [size, size], 3, 2, 1));
        check(&shape(2, [64, 128], [size, size], 1, 2, 0));
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
        batch in 1usize..5, ci in 1usize..40, co in 1usize..40, height in 1usize..12, width in 1usize..12,
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
        shape(9, [16, 24], [13, 9], 3, 1, 1),
        shape(40, [64, 64], [14, 14], 3, 1, 1),
        shape(9, [3, 20], [16, 16], 3, 1, 1),
        shape(9, [24, 40], [9, 9], 3, 2, 1),
        shape(33, [40, 48], [2, 2], 3, 1, 1),
        shape(33, [24, 40], [7, 7], 1, 2, 0),
    ];
    for s in shapes {
        let (x, w, gy) = (naive::noise(s.input_len(), 1), naive::noise(s.weight_len(), 2), naive::noise(s.output_len(), 3));
        for isa in Isa::available() {
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small thread pool");
                pool.install(|| {
                    [
                        conv::forward(isa, &s, &x, &w),
                        conv::input_gradient(isa, &s, &gy, &w),
                        conv::weight_gradient(isa, &s, &x, &gy),
                    ]
                })
            };
            let one = run(1);
            for threads in [2, 3] {
                assert!(one == run(threads), "{s:?} with {} on {threads} threads", isa.name());
            }
        }
    }
}
