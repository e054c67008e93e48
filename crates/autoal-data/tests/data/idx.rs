//! IDX files, plain and compressed.

use std::path::Path;

use autoal_data::{Dataset, Label};

use crate::support::{gzip, load_from, load_table, pixels};

fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let lengths: Vec<u8> = shape.iter().flat_map(|axis| axis.to_be_bytes()).collect();
    [&[0, 0, 8, shape.len() as u8], &lengths[..], values].concat()
}

fn images() -> Vec<u8> {
    idx(&[2, 2, 3], &(0..12).collect::<Vec<u8>>())
}

/// Loads with the train images and labels given; the test part is one valid image.
fn load(images: &[u8], labels: &[u8]) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("writable");
        path.display().to_string()
    };
    let files = [
        format!("train-images = '{}'", write("train-images", images)),
        format!("train-labels = '{}'", write("train-labels", labels)),
        format!("test-images = '{}'", write("test-images", &idx(&[1, 2, 3], &[7; 6]))),
        format!("test-labels = '{}'", write("test-labels", &idx(&[1], &[1]))),
    ];
    load_table(&format!("kind = 'idx'\n{}\nlike = 'mnist'", files.join("\n"))).map_err(|error| error.to_string())
}

#[test]
fn plain_and_compressed_files_give_the_same_data() {
    let plain = load(&images(), &idx(&[2], &[3, 9])).expect("valid");
    let compressed = load(&gzip(&images()), &gzip(&idx(&[2], &[3, 9]))).expect("valid");
    assert_eq!(plain.digest, compressed.digest);
    assert_eq!(pixels(&plain.train), (0..12).collect::<Vec<u8>>());
    assert_eq!(plain.train.labels, [Label(3), Label(9)]);
    assert_eq!(plain.normalization.expect("images have one").mean, [0.1307]);
}

#[test]
fn damage_is_reported_with_byte_and_expectation() {
    let labels = idx(&[2], &[0, 1]);
    let mut kind = images();
    kind[2] = 0x0d;
    let mut long = images();
    long.push(0);
    for (bytes, expected) in [
        (b"\x89PNG\r\n".to_vec(), "byte 0: expected the magic of an IDX file (0, 0, 8, number of axes), found [89, 50, 4e, 47]"),
        (Vec::new(), "byte 0: expected the magic"),
        (kind, "byte 2: expected element type 8 (unsigned byte), found 13"),
        (images()[..8].to_vec(), "truncated: 3 axes need 12 bytes of lengths, found 4"),
        (images()[..20].to_vec(), "truncated: shape [2, 2, 3] needs 12 bytes of values, found 4"),
        (long, "more bytes follow the 12 values of shape [2, 2, 3]"),
        (idx(&[u32::MAX, u32::MAX, u32::MAX], &[]), "cannot be held in memory"),
        (idx(&[2, 0, 3], &[]), "expected images of at least one pixel"),
        (idx(&[2], &[1, 2]), "expected images (3 axes), found shape [2]"),
        (gzip(&images())[..20].to_vec(), "train-images"),
    ] {
        let error = load(&bytes, &labels).expect_err(expected);
        assert!(error.contains(expected) && error.contains("train-images"), "{error}");
    }
    let error = load(&images(), &idx(&[3], &[0, 1, 2])).expect_err("three labels");
    assert!(error.contains("train-labels`: expected 2 labels (1 axis)"), "{error}");
    let error = load(&images(), &idx(&[2], &[0, 10])).expect_err("ten digits");
    assert!(error.contains("train sample 1 has label 10, but there are 10 classes"), "{error}");
}

#[test]
fn a_registered_set_may_lie_unpacked_in_its_own_folder_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |inside: &Path| {
        std::fs::create_dir_all(inside).expect("writable");
        for part in ["train", "t10k"] {
            std::fs::write(inside.join(format!("{part}-images-idx3-ubyte")), images()).expect("writable");
            std::fs::write(inside.join(format!("{part}-labels-idx1-ubyte")), idx(&[2], &[0, 1])).expect("writable");
        }
    };
    place(folder.path());
    let error = load_from(folder.path(), "kind = 'mnist'").expect_err("Fashion-MNIST has files of the same names").to_string();
    assert!(error.contains("mnist/train-images-idx3-ubyte.gz` is missing"), "{error}");
    place(&folder.path().join("mnist"));
    assert_eq!(load_from(folder.path(), "kind = 'mnist'").expect("unpacked").train.len(), 2);
}
