//! `autoal data list|fetch|check|stats`: the data sets that are known by name, and what is in them.

use std::fmt::Write;
use std::path::PathBuf;

use autoal_data::{
    DataConfig, DatasetEntry, DatasetStatistics, FileCheck, FileState, InputShape, LoadOptions, Normalization, Registry,
    SplitStatistics, check_dataset, dataset_state, fetch_dataset, fetch_weights, load,
};
use autoal_experiment::ExperimentConfig;
use clap::{Args, Subcommand};

use crate::cli::GlobalArgs;
use crate::exit::Code;
use crate::printer::Printer;
use crate::progress::Download;

/// What to do with data sets.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List the data sets that are known by name, and whether they are on this machine
    List {
        /// Print JSON with files, addresses, licences and citations
        #[arg(long)]
        json: bool,
    },
    /// Fetch data sets, or weights of networks, so that later runs need no network
    Fetch {
        /// Names, as `autoal data list` shows them, or `resnet18` for ImageNet weights
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Compare the files of data sets with the published sizes and checksums
    Check {
        /// Names, as `autoal data list` shows them [default: all that are on this machine]
        names: Vec<String>,
    },
    /// Load a data set and count its classes
    Stats(StatsArgs),
}

/// Which data set to describe.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct StatsTarget {
    /// A name, as `autoal data list` shows it
    name: Option<String>,
    /// The data set of an experiment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Arguments of `autoal data stats`.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    target: StatsTarget,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Answers a question about data sets.
pub(crate) fn run(command: &DataCommand, global: &GlobalArgs, printer: Printer) -> anyhow::Result<Code> {
    let options = global.load_options();
    match command {
        DataCommand::List { json: true } => list_json(&options, printer),
        DataCommand::List { json: false } => list(&options, printer),
        DataCommand::Fetch { names } => fetch(names, &options, printer),
        DataCommand::Check { names } => check(names, &options, printer),
        DataCommand::Stats(args) => stats(args, &options, printer),
    }
}

fn list(options: &LoadOptions, printer: Printer) -> anyhow::Result<Code> {
    let mut text = String::new();
    for entry in &Registry::builtin().datasets {
        let state = presence(&dataset_state(entry, options));
        let [height, width, channels] = entry.shape;
        let counts = format!("{}/{}/{}", entry.counts.train, entry.counts.validation, entry.counts.test);
        let shape = format!("{height}x{width}x{channels}");
        writeln!(
            text,
            "{:<15} {state:<8} {shape:<8} {:>3} classes  {counts:<18} {}",
            entry.name,
            entry.num_classes(),
            entry.description
        )?;
    }
    printer.data(&text)?;
    printer.say(&format!("data sets are kept in `{}`; counts are train/validation/test", options.data_dir.display()));
    Ok(Code::Ok)
}

fn presence(files: &[FileCheck]) -> &'static str {
    match files.iter().filter(|file| file.path.is_some()).count() {
        0 => "missing",
        found if found == files.len() => "here",
        _ => "partly",
    }
}

fn list_json(options: &LoadOptions, printer: Printer) -> anyhow::Result<Code> {
    let describe = |entry: &DatasetEntry| {
        serde_json::json!({
            "name": entry.name,
            "description": entry.description,
            "shape": entry.shape,
            "num-classes": entry.num_classes(),
            "classes": entry.classes,
            "train": entry.counts.train,
            "validation": entry.counts.validation,
            "test": entry.counts.test,
            "licence": entry.licence,
            "citation": entry.citation,
            "urls": entry.files.iter().map(|file| &file.urls).collect::<Vec<_>>(),
            "files": dataset_state(entry, options),
        })
    };
    let entries: Vec<_> = Registry::builtin().datasets.iter().map(describe).collect();
    printer.data(&format!("{}\n", serde_json::to_string_pretty(&entries)?))?;
    Ok(Code::Ok)
}

fn fetch(names: &[String], options: &LoadOptions, printer: Printer) -> anyhow::Result<Code> {
    let registry = Registry::builtin();
    for name in names {
        let progress = Download::new(printer);
        let files = if registry.weights(name).is_some() {
            vec![fetch_weights(name, options, &progress)?]
        } else {
            fetch_dataset(name, options, &progress)?
        };
        for file in files {
            printer.data(&format!("{}\n", file.display()))?;
        }
        if let Some(entry) = registry.dataset(name) {
            printer.say(&format!("{name}: licence {}; cite {}", entry.licence, entry.citation));
        }
    }
    Ok(Code::Ok)
}

/// Checks all that was asked for, so that one run shows every file.
fn check(names: &[String], options: &LoadOptions, printer: Printer) -> anyhow::Result<Code> {
    let registry = Registry::builtin();
    let here = |entry: &&DatasetEntry| presence(&dataset_state(entry, options)) != "missing";
    let entries: Vec<&DatasetEntry> = if names.is_empty() {
        registry.datasets.iter().filter(here).collect()
    } else {
        names.iter().map(|name| registry.require(name)).collect::<Result<_, _>>()?
    };
    let mut code = Code::Ok;
    for entry in entries {
        for file in check_dataset(entry, options, &Download::new(printer))? {
            let (state, good) = verdict(&file.state);
            printer.data(&format!("{:<15} {:<28} {state}\n", entry.name, file.name))?;
            if !good {
                code = Code::Data;
            }
        }
    }
    Ok(code)
}

fn verdict(state: &FileState) -> (String, bool) {
    match state {
        FileState::Missing => ("missing".to_owned(), false),
        FileState::Present => ("here".to_owned(), true),
        FileState::Verified => ("verified".to_owned(), true),
        FileState::Unverifiable => ("here; there is no checksum to compare it with".to_owned(), true),
        FileState::Different(reason) => (format!("not the published file: {reason}"), false),
    }
}

fn stats(args: &StatsArgs, options: &LoadOptions, printer: Printer) -> anyhow::Result<Code> {
    let config = match (&args.target.name, &args.target.config) {
        (Some(name), _) => {
            Registry::builtin().require(name)?;
            DataConfig::registered(name)
        }
        (None, Some(file)) => ExperimentConfig::read(file)?.data,
        (None, None) => DataConfig::default(),
    };
    let dataset = load(&config, options, &Download::new(printer))?;
    let statistics = DatasetStatistics::of(&dataset);
    let text = if args.json { serde_json::to_string_pretty(&statistics)? + "\n" } else { table(&statistics) };
    printer.data(&text)?;
    Ok(Code::Ok)
}

/// One line a class, one column a part.
fn table(statistics: &DatasetStatistics) -> String {
    let shape = match statistics.shape {
        InputShape::Image { channels, height, width } => format!("{height}x{width} images of {channels} channels"),
        InputShape::Features { dim } => format!("vectors of length {dim}"),
    };
    let parts: Vec<(&str, &SplitStatistics)> = [("train", &statistics.train)]
        .into_iter()
        .chain(statistics.validation.as_ref().map(|part| ("validation", part)))
        .chain([("test", &statistics.test)])
        .collect();
    let width = statistics.classes.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("imbalance".len());
    let row = |name: &str, cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>12}")).collect();
        format!("{name:<width$} {}\n", cells.concat())
    };
    let mut text = format!("{}: {shape}\n", statistics.name);
    text += &row("", parts.iter().map(|(name, _)| (*name).to_owned()).collect());
    for (class, name) in statistics.classes.iter().enumerate() {
        text += &row(name, parts.iter().map(|(_, part)| part.class_counts[class].to_string()).collect());
    }
    text += &row("all", parts.iter().map(|(_, part)| part.samples.to_string()).collect());
    text += &row("imbalance", parts.iter().map(|(_, part)| format!("{:.1}", part.imbalance_ratio)).collect());
    for (name, constants) in [("pool", &statistics.channels), ("normalization", &statistics.normalization)] {
        if let Some(constants) = constants {
            text += &row_of_constants(name, constants);
        }
    }
    text + &format!("digest: {}\n", statistics.digest)
}

fn row_of_constants(name: &str, constants: &Normalization) -> String {
    format!("{name}: mean {:.4?}, std {:.4?}\n", constants.mean, constants.std)
}
