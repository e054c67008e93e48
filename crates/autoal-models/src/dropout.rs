//! Dropout masks, made on the host so that a seed gives the same mask on every backend.

use rand::Rng;

/// Fills `mask` with 0 (probability `p`) or `1 / (1 - p)`: inverted dropout. `p` is resolved to 1/65536.
pub(crate) fn fill_mask(rng: &mut impl Rng, p: f64, mask: &mut [f32]) {
    let dropped = (p * 65536.0).round() as u32;
    let kept = 1.0 / (1.0 - f64::from(dropped) / 65536.0);
    for units in mask.chunks_mut(4) {
        // One 64-bit number decides four units.
        let mut bits = rng.next_u64();
        for unit in units {
            *unit = if (bits & 0xffff) as u32 >= dropped { kept as f32 } else { 0.0 };
            bits >>= 16;
        }
    }
}
