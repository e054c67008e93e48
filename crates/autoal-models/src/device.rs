//! Which device a network runs on: a checked name, never Burn's default.
//!
//! Burn's constructors do not look for hardware and panic at the first operation when there is none, so every device is probed here
//! before it is handed out.

use std::fmt;

use burn::tensor::Device;

use crate::ModelError;
use crate::config::Precision;
use crate::kernels;

/// A device that was found and can be used.
#[derive(Clone)]
pub struct ComputeDevice {
    name: String,
    device: Device,
}

/// One backend as `autoal devices` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendStatus {
    /// The name that `--device` takes.
    pub name: &'static str,
    /// Whether this program was built with it.
    pub compiled: bool,
    /// The devices found, as names that `--device` takes; empty where the backend is not compiled in or finds none.
    pub devices: Vec<String>,
    /// What to do when it is not usable, else what it is.
    pub note: String,
}

/// The backends by the names that users write. `cpu` is another name for the fastest CPU backend compiled in.
const BACKENDS: [(&str, &str, bool); 7] = [
    ("flex", "pure-Rust CPU backend", cfg!(feature = "flex")),
    ("ndarray", "slow CPU backend, deprecated by Burn; `flex` is the one to use", cfg!(feature = "ndarray")),
    ("cuda", "NVIDIA GPUs", cfg!(feature = "cuda")),
    ("wgpu", "GPUs through any graphics interface", cfg!(feature = "wgpu")),
    ("vulkan", "GPUs through Vulkan", cfg!(feature = "vulkan")),
    ("metal", "Apple GPUs", cfg!(feature = "metal")),
    ("rocm", "AMD GPUs", cfg!(feature = "rocm")),
];

impl ComputeDevice {
    /// The device of that name: `cpu`, `flex`, `ndarray`, `cuda`, `cuda:1`, `wgpu`, `wgpu:cpu`, `wgpu:0`, `vulkan`, `metal`, `rocm`.
    ///
    /// Fails when the name is unknown, the backend is not compiled in, or no such device is found.
    pub fn parse(name: &str) -> Result<Self, ModelError> {
        let fail = |detail: String| ModelError::Device { name: name.to_string(), detail };
        let (backend, index) = match name.split_once(':') {
            Some((backend, index)) => (backend, Some(index)),
            None => (name, None),
        };
        let backend = if backend == "cpu" { cpu_backend() } else { backend };
        let Some((backend, _, compiled)) = BACKENDS.iter().find(|(known, ..)| *known == backend) else {
            let known: Vec<&str> = BACKENDS.iter().map(|(known, ..)| *known).collect();
            return Err(fail(format!(
                "unknown, expected `cpu` or one of `{}`, with `:0`, `:1` .. for a certain GPU",
                known.join("`, `")
            )));
        };
        if !compiled {
            return Err(fail(format!("not compiled in: rebuild with `--features {backend}`")));
        }
        let device = open(backend, index).map_err(fail)?;
        Ok(Self { name: name.to_string(), device })
    }

    /// Burn's handle, without gradients.
    pub fn burn(&self) -> &Device {
        &self.device
    }

    /// The name it was asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether convolutions can be computed here in that precision; the message says what to use instead.
    pub fn check_precision(&self, precision: Precision) -> Result<(), String> {
        if precision == Precision::F32 || kernels::serve(&self.device) {
            return Ok(());
        }
        let name = &self.name;
        Err(format!(
            "`train.precision` is `bf16`, which the device `{name}` does not have here: use `f32`, or the device `cpu` with its own kernels"
        ))
    }

    /// Whether the device has that precision, but its processor no instructions for it.
    pub fn emulates(&self, precision: Precision) -> bool {
        precision == Precision::Bf16 && kernels::serve(&self.device) && kernels::emulate_bf16()
    }

    /// Every backend, whether it is compiled in, and the devices it finds.
    pub fn list() -> Vec<BackendStatus> {
        BACKENDS
            .iter()
            .map(|&(name, about, compiled)| {
                let devices = if compiled { found(name) } else { Vec::new() };
                let note = match (compiled, devices.is_empty()) {
                    (false, _) => format!("{about}; not compiled in: rebuild with `--features {name}`"),
                    (true, true) => format!("{about}; no device found"),
                    (true, false) => about.to_string(),
                };
                BackendStatus { name, compiled, devices, note }
            })
            .collect()
    }
}

impl fmt::Debug for ComputeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ComputeDevice").field(&self.name).finish()
    }
}

fn cpu_backend() -> &'static str {
    if cfg!(feature = "flex") || !cfg!(feature = "ndarray") { "flex" } else { "ndarray" }
}

/// Names of the devices that a compiled backend finds.
fn found(backend: &str) -> Vec<String> {
    match backend {
        "flex" | "ndarray" => vec![backend.to_string()],
        _ => (0..count(backend)).map(|i| format!("{backend}:{i}")).collect(),
    }
}

/// Number of devices that Burn lists for a backend on hardware; 0 for backends that are not compiled in.
fn count(backend: &str) -> usize {
    match backend {
        #[cfg(feature = "cuda")]
        "cuda" => Device::enumerate(burn::tensor::DeviceType::Cuda).len(),
        #[cfg(feature = "rocm")]
        "rocm" => Device::enumerate(burn::tensor::DeviceType::Rocm).len(),
        #[cfg(feature = "wgpu")]
        "wgpu" => Device::enumerate(burn::tensor::DeviceType::Wgpu).len(),
        #[cfg(feature = "vulkan")]
        "vulkan" => Device::enumerate(burn::tensor::DeviceType::Vulkan).len(),
        #[cfg(feature = "metal")]
        "metal" => Device::enumerate(burn::tensor::DeviceType::Metal).len(),
        _ => 0,
    }
}

/// Opens a device of a compiled backend.
fn open(backend: &str, index: Option<&str>) -> Result<Device, String> {
    match backend {
        #[cfg(feature = "flex")]
        "flex" => without_index(index, Device::flex),
        #[cfg(feature = "ndarray")]
        "ndarray" => without_index(index, ndarray_device),
        #[cfg(feature = "cuda")]
        "cuda" => numbered(backend, index),
        #[cfg(feature = "rocm")]
        "rocm" => numbered(backend, index),
        #[cfg(feature = "wgpu")]
        "wgpu" | "vulkan" | "metal" => graphics(backend, index),
        _ => Err(format!("not compiled in: rebuild with `--features {backend}`")),
    }
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn without_index(index: Option<&str>, device: fn() -> Device) -> Result<Device, String> {
    match index {
        None => Ok(device()),
        Some(index) => Err(format!("a CPU backend has one device, drop `:{index}`")),
    }
}

#[cfg(feature = "ndarray")]
#[expect(deprecated, reason = "Burn prefers flex; ndarray stays for comparison as long as Burn has it")]
fn ndarray_device() -> Device {
    Device::ndarray()
}

/// A device by its number among those that the backend lists.
#[cfg(any(feature = "cuda", feature = "rocm"))]
fn numbered(backend: &str, index: Option<&str>) -> Result<Device, String> {
    let index: usize = match index {
        None => 0,
        Some(text) => text.parse().map_err(|_| format!("`{text}` is not a device number"))?,
    };
    let devices = match backend {
        #[cfg(feature = "cuda")]
        "cuda" => Device::enumerate(burn::tensor::DeviceType::Cuda),
        #[cfg(feature = "rocm")]
        "rocm" => Device::enumerate(burn::tensor::DeviceType::Rocm),
        _ => return Err(format!("not compiled in: rebuild with `--features {backend}`")),
    };
    devices.get(index).cloned().ok_or_else(|| none_found(backend, index, devices.len()))
}

/// A device of wgpu: the best one, the CPU adapter, or a GPU by its number among discrete, then integrated, then virtual ones.
#[cfg(feature = "wgpu")]
fn graphics(backend: &str, index: Option<&str>) -> Result<Device, String> {
    use burn::tensor::{DeviceKind, DeviceType};

    let devices = match backend {
        #[cfg(feature = "vulkan")]
        "vulkan" => Device::enumerate(DeviceType::Vulkan),
        #[cfg(feature = "metal")]
        "metal" => Device::enumerate(DeviceType::Metal),
        _ => Device::enumerate(DeviceType::Wgpu),
    };
    if devices.is_empty() {
        return Err(none_found(backend, 0, 0));
    }
    match index {
        None => Ok(devices[0].clone()),
        Some("cpu") => {
            let software = match backend {
                #[cfg(feature = "vulkan")]
                "vulkan" => Device::vulkan(DeviceKind::Cpu),
                _ => Device::wgpu(DeviceKind::Cpu),
            };
            let missing =
                || "no device found: the graphics driver has no software device (on Debian: `mesa-vulkan-drivers`)".to_string();
            devices.contains(&software).then_some(software).ok_or_else(missing)
        }
        Some(text) => {
            let index: usize = text.parse().map_err(|_| format!("`{text}` is neither `cpu` nor a device number"))?;
            devices.get(index).cloned().ok_or_else(|| none_found(backend, index, devices.len()))
        }
    }
}

#[cfg(any(feature = "cuda", feature = "rocm", feature = "wgpu"))]
fn none_found(backend: &str, index: usize, count: usize) -> String {
    match count {
        0 => format!("no device found: `{backend}` needs its driver and a supported GPU; `--device cpu` runs anywhere"),
        1 => format!("no device found of number {index}: there is one, number 0"),
        _ => format!("no device found of number {index}: there are {count}, counted from 0"),
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use autoal_kernels::{Isa, ops};

    use super::*;

    #[test]
    fn bf16_needs_the_kernels() {
        let device = |name: &str| ComputeDevice { name: name.into(), device: Device::flex() };
        assert_eq!(device("cpu").check_precision(Precision::Bf16), Ok(()));
        // Without its kernels the CPU is as any other device; no other test of this process computes anything.
        ops::set_isa(None);
        let refused = device("cuda").check_precision(Precision::Bf16);
        assert_eq!(device("cuda").check_precision(Precision::F32), Ok(()));
        assert!(!device("cuda").emulates(Precision::Bf16));
        ops::set_isa(Some(Isa::detect()));
        let expected = "`train.precision` is `bf16`, which the device `cuda` does not have here: use `f32`, or the device `cpu` with its own kernels";
        assert_eq!(refused.expect_err("no kernels"), expected);
    }
}
