//! First weights of a backbone from a file with torchvision's names.
//!
//! The authors of AutoAL start from ImageNet weights in every layer but the first convolution and the classifier. The first one is
//! taken as well where its shape fits (the `imagenet` stem on RGB).

use std::path::Path;

use crate::config::Weights;
use crate::{ModelError, Network, State, Take};

impl Network {
    /// The network with the backbone's weights of `weights`; `imagenet` is the file of torchvision's weights.
    pub fn with_backbone(self, weights: &Weights, imagenet: Option<&Path>) -> Result<Self, ModelError> {
        let path = match weights {
            Weights::Scratch => return Ok(self),
            Weights::File(path) => path.as_path(),
            Weights::Imagenet => imagenet.ok_or_else(|| {
                ModelError::Config(
                    "`model.weights` is `imagenet`, but its file was not given; fetch it, or name a file instead".into(),
                )
            })?,
        };
        let state = State::read(path)?;
        self.with_state(&state, Take::Backbone).map_err(|detail| ModelError::Weights {
            path: path.to_path_buf(),
            detail: format!("not a ResNet-18 of this width: {detail}"),
        })
    }
}
