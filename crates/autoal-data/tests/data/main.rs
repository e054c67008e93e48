//! Readers against files that the tests write byte by byte, and against real data where `AUTOAL_DATA_DIR` names it.

mod cifar;
mod fetch;
mod idx;
mod image_folder;
mod inventory;
mod npy_format;
mod npz_sets;
mod real_data;
mod server;
mod support;
mod svhn;
mod synthetic;
mod tiny_imagenet;
