//! A network's arrays by torchvision's names: what files of weights hold, and checkpoints.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::store::bridge::to_data;
use burn::store::{ModuleStore, PytorchStore, SafetensorsStore};
use burn::tensor::{Tensor, TensorData};

use crate::trained::host;
use crate::{ModelError, Network};

/// Arrays by name, such as `layer2.0.downsample.0.weight`, in PyTorch's layouts.
#[derive(Debug, Clone, Default)]
pub struct State(BTreeMap<String, TensorData>);

/// Which arrays of a state a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// All: each one of the network's must be there, with its shape.
    All,
    /// All but the classifier, and the first convolution only where its shape fits: pretrained weights for another task.
    Backbone,
}

impl State {
    /// Reads a `.safetensors` file, or else a PyTorch file that holds a state dict or `{"state_dict": ..}`.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let fail = |detail: String| ModelError::Weights { path: path.to_path_buf(), detail };
        std::fs::File::open(path).map_err(|source| ModelError::Io { path: path.to_path_buf(), source })?;
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            return Self::collect(&mut SafetensorsStore::from_file(path)).map_err(fail);
        }
        let state = Self::collect(&mut PytorchStore::from_file(path)).map_err(fail)?;
        if state.0.keys().any(|name| name.starts_with("state_dict.")) || state.0.is_empty() {
            return Self::collect(&mut PytorchStore::from_file(path).with_top_level_key("state_dict")).map_err(fail);
        }
        Ok(state)
    }

    /// The array of that name.
    pub fn get(&self, name: &str) -> Option<&TensorData> {
        self.0.get(name)
    }

    /// Names and arrays, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TensorData)> {
        self.0.iter().map(|(name, data)| (name.as_str(), data))
    }

    /// Adds an array.
    pub fn insert(&mut self, name: String, data: TensorData) {
        self.0.insert(name, data);
    }

    /// The arrays of a module, its names under `prefix`.
    pub(crate) fn of<M: Module>(module: &M, prefix: &str) -> Result<Self, ModelError> {
        let mut save = Save { names: Names::new(prefix), state: Self::default(), error: None };
        module.visit(&mut save);
        save.error.map_or(Ok(save.state), Err)
    }

    /// A module with the arrays of this state, its names under `prefix`; the message of a failure names the arrays.
    pub(crate) fn load<M: Module>(&self, module: M, prefix: &str, take: Take) -> Result<M, String> {
        let mut load = Load { names: Names::new(prefix), state: self, take, wrong: Vec::new() };
        let module = module.map(&mut load);
        match load.wrong.as_slice() {
            [] => Ok(module),
            [first, rest @ ..] => Err(match rest.len() {
                0 => first.clone(),
                more => format!("{first}, and {more} more"),
            }),
        }
    }

    fn collect<S: ModuleStore>(store: &mut S) -> Result<Self, String>
    where
        S::Error: std::fmt::Display,
    {
        let tensors = store.get_all_tensors().map_err(|error| error.to_string())?;
        let mut state = Self::default();
        for (name, tensor) in tensors {
            state.insert(name.clone(), to_data(tensor).map_err(|error| format!("array `{name}`: {error}"))?);
        }
        Ok(state)
    }
}

impl Network {
    /// All arrays, running statistics included; the classifier is called `fc`, as in torchvision.
    pub fn state(&self) -> Result<State, ModelError> {
        State::of(self, "")
    }

    /// The network with arrays of a state; the message of a failure names the arrays.
    pub fn with_state(self, state: &State, take: Take) -> Result<Self, String> {
        state.load(self, "", take)
    }
}

/// The name of the parameter that a traversal is at.
struct Names(Vec<String>);

impl Names {
    fn new(prefix: &str) -> Self {
        Self(if prefix.is_empty() { Vec::new() } else { vec![prefix.to_string()] })
    }

    /// Goes into a part of a module, given by its name in our structs.
    fn enter(&mut self, name: &str) {
        let in_downsample = self.0.last().is_some_and(|parent| parent == "downsample");
        self.0.push(match name {
            "classifier" => "fc".into(),
            "conv" if in_downsample => "0".into(),
            "bn" if in_downsample => "1".into(),
            // Layers of our own that torchvision's names do not have.
            "backbone" | "ResNet" | "Features" => String::new(),
            _ => name.into(),
        });
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    fn current(&self) -> String {
        let parts: Vec<&str> = self.0.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        parts.join(".")
    }
}

struct Save {
    names: Names,
    state: State,
    error: Option<ModelError>,
}

impl ModuleVisitor for Save {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.names.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims();
        match host(tensor) {
            Ok(values) => self.state.insert(self.names.current(), TensorData::new(values, shape)),
            Err(error) => self.error = Some(error),
        }
    }
}

struct Load<'a> {
    names: Names,
    state: &'a State,
    take: Take,
    wrong: Vec<String>,
}

impl ModuleMapper for Load<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.names.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.names.current();
        let backbone_only = self.take == Take::Backbone;
        if backbone_only && name.starts_with("fc.") {
            return param;
        }
        let expected = param.shape();
        match self.state.get(&name) {
            None => {
                self.wrong.push(format!("array `{name}` is missing"));
                param
            }
            Some(data) if data.shape() == &expected => {
                let data = data.clone();
                param.map(|old| replace(&old, data))
            }
            Some(_) if backbone_only && name == "conv1.weight" => param,
            Some(data) => {
                let (found, expected) = (data.shape().to_vec(), expected.to_vec());
                self.wrong.push(format!("array `{name}` has shape {found:?}, expected {expected:?}"));
                param
            }
        }
    }
}

/// A tensor of these values where `old` was, learned if `old` was.
fn replace<const D: usize>(old: &Tensor<D>, data: TensorData) -> Tensor<D> {
    let new = Tensor::from_data(data.convert::<f32>(), &old.device());
    if old.is_require_grad() { new.require_grad() } else { new }
}
