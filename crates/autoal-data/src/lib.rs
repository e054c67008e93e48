//! Images, features, labels, pools and seeds: files in, typed samples out.
//!
//! This crate reads data sets into memory, splits them, and names every sample by a [`SampleId`]. It knows nothing of networks or
//! strategies, so it compiles and tests in seconds.

mod dataset;
mod error;
mod oracle;
mod pool;
mod sample;
mod seed;

pub use dataset::{Dataset, Normalization, Split};
pub use error::DataError;
pub use oracle::{HiddenLabels, Oracle};
pub use pool::{Pool, PoolError};
pub use sample::{Features, Images, InputShape, Label, SampleId, Samples};
pub use seed::{Seed, Stream};
