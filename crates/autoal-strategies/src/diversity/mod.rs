//! Strategies that cover the pool: they look at embeddings, and most do not look at predictions.

mod core_set;
mod farthest;
mod k_means;
mod typi_clust;

pub use core_set::{CoreSet, k_centre};
pub use k_means::{KMeansConfig, KMeansStrategy};
pub use typi_clust::{Partition, TypiClust, TypiClustConfig};
