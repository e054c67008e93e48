//! One reader a layout: files in, parts of a data set out.

mod cifar;
mod features;
mod idx;
mod image_folder;
mod npz;
mod svhn;
mod synthetic;
mod tiny_imagenet;

use std::path::PathBuf;

pub(crate) use cifar::{CifarLayout, read_cifar};
pub(crate) use features::read_features;
pub(crate) use idx::read_idx_set;
pub(crate) use image_folder::read_image_folder;
pub use image_folder::read_pictures;
pub(crate) use npz::read_npz;
pub(crate) use svhn::read_svhn;
pub(crate) use synthetic::generate;
pub(crate) use tiny_imagenet::read_tiny_imagenet;

use crate::Split;

/// What a reader found; nothing is checked across parts yet.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The file or folder that errors about the whole name.
    pub(crate) origin: PathBuf,
    /// The pool.
    pub(crate) train: Split,
    /// For model selection.
    pub(crate) validation: Option<Split>,
    /// What accuracy is reported on.
    pub(crate) test: Split,
    /// Names of the classes, where the files tell them.
    pub(crate) class_names: Option<Vec<String>>,
}
