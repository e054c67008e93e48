//! The generator of labeled pictures.

use autoal_data::{Dataset, Samples};

use crate::support::load_table;

fn generate(more: &str) -> Dataset {
    load_table(&format!("kind = 'synthetic'\n{more}")).expect("valid")
}

fn counts(set: &Dataset) -> Vec<usize> {
    (0..set.classes.len()).map(|class| set.train.labels.iter().filter(|label| label.class() == class).count()).collect()
}

fn rows(samples: &Samples) -> Vec<&[u8]> {
    match samples {
        Samples::Images(images) => (0..images.len()).map(|row| images.get(row)).collect(),
        Samples::Features(_) => panic!("expected images"),
    }
}

fn distance(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
}

/// Share of test pictures whose nearest picture of the pool has their label.
fn nearest_neighbour_accuracy(set: &Dataset) -> f64 {
    let (train, test) = (rows(&set.train.samples), rows(&set.test.samples));
    let hits = test.iter().zip(&set.test.labels).filter(|(picture, label)| {
        let nearest = (0..train.len()).min_by(|a, b| distance(train[*a], picture).total_cmp(&distance(train[*b], picture)));
        nearest.is_some_and(|row| set.train.labels[row] == **label)
    });
    hits.count() as f64 / test.len() as f64
}

#[test]
fn equal_settings_give_equal_data_and_another_seed_gives_other_data() {
    let digest = generate("pool-size = 50\ntest-size = 10").digest;
    assert_eq!(digest, generate("pool-size = 50\ntest-size = 10").digest);
    assert_ne!(digest, generate("pool-size = 50\ntest-size = 10\ngenerator-seed = 1").digest);
}

#[test]
fn difficulty_goes_from_easy_to_chance() {
    let accuracy =
        |difficulty: &str| nearest_neighbour_accuracy(&generate(&format!("test-size = 150\ndifficulty = {difficulty}")));
    let (easy, middle, hard) = (accuracy("0.0"), accuracy("0.7"), accuracy("1.0"));
    assert!(easy > 0.97, "{easy}");
    assert!(middle < easy && middle > hard, "{easy} {middle} {hard}");
    assert!((hard - 1.0 / 3.0).abs() < 0.15, "{hard}");
}

#[test]
fn imbalance_is_the_ratio_of_the_most_frequent_to_the_rarest_class() {
    assert_eq!(counts(&generate("pool-size = 300")), [100, 100, 100]);
    let counts = counts(&generate("pool-size = 2100\nimbalance = 4.0"));
    assert_eq!(counts, [1200, 600, 300]);
}

#[test]
fn near_duplicates_are_close_to_a_picture_of_their_label_and_others_are_not() {
    let nearest = |set: &Dataset| {
        let rows = rows(&set.train.samples);
        let other = |row: usize| {
            let others = (0..rows.len()).filter(|other| *other != row);
            let nearest = others.min_by(|a, b| distance(rows[row], rows[*a]).total_cmp(&distance(rows[row], rows[*b])));
            nearest.expect("several pictures")
        };
        // Copies differ by noise of about 2 grey levels, other pictures by far more.
        let close = (0..rows.len()).filter(|row| distance(rows[*row], rows[other(*row)]) / (rows[*row].len() as f64) < 25.0);
        close.map(|row| (row, other(row))).collect::<Vec<_>>()
    };
    assert!(nearest(&generate("pool-size = 100")).is_empty());
    let set = generate("pool-size = 100\nnear-duplicates = 0.3");
    let close = nearest(&set);
    assert!((70..100).all(|row| close.iter().any(|(copy, _)| *copy == row)), "the last 30 are copies: {close:?}");
    assert!(close.iter().all(|(a, b)| set.train.labels[*a] == set.train.labels[*b]));
}

#[test]
fn label_noise_changes_that_share_of_the_labels_of_the_pool_alone() {
    let clean = generate("pool-size = 200");
    let noisy = generate("pool-size = 200\nlabel-noise = 0.25");
    let wrong = clean.train.labels.iter().zip(&noisy.train.labels).filter(|(a, b)| a != b).count();
    assert_eq!(wrong, 50);
    assert_eq!(clean.test.labels, noisy.test.labels);
    assert_eq!(rows(&clean.train.samples), rows(&noisy.train.samples));
}

#[test]
fn settings_out_of_range_name_their_key() {
    for (key, text) in [
        ("classes", "classes = 1"),
        ("pool-size", "pool-size = 2"),
        ("test-size", "test-size = 0"),
        ("image-size", "image-size = 2"),
        ("channels", "channels = 4"),
        ("difficulty", "difficulty = 1.5"),
        ("imbalance", "imbalance = 0.5"),
        ("near-duplicates", "near-duplicates = -0.1"),
        ("label-noise", "label-noise = nan"),
    ] {
        let error = load_table(&format!("kind = 'synthetic'\n{text}")).expect_err(text).to_string();
        assert!(error.starts_with(&format!("key `data.{key}`: expected")), "{error}");
    }
}
