//! What a running experiment tells about itself, and how it is asked to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use autoal_data::Seed;
use serde::Serialize;

/// One (strategy, seed) of an experiment, by the names it has on disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct CellName {
    /// Label of the strategy.
    pub strategy: String,
    /// The seed.
    pub seed: Seed,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} seed {}", self.strategy, self.seed.0)
    }
}

/// A part of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Training the task model on the labeled samples.
    Train,
    /// Testing it.
    Evaluate,
    /// Choosing samples: model outputs on the pool, then the strategy.
    Query,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The data set is in memory.
    Loaded {
        /// Its name.
        dataset: String,
        /// Samples that may be labeled.
        pool: usize,
        /// Samples that are tested on.
        test: usize,
        /// Number of classes.
        classes: usize,
    },
    /// All cells are known.
    Planned {
        /// Number of cells.
        cells: usize,
        /// Rounds of each, the one of the seed set included.
        rounds: u32,
    },
    /// A cell begins, or goes on after `done` committed rounds.
    CellStarted {
        /// The cell.
        cell: CellName,
        /// Rounds that an earlier run committed.
        done: u32,
    },
    /// A phase of a round begins.
    PhaseStarted {
        /// The cell.
        cell: CellName,
        /// The round.
        round: u32,
        /// The phase.
        phase: Phase,
    },
    /// An epoch of training ended.
    Epoch {
        /// The cell.
        cell: CellName,
        /// Epochs so far.
        epoch: usize,
        /// Epochs in all.
        epochs: usize,
        /// Mean training loss of the epoch.
        loss: f64,
    },
    /// A round is on disk.
    RoundCommitted {
        /// The cell.
        cell: CellName,
        /// The round.
        round: u32,
        /// Labels that the model was trained on.
        labels: usize,
        /// Test accuracy, 0..1.
        accuracy: f64,
        /// Seconds that the round took.
        seconds: f64,
    },
    /// A cell is complete.
    CellFinished {
        /// The cell.
        cell: CellName,
    },
    /// Something the user should know; the run goes on.
    Warning {
        /// One line.
        message: String,
    },
}

/// Listens to a run. Cells that run in parallel call it from their own threads.
pub trait Observer: Sync {
    /// Takes one event.
    fn event(&self, event: &Event);
}

/// A request to stop after the current step; cheap to clone and to ask.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the run to stop. What is committed stays; the current round is given up.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// The flag itself, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Whether a stop was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
