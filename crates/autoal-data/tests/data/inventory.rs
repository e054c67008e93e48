//! Listing, checking and describing data sets.

use autoal_data::{DatasetStatistics, FileState, LoadOptions, Registry, Silent, check_dataset, dataset_state};

use crate::support::{bundled, load_table};

#[test]
fn files_are_missing_present_verified_or_different() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = LoadOptions { data_dir: folder.path().to_owned(), offline: true, mirror: None };
    let mut entry = Registry::builtin().require("pathmnist").expect("registered").clone();
    // Python: hashlib.md5(b"hello").hexdigest()
    entry.files[0].md5 = Some("5d41402abc4b2a76b9719d911017c592".to_owned());
    let state = |entry: &_| check_dataset(entry, &options, &Silent).expect("readable")[0].state.clone();
    assert_eq!(state(&entry), FileState::Missing);
    std::fs::write(folder.path().join("pathmnist.npz"), b"hello").expect("writable");
    assert_eq!(dataset_state(&entry, &options)[0].state, FileState::Present);
    assert_eq!(state(&entry), FileState::Verified);
    std::fs::write(folder.path().join("pathmnist.npz"), b"hullo").expect("writable");
    let FileState::Different(reason) = state(&entry) else { panic!("the file was changed") };
    assert!(reason.starts_with("expected MD5 5d41402abc4b2a76b9719d911017c592, found "), "{reason}");
    entry.files[0].md5 = None;
    assert_eq!(state(&entry), FileState::Unverifiable);
}

#[test]
fn statistics_of_the_bundled_set_show_its_imbalance() {
    let set = load_table(&format!("kind = 'npz'\npath = '{}'", bundled().display())).expect("bundled");
    let statistics = DatasetStatistics::of(&set);
    assert_eq!(statistics.train.samples, 1200);
    assert_eq!(statistics.train.class_counts.iter().sum::<usize>(), 1200);
    assert!(statistics.train.imbalance_ratio > 1.5, "{}", statistics.train.imbalance_ratio);
    assert_eq!(statistics.channels, statistics.normalization, "computed from the pool");
    assert_eq!(statistics.digest, set.digest);
}
