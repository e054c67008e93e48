//! Real files, where `AUTOAL_DATA_DIR` names a folder that has them; said plainly where it does not.

use std::io::Write;
use std::path::PathBuf;

use autoal_data::{Dataset, Samples, channel_statistics};

use crate::support::load_from;

/// The folder of real data; prints that `test` was skipped where a file is missing.
fn real(test: &str, file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("AUTOAL_DATA_DIR").map(PathBuf::from).filter(|folder| folder.join(file).exists());
    if folder.is_none() {
        // Written to the stream itself, which the test harness does not swallow as it does what `eprintln!` prints.
        let _ = writeln!(std::io::stderr(), "skipped {test}: AUTOAL_DATA_DIR names no folder with `{file}`");
    }
    folder
}

fn counts(set: &Dataset) -> Vec<usize> {
    (0..set.classes.len()).map(|class| set.train.labels.iter().filter(|label| label.class() == class).count()).collect()
}

#[test]
fn medmnist_sets_have_their_official_counts() {
    let Some(folder) = real("medmnist_sets_have_their_official_counts", "medmnist/pneumoniamnist.npz") else { return };
    for (file, train, validation, test) in [("breastmnist", 546, 78, 156), ("pneumoniamnist", 4708, 524, 624)] {
        let set = load_from(&folder.join("medmnist"), &format!("kind = '{file}'")).expect(file);
        let found = set.validation.as_ref().map_or(0, autoal_data::Split::len);
        assert_eq!((set.train.len(), found, set.test.len()), (train, validation, test), "{file}");
        assert_eq!(set.classes.len(), 2);
    }
}

#[test]
fn a_batch_of_cifar10_has_the_channel_means_of_the_whole() {
    let Some(folder) = real("a_batch_of_cifar10_has_the_channel_means_of_the_whole", "cifar10/cifar10-10k.npz") else { return };
    let table =
        format!("kind = 'npz'\npath = '{}'\nnormalization = 'computed'", folder.join("cifar10/cifar10-10k.npz").display());
    let set = load_from(&folder, &table).expect("valid");
    assert_eq!((set.train.len(), set.test.len(), set.validation.is_none()), (10_000, 5_000, true));
    let normalization = set.normalization.expect("images have one");
    for (found, published) in normalization.mean.iter().zip([0.4914, 0.4822, 0.4465]) {
        // A fifth of the images; the means of a random fifth differ by about 0.001.
        assert!((found - published).abs() < 0.01, "{found} against {published}");
    }
}

#[test]
fn frozen_features_have_unit_mean_square() {
    let file = "features/bloodmnist-5000-effnetlite0-pca128.npz";
    let Some(folder) = real("frozen_features_have_unit_mean_square", file) else { return };
    let set = load_from(&folder, &format!("kind = 'features'\npath = '{}'", folder.join(file).display())).expect("valid");
    let Samples::Features(features) = &set.train.samples else { panic!("features") };
    assert_eq!((features.len(), features.dim(), set.test.len()), (5000, 128, 2000));
    let square = features.values().iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / features.values().len() as f64;
    assert!((square - 1.0).abs() < 0.01, "{square}");
    assert_eq!(counts(&set).iter().sum::<usize>(), 5000);
}

#[test]
fn fashion_mnist_has_6000_of_each_class_and_its_published_constants() {
    let Some(folder) = real("fashion_mnist_has_6000_of_each_class_and_its_published_constants", "fashion-mnist") else { return };
    let set = load_from(&folder, "kind = 'fashion-mnist'").expect("valid");
    assert_eq!(counts(&set), [6000; 10]);
    assert_eq!(set.test.len(), 10_000);
    let Samples::Images(images) = &set.train.samples else { panic!("images") };
    let (computed, published) = (channel_statistics(images), set.normalization.expect("images have one"));
    // Published with four digits.
    assert!((computed.mean[0] - published.mean[0]).abs() < 1e-3, "{computed:?}");
    assert!((computed.std[0] - published.std[0]).abs() < 1e-3, "{computed:?}");
}

#[test]
fn photos_of_clothing_are_read_from_their_folders() {
    let file = "image-folders/clothing-small.tar";
    let Some(folder) = real("photos_of_clothing_are_read_from_their_folders", file) else { return };
    let unpacked = tempfile::tempdir().expect("a temporary folder");
    let archive = std::fs::File::open(folder.join(file)).expect("readable");
    tar::Archive::new(archive).unpack(unpacked.path()).expect("space on disk");
    let (train, test) = (unpacked.path().join("validation"), unpacked.path().join("test"));
    let table = format!("kind = 'image-folder'\ntrain = '{}'\ntest = '{}'\nimage-size = 32", train.display(), test.display());
    let set = load_from(&folder, &table).expect("valid");
    assert_eq!((set.train.len(), set.test.len(), set.classes.len()), (341, 372, 10));
    assert!(set.classes.is_sorted());
    assert!(set.train.sources.iter().all(|source| source.contains(".jp")));
    assert_eq!(set.digest, load_from(&folder, &table).expect("valid").digest);
}
