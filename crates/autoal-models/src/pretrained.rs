//! Weights of a backbone from a file with torchvision's names.

use std::path::Path;

use crate::config::Weights;
use crate::{ModelError, Network};

/// The network with the backbone's weights of `weights`; `imagenet` is the file of torchvision's weights.
pub(crate) fn load_backbone(network: Network, weights: &Weights, imagenet: Option<&Path>) -> Result<Network, ModelError> {
    let path = match weights {
        Weights::Scratch => return Ok(network),
        Weights::File(path) => path.as_path(),
        Weights::Imagenet => {
            imagenet.ok_or_else(|| ModelError::Unsupported("`weights = \"imagenet\"` without its file".into()))?
        }
    };
    Err(ModelError::Unsupported(format!("loading `{}`", path.display())))
}
