//! All data sets together: the paper's grid of learning curves (Fig. 2), areas, and ranks with the critical difference.

use super::overview::estimate;
use super::{Context, learning, metric_form, unit_suffix};
use crate::audit::count;
use crate::chart::{CriticalDifference, Grid, Style};
use crate::curves::StrategyCurves;
use crate::document::{Block, Figure, Form, Section, Table, Value};
use crate::experiment::{Note, Severity};
use crate::format::p_with_sign;
use crate::stats::friedman::{self, Friedman};

pub(super) fn sections(contexts: &[Context<'_>]) -> Vec<Section> {
    let section =
        |id: &str, title: &str, chapter, blocks| Section { id: id.to_owned(), title: title.to_owned(), chapter, blocks };
    let sets = count(contexts.len(), "data set");
    vec![
        section("across", &format!("All {sets}"), true, Vec::new()),
        section("across-curves", "Learning curves", false, vec![Block::Figure(grid(contexts)), Block::Table(areas(contexts))]),
        section("across-ranks", "Ranks over data sets", false, ranks(contexts)),
    ]
}

/// The labels of all strategies, baselines first.
fn labels(contexts: &[Context<'_>]) -> Vec<String> {
    let mut all: Vec<String> = contexts.iter().filter_map(|c| c.baseline().map(|b| b.label.clone())).collect();
    all.extend(contexts[0].order.iter().cloned());
    let mut seen = Vec::new();
    all.into_iter().filter(|l| (!seen.contains(l)).then(|| seen.push(l.clone())).is_some()).collect()
}

fn grid(contexts: &[Context<'_>]) -> Figure {
    let metric = contexts[0].options.metric;
    let panel = |c: &Context<'_>| {
        let all: Vec<&StrategyCurves> = c.curves.strategies.iter().collect();
        let mut chart = learning::chart(c, metric, &all, &c.title());
        chart.bands = all.len() <= 4;
        chart.levels.iter_mut().for_each(|l| l.1.clear());
        chart
    };
    let panels: Vec<_> = contexts.iter().map(panel).collect();
    let style = |l: &String| contexts[0].order.iter().position(|o| o == l).map_or(Style::Baseline, Style::Strategy);
    let grid = Grid {
        title: "Learning curves over data sets".to_owned(),
        columns: if panels.len() > 4 { 3 } else { 2.min(panels.len()) }.max(if panels.len() == 3 { 3 } else { 1 }),
        same_y: false,
        legend: labels(contexts).iter().map(|l| (l.clone(), style(l))).collect(),
        x_title: panels[0].x.title.clone(),
        y_title: panels[0].y.title.clone(),
        panels,
    };
    let caption = format!("{} on every data set, mean over seeds. The sections below have each with its bands.", metric.title());
    let data = areas(contexts);
    Figure {
        name: "across-curves".to_owned(),
        caption,
        drawing: Box::new(grid),
        data: Table { name: "across-curves".to_owned(), ..data },
    }
}

fn areas(contexts: &[Context<'_>]) -> Table {
    let metric = contexts[0].options.metric;
    let caption = format!("AUBC of {}, mean over complete seeds with the 95 % t-interval.", metric.title().to_lowercase());
    let mut table = Table::new("across-aubc", caption, &[("strategy", "Strategy")]);
    for context in contexts {
        table.column(&context.prefix, format!("{}{}", context.title(), unit_suffix(metric)));
    }
    for label in labels(contexts) {
        let area = |c: &Context<'_>| estimate(c.curves.strategy(&label).and_then(StrategyCurves::area), metric_form(metric));
        table.push(std::iter::once(Value::text(&label)).chain(contexts.iter().map(area)).collect());
    }
    table
}

fn ranks(contexts: &[Context<'_>]) -> Vec<Block> {
    let options = contexts[0].options;
    let refuse = |text: String| vec![Block::Notes(vec![Note::new(Severity::Refused, text)])];
    let enough = |c: &Context<'_>, l: &String| c.curves.strategy(l).is_some_and(|s| s.complete.len() >= options.min_seeds);
    let everywhere: Vec<String> = labels(contexts).into_iter().filter(|l| contexts.iter().all(|c| enough(c, l))).collect();
    if everywhere.len() < 2 {
        return refuse(format!(
            "No ranking over data sets: fewer than two strategies have {} on all of them.",
            count(options.min_seeds, "complete seed")
        ));
    }
    let score = |c: &Context<'_>| {
        let area = |l: &String| c.curves.strategy(l).and_then(StrategyCurves::area).map(|a| c.curves.sign() * a.mean);
        everywhere.iter().map(area).collect::<Option<Vec<f64>>>()
    };
    let scores: Vec<Vec<f64>> = contexts.iter().filter_map(score).collect();
    let Some(test) = friedman::test(&scores) else {
        return refuse("No ranking over data sets: not every strategy has an AUBC.".to_owned());
    };
    let mut blocks = vec![Block::Text(verdict(&test, everywhere.len(), options.alpha))];
    let left_out: Vec<String> = labels(contexts).into_iter().filter(|l| !everywhere.contains(l)).collect();
    if !left_out.is_empty() {
        blocks.push(Block::Notes(vec![Note::new(
            Severity::Warning,
            format!("Not ranked, because not complete on every data set: {}.", left_out.join(", ")),
        )]));
    }
    blocks.push(Block::Figure(diagram(contexts, &everywhere, &test)));
    blocks
}

fn verdict(test: &Friedman, k: usize, alpha: f64) -> String {
    let p = |p: Option<f64>| p.map_or("p unknown".to_owned(), p_with_sign);
    let differ = test.p.is_some_and(|p| p < alpha);
    let conclusion = if differ {
        "the strategies differ somewhere; the diagram shows where"
    } else {
        "the average ranks give no evidence that any strategy differs"
    };
    format!(
        "Friedman's test of {k} strategies over {}: χ² = {}, {} (Iman and Davenport: {}). At α = {alpha}, {conclusion}.",
        count(test.n, "data set"),
        test.statistic.map_or("–".to_owned(), |x| Form::Fixed(2).write(x)),
        p(test.p),
        p(test.iman_davenport_p)
    )
}

fn diagram(contexts: &[Context<'_>], labels: &[String], test: &Friedman) -> Figure {
    let alpha = contexts[0].options.alpha;
    let critical = friedman::critical_difference(alpha, labels.len(), test.n);
    let mut data = Table::new(
        "across-ranks",
        "Average rank by AUBC over data sets, and Nemenyi's p-values of all pairs",
        &[("strategy", "Strategy"), ("rank", "Average rank")],
    );
    for label in labels {
        data.column(format!("p_{label}"), format!("p against {label}"));
    }
    for (label, rank) in labels.iter().zip(&test.average_ranks) {
        let p = |other: &f64| Value::Number(friedman::nemenyi_p(rank - other, labels.len(), test.n), Form::P);
        data.push(
            [Value::text(label), Value::Number(*rank, Form::Fixed(2))]
                .into_iter()
                .chain(test.average_ranks.iter().map(p))
                .collect(),
        );
    }
    let ranks = labels.iter().zip(&test.average_ranks).map(|(l, r)| (l.clone(), contexts[0].style(l), *r)).collect();
    let drawing = Box::new(CriticalDifference { title: "Critical difference diagram".to_owned(), ranks, critical });
    let caption = format!(
        "Average rank by mean AUBC over {} (1 is best). A bar joins strategies whose ranks differ by less than the critical difference of Nemenyi's \
         test (α = {alpha}): the data does not tell them apart.",
        count(test.n, "data set")
    );
    Figure { name: "across-ranks".to_owned(), caption, drawing, data }
}
