//! Tests of AutoAL: the specification's oracles, gradients against finite differences, behaviour of both searches, whole queries.

mod config;
mod fit_nets;
mod gate;
mod improved;
mod mask;
mod mixture;
mod nominations;
mod paper;
mod pick;
mod query;
mod support;
