//! Strategies that cover the pool: they look at embeddings, and most do not look at predictions.

mod cluster_margin;
mod core_set;
mod dpp;
mod farthest;
mod herding;
mod k_means;
pub mod linkage;
mod prob_cover;
mod temperature;
mod typi_clust;

pub use cluster_margin::{Auto, ClusterMargin, ClusterMarginConfig, Linkage, OrAuto, spread};
pub use core_set::{CoreSet, k_centre};
pub use dpp::{Alike, Dpp, DppConfig, Method, Spectrum, greedy_mode};
pub use herding::{
    LengthRule, LengthScale, MaxHerding, MaxHerdingConfig, Uncertainty, UncertaintyHerding, UncertaintyHerdingConfig,
};
pub use k_means::{KMeansConfig, KMeansStrategy};
pub use prob_cover::{Delta, DeltaRule, ProbCover, ProbCoverConfig};
pub use temperature::{Temperature, TemperatureRule};
pub use typi_clust::{Partition, TypiClust, TypiClustConfig};
