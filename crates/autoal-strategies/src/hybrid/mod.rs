//! Strategies that weigh informativeness and diversity in one choice.

mod alfa_mix;
mod badge;
mod bait;
mod batch_bald;
mod ceal;
mod cluster_pick;
mod drop_query;
mod power;
mod refine;
mod tcm;

pub use alfa_mix::{AlfaMix, AlfaMixConfig, mixing_ratios};
pub use badge::{Badge, GradientEmbedding, factorised_distance};
pub use bait::{Bait, BaitConfig, Fisher};
pub use batch_bald::{BatchBald, BatchBaldConfig, Joint};
pub use ceal::{Ceal, CealConfig};
pub use drop_query::{Disagreement, DropQuery, DropQueryConfig};
pub use power::{Perturbation, PowerBald, PowerBaldConfig, StochasticBatch, StochasticBatchConfig, log_weights};
pub use refine::{Refine, RefineConfig};
pub use tcm::{Tcm, TcmConfig};
