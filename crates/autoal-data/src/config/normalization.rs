//! The key `normalization` of the `[data]` table.

use serde::{Deserialize, Serialize};

use crate::Normalization;

/// How pixels are normalised before they enter a network. Features are never normalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected `auto`, `computed`, `none` or `{ mean = [..], std = [..] }` with one number a channel")]
pub enum NormalizationConfig {
    /// A rule by name.
    Rule(NormalizationRule),
    /// These constants, of pixels scaled to 0..1, one a channel.
    Fixed(Normalization),
}

impl Default for NormalizationConfig {
    fn default() -> Self {
        Self::Rule(NormalizationRule::Auto)
    }
}

/// A rule that gives the constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormalizationRule {
    /// The registry's constants where it has some, else computed.
    Auto,
    /// Mean and standard deviation of each channel over the pool's pixels (labels are not used).
    Computed,
    /// Pixels are scaled to 0..1 and nothing else.
    None,
}
