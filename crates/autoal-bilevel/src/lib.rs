//! AutoAL: a differentiable search over query strategies.
//!
//! Wang, Zhan and Huang, "AutoAL: Automated Active Learning with Differentiable Query Strategy Search", ICML 2025. Candidate strategies
//! nominate samples, SearchNet weighs the candidates for each sample, and FitNet says which samples are worth it. The whole is a query
//! strategy like any other: [`AutoAl`].
//!
//! `config` says what can be set, `autoal` is the query, `search` the two ways to train SearchNet, `fit_net` the classifiers that judge
//! labeled samples they have not seen, `nominations` what candidates say, `objective` what is rewarded, `mask`, `gate` and `mixture` the
//! differentiable selection, `pick` the last step from scores to samples.

mod autoal;
pub mod config;
mod error;
pub mod fit_net;
pub mod gate;
mod gradients;
pub mod mask;
pub mod mixture;
pub mod nominations;
pub mod objective;
pub mod pick;
pub mod record;
pub mod search;
mod search_input;
pub mod search_net;
mod tensors;
mod weigh;

pub use autoal::AutoAl;
pub use config::AutoAlConfig;
pub use error::BilevelError;
pub use fit_net::AutoAlEnv;
#[doc(hidden)]
pub use weigh::summary as weight_summary;
