//! `.npz` archives (arrays by name) and single `.npy` files on disk.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::{NpyArray, NpyError, NpyHeader, read_header};
use crate::DataError;

/// An open `.npz` archive.
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// Opens an archive and reads its directory.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|source| DataError::io(path, source))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            DataError::format(
                path,
                format!("expected a .npz archive (a zip file of .npy arrays), but it cannot be opened: {error}"),
            )
        })?;
        Ok(Self { path: path.to_owned(), archive })
    }

    /// The file that this archive was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the arrays, without `.npy`, sorted.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().filter_map(Result::ok);
        let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect();
        names.sort_unstable();
        names
    }

    /// Whether there is an array of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// Reads one array's header only.
    pub fn header(&mut self, name: &str) -> Result<NpyHeader, DataError> {
        self.entry(name, |entry, _| read_header(entry))
    }

    /// Reads one array.
    pub fn read(&mut self, name: &str) -> Result<NpyArray, DataError> {
        self.entry(name, |mut entry, bytes| {
            let array = NpyArray::read(&mut entry, bytes)?;
            // The checksum of the entry is compared when its end is read.
            std::io::copy(&mut entry, &mut std::io::sink())?;
            Ok(array)
        })
    }

    fn entry<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut zip::read::ZipFile<'_, BufReader<File>>, u64) -> Result<T, NpyError>,
    ) -> Result<T, DataError> {
        if !self.contains(name) {
            let names = self.names();
            return Err(DataError::MissingArray { path: self.path.clone(), array: name.to_owned(), names });
        }
        let mut entry = self
            .archive
            .by_name(&format!("{name}.npy"))
            .map_err(|error| DataError::format(&self.path, format!("array `{name}` cannot be unpacked: {error}")))?;
        let bytes = entry.size();
        read(&mut entry, bytes).map_err(|source| DataError::array(&self.path, name, source))
    }
}

/// Reads a single `.npy` file.
pub fn read_file(path: &Path) -> Result<NpyArray, DataError> {
    let (mut reader, bytes) = open(path)?;
    NpyArray::read(&mut reader, bytes).map_err(|source| DataError::array(path, "", source))
}

/// Reads the header of a single `.npy` file, and checks that all of its values are there.
pub fn read_file_header(path: &Path) -> Result<NpyHeader, DataError> {
    let (mut reader, bytes) = open(path)?;
    let header = read_header(&mut reader).map_err(|source| DataError::array(path, "", source))?;
    let found = bytes.saturating_sub(header.data_offset as u64);
    if found < header.num_bytes() as u64 {
        let (dtype, expected) = (header.dtype, header.num_bytes() as u64);
        return Err(DataError::array(path, "", NpyError::Truncated { shape: header.shape, dtype, expected, found }));
    }
    Ok(header)
}

fn open(path: &Path) -> Result<(BufReader<File>, u64), DataError> {
    let file = File::open(path).map_err(|source| DataError::io(path, source))?;
    let bytes = file.metadata().map_err(|source| DataError::io(path, source))?.len();
    Ok((BufReader::new(file), bytes))
}
