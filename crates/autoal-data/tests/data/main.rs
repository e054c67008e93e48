//! Readers against files that the tests write byte by byte, and against real data where `AUTOAL_DATA_DIR` names it.

mod cifar;
mod idx;
mod image_folder;
mod npy_format;
mod npz_sets;
mod real_data;
mod support;
mod svhn;
mod synthetic;
mod tiny_imagenet;
