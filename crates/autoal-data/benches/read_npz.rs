//! Time to read a 47 MB `.npz` from disk, and to load it as a data set (with checks, normalisation and digest).
//!
//! The archive is made here: smooth pictures under noise, which compress about as badly as photos do. Where `AUTOAL_DATA_DIR` has
//! `cifar10/cifar10-10k.npz` (46 MB of pixels), that is read too.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};

use autoal_data::npy::Npz;
use autoal_data::{DataConfig, LoadOptions, Seed, Silent, Stream, load};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::Rng;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// 47.04 MB of pixels.
const SAMPLES: usize = 20_000;
const PIXELS: usize = 28 * 28 * 3;

fn npy(shape: &str, values: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), values].concat()
}

fn write_archive(path: &Path) {
    let mut rng = Seed(0).rng(Stream::named("bench"), 0);
    let mut random = vec![0; SAMPLES * PIXELS];
    rng.fill_bytes(&mut random);
    let pixels: Vec<u8> = random.iter().enumerate().map(|(at, noise)| (at / 3 % 28 * 6) as u8 + noise % 48).collect();
    let labels: Vec<u8> = (0..SAMPLES).map(|row| (row % 8) as u8).collect();
    let mut zip = ZipWriter::new(File::create(path).expect("a writable folder"));
    for (name, bytes) in [
        ("train_images", npy(&format!("({SAMPLES}, 28, 28, 3)"), &pixels)),
        ("train_labels", npy(&format!("({SAMPLES}, 1)"), &labels)),
        ("test_images", npy("(8, 28, 28, 3)", &pixels[..8 * PIXELS])),
        ("test_labels", npy("(8, 1)", &labels[..8])),
    ] {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).expect("a new entry");
        zip.write_all(&bytes).expect("space on disk");
    }
    zip.finish().expect("space on disk");
}

fn bench_file(criterion: &mut Criterion, name: &str, path: &Path) {
    let megabytes = path.metadata().expect("there").len() / 1_000_000;
    let mut npz = Npz::open(path).expect("an archive");
    let bytes = npz.header("train_images").expect("there").num_bytes() as u64;
    let mut group = criterion.benchmark_group(format!("{name}, {} MB of pixels in {megabytes} MB", bytes / 1_000_000));
    group.sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function("read the array", |bencher| {
        bencher.iter(|| Npz::open(path).and_then(|mut npz| npz.read("train_images")).map(black_box).expect("valid"));
    });
    let config: DataConfig = toml::from_str(&format!("kind = 'npz'\npath = '{}'", path.display())).expect("a valid table");
    group.bench_function("load the data set", |bencher| {
        bencher.iter(|| load(&config, &LoadOptions::default(), &Silent).map(black_box).expect("valid"));
    });
    group.finish();
}

fn bench(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bench.npz");
    write_archive(&path);
    bench_file(criterion, "generated", &path);
    let real = std::env::var_os("AUTOAL_DATA_DIR").map(|folder| PathBuf::from(folder).join("cifar10/cifar10-10k.npz"));
    if let Some(path) = real.filter(|path| path.exists()) {
        bench_file(criterion, "cifar10-10k", &path);
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
