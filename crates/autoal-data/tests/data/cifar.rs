//! CIFAR's binary version, as folder and as archive.

use std::path::Path;

use autoal_data::{Dataset, Label};

use crate::support::{gzip, load_from, pixels};

/// A record whose pixel (row 0, column 1) is (10, 20, 30) and whose other pixels are (1, 2, 3).
fn record(labels: &[u8]) -> Vec<u8> {
    let plane = |value: u8, second: u8| {
        let mut plane = vec![value; 1024];
        plane[1] = second;
        plane
    };
    [labels, &plane(1, 10), &plane(2, 20), &plane(3, 30)].concat()
}

fn batches() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = (1..=5).map(|batch| (format!("data_batch_{batch}.bin"), record(&[batch]))).collect();
    files.push(("test_batch.bin".to_owned(), [record(&[0]), record(&[9])].concat()));
    files
}

fn archive(folder: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{folder}/{name}"), &bytes[..]).expect("memory");
    }
    gzip(&tar.into_inner().expect("memory"))
}

fn load(folder: &Path, name: &str) -> Result<Dataset, String> {
    load_from(folder, &format!("kind = '{name}'")).map_err(|error| error.to_string())
}

#[test]
fn archive_and_folder_give_the_same_pictures_in_the_order_of_the_batches() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("cifar-10-binary.tar.gz"), archive("cifar-10-batches-bin", &batches())).expect("writable");
    let packed = load(folder.path(), "cifar10").expect("valid");
    assert_eq!(packed.train.labels, [1, 2, 3, 4, 5].map(Label));
    assert_eq!(packed.test.labels, [Label(0), Label(9)]);
    assert_eq!(packed.classes[9], "truck");
    assert_eq!(pixels(&packed.train)[..9], [1, 2, 3, 10, 20, 30, 1, 2, 3]);
    let unpacked = folder.path().join("cifar10/cifar-10-batches-bin");
    std::fs::create_dir_all(&unpacked).expect("writable");
    for (name, bytes) in batches() {
        std::fs::write(unpacked.join(name), bytes).expect("writable");
    }
    assert_eq!(load(folder.path(), "cifar10").expect("valid").digest, packed.digest);
}

#[test]
fn cifar100_takes_the_fine_label() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [("train.bin".to_owned(), record(&[19, 99])), ("test.bin".to_owned(), record(&[3, 42]))];
    std::fs::write(folder.path().join("cifar-100-binary.tar.gz"), archive("cifar-100-binary", &files)).expect("writable");
    let set = load(folder.path(), "cifar100").expect("valid");
    assert_eq!((set.train.labels[0], set.test.labels[0]), (Label(99), Label(42)));
    assert_eq!(set.classes[99], "worm");
    assert_eq!(pixels(&set.train)[3..6], [10, 20, 30]);
}

#[test]
fn damage_names_the_file_inside_and_what_was_expected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cifar-10-binary.tar.gz");
    let mut short = batches();
    short[2].1.pop();
    let mut label = batches();
    label[4].1[0] = 10;
    let whole = archive("x", &batches());
    for (bytes, expected) in [
        (archive("x", &batches()[1..]), "`data_batch_1.bin` is missing"),
        (archive("x", &short), "`data_batch_3.bin` has 3072 bytes, expected a multiple of 3073"),
        (archive("x", &label), "train sample 4 has label 10, but there are 10 classes"),
        (whole[..whole.len() / 2].to_vec(), "cannot be unpacked"),
        (b"<html>".to_vec(), "expected a .tar.gz archive"),
    ] {
        std::fs::write(&path, bytes).expect("writable");
        let error = load(folder.path(), "cifar10").expect_err(expected);
        assert!(error.contains(expected) && error.contains("cifar-10-binary.tar.gz"), "{error}");
    }
}
