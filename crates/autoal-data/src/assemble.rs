//! From the parts that a reader found to a data set: checks, class names, the part asked for, normalisation, digest.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::{DataConfig, NormalizationConfig, NormalizationRule, Selection, ValidationUse};
use crate::registry::DatasetEntry;
use crate::sources::Parts;
use crate::split::{choose, hexadecimal};
use crate::stats::channel_statistics;
use crate::{DataError, Dataset, InputShape, Label, Normalization, SampleId, Samples, Seed, Split, Stratification, Stream};

/// Limits do not depend on the seed of a cell: all cells see the same pool and test set.
const LIMIT_SEED: Seed = Seed(0);
const POOL_LIMIT: Stream = Stream::named("pool-limit");
const TEST_LIMIT: Stream = Stream::named("test-limit");

/// `entry` gives class names and normalisation where the configuration and the files do not.
pub(crate) fn assemble(
    config: &DataConfig,
    mut parts: Parts,
    entry: Option<&DatasetEntry>,
    class_names: Option<Vec<String>>,
) -> Result<Dataset, DataError> {
    let classes = class_names
        .or_else(|| parts.class_names.take())
        .or_else(|| entry.map(|entry| entry.classes.clone()).filter(|classes| !classes.is_empty()))
        .unwrap_or_else(|| numbered_classes(&parts));
    check(&parts, classes.len())?;
    let origin = parts.origin.clone();
    let selection = &config.selection;
    let (train, validation) = use_validation(parts.train, parts.validation, selection.validation);
    let train = limit(train, selection.pool_limit, selection, POOL_LIMIT, "pool-limit")?;
    let test = limit(parts.test, selection.test_limit, selection, TEST_LIMIT, "test-limit")?;
    check_size(&origin, &train)?;
    let normalization = normalization(&selection.normalization, entry, &train.samples)?;
    let digest = digest(&train, validation.as_ref(), &test);
    Ok(Dataset { name: config.name(), classes, train, validation, test, normalization, digest })
}

fn all_parts(parts: &Parts) -> impl Iterator<Item = (&'static str, &Split)> {
    let validation = parts.validation.as_ref().map(|split| ("validation", split));
    [("train", &parts.train)].into_iter().chain(validation).chain([("test", &parts.test)])
}

fn numbered_classes(parts: &Parts) -> Vec<String> {
    let highest = all_parts(parts).flat_map(|(_, split)| &split.labels).map(|label| label.class()).max();
    // Two classes at least, so that data of one class is still a task.
    (0..highest.map_or(2, |highest| (highest + 1).max(2))).map(|class| class.to_string()).collect()
}

fn check(parts: &Parts, classes: usize) -> Result<(), DataError> {
    let shape = parts.train.samples.shape();
    for (part, split) in all_parts(parts) {
        let wrong = |detail: String| Err(DataError::format(&parts.origin, format!("{part} part: {detail}")));
        if split.is_empty() {
            return wrong("there are no samples".to_owned());
        }
        if split.samples.shape() != shape {
            let found = split.samples.shape();
            return wrong(format!("samples are {}, those of the train part are {}", describe(found), describe(shape)));
        }
        if split.labels.len() != split.len() {
            return wrong(format!("there are {} samples and {} labels", split.len(), split.labels.len()));
        }
        if let Some(row) = split.labels.iter().position(|label| label.class() >= classes) {
            let label = u64::from(split.labels[row].0);
            return Err(DataError::Label { path: parts.origin.clone(), part, row, label, classes });
        }
    }
    Ok(())
}

/// A sample's id is a `u32`.
fn check_size(origin: &Path, train: &Split) -> Result<(), DataError> {
    match u32::try_from(train.len()) {
        Ok(_) => Ok(()),
        Err(_) => Err(DataError::format(origin, format!("a pool has at most {} samples, found {}", u32::MAX, train.len()))),
    }
}

fn describe(shape: InputShape) -> String {
    match shape {
        InputShape::Image { channels, height, width } => format!("{height} x {width} images of {channels} channels"),
        InputShape::Features { dim } => format!("vectors of length {dim}"),
    }
}

fn use_validation(train: Split, validation: Option<Split>, rule: ValidationUse) -> (Split, Option<Split>) {
    match (rule, validation) {
        (ValidationUse::Keep, validation) => (train, validation),
        (ValidationUse::Drop, _) | (ValidationUse::Pool, None) => (train, None),
        (ValidationUse::Pool, Some(validation)) => {
            let samples = train.samples.concat(&validation.samples).expect("shapes were compared");
            let labels = [train.labels, validation.labels].concat();
            (Split { samples, labels, sources: [train.sources, validation.sources].concat() }, None)
        }
    }
}

/// The rows that remain keep their order; their old row numbers become their sources where they had none.
fn limit(
    split: Split,
    limit: Option<usize>,
    selection: &Selection,
    stream: Stream,
    key: &'static str,
) -> Result<Split, DataError> {
    let Some(size) = limit else { return Ok(split) };
    if size == 0 {
        return Err(DataError::config(key, "expected at least 1, found 0; leave the key out to use all samples"));
    }
    if size >= split.len() {
        return Ok(split);
    }
    Ok(take(&split, size, selection.limit_by, stream))
}

fn take(split: &Split, size: usize, by: Stratification, stream: Stream) -> Split {
    let ids: Vec<SampleId> = (0..split.len() as u32).map(SampleId).collect();
    let mut chosen = choose(&ids, &split.labels, size, LIMIT_SEED, stream, by);
    chosen.sort_unstable();
    let rows: Vec<usize> = chosen.into_iter().map(SampleId::row).collect();
    split.select(&rows)
}

fn normalization(
    config: &NormalizationConfig,
    entry: Option<&DatasetEntry>,
    pool: &Samples,
) -> Result<Option<Normalization>, DataError> {
    let Samples::Images(images) = pool else { return Ok(None) };
    let automatic = NormalizationConfig::Rule(NormalizationRule::Auto);
    let registered = entry.and_then(|entry| entry.normalization.as_ref());
    let config = if *config == automatic { registered.unwrap_or(config) } else { config };
    match config {
        NormalizationConfig::Fixed(constants) => check_constants(constants, images.channels()).map(Some),
        NormalizationConfig::Rule(NormalizationRule::None) => {
            Ok(Some(Normalization { mean: vec![0.0; images.channels()], std: vec![1.0; images.channels()] }))
        }
        NormalizationConfig::Rule(NormalizationRule::Auto | NormalizationRule::Computed) => Ok(Some(channel_statistics(images))),
    }
}

fn check_constants(constants: &Normalization, channels: usize) -> Result<Normalization, DataError> {
    let wrong = |detail: String| Err(DataError::config("normalization", detail));
    if constants.mean.len() != channels || constants.std.len() != channels {
        let (means, stds) = (constants.mean.len(), constants.std.len());
        return wrong(format!(
            "the images have {channels} channels; expected as many numbers, found {means} means and {stds} stds"
        ));
    }
    if !constants.mean.iter().all(|mean| mean.is_finite()) || !constants.std.iter().all(|std| std.is_finite() && *std > 0.0) {
        return wrong("expected finite means and stds above 0".to_owned());
    }
    Ok(constants.clone())
}

/// SHA-256 over shape, samples and labels of each part.
fn digest(train: &Split, validation: Option<&Split>, test: &Split) -> String {
    let mut hash = Sha256::new();
    for (part, split) in [("train", Some(train)), ("validation", validation), ("test", Some(test))] {
        let Some(split) = split else { continue };
        hash.update(format!("{part} {} {}\n", split.len(), describe(split.samples.shape())));
        match &split.samples {
            Samples::Images(images) => hash.update(images.pixels()),
            Samples::Features(features) => {
                for row in features.values().chunks(4096) {
                    hash.update(row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
                }
            }
        }
        hash.update(split.labels.iter().flat_map(|Label(label)| label.to_le_bytes()).collect::<Vec<u8>>());
    }
    hexadecimal(&hash.finalize())
}
