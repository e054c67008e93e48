//! `autoal report RUN..`: statistics, figures and one HTML page from result files.

use std::path::PathBuf;
use std::time::Duration;

use autoal_report::{Axis, MIN_SEEDS, Metric, ReportOptions, Written, fingerprint, read_all, render_json, text, write_report};
use clap::{Args, ValueEnum};

use super::run::command_line;
use crate::exit::Code;
use crate::printer::Printer;

/// How often a watched run is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often an open page of a watched run loads itself again.
const REFRESH_SECS: u32 = 10;
/// Size of the curves in a terminal.
const PLOT: (usize, usize) = (80, 20);

/// Arguments of `autoal report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Folders of runs (`runs/NAME`), a folder of such folders, or CSV files with the columns dataset, strategy, seed, round or labels, metric, value
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Folder of the report [default: `report` in the run's folder, or here for several runs]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What to make
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Metric of tables and tests: accuracy, balanced-accuracy, loss or ece
    #[arg(long, default_value = "accuracy")]
    metric: Metric,
    /// Horizontal axis of learning curves: labels, log-labels or pool-share
    #[arg(long, default_value = "labels")]
    axis: Axis,
    /// Levels of the metric to reach (0 to 1 for shares), separated by commas; the baseline's last level is always among them
    #[arg(long, value_delimiter = ',')]
    targets: Vec<f64>,
    /// Label counts at which the metric is shown, separated by commas [default: five over the budget]
    #[arg(long, value_delimiter = ',')]
    at: Vec<usize>,
    /// Fewest seeds that support a ranking
    #[arg(long, default_value_t = MIN_SEEDS)]
    min_seeds: usize,
    /// Significance level
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// Heading of the page
    #[arg(long)]
    title: Option<String>,
    /// Write no PNG figures
    #[arg(long)]
    no_png: bool,
    /// Write the report again whenever a run goes on, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// What to make of the results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page with figures and tables in a folder, whose path is printed
    #[default]
    Html,
    /// Every number, on standard output
    Json,
    /// The summary table and the learning curves, on standard output
    Text,
}

/// Reports on runs.
pub(crate) fn run(args: &ReportArgs, printer: Printer) -> anyhow::Result<Code> {
    if !args.watch {
        report(args, printer)?;
        return Ok(Code::Ok);
    }
    let mut seen = None;
    loop {
        let now = fingerprint(&args.runs)?;
        if seen.as_ref() != Some(&now) {
            // A run that goes on may be between two writes; the next look finds it whole.
            if let Err(error) = report(args, printer) {
                printer.error(&error);
            }
            seen = Some(now);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn report(args: &ReportArgs, printer: Printer) -> anyhow::Result<()> {
    let options = args.options();
    match args.format {
        Format::Json => printer.data(&(render_json(&args.runs, &options)? + "\n")),
        Format::Text => printer.data(&summaries(args)?),
        Format::Html => {
            let written = write_report(&args.runs, &options)?;
            printer.say(&summaries(args)?);
            printer.say(&count(&written));
            printer.data(&format!("{}\n", written.page.display()))
        }
    }
}

fn summaries(args: &ReportArgs) -> anyhow::Result<String> {
    let (width, height) = PLOT;
    let summary = |e| format!("{}\n{}", text::summary_table(e), text::curves(e, width, height));
    Ok(read_all(&args.runs)?.iter().map(summary).collect::<Vec<_>>().join("\n"))
}

fn count(written: &Written) -> String {
    format!("{} figures and {} tables beside the page:", written.figures, written.tables)
}

impl ReportArgs {
    fn options(&self) -> ReportOptions {
        ReportOptions {
            out: self.out.clone(),
            title: self.title.clone(),
            metric: self.metric,
            axis: self.axis,
            targets: self.targets.clone(),
            at: self.at.clone(),
            min_seeds: self.min_seeds,
            alpha: self.alpha,
            command: command_line(),
            refresh_secs: self.watch.then_some(REFRESH_SECS),
            png: !self.no_png,
        }
    }
}
