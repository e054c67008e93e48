//! One reader a layout: files in, parts of a data set out.

mod features;
mod npz;

use std::path::PathBuf;

pub(crate) use features::read_features;
pub(crate) use npz::read_npz;

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
