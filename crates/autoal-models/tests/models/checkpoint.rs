//! Files of trained models.

use std::path::Path;

use autoal_data::{Normalization, Seed};
use autoal_models::{ModelError, TrainOptions, TrainedModel, TrainingSet, train};

use crate::support::{Labeled, device, features, images, linear, short, small_resnet};

fn trained(data: &Labeled, loss_head: bool) -> TrainedModel {
    let constants = Normalization { mean: vec![0.4], std: vec![0.3] };
    let pictures = matches!(data.samples, autoal_data::Samples::Images(_));
    let set = TrainingSet { normalization: pictures.then_some(&constants), ..data.set() };
    let model = if pictures { small_resnet() } else { linear() };
    let options = TrainOptions { loss_head, ..TrainOptions::default() };
    train(&model, &short(2), &set, Seed(1), 0, &device(), options).expect("trains")
}

fn refused(path: &Path) -> String {
    match TrainedModel::load(path, &device()) {
        Ok(_) => panic!("{} was accepted", path.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_model_that_was_saved_and_loaded_says_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    for data in [images(10, 8, 1), features(10, 6, 2)] {
        let model = trained(&data, true);
        model.save(&path).expect("written");
        let loaded = TrainedModel::load(&path, &device()).expect("readable");
        let (a, b) = (model.infer(&data.samples, &data.ids), loaded.infer(&data.samples, &data.ids));
        let (a, b) = (a.expect("finite"), b.expect("finite"));
        assert_eq!((a.logits, a.embeddings, a.predicted_loss), (b.logits, b.embeddings, b.predicted_loss));
        assert_eq!((&model.config, model.epochs, model.train_loss), (&loaded.config, loaded.epochs, loaded.train_loss));
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no scratch file stays");
}

#[test]
fn missing_truncated_and_foreign_files_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    assert!(refused(&path).contains("cannot access"));
    trained(&features(10, 6, 2), false).save(&path).expect("written");
    let bytes = std::fs::read(&path).expect("readable");
    for length in [0, 5, 20, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).expect("written");
        assert!(refused(&path).contains("not a complete checkpoint"), "{}", refused(&path));
    }
    let changed = String::from_utf8_lossy(&bytes).into_owned();
    assert!(changed.contains("version"));
    let other_version: Vec<u8> = replace(&bytes, br#"\"version\":1"#, br#"\"version\":9"#);
    std::fs::write(&path, other_version).expect("written");
    assert!(refused(&path).contains("version Some(9), expected 1"), "{}", refused(&path));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/weights-c1-stem3.safetensors");
    assert!(refused(&golden).contains("not a checkpoint of autoal"), "{}", refused(&golden));
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("the text occurs");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(&features(10, 6, 2), false);
    let nowhere = folder.path().join("missing").join("model.safetensors");
    assert!(matches!(model.save(&nowhere), Err(ModelError::Io { .. })));
}
