//! Folders of pictures, labeled and not.

use std::path::Path;

use autoal_data::{Dataset, InputShape, Label, Resize, Silent, read_pictures};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use crate::support::{load_table, pixels};

fn save(folder: &Path, name: &str, picture: impl Into<DynamicImage>, format: ImageFormat) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("writable");
    picture.into().save_with_format(path, format).expect("writable");
}

fn colour(width: u32, height: u32, rgb: [u8; 3]) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb(rgb))
}

/// Two classes with two pictures each, of several formats and sizes.
fn fill(folder: &Path) {
    save(folder, "cat/b.png", colour(8, 8, [1, 2, 3]), ImageFormat::Png);
    save(folder, "cat/a/deep.PNG", GrayImage::from_pixel(8, 8, Luma([9])), ImageFormat::Png);
    save(folder, "ant/x.jpeg", GrayImage::from_pixel(16, 16, Luma([77])), ImageFormat::Jpeg);
    save(folder, "ant/y.png", RgbaImage::from_pixel(30, 10, Rgba([4, 5, 6, 128])), ImageFormat::Png);
    std::fs::write(folder.join("ant/notes.txt"), "ignored").expect("writable");
    std::fs::create_dir(folder.join(".hidden")).expect("writable");
}

fn load(folder: &Path, more: &str) -> Result<Dataset, String> {
    let (train, test) = (folder.join("train"), folder.join("test"));
    let table =
        format!("kind = 'image-folder'\ntrain = '{}'\ntest = '{}'\nimage-size = 8\n{more}", train.display(), test.display());
    load_table(&table).map_err(|error| error.to_string())
}

#[test]
fn classes_and_samples_follow_sorted_names() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(&folder.path().join("train"));
    save(&folder.path().join("test"), "cat/t.png", colour(8, 8, [7, 8, 9]), ImageFormat::Png);
    let set = load(folder.path(), "").expect("valid");
    assert_eq!(set.classes, ["ant", "cat"]);
    assert_eq!(set.train.sources, ["ant/x.jpeg", "ant/y.png", "cat/a/deep.PNG", "cat/b.png"]);
    assert_eq!(set.train.labels, [0, 0, 1, 1].map(Label));
    assert_eq!(set.test.labels, [Label(1)]);
    let starts: Vec<&[u8]> = pixels(&set.train).chunks(8 * 8 * 3).map(|picture| &picture[..3]).collect();
    assert_eq!(starts[1..], [[4, 5, 6], [9, 9, 9], [1, 2, 3]]);
    assert!(starts[0].iter().all(|value| value.abs_diff(77) <= 2), "{:?}", starts[0]);
    let grey = load(folder.path(), "channels = 1").expect("valid");
    assert_eq!(grey.train.samples.shape(), InputShape::Image { channels: 1, height: 8, width: 8 });
}

#[test]
fn cropping_keeps_the_middle_and_stretching_keeps_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut picture = colour(24, 8, [0, 0, 0]);
    for x in 8..16 {
        for y in 0..8 {
            picture.put_pixel(x, y, Rgb([200, 200, 200]));
        }
    }
    save(folder.path(), "wide.png", picture, ImageFormat::Png);
    let read = |resize| read_pictures(folder.path(), 8, 3, resize, &Silent).expect("valid");
    assert!(pixels(&read(Resize::Crop)).iter().all(|value| *value == 200));
    let stretched = read(Resize::Stretch);
    assert_eq!(pixels(&stretched)[..3], [0, 0, 0]);
    assert!(stretched.labels.is_empty());
    assert_eq!(stretched.sources, ["wide.png"]);
}

#[test]
fn shrinking_averages_rather_than_skips() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkers = GrayImage::from_fn(64, 64, |x, y| Luma([if (x + y) % 2 == 0 { 0 } else { 200 }]));
    save(folder.path(), "checkers.png", checkers, ImageFormat::Png);
    let split = read_pictures(folder.path(), 8, 1, Resize::Crop, &Silent).expect("valid");
    assert!(pixels(&split).iter().all(|value| value.abs_diff(100) <= 5), "{:?}", pixels(&split));
}

#[test]
fn a_share_of_each_class_is_set_apart_where_there_is_no_test_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for class in ["a", "b"] {
        for index in 0..10 {
            save(folder.path(), &format!("{class}/{index}.png"), colour(4, 4, [index; 3]), ImageFormat::Png);
        }
    }
    let table = |fraction: &str| {
        format!("kind = 'image-folder'\ntrain = '{}'\nimage-size = 4\ntest-fraction = {fraction}", folder.path().display())
    };
    let set = load_table(&table("0.3")).expect("valid");
    assert_eq!((set.train.len(), set.test.len()), (14, 6));
    assert_eq!(set.test.labels, [0, 0, 0, 1, 1, 1].map(Label));
    assert!(set.test.sources.iter().all(|source| !set.train.sources.contains(source)));
    let error = load_table(&table("1.5")).expect_err("a share above one").to_string();
    assert_eq!(error, "key `data.test-fraction`: expected a share between 0 and 1, found 1.5");
    let error = load_table(&table("0.01")).expect_err("no picture").to_string();
    assert!(error.contains("leaves the pool or the test set empty"), "{error}");
}

#[test]
fn unreadable_pictures_are_listed_all_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(&folder.path().join("train"));
    fill(&folder.path().join("test"));
    for name in ["train/cat/broken.jpg", "train/ant/broken.png", "test/ant/broken.jpg"] {
        std::fs::write(folder.path().join(name), b"nothing").expect("writable");
    }
    let cut = std::fs::read(folder.path().join("train/ant/x.jpeg")).expect("readable");
    std::fs::write(folder.path().join("train/ant/x.jpeg"), &cut[..cut.len() / 4]).expect("writable");
    let error = load(folder.path(), "").expect_err("four pictures");
    assert!(error.starts_with("4 of the pictures cannot be read:"), "{error}");
    for name in ["cat/broken.jpg", "train/ant/broken.png", "test/ant/broken.jpg", "ant/x.jpeg"] {
        assert!(error.contains(name), "{name}: {error}");
    }
}

#[test]
fn folders_without_classes_or_pictures_are_errors() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(&folder.path().join("train"));
    save(&folder.path().join("test"), "dog/t.png", colour(8, 8, [7, 8, 9]), ImageFormat::Png);
    let error = load(folder.path(), "").expect_err("a class that train has not");
    assert!(error.contains("the folder `dog` is no class of the train part, which has ant, cat"), "{error}");
    let error = load(folder.path().join("train/cat").as_path(), "").expect_err("missing");
    assert!(error.contains("train/cat/train`"), "{error}");
    let empty = folder.path().join("empty");
    std::fs::create_dir_all(empty.join("train/a")).expect("writable");
    let error = load(&empty, "").expect_err("no pictures");
    assert!(error.contains("there are no JPEG or PNG pictures"), "{error}");
    let error = read_pictures(&empty, 8, 3, Resize::Crop, &Silent).expect_err("no pictures").to_string();
    assert!(error.contains("there are no JPEG or PNG pictures in this folder"), "{error}");
    for (key, more) in [("image-size", "image-size = 0"), ("channels", "channels = 2")] {
        let table = format!("kind = 'image-folder'\ntrain = '{}'\n{more}", folder.path().join("train").display());
        let error = load_table(&table).expect_err(more).to_string();
        assert!(error.starts_with(&format!("key `data.{key}`")), "{error}");
    }
}
