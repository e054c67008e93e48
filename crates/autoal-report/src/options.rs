//! What a report is to show.

use std::path::PathBuf;

use crate::metric::{Axis, Metric};
use crate::stats::savings::Target;

/// Fewer seeds than this support no ranking, unless the caller says otherwise.
pub const MIN_SEEDS: usize = 5;

/// The choices behind a report.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// The folder to write; by default `report` inside the only run's folder, or in the current folder for several.
    pub out: Option<PathBuf>,
    /// Heading of the page; by default the names of the experiments.
    pub title: Option<String>,
    /// The metric that tables and tests use.
    pub metric: Metric,
    /// What learning curves are drawn over.
    pub axis: Axis,
    /// Levels of the metric for which the labels needed are shown, beside the baseline's last one.
    pub targets: Vec<f64>,
    /// Label counts at which the metric is shown; by default five that are spread over the budget.
    pub at: Vec<usize>,
    /// Fewer complete seeds than this give no ranking.
    pub min_seeds: usize,
    /// Significance level of tests.
    pub alpha: f64,
    /// The command line that makes this report, shown on the page.
    pub command: String,
    /// Seconds after which an open page loads itself again, while a run goes on.
    pub refresh_secs: Option<u32>,
    /// Whether figures are written as PNG too.
    pub png: bool,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            out: None,
            title: None,
            metric: Metric::Accuracy,
            axis: Axis::Labels,
            targets: Vec::new(),
            at: Vec::new(),
            min_seeds: MIN_SEEDS,
            alpha: 0.05,
            command: String::new(),
            refresh_secs: None,
            png: true,
        }
    }
}

impl ReportOptions {
    /// All levels to reach, the baseline's last one first.
    pub(crate) fn all_targets(&self) -> Vec<Target> {
        std::iter::once(Target::BaselineFinal).chain(self.targets.iter().copied().map(Target::Value)).collect()
    }
}
