//! Writing files so that a reader sees the old content or the new, never a part.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::ExperimentError;

/// Replaces the content of `path`: temporary file beside it, fsync, rename, fsync of the folder.
pub(crate) fn write_atomic(path: &Path, content: &[u8]) -> Result<(), ExperimentError> {
    let attempt = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = temporary(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    attempt().map_err(|source| ExperimentError::io(path, source))
}

/// A temporary file that others may read as far as the user's mask allows, like any other result.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Reads a text file; `None` when there is none.
pub(crate) fn read_optional(path: &Path) -> Result<Option<String>, ExperimentError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ExperimentError::io(path, source)),
    }
}
