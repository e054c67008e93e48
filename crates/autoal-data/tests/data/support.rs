//! Files in exactly the layouts that the readers expect.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use autoal_data::{DataConfig, DataError, Dataset, LoadOptions, Samples, Silent, Split, load};
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The bytes of a `.npy` file of version 1, as NumPy writes them: the header is padded to a multiple of 64 bytes.
pub(crate) fn npy(descr: &str, fortran_order: bool, shape: &[usize], values: &[u8]) -> Vec<u8> {
    let axes = shape.iter().map(|axis| format!("{axis}, ")).collect::<Vec<_>>().concat();
    let order = if fortran_order { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({axes}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).expect("short").to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), values].concat()
}

/// Writes arrays, each the bytes of a `.npy` file, into a deflated archive.
pub(crate) fn write_npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut zip = ZipWriter::new(File::create(path).expect("a writable folder"));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("a new entry");
        zip.write_all(bytes).expect("space on disk");
    }
    zip.finish().expect("space on disk");
}

/// Parses a `[data]` table and loads it without fetching.
pub(crate) fn load_table(table: &str) -> Result<Dataset, DataError> {
    load_from(Path::new("/nonexistent"), table)
}

/// As [`load_table`], with a folder for the registry's data sets.
pub(crate) fn load_from(data_dir: &Path, table: &str) -> Result<Dataset, DataError> {
    let config: DataConfig = toml::from_str(table).expect("a valid table");
    load(&config, &LoadOptions { data_dir: data_dir.to_owned(), offline: true, mirror: None }, &Silent)
}

/// Compresses by gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// The pixels of a split.
pub(crate) fn pixels(split: &Split) -> &[u8] {
    match &split.samples {
        Samples::Images(images) => images.pixels(),
        Samples::Features(_) => panic!("expected images"),
    }
}

/// The bundled data set.
pub(crate) fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/bloodmnist-mini.npz")
}
