//! One process a cell: a lock that the operating system releases when its holder dies.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use fs4::{FileExt, TryLockError};

use crate::ExperimentError;

/// Held while a cell runs. The file stays; the lock goes with the process.
#[derive(Debug)]
pub(crate) struct CellLock(#[expect(dead_code, reason = "the lock lives as long as its file is open")] File);

impl CellLock {
    /// Locks the folder of a cell; an error that names the holder when another process has it.
    pub(crate) fn acquire(folder: &Path) -> Result<Self, ExperimentError> {
        let path = folder.join(".lock");
        let io = |source| ExperimentError::io(&path, source);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(io)?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(ExperimentError::Locked { folder: folder.to_owned(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id())).map_err(io)?;
        Ok(Self(file))
    }
}
