//! Tests of the task models.
