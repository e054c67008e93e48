//! Data sets in MedMNIST's key layout, and features.

use autoal_data::{DataError, InputShape, Label, Samples};

use crate::support::{bundled, load_from, load_table, npy, write_npz};

/// Three grey train images of 2 x 2, one test image, no validation part.
fn grey(train_labels: &[u8], test_labels: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("train_images", npy("|u1", false, &[3, 2, 2], &(0..12).collect::<Vec<u8>>())),
        ("train_labels", npy("|u1", false, &[3, 1], train_labels)),
        ("val_images", npy("|u1", false, &[0, 2, 2], &[])),
        ("val_labels", npy("|u1", false, &[0, 1], &[])),
        ("test_images", npy("|u1", false, &[1, 2, 2], &[9, 8, 7, 6])),
        ("test_labels", npy("|u1", false, &[1, 1], test_labels)),
    ]
}

fn load_arrays(arrays: &[(&'static str, Vec<u8>)], more: &str) -> Result<autoal_data::Dataset, DataError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("set.npz");
    write_npz(&path, arrays);
    load_table(&format!("kind = 'npz'\npath = '{}'\n{more}", path.display()))
}

fn with(arrays: Vec<(&'static str, Vec<u8>)>, name: &'static str, bytes: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let kept = arrays.into_iter().filter(|(other, _)| *other != name);
    kept.chain([(name, bytes)]).collect()
}

#[test]
fn grey_images_keep_their_pixels_and_labels() {
    let set = load_arrays(&grey(&[0, 2, 1], &[1]), "normalization = 'none'").expect("valid");
    assert_eq!(set.name, "set");
    assert_eq!(set.classes, ["0", "1", "2"]);
    assert_eq!(set.train.labels, [Label(0), Label(2), Label(1)]);
    assert_eq!(set.train.samples.shape(), InputShape::Image { channels: 1, height: 2, width: 2 });
    let Samples::Images(images) = &set.train.samples else { panic!("images") };
    assert_eq!(images.get(1), [4, 5, 6, 7]);
    assert!(set.validation.is_none());
    assert_eq!(set.normalization.expect("images have one").std, [1.0]);
}

#[test]
fn the_bundled_set_has_its_published_counts() {
    let set = load_table(&format!("kind = 'npz'\npath = '{}'\nlike = 'bloodmnist'", bundled().display())).expect("bundled");
    assert_eq!((set.train.len(), set.validation.as_ref().map_or(0, autoal_data::Split::len), set.test.len()), (1200, 100, 500));
    assert_eq!(set.classes[7], "platelet");
    assert_eq!(set.train.samples.shape(), InputShape::Image { channels: 3, height: 28, width: 28 });
    let normalization = set.normalization.expect("images have one");
    assert!(normalization.mean.iter().all(|mean| (0.5..0.9).contains(mean)), "{normalization:?}");
    assert_eq!(set.digest.len(), 64);
}

#[test]
fn limits_keep_the_same_rows_every_time_and_say_where_they_stood() {
    let table = |more: &str| format!("kind = 'npz'\npath = '{}'\n{more}", bundled().display());
    let all = load_table(&table("")).expect("bundled");
    let part = load_table(&table("pool-limit = 100\ntest-limit = 50\nlimit-by = 'stratified'")).expect("bundled");
    assert_eq!((part.train.len(), part.test.len()), (100, 50));
    assert_eq!(part.classes.len(), all.classes.len());
    assert_ne!(part.digest, all.digest);
    assert_eq!(
        part.digest,
        load_table(&table("pool-limit = 100\ntest-limit = 50\nlimit-by = 'stratified'")).expect("bundled").digest
    );
    let rows: Vec<usize> = part.train.sources.iter().map(|text| text["row ".len()..].parse().expect("a row")).collect();
    assert!(rows.is_sorted(), "rows keep their order");
    assert_eq!(part.train.labels, rows.iter().map(|row| all.train.labels[*row]).collect::<Vec<_>>());
    for class in 0..8 {
        let count = |labels: &[Label]| labels.iter().filter(|label| label.class() == class).count();
        assert!(count(&part.train.labels).abs_diff(count(&all.train.labels) / 12) <= 1, "class {class}");
    }
}

#[test]
fn a_validation_part_can_be_dropped_or_added_to_the_pool() {
    let table = |rule: &str| format!("kind = 'npz'\npath = '{}'\nvalidation = '{rule}'", bundled().display());
    let dropped = load_table(&table("drop")).expect("bundled");
    assert_eq!((dropped.train.len(), dropped.validation.is_none()), (1200, true));
    let pooled = load_table(&table("pool")).expect("bundled");
    assert_eq!((pooled.train.len(), pooled.validation.is_none()), (1300, true));
}

#[test]
fn a_label_out_of_range_names_part_row_and_label() {
    let error = load_arrays(&grey(&[0, 1, 8], &[0]), "like = 'bloodmnist'").expect_err("8 of 8 classes").to_string();
    assert!(error.ends_with("train sample 2 has label 8, but there are 8 classes (labels count from 0)"), "{error}");
    let error = load_arrays(&grey(&[0, 1, 1], &[2]), "class-names = ['a', 'b']").expect_err("2 of 2 classes").to_string();
    assert!(error.contains("test sample 0 has label 2, but there are 2 classes"), "{error}");
    let negative = with(grey(&[0, 0, 0], &[0]), "test_labels", npy("|i1", false, &[1], &[0xff]));
    let error = load_arrays(&negative, "").expect_err("-1").to_string();
    assert!(error.ends_with("array `test_labels`: element 0 is -1, expected a whole number in 0..=65535"), "{error}");
}

#[test]
fn wrong_types_and_shapes_are_named_with_what_was_expected() {
    let base = || grey(&[0, 1, 1], &[0]);
    for (name, bytes, expected) in [
        (
            "train_images",
            npy("<f4", false, &[1, 1, 1], &[0; 4]),
            "expected uint8 pixels in 0..=255, found float32 of shape [1, 1, 1]",
        ),
        ("train_images", npy("|u1", false, &[3, 4], &[0; 12]), "expected shape [samples, height, width] or"),
        ("train_images", npy("|u1", false, &[3, 1, 1, 2], &[0; 6]), "found uint8 of shape [3, 1, 1, 2]"),
        ("train_images", npy("|u1", false, &[3, 0, 2], &[]), "expected images of at least one pixel"),
        ("train_labels", npy("|u1", false, &[2], &[0; 2]), "array `train_labels`: expected shape [3] or [3, 1], found [2]"),
        ("train_labels", npy("|u1", false, &[3, 2], &[0; 6]), "several labels a sample are not supported"),
        ("train_labels", npy("<f4", false, &[3], &[0, 0, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0]), "element 0 is 0.5"),
        (
            "test_images",
            npy("|u1", false, &[1, 2, 3], &[0; 6]),
            "test part: samples are 2 x 3 images of 1 channels, those of the train part are 2 x 2",
        ),
        ("test_images", npy("|u1", false, &[0, 2, 2], &[]), "array `test_labels`: expected shape [0] or [0, 1]"),
    ] {
        let error = load_arrays(&with(base(), name, bytes), "").expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
    let without: Vec<_> = base().into_iter().filter(|(name, _)| *name != "test_images").collect();
    let error = load_arrays(&without, "").expect_err("no test images").to_string();
    assert!(error.contains("no array `test_images`; the file has `test_labels`, `train_images`"), "{error}");
}

#[test]
fn settings_that_do_not_fit_the_data_name_their_key() {
    let base = grey(&[0, 1, 1], &[0]);
    let error = load_arrays(&base, "pool-limit = 0").expect_err("zero").to_string();
    assert!(error.starts_with("key `data.pool-limit`: expected at least 1"), "{error}");
    let error =
        load_arrays(&base, "normalization = { mean = [0.5, 0.5, 0.5], std = [1.0, 1.0, 1.0] }").expect_err("grey").to_string();
    assert!(error.contains("key `data.normalization`: the images have 1 channels"), "{error}");
    let error = load_arrays(&base, "normalization = { mean = [0.5], std = [0.0] }").expect_err("zero").to_string();
    assert!(error.contains("stds above 0"), "{error}");
}

#[test]
fn features_are_rows_of_finite_floats() {
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("f.npz");
    let table = format!("kind = 'features'\npath = '{}'", path.display());
    let write = |train: &[f32]| {
        write_npz(
            &path,
            &[
                ("train_embeddings", npy("<f4", false, &[2, 2], &floats(train))),
                ("train_labels", npy("<i8", false, &[2], &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])),
                ("test_embeddings", npy("<f8", true, &[2, 2], &[1.0, 3.0, 2.0, 4.0_f64].map(f64::to_le_bytes).concat())),
                ("test_labels", npy("|u1", false, &[2], &[1, 0])),
            ],
        );
    };
    write(&[0.5, 1.5, -2.0, 4.0]);
    let set = load_table(&table).expect("valid");
    let Samples::Features(train) = &set.train.samples else { panic!("features") };
    let Samples::Features(test) = &set.test.samples else { panic!("features") };
    assert_eq!((train.get(1), test.get(1)), (&[-2.0, 4.0][..], &[3.0, 4.0][..]));
    assert!(set.normalization.is_none());
    write(&[0.5, 1.5, f32::NAN, 4.0]);
    let error = load_table(&table).expect_err("not a number").to_string();
    assert!(error.contains("array `train_embeddings`: row 1, column 0 is NaN; features must be finite"), "{error}");
}

#[test]
fn a_registered_set_is_found_in_its_folder_and_beside_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = load_from(folder.path(), "kind = 'breastmnist'").expect_err("missing").to_string();
    assert!(error.contains("breastmnist.npz` is missing and fetching is switched off"), "{error}");
    write_npz(&folder.path().join("breastmnist.npz"), &grey(&[0, 1, 1], &[0]));
    let set = load_from(folder.path(), "kind = 'breastmnist'").expect("beside");
    assert_eq!(set.classes, ["malignant", "normal or benign"]);
    std::fs::create_dir(folder.path().join("breastmnist")).expect("writable");
    write_npz(&folder.path().join("breastmnist/breastmnist.npz"), &grey(&[1, 1, 1], &[0]));
    let set = load_from(folder.path(), "kind = 'breastmnist'").expect("inside");
    assert_eq!(set.train.labels, [Label(1); 3]);
}
