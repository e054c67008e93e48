//! From the raw records of active-learning experiments to statistics, tables, figures and one self-contained HTML page.
//!
//! The crate reads files and nothing else: [`schema`] is the whole of what it knows about the program that wrote them, so old runs and
//! results of other tools (as CSV, [`import_csv`]) are reported in the same way. It claims only what the records support; see [`curves`]
//! for what may be averaged or compared.

mod audit;
mod chart;
pub mod curves;
mod document;
mod error;
mod experiment;
mod format;
mod metric;
mod options;
mod output;
mod read;
pub mod schema;
mod sections;
pub mod stats;
pub mod text;

pub use error::ReportError;
pub use experiment::{Cell, Experiment, Note, Severity, StrategyRuns};
pub use metric::{Axis, Metric};
pub use options::{MIN_SEEDS, ReportOptions};
pub use output::{Written, fingerprint, render_json, write_report};
pub use read::{import_csv, read_all};
