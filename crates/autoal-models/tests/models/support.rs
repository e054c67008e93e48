//! What the tests share.

use autoal_models::ComputeDevice;

/// The CPU device of this build.
pub(crate) fn device() -> ComputeDevice {
    ComputeDevice::parse("cpu").expect("a CPU backend is compiled in")
}
