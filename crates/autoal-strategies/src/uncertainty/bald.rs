//! BALD: passes with dropout that are each sure, and disagree.
//!
//! **Formula**: mutual information of class and weights, `H(mean_t p_t) - mean_t H(p_t)` in nats; a difference of `f64` sums, ranked as it
//! is although rounding may leave it slightly below zero. **References**: Houlsby et al., arXiv 1112.5745; Gal, Islam & Ghahramani, ICML
//! 2017.

acquisition!(
    /// Mutual information between the class and the weights.
    Bald, "bald", "samples that dropout passes disagree on", "Gal, Islam & Ghahramani, ICML 2017", [McDropout],
    |context| {
        let mc = context.mc_dropout()?;
        Ok(&mc.entropy_of_mean - &mc.mean_entropy)
    }
);
