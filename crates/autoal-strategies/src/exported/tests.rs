//! Reading arrays of every layout, and what is said about wrong ones.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

/// A `.npy` file: magic, header, values.
fn npy(descr: &str, fortran: bool, shape: &str, values: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(values);
    file
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Name of an array and its file.
type NamedFile = (&'static str, Vec<u8>);

fn folder(files: &[(&str, Vec<u8>)]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(format!("{name}.npy")), bytes).expect("writable");
    }
    let path = folder.path().to_owned();
    (folder, path)
}

fn embeddings_of(files: &[(&str, Vec<u8>)]) -> Vec<f32> {
    let (_guard, path) = folder(files);
    let exported = Exported::load(&path, None).expect("valid arrays");
    exported.query(Seed(0), 0, |context| context.embeddings().expect("given").data().to_vec())
}

fn error_of(files: &[(&str, Vec<u8>)], labeled: Option<&LabeledIds>) -> String {
    let (_guard, path) = folder(files);
    match Exported::load(&path, labeled) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string().split(": ").skip(1).collect::<Vec<_>>().join(": "),
    }
}

#[test]
fn every_layout_gives_the_same_rows() {
    let expected = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let doubles: Vec<u8> = expected.iter().flat_map(|value| f64::from(*value).to_be_bytes()).collect();
    assert_eq!(embeddings_of(&[("embeddings", npy("<f4", false, "3, 2", &f32s(&expected)))]), expected);
    assert_eq!(embeddings_of(&[("embeddings", npy("<f4", true, "3, 2", &f32s(&[1.0, 3.0, 5.0, 2.0, 4.0, 6.0])))]), expected);
    assert_eq!(embeddings_of(&[("embeddings", npy(">f8", false, "3, 2", &doubles))]), expected);
    let halves: Vec<u8> =
        [0x3c00_u16, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600].iter().flat_map(|half| half.to_le_bytes()).collect();
    assert_eq!(embeddings_of(&[("embeddings", npy("<f2", false, "3, 2", &halves))]), expected);
}

#[test]
fn logits_and_probabilities_give_the_same_log_probabilities() {
    let log_proba = |name: &str, values: &[f32]| {
        let (_guard, path) = folder(&[(name, npy("<f4", false, "1, 2", &f32s(values)))]);
        let exported = Exported::load(&path, None).expect("valid arrays");
        exported.query(Seed(0), 0, |context| context.log_proba().expect("given").to_owned())
    };
    let expected = log_proba("log_proba", &[0.25_f32.ln(), 0.75_f32.ln()]);
    for found in [log_proba("proba", &[0.25, 0.75]), log_proba("logits", &[1.0, 1.0 + 3.0_f32.ln()])] {
        assert!(found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-6));
    }
    assert_eq!(log_proba("proba", &[0.0, 1.0])[[0, 0]], f32::NEG_INFINITY);
}

#[test]
fn labeled_ids_leave_the_pool_and_bring_their_rows() {
    let (_guard, path) = folder(&[
        ("embeddings", npy("<f4", false, "3, 1", &f32s(&[7.0, 8.0, 9.0]))),
        ("ids", npy("<i8", false, "3,", &[5_i64, 3, 4].map(i64::to_le_bytes).concat())),
    ]);
    let exported = Exported::load(&path, Some(&LabeledIds::parse("id,label\n4,2\n5,0\n").expect("valid"))).expect("valid arrays");
    exported.query(Seed(0), 0, |context| {
        assert_eq!(context.candidates, [SampleId(3)]);
        assert_eq!(context.embeddings().expect("given").data(), [8.0]);
        assert_eq!(context.labeled_embeddings().expect("given").data(), [9.0, 7.0]);
        assert_eq!((context.labels, context.num_classes), (&[Label(2), Label(0)][..], 3));
    });
}

#[test]
fn wrong_arrays_are_named_with_what_was_expected() {
    let matrix = |rows: usize| npy("<f4", false, &format!("{rows}, 1"), &f32s(&vec![0.0; rows]));
    let ids = |ids: &[i64]| {
        npy("<i8", false, &format!("{},", ids.len()), &ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<_>>())
    };
    let cases: [(&[NamedFile], &str); 8] = [
        (&[], "none of `log_proba`, `embeddings`, `mc_proba`, `predicted_loss`, `ids` is there; what are the candidates?"),
        (
            &[("log_proba", matrix(2)), ("embeddings", matrix(3))],
            "`log_proba` has 2 samples, `embeddings` has 3, expected the same number",
        ),
        (&[("embeddings", matrix(2)), ("ids", ids(&[4, 4]))], "`ids` holds 4 twice, expected distinct ids"),
        (&[("embeddings", matrix(1)), ("ids", ids(&[-1]))], "`ids` holds -1 at row 0, which is out of range"),
        (
            &[("embeddings", npy("<f4", false, "2,", &f32s(&[0.0, 0.0])))],
            "`embeddings` has shape [2], expected [samples, columns]",
        ),
        (
            &[("log_proba", npy("<f4", false, "1, 2", &f32s(&[3.0, -1.0])))],
            "`log_proba` is 3 at row 0, class 0, expected at most 0 (are these `logits`?)",
        ),
        (
            &[("proba", npy("<f4", false, "1, 2", &f32s(&[0.5, -0.5])))],
            "`proba` is -0.5 at row 0, class 1, expected 0 to 1 (are these `logits`?)",
        ),
        (&[("log_proba", matrix(2)), ("logits", matrix(2))], "`log_proba` and `logits` are both there, expected one of them"),
    ];
    for (files, expected) in cases {
        assert_eq!(error_of(files, None), expected);
    }
    let labeled = LabeledIds::parse("7").expect("valid");
    assert_eq!(error_of(&[("embeddings", matrix(2))], Some(&labeled)), "labeled sample 7 is not in the pool");
    assert!(LabeledIds::parse("1,2\n3\n").is_err_and(|error| error.starts_with("some lines have a label")));
}
