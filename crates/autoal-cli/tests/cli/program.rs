//! Running the program in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A small experiment on generated images that goes through everything: a score, a set and AutoAL.
pub(crate) const SMALL: &str = r#"
name = "small"
seeds = [1, 2]
strategies = ["random", "badge", "tailor", "autoal"]

[data]
kind = "synthetic"
pool-size = 90
test-size = 40
image-size = 12

[budget]
seed-set-size = 12
query-size = 6
rounds = 2

[model]
width = 4

[train]
epochs = 3
batch-size = 8
optimizer = { kind = "sgd", lr = 0.05, momentum = 0.9 }
augment = { flip = true, crop-padding = 1 }
"#;

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the crate lies in the repository")
}

/// A folder with a configuration, where the program runs.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A place with this configuration as `experiment.toml`.
    pub(crate) fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("experiment.toml"), config).expect("write the configuration");
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with `experiment.toml`, not yet started.
    pub(crate) fn experiment(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["--config", "experiment.toml", "--offline"]);
        command.args(arguments);
        command
    }

    /// The program, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoal"));
        command.current_dir(self.path()).args(arguments).env_remove("AUTOAL_DATA_DIR");
        command
    }
}

/// Runs a command to its end.
pub(crate) fn output(mut command: Command) -> Output {
    command.output().expect("the program can be started")
}

/// What a command wrote to stderr, and its exit code.
pub(crate) fn complaint(command: Command) -> (i32, String) {
    let output = output(command);
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs a command that must succeed; its standard output.
pub(crate) fn succeed(command: Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
