//! What a person sees while a run goes on: bars on a terminal, lines or JSON elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use autoal_experiment::{CellName, Event, Observer, Phase};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Log;
use crate::printer::Printer;

/// An observer that draws, and takes its bars away at the end.
pub(crate) trait Display: Observer {
    /// Clears what is on the screen.
    fn finish(&self) {}
}

/// The observer that fits the terminal and the flags.
pub(crate) fn observer(printer: Printer) -> Box<dyn Display> {
    match printer.log() {
        Log::Auto if printer.draws_bars() => Box::new(Bars::new()),
        Log::Auto | Log::Quiet => Box::new(Warnings(printer)),
        Log::Plain => Box::new(Lines),
        Log::Json => Box::new(JsonLines),
    }
}

/// Says warnings and nothing else.
struct Warnings(Printer);

impl Observer for Warnings {
    fn event(&self, event: &Event) {
        if let Event::Warning { message } = event {
            self.0.say(&format!("warning: {message}"));
        }
    }
}

impl Display for Warnings {}

/// One JSON object an event.
struct JsonLines;

impl Observer for JsonLines {
    fn event(&self, event: &Event) {
        Printer::line(&serde_json::to_string(event).expect("events hold only plain values"));
    }
}

impl Display for JsonLines {}

/// One line a round.
struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event) {
        match event {
            Event::Loaded { dataset, pool, test, classes } => {
                Printer::line(&format!("{dataset}: pool of {pool}, {test} test samples, {classes} classes"));
            }
            Event::RoundCommitted { cell, round, labels, accuracy, seconds } => {
                let accuracy = accuracy * 100.0;
                Printer::line(&format!("{cell}: round {round}, {labels} labels, accuracy {accuracy:.1} %, {seconds:.1} s"));
            }
            Event::Warning { message } => Printer::line(&format!("warning: {message}")),
            _ => {}
        }
    }
}

impl Display for Lines {}

/// A bar for the run, and a line for each cell that runs.
struct Bars {
    bars: MultiProgress,
    state: Mutex<State>,
}

struct State {
    total: ProgressBar,
    rounds: u32,
    cells: HashMap<CellName, CellLine>,
}

struct CellLine {
    bar: ProgressBar,
    round: u32,
    phase: String,
    accuracy: Option<f64>,
    epochs_drawn: Instant,
}

/// Redrawing every epoch of a small network would cost more than the epoch.
const EPOCH_REDRAW: Duration = Duration::from_millis(100);

impl Bars {
    fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template("{bar:28} {pos}/{len} rounds  {elapsed} gone{msg}").expect("the template is a constant");
        let total = bars.add(ProgressBar::new(0).with_style(style));
        let state = State { total, rounds: 0, cells: HashMap::new() };
        Self { bars, state: Mutex::new(state) }
    }
}

impl Observer for Bars {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Loaded { dataset, pool, test, classes } => {
                let _ = self.bars.println(format!("{dataset}: pool of {pool}, {test} test samples, {classes} classes"));
            }
            Event::Planned { cells, rounds } => {
                state.rounds = *rounds;
                state.total.set_length(*cells as u64 * u64::from(*rounds));
                state.total.enable_steady_tick(Duration::from_millis(500));
            }
            Event::CellStarted { cell, done } => {
                let style = ProgressStyle::with_template("  {msg}").expect("the template is a constant");
                let bar = self.bars.add(ProgressBar::new_spinner().with_style(style));
                let line = CellLine { bar, round: *done, phase: String::new(), accuracy: None, epochs_drawn: Instant::now() };
                state.cells.insert(cell.clone(), line);
                // Rounds of an earlier run are done, and say nothing about the speed of this one.
                state.total.inc(u64::from(*done));
                state.total.reset_eta();
            }
            Event::PhaseStarted { cell, round, phase } => state.update(cell, |line| {
                line.round = *round;
                phase_name(*phase).clone_into(&mut line.phase);
                true
            }),
            Event::Epoch { cell, epoch, epochs, .. } => state.update(cell, |line| {
                line.phase = format!("train {epoch}/{epochs}");
                line.epochs_drawn.elapsed() > EPOCH_REDRAW
            }),
            Event::RoundCommitted { cell, accuracy, .. } => {
                state.total.inc(1);
                let left = time_left(&state.total);
                state.total.set_message(left);
                state.update(cell, |line| {
                    line.accuracy = Some(*accuracy);
                    true
                });
            }
            Event::CellFinished { cell } => {
                if let Some(line) = state.cells.remove(cell) {
                    line.bar.finish_and_clear();
                    self.bars.remove(&line.bar);
                }
            }
            Event::Warning { message } => {
                let _ = self.bars.println(format!("warning: {message}"));
            }
        }
    }
}

impl Display for Bars {
    fn finish(&self) {
        let _ = self.bars.clear();
    }
}

impl State {
    /// Changes a cell's line and redraws it when `change` says so.
    fn update(&mut self, cell: &CellName, change: impl FnOnce(&mut CellLine) -> bool) {
        let rounds = self.rounds;
        let Some(line) = self.cells.get_mut(cell) else { return };
        if change(line) {
            let accuracy = line.accuracy.map(|a| format!("  {:.1} %", a * 100.0)).unwrap_or_default();
            let last = rounds.saturating_sub(1);
            line.bar.set_message(format!("{cell}  round {}/{last}  {}{accuracy}", line.round, line.phase));
            line.epochs_drawn = Instant::now();
        }
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Train => "train",
        Phase::Evaluate => "evaluate",
        Phase::Query => "query",
    }
}

fn time_left(bar: &ProgressBar) -> String {
    let left = bar.eta().as_secs();
    match left {
        0 => String::new(),
        1..=90 => format!(", about {left} s left"),
        _ => format!(", about {} min left", left.div_ceil(60)),
    }
}

/// Progress of a download or of reading, as a bar of bytes.
pub(crate) struct Download {
    bar: ProgressBar,
    quiet: bool,
}

impl Download {
    /// A bar that shows itself only on a terminal.
    pub(crate) fn new(printer: Printer) -> Self {
        Self { bar: ProgressBar::hidden(), quiet: !printer.draws_bars() }
    }
}

impl autoal_data::Progress for Download {
    fn start(&self, what: &str, total: Option<u64>) {
        if self.quiet {
            return;
        }
        let template = "{msg}  {bar:28} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        self.bar.set_style(ProgressStyle::with_template(template).expect("the template is a constant"));
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.reset();
        self.bar.set_length(total.unwrap_or(0));
        self.bar.set_message(what.to_owned());
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
