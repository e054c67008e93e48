//! VAAL: samples that look unlike the labeled ones to a discriminator on a variational latent space.
//!
//! **Formula**: `1 - D(x)`, `D` the probability of being labeled. Some ports train the discriminator with one target for both parts and
//! select the other end; that is not VAAL. **Reference**: Sinha, Ebrahimi & Darrell, ICCV 2019.

acquisition!(
    /// Probability of not being labeled.
    Vaal, "vaal", "samples that look unlike the labeled ones", "Sinha, Ebrahimi & Darrell, ICCV 2019", [Discriminator],
    |context| {
        let probability = context.outputs.labeled_probability()?;
        Ok(probability.mapv(|p| 1.0 - f64::from(p)))
    }
);
