//! TinyImageNet: as the published `.zip`, or the folder `tiny-imagenet-200` that it unpacks to.
//!
//! `wnids.txt` names the classes and gives their order, `words.txt` describes them, `train/<wnid>/images/` has their pictures, and
//! `val/images/` has the pictures whose classes stand in `val/val_annotations.txt` (tab-separated: file, wnid, box). The published test
//! part has no labels, so `val` is the test set. Pictures are 64 x 64; some are grey. Layout: Le and Yang 2015.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use zip::ZipArchive;

use super::Parts;
use crate::format::picture::{Target, decode};
use crate::{DataError, Images, Label, Progress, Samples, Split};

const TARGET: Target = Target { height: 64, width: 64, channels: 3, resize: None };
/// Pictures that are held encoded at a time.
const CHUNK: usize = 4096;

/// Reads the archive or the folder at `path`.
pub(crate) fn read_tiny_imagenet(path: &Path, progress: &dyn Progress) -> Result<Parts, DataError> {
    let mut tree = Tree::open(path)?;
    let wnids: Vec<String> =
        tree.text("wnids.txt")?.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    let class_of: HashMap<&str, Label> =
        wnids.iter().enumerate().map(|(class, wnid)| (wnid.as_str(), Label(class as u16))).collect();
    let train = train_files(&tree, &wnids);
    let test = test_files(path, &tree.text("val/val_annotations.txt")?, &class_of)?;
    let mut failures = Vec::new();
    let train = read_split(&mut tree, train, progress, &mut failures)?;
    let test = read_split(&mut tree, test, progress, &mut failures)?;
    if !failures.is_empty() {
        return Err(DataError::Unreadable { failures });
    }
    let class_names = Some(class_names(&mut tree, &wnids));
    Ok(Parts { origin: path.to_owned(), train, validation: None, test, class_names })
}

/// Every picture of each class, sorted by name.
fn train_files(tree: &Tree, wnids: &[String]) -> Vec<(String, Label)> {
    let mut files = Vec::new();
    for (class, wnid) in wnids.iter().enumerate() {
        files.extend(tree.list(&format!("train/{wnid}/images/")).into_iter().map(|name| (name, Label(class as u16))));
    }
    files
}

fn test_files(path: &Path, annotations: &str, class_of: &HashMap<&str, Label>) -> Result<Vec<(String, Label)>, DataError> {
    let parse = |(line, text): (usize, &str)| {
        let wrong =
            |expected: &str| DataError::format(path, format!("val/val_annotations.txt, line {}: expected {expected}", line + 1));
        let mut fields = text.split('\t');
        let (Some(file), Some(wnid)) = (fields.next(), fields.next()) else {
            return Err(wrong("a file name, a tab and a class"));
        };
        let label = class_of.get(wnid).ok_or_else(|| wrong(&format!("a class of wnids.txt, found `{wnid}`")))?;
        Ok((format!("val/images/{file}"), *label))
    };
    annotations.lines().enumerate().filter(|(_, text)| !text.is_empty()).map(parse).collect()
}

fn read_split(
    tree: &mut Tree,
    files: Vec<(String, Label)>,
    progress: &dyn Progress,
    failures: &mut Vec<(PathBuf, String)>,
) -> Result<Split, DataError> {
    let size = TARGET.height as usize * TARGET.width as usize * TARGET.channels;
    let mut pixels = Vec::with_capacity(files.len() * size);
    progress.start("reading pictures", None);
    for chunk in files.chunks(CHUNK) {
        let encoded = chunk.iter().map(|(name, _)| tree.read(name)).collect::<Result<Vec<_>, DataError>>()?;
        let decoded: Vec<_> = encoded.par_iter().map(|bytes| decode(bytes, TARGET)).collect();
        for ((decoded, bytes), (name, _)) in decoded.into_iter().zip(&encoded).zip(chunk) {
            progress.advance(bytes.len() as u64);
            match decoded {
                Ok(picture) => pixels.extend(picture),
                Err(reason) => failures.push((PathBuf::from(name), reason)),
            }
        }
    }
    progress.finish();
    let images = Images::new(pixels, TARGET.height as usize, TARGET.width as usize, TARGET.channels);
    let samples = Samples::Images(images.expect("each picture has the size that was asked for"));
    let (sources, labels) = files.into_iter().unzip();
    Ok(Split { samples, labels, sources })
}

/// What `words.txt` says of each class, up to the first comma; the wnid where it says nothing.
fn class_names(tree: &mut Tree, wnids: &[String]) -> Vec<String> {
    let words = tree.text("words.txt").unwrap_or_default();
    let names: HashMap<&str, &str> = words.lines().filter_map(|line| line.split_once('\t')).collect();
    let name = |wnid: &String| names.get(wnid.as_str()).and_then(|text| text.split(',').next()).unwrap_or(wnid).trim().to_owned();
    wnids.iter().map(name).collect()
}

/// The files of the set, wherever they are; names count from the folder that has `wnids.txt`.
enum Tree {
    Folder(PathBuf),
    Archive {
        path: PathBuf,
        zip: Box<ZipArchive<BufReader<File>>>,
        prefix: String,
        /// All files, without the prefix, sorted.
        names: Vec<String>,
    },
}

impl Tree {
    fn open(path: &Path) -> Result<Self, DataError> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let file = File::open(path).map_err(|source| DataError::io(path, source))?;
        let zip = ZipArchive::new(BufReader::new(file))
            .map_err(|error| DataError::format(path, format!("expected a zip archive, but it cannot be opened: {error}")))?;
        let root = zip.file_names().filter_map(Result::ok).find_map(|name| name.strip_suffix("wnids.txt").map(str::to_owned));
        let prefix = root.ok_or_else(|| DataError::format(path, "expected TinyImageNet, but there is no `wnids.txt`"))?;
        let under_prefix =
            zip.file_names().filter_map(Result::ok).filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned));
        let mut names: Vec<String> = under_prefix.filter(|name| !name.ends_with('/')).collect();
        names.sort_unstable();
        Ok(Self::Archive { path: path.to_owned(), zip: Box::new(zip), prefix, names })
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, DataError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                std::fs::read(&path).map_err(|source| DataError::io(&path, source))
            }
            Self::Archive { path, zip, prefix, .. } => {
                let mut bytes = Vec::new();
                let unpacked = zip.by_name(&format!("{prefix}{name}")).map_err(|error| error.to_string());
                let read = unpacked.and_then(|mut entry| entry.read_to_end(&mut bytes).map_err(|error| error.to_string()));
                read.map_err(|error| DataError::format(path, format!("`{name}` cannot be unpacked: {error}")))?;
                Ok(bytes)
            }
        }
    }

    fn text(&mut self, name: &str) -> Result<String, DataError> {
        self.read(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names of the files in a folder, sorted; `folder` ends in `/`.
    fn list(&self, folder: &str) -> Vec<String> {
        match self {
            Self::Folder(root) => {
                let entries = std::fs::read_dir(root.join(folder)).into_iter().flatten().filter_map(Result::ok);
                let mut names: Vec<String> =
                    entries.map(|entry| format!("{folder}{}", entry.file_name().to_string_lossy())).collect();
                names.sort_unstable();
                names
            }
            Self::Archive { names, .. } => {
                let start = names.partition_point(|name| name.as_str() < folder);
                names[start..].iter().take_while(|name| name.starts_with(folder)).cloned().collect()
            }
        }
    }
}
