//! CIFAR-10 and CIFAR-100, binary version: as the published `.tar.gz`, or the folder that it unpacks to.
//!
//! A record is one label (CIFAR-10) or a coarse and a fine label (CIFAR-100; the fine one is taken), then 3072 bytes: the planes R, G
//! and B of a 32 x 32 picture, each by rows. Layout: Krizhevsky 2009.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::Parts;
use crate::{DataError, Images, Label, Progress, Samples, Split, progress};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const PICTURE: usize = 3 * PLANE;

/// What differs between the two sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CifarLayout {
    train: &'static [&'static str],
    test: &'static str,
    /// Label bytes of a record; the last one is the class.
    label_bytes: usize,
}

impl CifarLayout {
    pub(crate) const CIFAR10: Self = Self {
        train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
        test: "test_batch.bin",
        label_bytes: 1,
    };
    pub(crate) const CIFAR100: Self = Self { train: &["train.bin"], test: "test.bin", label_bytes: 2 };

    fn names(self) -> impl Iterator<Item = &'static str> {
        self.train.iter().copied().chain([self.test])
    }
}

/// Reads the archive or the folder at `path`.
pub(crate) fn read_cifar(path: &Path, layout: CifarLayout, progress: &dyn Progress) -> Result<Parts, DataError> {
    let mut files = if path.is_dir() { read_folder(path, layout)? } else { read_archive(path, layout, progress)? };
    let mut take = |name: &str| {
        let missing = || DataError::format(path, format!("`{name}` is missing in the binary version of CIFAR"));
        let bytes = files.remove(name).ok_or_else(missing)?;
        check_records(path, name, &bytes, layout)?;
        Ok(bytes)
    };
    let train = layout.train.iter().map(|name| take(name)).collect::<Result<Vec<_>, DataError>>()?.concat();
    let test = take(layout.test)?;
    let split = |bytes: &[u8]| parse(bytes, layout.label_bytes);
    Ok(Parts { origin: path.to_owned(), train: split(&train), validation: None, test: split(&test), class_names: None })
}

fn read_folder(folder: &Path, layout: CifarLayout) -> Result<HashMap<String, Vec<u8>>, DataError> {
    let files = layout.names().map(|name| folder.join(name)).filter(|path| path.is_file());
    let read = |path: std::path::PathBuf| {
        let bytes = std::fs::read(&path).map_err(|source| DataError::io(&path, source))?;
        Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes))
    };
    files.map(read).collect()
}

fn read_archive(path: &Path, layout: CifarLayout, progress: &dyn Progress) -> Result<HashMap<String, Vec<u8>>, DataError> {
    let file = File::open(path).map_err(|source| DataError::io(path, source))?;
    progress.start(&progress::reading(path), file.metadata().ok().map(|metadata| metadata.len()));
    let file = BufReader::with_capacity(1 << 16, progress::Counting::new(file, progress));
    let files = unpack(tar::Archive::new(MultiGzDecoder::new(file)), layout);
    progress.finish();
    files.map_err(|error| DataError::format(path, format!("expected a .tar.gz archive, but it cannot be unpacked: {error}")))
}

fn unpack(mut archive: tar::Archive<impl Read>, layout: CifarLayout) -> std::io::Result<HashMap<String, Vec<u8>>> {
    let mut files = HashMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if layout.names().any(|wanted| wanted == name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            files.insert(name, bytes);
        }
    }
    Ok(files)
}

fn check_records(path: &Path, name: &str, bytes: &[u8], layout: CifarLayout) -> Result<(), DataError> {
    let record = layout.label_bytes + PICTURE;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        let detail = format!("`{name}` has {} bytes, expected a multiple of {record} (one record)", bytes.len());
        return Err(DataError::format(path, detail));
    }
    Ok(())
}

fn parse(bytes: &[u8], label_bytes: usize) -> Split {
    let records = bytes.chunks_exact(label_bytes + PICTURE);
    let labels = records.clone().map(|record| Label(u16::from(record[label_bytes - 1]))).collect();
    let mut pixels = Vec::with_capacity(records.len() * PICTURE);
    for record in records {
        let planes = &record[label_bytes..];
        pixels.extend((0..PLANE).flat_map(|at| [planes[at], planes[PLANE + at], planes[2 * PLANE + at]]));
    }
    let images = Images::new(pixels, SIDE, SIDE, 3).expect("whole records were counted");
    Split { samples: Samples::Images(images), labels, sources: Vec::new() }
}
