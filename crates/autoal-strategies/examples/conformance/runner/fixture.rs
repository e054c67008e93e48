//! A fixture folder: `manifest.json`, and arrays in `inputs/` and `expected/`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use autoal_data::npy::{NpyArray, Npz};
use autoal_data::{Label, SampleId, Seed};
use autoal_strategies::{ArrayOutputs, LinearHead, QueryContext};
use ndarray::{Array1, Array2, Array3};
use serde::Deserialize;

/// A folder of cases.
pub(crate) struct Fixture {
    root: PathBuf,
    /// All cases in the manifest's order.
    pub(crate) cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Manifest {
    cases: Vec<Case>,
}

/// One case of the manifest.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) strategy: String,
    pub(crate) query_size: usize,
    pub(crate) params: serde_json::Map<String, serde_json::Value>,
    inputs: Arrays,
    expected: Arrays,
    pub(crate) compare: String,
    pub(crate) tolerance: Tolerance,
    pub(crate) reference: Reference,
    #[serde(default)]
    pub(crate) agreement: Vec<Agreement>,
    #[serde(default)]
    pub(crate) quantity: String,
    #[serde(default)]
    pub(crate) runs_wanted: Option<usize>,
}

#[derive(Deserialize)]
struct Arrays {
    file: String,
}

/// How far an answer may be from the expectation.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
pub(crate) struct Tolerance {
    pub(crate) abs: f64,
    pub(crate) rel: f64,
    pub(crate) tie: f64,
    pub(crate) p_value: f64,
    pub(crate) z: f64,
    pub(crate) ratio: f64,
}

/// Who gave the expectation.
#[derive(Deserialize)]
pub(crate) struct Reference {
    pub(crate) package: String,
    pub(crate) version: String,
}

/// Another implementation that was run.
#[derive(Deserialize)]
pub(crate) struct Agreement {
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) agrees: Option<bool>,
    #[serde(default)]
    pub(crate) detail: String,
}

impl Fixture {
    /// Reads the manifest of a folder.
    pub(crate) fn open(root: &Path) -> Result<Self, String> {
        let path = root.join("manifest.json");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", path.display()))?;
        Ok(Self { root: root.to_owned(), cases: manifest.cases })
    }

    /// Input arrays of a case.
    pub(crate) fn inputs(&self, case: &Case) -> Result<Archive, String> {
        Archive::open(&self.root.join(&case.inputs.file))
    }

    /// Expected arrays of a case.
    pub(crate) fn expected(&self, case: &Case) -> Result<Archive, String> {
        Archive::open(&self.root.join(&case.expected.file))
    }
}

/// The arrays of one `.npz` file.
pub(crate) struct Archive(Vec<(String, NpyArray)>);

impl Archive {
    fn open(path: &Path) -> Result<Self, String> {
        let mut npz = Npz::open(path).map_err(|error| error.to_string())?;
        let names = npz.names();
        let read = |name: String| npz.read(&name).map(|array| (name, array)).map_err(|error| error.to_string());
        names.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    fn array(&self, name: &str) -> Option<&NpyArray> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, array)| array)
    }

    /// Ids or cluster numbers, empty when the array is not there.
    pub(crate) fn integers(&self, name: &str) -> Result<Vec<u32>, String> {
        self.array(name).map_or(Ok(Vec::new()), |array| array.to_u32().map_err(|error| format!("`{name}`: {error}")))
    }

    /// Numbers, empty when the array is not there.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.array(name).map_or(Vec::new(), NpyArray::to_f64)
    }

    fn vector(&self, name: &str) -> Option<Array1<f32>> {
        self.array(name).map(|array| array.to_f32().into())
    }

    pub(crate) fn matrix(&self, name: &str) -> Option<Array2<f32>> {
        let array = self.array(name)?;
        Array2::from_shape_vec((*array.shape().first()?, *array.shape().get(1)?), array.to_f32()).ok()
    }

    fn cube(&self, name: &str) -> Option<Array3<f32>> {
        let array = self.array(name)?;
        let &[draws, rows, classes] = array.shape() else { return None };
        Array3::from_shape_vec((draws, rows, classes), array.to_f32()).ok()
    }
}

/// A query as a case describes it, with the arrays it borrows.
pub(crate) struct Query {
    pub(crate) ids: Vec<SampleId>,
    pub(crate) labeled: Vec<SampleId>,
    pub(crate) labels: Vec<Label>,
    pub(crate) num_classes: usize,
    pub(crate) outputs: ArrayOutputs<'static>,
}

impl Query {
    /// From input arrays.
    pub(crate) fn of(inputs: &Archive) -> Result<Self, String> {
        let ids: Vec<SampleId> = inputs.integers("ids")?.into_iter().map(SampleId).collect();
        let labels: Vec<Label> = inputs.integers("labeled_labels")?.into_iter().map(|label| Label(label as u16)).collect();
        let known = inputs.matrix("labeled_embeddings").map_or(labels.len(), |rows| rows.nrows());
        let labels = if labels.len() == known { labels } else { vec![Label(0); known] };
        let classes = [
            inputs.matrix("log_proba").map(|rows| rows.ncols()),
            inputs.cube("mc_proba").map(|passes| passes.dim().2),
            inputs.matrix("head_weight").map(|rows| rows.nrows()),
            labels.iter().map(|label| label.class() + 1).max(),
        ];
        let num_classes = classes.into_iter().flatten().max().unwrap_or(1);
        Ok(Self { labeled: unused_ids(&ids, known), ids, labels, num_classes, outputs: outputs(inputs) })
    }

    /// The context of this query under a seed.
    pub(crate) fn context(&self, seed: u64) -> QueryContext<'_> {
        QueryContext {
            candidates: &self.ids,
            labeled: &self.labeled,
            labels: &self.labels,
            num_classes: self.num_classes,
            seed: Seed(seed),
            round: 0,
            outputs: &self.outputs,
        }
    }
}

/// Ids for labeled samples, which the fixtures leave unnamed.
fn unused_ids(pool: &[SampleId], count: usize) -> Vec<SampleId> {
    let pool: HashSet<SampleId> = pool.iter().copied().collect();
    (0..u32::MAX).rev().map(SampleId).filter(|id| !pool.contains(id)).take(count).collect()
}

fn outputs(inputs: &Archive) -> ArrayOutputs<'static> {
    let mut outputs = ArrayOutputs::new();
    if let Some(array) = inputs.matrix("log_proba") {
        outputs = outputs.with_log_proba(array);
    }
    if let Some(array) = inputs.matrix("embeddings") {
        outputs = outputs.with_embeddings(array);
    }
    if let Some(array) = inputs.matrix("labeled_embeddings") {
        outputs = outputs.with_labeled_embeddings(array);
    }
    if let Some(array) = inputs.matrix("labeled_log_proba") {
        outputs = outputs.with_labeled_log_proba(array);
    }
    if let Some(array) = inputs.cube("mc_proba") {
        outputs = outputs.with_mc_proba(array);
    }
    if let Some(array) = inputs.vector("predicted_loss") {
        outputs = outputs.with_predicted_loss(array);
    }
    if let (Some(weight), Some(bias)) = (inputs.matrix("head_weight"), inputs.vector("head_bias")) {
        outputs = outputs.with_head(LinearHead { weight, bias });
    }
    outputs
}
