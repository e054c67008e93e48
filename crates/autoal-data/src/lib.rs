//! Images, features, labels, pools and seeds: files in, typed samples out.
//!
//! This crate reads data sets into memory, splits them, and names every sample by a [`SampleId`]. It knows nothing of networks or
//! strategies, so it compiles and tests in seconds.
//!
//! ```
//! use autoal_data::{DataConfig, LoadOptions, Seed, Silent, Stratification, SampleId, load, seed_set};
//!
//! let config: DataConfig = toml::from_str("kind = 'synthetic'\npool-size = 200")?;
//! let dataset = load(&config, &LoadOptions::default(), &Silent)?;
//! let ids: Vec<SampleId> = (0..200).map(SampleId).collect();
//! let labeled_first = seed_set(&ids, &dataset.train.labels, 20, Seed(1), Stratification::Uniform)?;
//! assert_eq!(labeled_first.len(), 20);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod assemble;
mod config;
mod dataset;
mod error;
mod fetch;
mod format;
mod inventory;
mod load;
mod oracle;
mod pool;
mod progress;
mod registry;
mod sample;
mod seed;
mod sources;
mod split;
mod stats;

pub use config::{
    DataConfig, FeaturesConfig, IdxConfig, ImageFolderConfig, NormalizationConfig, NormalizationRule, NpzConfig, Resize,
    Selection, SourceConfig, Stratification, SyntheticConfig, ValidationUse,
};
pub use dataset::{Dataset, Normalization, Split};
pub use error::DataError;
pub use fetch::{download, fetch_dataset, fetch_entry, fetch_weights};
pub use format::npy;
pub use inventory::{FileCheck, FileState, check_dataset, dataset_state};
pub use load::{LoadOptions, load};
pub use oracle::{HiddenLabels, Oracle};
pub use pool::{Pool, PoolError};
pub use progress::{Progress, Silent};
pub use registry::{Counts, DatasetEntry, FileEntry, Reader, Registry, WeightsEntry};
pub use sample::{Features, Images, InputShape, Label, SampleId, Samples};
pub use seed::{Seed, Stream};
pub use sources::read_pictures;
pub use split::{digest_ids, seed_set};
pub use stats::{DatasetStatistics, SplitStatistics, channel_statistics};
