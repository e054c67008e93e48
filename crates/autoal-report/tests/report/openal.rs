//! OpenAL's published results, imported from its CSV files, give the areas that were computed from them independently with `NumPy`.

use std::path::PathBuf;

use autoal_report::curves::{Curves, StrategyCurves};
use autoal_report::{Experiment, Metric, import_csv};

pub(crate) fn path(set: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/openal").join(format!("{set}.csv"))
}

pub(crate) fn experiment(set: &str) -> Experiment {
    import_csv(&path(set)).expect("OpenAL's files are read").remove(0)
}

/// Mean and standard deviation (ddof 1) of AUBC over ten points and ten seeds, to the four decimals of the independent table.
const AREAS: [(&str, [(f64, f64); 3]); 8] = [
    ("iwkmeans", [(0.7228, 0.0054), (0.8737, 0.0049), (0.8711, 0.0052)]),
    ("wkmeans", [(0.7218, 0.0048), (0.8693, 0.0050), (0.8776, 0.0036)]),
    ("margin", [(0.7177, 0.0030), (0.8686, 0.0048), (0.8593, 0.0045)]),
    ("kmeans", [(0.7108, 0.0050), (0.8481, 0.0045), (0.8309, 0.0053)]),
    ("random", [(0.7077, 0.0075), (0.8549, 0.0083), (0.8309, 0.0081)]),
    ("confidence", [(0.6930, 0.0106), (0.8526, 0.0078), (0.8230, 0.0092)]),
    ("entropy", [(0.6808, 0.0158), (0.8429, 0.0049), (0.7949, 0.0180)]),
    ("kcenter", [(0.6735, 0.0125), (0.8640, 0.0050), (0.8096, 0.0134)]),
];
/// Half a unit of the table's last decimal, and rounding.
const LAST_DECIMAL: f64 = 0.500_001e-4;

#[test]
fn areas_of_openal_agree_with_the_independent_table() {
    for (i, set) in ["cifar10", "cifar10_simclr", "mnist"].iter().enumerate() {
        let curves = Curves::of(&experiment(set), Metric::Accuracy);
        assert_eq!(curves.strategies.len(), AREAS.len());
        for (label, areas) in AREAS {
            let area = curves.strategy(label).and_then(StrategyCurves::area).unwrap_or_else(|| panic!("{label} has an area"));
            let (mean, sd) = areas[i];
            assert_eq!(area.n, 10);
            assert!((area.mean - mean).abs() <= LAST_DECIMAL, "{set} {label}: {} against {mean}", area.mean);
            assert!((area.sd.unwrap_or(f64::NAN) - sd).abs() <= LAST_DECIMAL, "{set} {label}: {:?} against {sd}", area.sd);
        }
    }
}

#[test]
fn all_strategies_of_openal_start_from_the_same_seed_sets() {
    for (set, first) in [("cifar10", 0.5482), ("cifar10_simclr", 0.7277), ("mnist", 0.6930)] {
        for strategy in Curves::of(&experiment(set), Metric::Accuracy).strategies {
            let mean = strategy.mean()[0].1.mean;
            assert!((mean - first).abs() <= LAST_DECIMAL, "{set} {}: {mean}", strategy.label);
        }
    }
}
