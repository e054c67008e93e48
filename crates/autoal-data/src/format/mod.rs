//! Containers and encodings, one a file: bytes in, arrays out. What the arrays mean is the business of the sources.

pub(crate) mod idx;
pub(crate) mod mat;
pub mod npy;
pub(crate) mod picture;
