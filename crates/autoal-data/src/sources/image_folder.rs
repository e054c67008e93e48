//! Folders of JPEG and PNG pictures: one folder a class, or a folder of unlabeled pictures.
//!
//! Classes are numbered by the sorted names of their folders, samples by their sorted paths, so that the same files give the same ids
//! on every machine. A sample's source is its path under the folder, with `/` between its parts.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Parts;
use crate::format::picture::{ENDINGS, Target, decode};
use crate::split::choose;
use crate::{
    DataError, ImageFolderConfig, Images, Label, Progress, Resize, SampleId, Samples, Seed, Split, Stratification, Stream,
};

/// The test set that is set apart does not depend on the seed of a cell.
const TEST_SEED: Seed = Seed(0);
const TEST_FRACTION: Stream = Stream::named("test-fraction");
/// Deeper folders are taken for a loop of links.
const MAX_DEPTH: usize = 16;

/// Reads labeled pictures; all that cannot be decoded are reported at once.
pub(crate) fn read_image_folder(config: &ImageFolderConfig, progress: &dyn Progress) -> Result<Parts, DataError> {
    let target = target(config.image_size, config.channels, config.resize)?;
    let classes = class_folders(&config.train)?;
    let mut failures = Vec::new();
    let mut read = |folder: &Path| read_labeled(folder, &classes, target, progress, &mut failures);
    let train = read(&config.train)?;
    let validation = config.validation.as_deref().map(&mut read).transpose()?;
    let test = config.test.as_deref().map(&mut read).transpose()?;
    if !failures.is_empty() {
        return Err(DataError::Unreadable { failures });
    }
    let (train, test) = match test {
        Some(test) => (train, test),
        None => set_apart(&train, config.test_fraction)?,
    };
    Ok(Parts { origin: config.train.clone(), train, validation, test, class_names: Some(classes) })
}

/// Reads all pictures under `folder` without labels, in the order of their paths, brought to `image_size` x `image_size` pixels.
///
/// Fails when there is none, and lists all that cannot be decoded.
pub fn read_pictures(
    folder: &Path,
    image_size: u32,
    channels: usize,
    resize: Resize,
    progress: &dyn Progress,
) -> Result<Split, DataError> {
    let target = target(image_size, channels, resize)?;
    let files = pictures_under(folder)?;
    if files.is_empty() {
        return Err(DataError::format(folder, "there are no JPEG or PNG pictures in this folder"));
    }
    let mut failures = Vec::new();
    let images = decode_all(&files, target, progress, &mut failures);
    if !failures.is_empty() {
        return Err(DataError::Unreadable { failures });
    }
    Ok(Split { samples: Samples::Images(images), labels: Vec::new(), sources: sources(folder, &files) })
}

fn target(image_size: u32, channels: usize, resize: Resize) -> Result<Target, DataError> {
    /// 4096 x 4096 RGB takes 48 MiB a picture.
    const LARGEST: u32 = 4096;
    if !(1..=LARGEST).contains(&image_size) {
        return Err(DataError::config("image-size", format!("expected 1 to {LARGEST} pixels, found {image_size}")));
    }
    if channels != 1 && channels != 3 {
        return Err(DataError::config("channels", format!("expected 1 (grey) or 3 (colour), found {channels}")));
    }
    Ok(Target { height: image_size, width: image_size, channels, resize: Some(resize) })
}

fn class_folders(folder: &Path) -> Result<Vec<String>, DataError> {
    let folders = entries(folder)?.into_iter().filter(|path| path.is_dir());
    let classes: Vec<String> = folders.map(|path| file_name(&path)).collect();
    if classes.is_empty() {
        return Err(DataError::format(folder, "expected one folder a class with pictures in it, found no folders"));
    }
    Ok(classes)
}

fn read_labeled(
    folder: &Path,
    classes: &[String],
    target: Target,
    progress: &dyn Progress,
    failures: &mut Vec<(PathBuf, String)>,
) -> Result<Split, DataError> {
    let (mut files, mut labels) = (Vec::new(), Vec::new());
    for name in class_folders(folder)? {
        let Some(class) = classes.iter().position(|class| *class == name) else {
            let detail = format!("the folder `{name}` is no class of the train part, which has {}", classes.join(", "));
            return Err(DataError::format(folder, detail));
        };
        let pictures = pictures_under(&folder.join(&name))?;
        if pictures.is_empty() {
            log::warn!("`{}` has no JPEG or PNG pictures", folder.join(&name).display());
        }
        labels.resize(labels.len() + pictures.len(), Label(class as u16));
        files.extend(pictures);
    }
    if files.is_empty() {
        return Err(DataError::format(folder, "there are no JPEG or PNG pictures in the class folders"));
    }
    let images = decode_all(&files, target, progress, failures);
    Ok(Split { samples: Samples::Images(images), labels, sources: sources(folder, &files) })
}

/// Decodes in parallel; pictures that cannot be decoded are black and added to `failures`.
fn decode_all(files: &[PathBuf], target: Target, progress: &dyn Progress, failures: &mut Vec<(PathBuf, String)>) -> Images {
    let size = target.height as usize * target.width as usize * target.channels;
    let bytes = files.iter().map(|path| path.metadata().map_or(0, |metadata| metadata.len())).sum();
    progress.start("reading pictures", Some(bytes));
    let mut pixels = vec![0; size * files.len()];
    let failed: Vec<_> = pixels
        .par_chunks_exact_mut(size)
        .zip(files)
        .filter_map(|(pixels, path)| {
            let decoded = read_picture(path, target, progress);
            decoded.map(|decoded| pixels.copy_from_slice(&decoded)).err().map(|reason| (path.clone(), reason))
        })
        .collect();
    progress.finish();
    failures.extend(failed);
    Images::new(pixels, target.height as usize, target.width as usize, target.channels).expect("sizes are above zero")
}

fn read_picture(path: &Path, target: Target, progress: &dyn Progress) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    progress.advance(bytes.len() as u64);
    decode(&bytes, target)
}

/// Sets a stratified share apart as the test set.
fn set_apart(all: &Split, fraction: f64) -> Result<(Split, Split), DataError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(DataError::config("test-fraction", format!("expected a share between 0 and 1, found {fraction}")));
    }
    let size = (all.len() as f64 * fraction).round() as usize;
    if size == 0 || size == all.len() {
        let detail = format!("{fraction} of {} pictures leaves the pool or the test set empty", all.len());
        return Err(DataError::config("test-fraction", detail));
    }
    let ids: Vec<SampleId> = (0..all.len() as u32).map(SampleId).collect();
    let mut chosen = choose(&ids, &all.labels, size, TEST_SEED, TEST_FRACTION, Stratification::Stratified);
    chosen.sort_unstable();
    let (test, train): (Vec<usize>, Vec<usize>) =
        (0..all.len()).partition(|row| chosen.binary_search(&SampleId(*row as u32)).is_ok());
    Ok((all.select(&train), all.select(&test)))
}

fn pictures_under(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    walk(folder, 0, &mut files)?;
    Ok(files)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    if depth > MAX_DEPTH {
        return Err(DataError::format(
            folder,
            format!("folders are nested more than {MAX_DEPTH} deep; is there a loop of links?"),
        ));
    }
    for path in entries(folder)? {
        if path.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if is_picture(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Entries that are not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = |source| DataError::io(folder, source);
    let entries = std::fs::read_dir(folder).map_err(io)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(io)?;
    paths.retain(|path| !file_name(path).starts_with('.'));
    paths.sort_unstable_by_key(|path| file_name(path));
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn sources(folder: &Path, files: &[PathBuf]) -> Vec<String> {
    let under = |path: &PathBuf| {
        let parts = path.strip_prefix(folder).unwrap_or(path).components();
        parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    };
    files.iter().map(under).collect()
}
