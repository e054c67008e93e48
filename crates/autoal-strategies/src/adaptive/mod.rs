//! Strategies that mix others and learn from the labels that come back.
//!
//! Each takes `candidates`, any strategies of the catalog, and keeps all it learned in its state, so that a resumed run goes on the same.
//! They learn when labels arrive ([`crate::QueryStrategy::observe`]) or at the next query, from what the retrained model says of the
//! samples that were queried. The weights of a round are recorded in [`crate::Selection::weights`].

mod albl;
mod candidates;
pub mod comb;
mod deal;
pub mod exp4;
pub mod exp4p;
mod select_al;
mod tailor;

pub use albl::{Albl, AlblConfig, AlblVariant};
pub(crate) use candidates::{Candidates, state_from};
pub use comb::{Comb, CombConfig};
pub use deal::{Deal, DealConfig};
pub use select_al::{SelectAl, SelectAlConfig};
pub use tailor::{Tailor, TailorConfig};
