//! `.npy` and `.npz`: every element type, both byte orders, both index orders, and damage.

use std::io::Cursor;
use std::path::Path;

use autoal_data::npy::{Dtype, NpyArray, NpyError, Npz, read_file, read_file_header, read_header};
use proptest::prelude::*;

use crate::support::{npy, write_npz};

fn read(bytes: &[u8]) -> Result<NpyArray, NpyError> {
    NpyArray::read(&mut Cursor::new(bytes), bytes.len() as u64)
}

#[test]
fn every_element_type_is_read_in_both_byte_orders() {
    let cases: [(&str, &[u8], [f64; 2]); 22] = [
        ("|b1", &[0, 1], [0.0, 1.0]),
        ("|u1", &[0, 255], [0.0, 255.0]),
        ("|i1", &[0x80, 127], [-128.0, 127.0]),
        ("<u2", &[1, 0, 0, 1], [1.0, 256.0]),
        (">u2", &[0, 1, 1, 0], [1.0, 256.0]),
        ("<i2", &[0xff, 0xff, 2, 0], [-1.0, 2.0]),
        (">i2", &[0xff, 0xff, 0, 2], [-1.0, 2.0]),
        ("<u4", &[0, 0, 1, 0, 3, 0, 0, 0], [65536.0, 3.0]),
        (">u4", &[0, 1, 0, 0, 0, 0, 0, 3], [65536.0, 3.0]),
        ("<i4", &[0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0], [-2.0, 3.0]),
        (">i4", &[0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 3], [-2.0, 3.0]),
        ("<u8", &[0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0], [4_294_967_296.0, 3.0]),
        (">u8", &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3], [4_294_967_296.0, 3.0]),
        ("<i8", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, 0, 0, 0, 0], [-1.0, 3.0]),
        (">i8", &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 3], [-1.0, 3.0]),
        ("<f2", &[0, 0x3c, 0, 0xc1], [1.0, -2.5]),
        (">f2", &[0x3c, 0, 0xc1, 0], [1.0, -2.5]),
        ("<f4", &[0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0], [1.0, -2.5]),
        (">f4", &[0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0], [1.0, -2.5]),
        ("<f8", &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 4, 0xc0], [1.0, -2.5]),
        (">f8", &[0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 4, 0, 0, 0, 0, 0, 0], [1.0, -2.5]),
        ("=f4", &[0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0], [1.0, -2.5]),
    ];
    for (descr, bytes, expected) in cases {
        let array = read(&npy(descr, false, &[2], bytes)).expect(descr);
        assert_eq!(array.to_f64(), expected, "{descr}");
        assert_eq!(array.to_f32(), expected.map(|value| value as f32), "{descr}");
    }
}

#[test]
fn fortran_order_becomes_c_order() {
    // numpy.arange(12).reshape(2, 3, 2), written with order "F".
    let values: Vec<u8> = vec![0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11];
    let array = read(&npy("|u1", true, &[2, 3, 2], &values)).expect("valid");
    assert_eq!(array.shape(), [2, 3, 2]);
    assert_eq!(array.into_u8().expect("bytes"), (0..12).collect::<Vec<u8>>());
    let wide: Vec<u8> = [0_u16, 3, 1, 4, 2, 5].iter().flat_map(|value| value.to_be_bytes()).collect();
    assert_eq!(read(&npy(">u2", true, &[2, 3], &wide)).expect("valid").to_u32().expect("whole"), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn scalars_and_empty_arrays_are_arrays() {
    assert_eq!(read(&npy("|u1", false, &[], &[7])).expect("a scalar").to_u16().expect("whole"), [7]);
    let empty = read(&npy("<f4", true, &[0, 28, 28], &[])).expect("empty");
    assert!(empty.is_empty());
    assert_eq!(empty.shape(), [0, 28, 28]);
}

#[test]
fn versions_two_and_three_have_longer_lengths() {
    for version in [2, 3] {
        let text = b"{'shape': (3L,), 'fortran_order': False, \"descr\": '|u1'}";
        let bytes = [b"\x93NUMPY", &[version, 0][..], &(text.len() as u32).to_le_bytes(), text, &[1, 2, 3]].concat();
        let header = read_header(&mut Cursor::new(&bytes)).expect("valid");
        assert_eq!(header.data_offset, 12 + text.len());
        assert_eq!(read(&bytes).expect("valid").to_i64().expect("whole"), [1, 2, 3]);
    }
}

#[test]
fn conversions_refuse_what_does_not_fit() {
    let floats = read(&npy("<f4", false, &[2], &[0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0])).expect("valid");
    assert_eq!(floats.to_u16().expect_err("-2.5").to_string(), "element 1 is -2.5, expected a whole number in 0..=65535");
    let negative = read(&npy("|i1", false, &[1], &[0xff])).expect("valid");
    assert_eq!(negative.to_u32().expect_err("-1").to_string(), "element 0 is -1, expected a whole number in 0..=4294967295");
    let nan = read(&npy("<f4", false, &[1], &f32::NAN.to_le_bytes())).expect("valid");
    assert!(nan.to_i64().is_err());
    let infinite = read(&npy("<f8", false, &[1], &f64::INFINITY.to_le_bytes())).expect("valid");
    assert!(infinite.to_i64().is_err());
}

#[test]
fn damage_is_reported_with_byte_and_expectation() {
    let whole = npy("<f4", false, &[2, 2], &[0; 16]);
    let message = |bytes: &[u8]| read(bytes).expect_err("damaged").to_string();
    assert_eq!(
        message(&whole[..whole.len() - 1]),
        "truncated: shape [2, 2] of `float32` needs 16 bytes of values, the file has 15"
    );
    assert!(message(b"PK\x03\x04....").starts_with("byte 0: expected the magic `\\x93NUMPY`, found [50, 4b"));
    assert!(message(b"").starts_with("byte 0: expected the magic"));
    let mut version = whole.clone();
    version[6] = 9;
    assert_eq!(message(&version), "byte 6: expected version 1, 2 or 3 of the .npy format, found 9");
    for (from, to, expected) in [
        ("'descr'", "'desrc'", "`descr`, `fortran_order` or `shape`"),
        ("'<f4'", "'|O8'", "element type `|O8` is not supported"),
        ("'<f4'", "'<U9'", "element type `<U9` is not supported"),
        ("False", "Fal_e", "expected `True` or `False`, found `Fal_e"),
        ("(2, 2", "(2, x", "expected the length of an axis, found `x"),
    ] {
        let at = whole.windows(from.len()).position(|window| window == from.as_bytes()).expect("in the header");
        let mut bytes = whole.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        assert!(message(&bytes).contains(expected), "{}", message(&bytes));
    }
}

#[test]
fn a_header_cannot_ask_for_more_memory_than_its_file_has() {
    assert!(matches!(read(&npy("<f8", false, &[usize::MAX, 2], &[])), Err(NpyError::TooLarge(_))));
    assert!(matches!(read(&npy("<f8", false, &[1 << 40], &[0; 8])), Err(NpyError::Truncated { .. })));
}

#[test]
fn an_archive_names_its_arrays_and_reports_what_is_missing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.npz");
    write_npz(&path, &[("x", npy("|u1", false, &[2], &[1, 2])), ("labels", npy("<i8", false, &[1], &[1, 0, 0, 0, 0, 0, 0, 0]))]);
    let mut npz = Npz::open(&path).expect("an archive");
    assert_eq!(npz.names(), ["labels", "x"]);
    assert_eq!(npz.header("labels").expect("there").dtype, Dtype::I64);
    assert_eq!(npz.read("x").expect("there").into_u8().expect("bytes"), [1, 2]);
    let error = npz.read("y").expect_err("not there").to_string();
    assert_eq!(error, format!("`{}`: no array `y`; the file has `labels`, `x`", path.display()));
}

#[test]
fn a_damaged_archive_is_an_error_that_names_file_and_array() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.npz");
    write_npz(&path, &[("x", npy("|u1", false, &[1000], &[7; 1000]))]);
    let mut bytes = std::fs::read(&path).expect("written");
    // The stream begins after the entry's header of 30 bytes and the name `x.npy`.
    bytes[40] ^= 0xff;
    std::fs::write(&path, &bytes).expect("writable");
    let error = Npz::open(&path).and_then(|mut npz| npz.read("x")).expect_err("damaged").to_string();
    assert!(error.starts_with(&format!("`{}`, array `x`:", path.display())), "{error}");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("writable");
    let error = Npz::open(&path).expect_err("cut").to_string();
    assert!(error.contains("expected a .npz archive"), "{error}");
    assert!(Npz::open(Path::new("/nonexistent.npz")).expect_err("missing").to_string().contains("`/nonexistent.npz`"));
}

#[test]
fn a_single_file_gives_array_and_offset_for_mapping() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.npy");
    let bytes = npy("<f4", false, &[2], &[0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]);
    std::fs::write(&path, &bytes).expect("writable");
    assert_eq!(read_file(&path).expect("valid").to_f32(), [1.0, -2.5]);
    let header = read_file_header(&path).expect("valid");
    assert_eq!((header.data_offset, header.num_bytes(), bytes.len()), (128, 8, 136));
    std::fs::write(&path, &bytes[..130]).expect("writable");
    assert!(read_file_header(&path).expect_err("cut").to_string().contains("truncated"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..80, value: u8) {
        let _ = read(&bytes);
        let mut nearly = npy("<f4", true, &[2, 3], &[0; 24]);
        nearly[at] = value;
        let _ = read(&nearly);
    }
}
