//! A trained model in one `.safetensors` file, so that any framework reads its arrays; what else is needed to use it is in the metadata.
//!
//! Written to a fresh file, flushed to disk and renamed: a file that exists is complete.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use autoal_data::{InputShape, Normalization, Seed, Stream};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::config::Precision;
use crate::{ComputeDevice, InputEncoder, LossHead, ModelConfig, ModelError, Network, State, Take, TrainedModel};

/// Version of the file's metadata; a file of another version is refused.
const VERSION: u32 = 1;
/// The metadata's key.
const KEY: &str = "autoal-model";
/// Where the arrays of the loss-prediction head are.
const LOSS_HEAD: &str = "loss_head";

/// All of a model but its arrays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    config: ModelConfig,
    shape: InputShape,
    outputs: usize,
    loss_head: bool,
    train_loss: f64,
    epochs: usize,
    eval_batch_size: usize,
    /// Not in files that are older than `bf16`.
    #[serde(default)]
    precision: Precision,
    mean_and_std: Option<(Vec<f32>, Vec<f32>)>,
}

impl TrainedModel {
    /// Writes the model to `path`, atomically.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let mut state = self.network.state()?;
        if let Some(head) = &self.loss_head {
            for (name, data) in State::of(head, LOSS_HEAD)?.iter() {
                state.insert(name.to_string(), data.clone());
            }
        }
        let header = Header {
            version: VERSION,
            config: self.config.clone(),
            shape: self.encoder.shape(),
            outputs: self.network.outputs(),
            loss_head: self.loss_head.is_some(),
            train_loss: self.train_loss,
            epochs: self.epochs,
            eval_batch_size: self.eval_batch_size,
            precision: self.network.precision(),
            mean_and_std: self.encoder.normalization().map(|constants| (constants.mean.clone(), constants.std.clone())),
        };
        let header = serde_json::to_string(&header).map_err(|error| wrong(path, error.to_string()))?;
        let bytes = serialize(&state, header).map_err(|detail| wrong(path, detail))?;
        write_atomically(path, &bytes).map_err(|source| ModelError::Io { path: path.to_path_buf(), source })
    }

    /// Reads a model that [`TrainedModel::save`] wrote, onto a device. Fails on files that are missing, truncated, foreign or of another
    /// version, and when the device does not have the model's precision.
    pub fn load(path: &Path, device: &ComputeDevice) -> Result<Self, ModelError> {
        let header = read_header(path)?;
        let fail = |detail| wrong(path, detail);
        device.check_precision(header.precision).map_err(fail)?;
        let constants = header.mean_and_std.map(|(mean, std)| Normalization { mean, std });
        let encoder = InputEncoder::new(header.shape, constants.as_ref(), device)?;
        // The first weights are overwritten, so their seed does not matter.
        let mut rng = Seed(0).rng(Stream::named("checkpoint"), 0);
        let network = Network::init(&header.config, header.shape, header.outputs, &mut rng, device.burn())?;
        let head = header.loss_head.then(|| LossHead::init(&network.stage_widths(), &mut rng, device.burn()));
        let state = State::read(path)?;
        Ok(Self {
            network: network.with_state(&state, Take::All).map_err(fail)?.with_precision(header.precision).valid(),
            loss_head: head.map(|head| state.load(head, LOSS_HEAD, Take::All)).transpose().map_err(fail)?,
            config: header.config,
            train_loss: header.train_loss,
            epochs: header.epochs,
            encoder,
            eval_batch_size: header.eval_batch_size,
        })
    }
}

fn wrong(path: &Path, detail: String) -> ModelError {
    ModelError::Weights { path: path.to_path_buf(), detail }
}

fn read_header(path: &Path) -> Result<Header, ModelError> {
    let bytes = std::fs::read(path).map_err(|source| ModelError::Io { path: path.to_path_buf(), source })?;
    // Checks the whole layout, so that a truncated file is found here.
    safetensors::SafeTensors::deserialize(&bytes)
        .map_err(|error| wrong(path, format!("not a complete checkpoint ({error}); delete it to train again")))?;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).map_err(|error| wrong(path, error.to_string()))?;
    let header = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
    let header = header.ok_or_else(|| wrong(path, format!("not a checkpoint of autoal: its metadata has no `{KEY}`")))?;
    let version = serde_json::from_str::<serde_json::Value>(header).ok().and_then(|json| json.get("version")?.as_u64());
    if version != Some(u64::from(VERSION)) {
        return Err(wrong(path, format!("a checkpoint of version {version:?}, expected {VERSION}; delete it to train again")));
    }
    serde_json::from_str(header).map_err(|error| wrong(path, format!("its metadata cannot be read: {error}")))
}

fn serialize(state: &State, header: String) -> Result<Vec<u8>, String> {
    let views = state.iter().map(|(name, data)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, data.shape().to_vec(), data.as_bytes());
        view.map(|view| (name, view)).map_err(|error| error.to_string())
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    safetensors::serialize(views, Some(HashMap::from([(KEY.to_string(), header)]))).map_err(|error| error.to_string())
}

fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let scratch: PathBuf = path.with_file_name(name);
    let written = File::create(&scratch).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| std::fs::rename(&scratch, path));
    if placed.is_err() {
        // The scratch file is of no use; the first error is the one to report.
        let _ = std::fs::remove_file(&scratch);
    }
    placed
}
