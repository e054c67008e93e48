//! SVHN's MAT files.

use std::io::Write;

use autoal_data::{Dataset, Label};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::support::{load_from, pixels};

const UINT8: u32 = 2;
const DOUBLE: u32 = 9;

fn part(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// A part of at most four bytes, packed into its tag.
fn packed(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut out = (kind | (data.len() as u32) << 16).to_le_bytes().to_vec();
    out.extend_from_slice(data);
    out.resize(8, 0);
    out
}

fn array(name: &str, class: u8, dims: &[u32], kind: u32, data: &[u8]) -> Vec<u8> {
    let lengths: Vec<u8> = dims.iter().flat_map(|axis| axis.to_le_bytes()).collect();
    let body = [part(6, &[class, 0, 0, 0, 0, 0, 0, 0]), part(5, &lengths), packed(1, name.as_bytes()), part(kind, data)].concat();
    [14_u32.to_le_bytes(), (body.len() as u32).to_le_bytes()].concat().into_iter().chain(body).collect()
}

fn compressed(array: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(array).expect("memory");
    let stream = encoder.finish().expect("memory");
    [&15_u32.to_le_bytes()[..], &(stream.len() as u32).to_le_bytes(), &stream].concat()
}

fn header() -> Vec<u8> {
    let mut header = vec![b' '; 124];
    header.extend_from_slice(&[0, 1, b'I', b'M']);
    header
}

/// Pixel (r, c, k, n) is `100 n + r + 2 c + 4 k`-like: its own place in the file, column-major, 2 x 2 x 3 x 2.
fn pictures() -> Vec<u8> {
    (0..24).collect()
}

fn file(labels: &[u8]) -> Vec<u8> {
    let x = array("X", 9, &[2, 2, 3, 2], UINT8, &pictures());
    let y = array("y", 6, &[2, 1], UINT8, labels);
    [header(), compressed(&x), compressed(&y)].concat()
}

fn load(train: &[u8]) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("train_32x32.mat"), train).expect("writable");
    std::fs::write(folder.path().join("test_32x32.mat"), file(&[1, 2])).expect("writable");
    load_from(folder.path(), "kind = 'svhn'").map_err(|error| error.to_string())
}

#[test]
fn column_major_planes_become_rows_of_pixels_and_ten_becomes_zero() {
    let set = load(&file(&[10, 9])).expect("valid");
    assert_eq!(set.train.labels, [Label(0), Label(9)]);
    // The value at (row r, column c, channel k, sample n) stands at r + 2 c + 4 k + 12 n.
    let expected: Vec<u8> = (0..2)
        .flat_map(|n| (0..2).flat_map(move |r| (0..2).flat_map(move |c| (0..3).map(move |k| r + 2 * c + 4 * k + 12 * n))))
        .collect();
    assert_eq!(pixels(&set.train), expected);
}

#[test]
fn uncompressed_arrays_and_labels_of_doubles_are_read_too() {
    let y: Vec<u8> = [10.0_f64, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let bytes = [header(), array("X", 9, &[2, 2, 3, 2], UINT8, &pictures()), array("y", 6, &[2, 1], DOUBLE, &y)].concat();
    assert_eq!(load(&bytes).expect("valid").train.labels, [Label(0), Label(3)]);
}

#[test]
fn damage_and_foreign_files_are_errors_with_what_was_expected() {
    let whole = file(&[1, 2]);
    let mut big_endian = whole.clone();
    big_endian[126..128].copy_from_slice(b"MI");
    let mut flipped = whole.clone();
    flipped[145] ^= 0xff;
    let y = array("y", 6, &[2, 1], UINT8, &[1, 2]);
    let dims = [header(), array("X", 9, &[2, 2, 3, 9], UINT8, &pictures()), y.clone()].concat();
    let floats = [header(), array("X", 6, &[1, 1, 3, 1], DOUBLE, &[0; 24]), y].concat();
    for (bytes, expected) in [
        (
            whole[..100].to_vec(),
            "expected a little-endian MAT file of version 5 (00 01 49 4d at byte 124), found 100 bytes in all",
        ),
        (big_endian, "found [00, 01, 4d, 49]"),
        (whole[..whole.len() - 4].to_vec(), "truncated"),
        (whole[..130].to_vec(), "truncated"),
        (flipped, "train_32x32.mat"),
        (header(), "expected the arrays `X` and `y`, found []"),
        (dims, "array `X`: dimensions [2, 2, 3, 9] do not agree with 24 values"),
        (floats, "array `X`: expected [height, width, 3, samples] of uint8, found [1, 1, 3, 1]"),
        (file(&[1, 11]), "array `y`: sample 1 has label 11, expected 1 to 10 (10 is the digit 0)"),
        (file(&[0, 1]), "array `y`: sample 0 has label 0"),
        (file(&[1]), "do not agree"),
    ] {
        let error = load(&bytes).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
}
