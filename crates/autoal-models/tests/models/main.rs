//! Tests of the task models.

mod checkpoint;
mod config;
mod device;
mod encoder;
mod evaluate;
mod golden;
mod loss_head;
mod network;
mod outputs;
mod precision;
mod support;
mod train;
