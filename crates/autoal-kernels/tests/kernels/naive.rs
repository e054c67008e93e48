//! Slow and plain versions of the operations, in f64.

use autoal_kernels::conv::ConvShape;

/// Values that look random and are the same everywhere.
pub fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Calls `f` with the indices of every product in a convolution: output, input and weight.
pub fn for_each_product(s: &ConvShape, mut f: impl FnMut(usize, usize, usize)) {
    for n in 0..s.batch {
        for (oy, ox) in (0..s.out_height()).flat_map(|y| (0..s.out_width()).map(move |x| (y, x))) {
            for (u, v) in (0..s.kernel).flat_map(|u| (0..s.kernel).map(move |v| (u, v))) {
                let (y, x) = (oy * s.stride + u, ox * s.stride + v);
                if y < s.padding || x < s.padding || y - s.padding >= s.height || x - s.padding >= s.width {
                    continue;
                }
                let (y, x) = (y - s.padding, x - s.padding);
                for o in 0..s.out_channels {
                    for i in 0..s.in_channels {
                        f(
                            ((n * s.out_height() + oy) * s.out_width() + ox) * s.out_channels + o,
                            ((n * s.height + y) * s.width + x) * s.in_channels + i,
                            (o * s.in_channels + i) * s.kernel * s.kernel + u * s.kernel + v,
                        );
                    }
                }
            }
        }
    }
}

pub fn forward(s: &ConvShape, x: &[f32], w: &[f32]) -> Vec<f64> {
    let mut y = vec![0.0; s.output_len()];
    for_each_product(s, |o, i, k| y[o] += f64::from(x[i]) * f64::from(w[k]));
    y
}

pub fn input_gradient(s: &ConvShape, gy: &[f32], w: &[f32]) -> Vec<f64> {
    let mut gx = vec![0.0; s.input_len()];
    for_each_product(s, |o, i, k| gx[i] += f64::from(gy[o]) * f64::from(w[k]));
    gx
}

pub fn weight_gradient(s: &ConvShape, x: &[f32], gy: &[f32]) -> Vec<f64> {
    let mut gw = vec![0.0; s.weight_len()];
    for_each_product(s, |o, i, k| gw[k] += f64::from(x[i]) * f64::from(gy[o]));
    gw
}

/// The largest difference, relative to the largest expected value.
pub fn error(actual: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let scale = expected.iter().fold(1e-30, |m: f64, v| m.max(v.abs()));
    let worst = actual.iter().zip(expected).map(|(&a, &e)| (f64::from(a) - e).abs());
    // `f64::max` would drop a NaN.
    worst.fold(0.0, |m, v| if v > m || v.is_nan() { v } else { m }) / scale
}
