//! Tests of the task models.

mod golden;
mod support;
