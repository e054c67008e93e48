//! From bytes to tensors, and augmented views.

use autoal_data::{Features, Images, InputShape, Normalization, Samples};
use autoal_models::config::AugmentConfig;
use autoal_models::{Input, InputEncoder, ModelError};

use crate::support::{Labeled, device, images, short, small_resnet};

fn rgb() -> Samples {
    // Two images of 1 row and 2 columns: bytes 0..12.
    Samples::Images(Images::new((0..12).collect(), 1, 2, 3).expect("whole images"))
}

#[test]
fn pixels_become_planes_in_channel_order_and_are_normalised() {
    let constants = Normalization { mean: vec![0.0, 0.5, 0.25], std: vec![1.0, 0.5, 2.0] };
    let encoder = InputEncoder::new(rgb().shape(), Some(&constants), &device()).expect("it fits");
    let Input::Images(batch) = encoder.encode(&rgb(), &[1, 0]).expect("rows are there") else { panic!("images expected") };
    assert_eq!(batch.dims(), [2, 3, 1, 2]);
    let expect = |byte: f32, channel: usize| (byte / 255.0 - constants.mean[channel]) / constants.std[channel];
    let expected = [6, 9, 7, 10, 8, 11, 0, 3, 1, 4, 2, 5].iter().enumerate().map(|(i, byte)| expect(*byte as f32, i / 2 % 3));
    let found = batch.into_data().try_to_vec_as::<f32>().expect("f32");
    for (a, b) in found.into_iter().zip(expected) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn features_keep_their_values() {
    let samples = Samples::Features(Features::new(vec![1.0, 2.0, 3.0, 4.0], 2).expect("whole rows"));
    let encoder = InputEncoder::new(samples.shape(), None, &device()).expect("it fits");
    let Input::Features(batch) = encoder.encode(&samples, &[1]).expect("a row") else { panic!("features expected") };
    assert_eq!(batch.into_data().try_to_vec_as::<f32>().expect("f32"), [3.0, 4.0]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let short_constants = Normalization { mean: vec![0.0], std: vec![1.0] };
    assert!(matches!(InputEncoder::new(rgb().shape(), Some(&short_constants), &device()), Err(ModelError::Data(_))));
    let zero = Normalization { mean: vec![0.0; 3], std: vec![0.0; 3] };
    assert!(matches!(InputEncoder::new(rgb().shape(), Some(&zero), &device()), Err(ModelError::Data(_))));
    let encoder = InputEncoder::new(rgb().shape(), None, &device()).expect("it fits");
    assert!(encoder.encode(&rgb(), &[2]).expect_err("no such row").to_string().contains("sample 2"));
    assert!(encoder.encode(&rgb(), &[]).is_err());
    let other = InputEncoder::new(InputShape::Features { dim: 2 }, None, &device()).expect("it fits");
    assert!(other.encode(&rgb(), &[0]).is_err());
}

#[test]
fn augmentation_changes_training_and_nothing_else() {
    let data: Labeled = images(12, 8, 1);
    let plain = data.train(&small_resnet(), &short(2));
    let augment = AugmentConfig { crop_padding: 2, flip: true };
    let config = autoal_models::TrainConfig { augment, ..short(2) };
    let augmented = data.train(&small_resnet(), &config);
    assert_ne!(plain.train_loss, augmented.train_loss);
    let outputs = augmented.infer(&data.samples, &data.ids).expect("finite");
    assert_eq!(outputs.logits, augmented.infer(&data.samples, &data.ids).expect("finite").logits);
}
