//! Strategies that weigh informativeness and diversity in one choice.

mod badge;

pub use badge::{Badge, GradientEmbedding};
