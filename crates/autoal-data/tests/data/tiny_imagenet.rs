//! TinyImageNet as folder and as archive.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::Path;

use autoal_data::{Dataset, Label};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{load_from, pixels};

/// JPEG is lossy even on one colour.
const JPEG_TOLERANCE: u8 = 3;

fn jpeg(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Jpeg).expect("memory");
    bytes.into_inner()
}

fn colour(side: u32, rgb: [u8; 3]) -> Vec<u8> {
    jpeg(RgbImage::from_pixel(side, side, Rgb(rgb)))
}

fn files() -> Vec<(String, Vec<u8>)> {
    let text = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    vec![
        text("wnids.txt", "n02\nn01\n"),
        text("words.txt", "n01\tgoldfish, Carassius auratus\nn02\tbullfrog\nn03\tother\n"),
        text("val/val_annotations.txt", "val_0.JPEG\tn01\t0\t0\t9\t9\nval_1.JPEG\tn02\t1\t2\t3\t4\n"),
        ("train/n01/images/n01_0.JPEG".to_owned(), colour(64, [200, 100, 50])),
        ("train/n02/images/n02_1.JPEG".to_owned(), jpeg(GrayImage::from_pixel(64, 64, Luma([77])))),
        ("train/n02/images/n02_0.JPEG".to_owned(), colour(64, [10, 20, 30])),
        ("val/images/val_0.JPEG".to_owned(), colour(64, [1, 2, 3])),
        ("val/images/val_1.JPEG".to_owned(), colour(64, [250, 250, 250])),
    ]
}

fn write_zip(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut zip = ZipWriter::new(File::create(path).expect("writable"));
    for (name, bytes) in files {
        zip.start_file(format!("tiny-imagenet-200/{name}"), SimpleFileOptions::default()).expect("a new entry");
        zip.write_all(bytes).expect("space on disk");
    }
    zip.finish().expect("space on disk");
}

fn load(files: &[(String, Vec<u8>)]) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_zip(&folder.path().join("tiny-imagenet-200.zip"), files);
    load_from(folder.path(), "kind = 'tiny-imagenet'").map_err(|error| error.to_string())
}

fn replaced(name: &str, bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let kept = files().into_iter().filter(|(other, _)| other != name);
    kept.chain([(name.to_owned(), bytes)]).collect()
}

#[test]
fn classes_follow_wnids_and_grey_pictures_become_rgb() {
    let set = load(&files()).expect("valid");
    assert_eq!(set.classes, ["bullfrog", "goldfish"]);
    assert_eq!(set.train.labels, [Label(0), Label(0), Label(1)]);
    assert_eq!(set.test.labels, [Label(1), Label(0)]);
    assert_eq!(set.train.sources[1], "train/n02/images/n02_1.JPEG");
    let starts: Vec<&[u8]> = pixels(&set.train).chunks(64 * 64 * 3).map(|picture| &picture[..3]).collect();
    for (found, expected) in starts.into_iter().zip([[10, 20, 30], [77, 77, 77], [200, 100, 50]]) {
        assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= JPEG_TOLERANCE), "{found:?} {expected:?}");
    }
}

#[test]
fn folder_and_archive_give_the_same_data() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("tiny-imagenet/tiny-imagenet-200");
    for (name, bytes) in files() {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().expect("inside the root")).expect("writable");
        std::fs::write(path, bytes).expect("writable");
    }
    let unpacked = load_from(folder.path(), "kind = 'tiny-imagenet'").expect("valid");
    assert_eq!(unpacked.digest, load(&files()).expect("valid").digest);
}

#[test]
fn damage_is_named_and_unreadable_pictures_are_listed_all_at_once() {
    let mut bad = replaced("train/n01/images/n01_0.JPEG", b"not a picture".to_vec());
    bad.retain(|(name, _)| name != "val/images/val_1.JPEG");
    bad.push(("val/images/val_1.JPEG".to_owned(), colour(32, [0, 0, 0])));
    let error = load(&bad).expect_err("two bad pictures");
    assert!(error.starts_with("2 of the pictures cannot be read:"), "{error}");
    assert!(
        error.contains("`train/n01/images/n01_0.JPEG`:") && error.contains("expected 64 x 64 pixels, found 32 x 32"),
        "{error}"
    );
    let error = load(&replaced("val/val_annotations.txt", b"val_0.JPEG\tn01\nval_1.JPEG\tn99\n".to_vec())).expect_err("no n99");
    assert!(error.contains("val/val_annotations.txt, line 2: expected a class of wnids.txt, found `n99`"), "{error}");
    let error = load(&replaced("val/val_annotations.txt", b"val_7.JPEG\tn01\n".to_vec())).expect_err("no picture");
    assert!(error.contains("`val/images/val_7.JPEG` cannot be unpacked"), "{error}");
    let error = load(&files()[1..]).expect_err("no wnids");
    assert!(error.contains("expected TinyImageNet, but there is no `wnids.txt`"), "{error}");
}
