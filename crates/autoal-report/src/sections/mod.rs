//! The parts of a report, one file a question: how good, how much better, how soon, how sure, why, which images, at what cost, from what.

mod across;
mod cost;
mod difference;
mod effort;
mod learning;
mod mixture;
mod overview;
mod provenance;
mod selection;
mod sheets;
mod tests;

use crate::chart::{Axis as ChartAxis, Style, Unit};
use crate::curves::{Curves, StrategyCurves};
use crate::document::{Block, Document, Form, Section, slug};
use crate::experiment::{Experiment, StrategyRuns};
use crate::metric::{Axis, Metric};
use crate::options::ReportOptions;

/// One experiment with what all its sections need.
pub(crate) struct Context<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) options: &'a ReportOptions,
    /// Curves of the metric of the report.
    pub(crate) curves: Curves,
    /// Labels of all experiments in the order of their first appearance: a strategy looks the same in every figure.
    pub(crate) order: &'a [String],
    /// Distinguishes the ids and files of several experiments.
    pub(crate) prefix: String,
}

/// The document on `experiments`.
pub(crate) fn document(experiments: &[Experiment], options: &ReportOptions) -> Document {
    let order = strategy_order(experiments);
    let contexts: Vec<Context<'_>> =
        experiments.iter().enumerate().map(|(i, e)| Context::new(e, i, experiments, options, &order)).collect();
    let mut sections = Vec::new();
    if contexts.len() > 1 {
        sections.extend(across::sections(&contexts));
    }
    for context in &contexts {
        let chapter =
            |title: &str| Section { id: context.prefix.clone(), title: title.to_owned(), chapter: true, blocks: Vec::new() };
        if contexts.len() > 1 {
            sections.push(chapter(&context.title()));
        }
        let parts: [fn(&Context<'_>) -> Option<Section>; 10] = [
            overview::section,
            learning::section,
            difference::section,
            effort::section,
            tests::section,
            mixture::section,
            mixture::ablations,
            selection::section,
            cost::section,
            provenance::section,
        ];
        sections.extend(parts.iter().filter_map(|part| part(context)));
    }
    let names: Vec<&str> = experiments.iter().map(Experiment::title).collect();
    let title = options.title.clone().unwrap_or_else(|| format!("Active learning on {}", crate::audit::few(&names)));
    Document { title, sections }
}

/// The baseline's labels do not take a colour, so they are left out.
fn strategy_order(experiments: &[Experiment]) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for experiment in experiments {
        let baseline = experiment.baseline().map(StrategyRuns::label);
        for label in experiment.strategies.iter().map(StrategyRuns::label) {
            if Some(label) != baseline && !order.iter().any(|o| o == label) {
                order.push(label.to_owned());
            }
        }
    }
    order
}

impl<'a> Context<'a> {
    fn new(e: &'a Experiment, index: usize, all: &[Experiment], options: &'a ReportOptions, order: &'a [String]) -> Self {
        let twins = all.iter().filter(|o| slug(o.title()) == slug(e.title())).count();
        let prefix = if twins > 1 { format!("{}-{}", slug(e.title()), index + 1) } else { slug(e.title()) };
        Self { experiment: e, options, curves: Curves::of(e, options.metric), order, prefix }
    }

    /// What the experiment is called: its data set, and its name where that says more.
    pub(crate) fn title(&self) -> String {
        let (title, name) = (self.experiment.title(), &self.experiment.name);
        if title == name || name.is_empty() { title.to_owned() } else { format!("{title} ({name})") }
    }

    pub(crate) fn style(&self, label: &str) -> Style {
        self.order.iter().position(|o| o == label).map_or(Style::Baseline, Style::Strategy)
    }

    /// The name of a figure, table or section of this experiment.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.prefix)
    }

    pub(crate) fn section(&self, id: &str, title: &str, blocks: Vec<Block>) -> Option<Section> {
        let section = || Section { id: self.name(id), title: title.to_owned(), chapter: false, blocks };
        (!self.experiment.strategies.is_empty()).then(section).filter(|s| !s.blocks.is_empty())
    }

    pub(crate) fn baseline(&self) -> Option<&StrategyCurves> {
        self.curves.strategy(self.experiment.baseline()?.label())
    }

    /// All strategies but the baseline.
    pub(crate) fn others(&self) -> impl Iterator<Item = &StrategyCurves> {
        let baseline = self.experiment.baseline().map(StrategyRuns::label);
        self.curves.strategies.iter().filter(move |s| Some(s.label.as_str()) != baseline)
    }

    /// What the label counts of this experiment count.
    pub(crate) fn unit(&self) -> &'static str {
        if self.experiment.counts_labels { "labels" } else { "round" }
    }

    /// The horizontal axis, and the position of a label count on it.
    pub(crate) fn x_axis(&self) -> (ChartAxis, f64) {
        let pool = self.experiment.data.pool_size;
        if !self.experiment.counts_labels {
            return (ChartAxis::new("Round", Unit::Count), 1.0);
        }
        match self.options.axis {
            Axis::PoolShare if pool > 0 => (ChartAxis::new("Labeled share of the pool, %", Unit::Percent), pool as f64),
            axis => (ChartAxis::new("Labels", Unit::Count).log(axis == Axis::LogLabels), 1.0),
        }
    }
}

/// The vertical axis of a metric.
fn metric_axis(metric: Metric) -> ChartAxis {
    if metric.is_share() {
        ChartAxis::new(format!("{}, %", metric.title()), Unit::Percent)
    } else {
        ChartAxis::new(metric.title(), Unit::Plain)
    }
}

/// How values of a metric are written.
fn metric_form(metric: Metric) -> Form {
    if metric.is_share() { Form::Percent(2) } else { Form::Fixed(4) }
}

/// How differences of a metric are written.
fn difference_form(metric: Metric) -> Form {
    if metric.is_share() { Form::Points(2) } else { Form::Signed(4) }
}

/// What comes after a heading of such a number.
fn unit_suffix(metric: Metric) -> &'static str {
    if metric.is_share() { ", %" } else { "" }
}

/// What comes after a heading of a difference.
fn difference_suffix(metric: Metric) -> &'static str {
    if metric.is_share() { ", points" } else { "" }
}
