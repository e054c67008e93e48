//! The specification's example, and the incremental form against the direct one.

use autoal_data::{Label, SampleId, Seed};
use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;
use crate::ArrayOutputs;

/// Expected values have seven digits.
const DIGITS: f64 = 1e-6;

fn query<T>(log_proba: &Array2<f32>, embeddings: &Array2<f32>, labeled: usize, f: impl FnOnce(&QueryContext<'_>) -> T) -> T {
    // The last rows play the labeled samples.
    let pool = log_proba.nrows() - labeled;
    let (lp, llp) = log_proba.view().split_at(ndarray::Axis(0), pool);
    let (h, lh) = embeddings.view().split_at(ndarray::Axis(0), pool);
    let outputs =
        ArrayOutputs::new().with_log_proba(lp).with_embeddings(h).with_labeled_log_proba(llp).with_labeled_embeddings(lh);
    let ids: Vec<SampleId> = (0..log_proba.nrows() as u32).map(SampleId).collect();
    let labels = vec![Label(0); labeled];
    f(&QueryContext {
        candidates: &ids[..pool],
        labeled: &ids[pool..],
        labels: &labels,
        num_classes: log_proba.ncols(),
        seed: Seed(0),
        round: 0,
        outputs: &outputs,
    })
}

#[test]
fn gains_and_selections_of_the_worked_example() {
    let q = [0.5_f32, 0.9, 0.6, 0.99];
    let log_proba = Array2::from_shape_fn((4, 2), |(i, c)| if c == 0 { q[i].ln() } else { (1.0 - q[i]).ln() });
    let embeddings = array![[1.0_f32, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0]];
    query(&log_proba, &embeddings, 0, |context| {
        let mut bait = Bait(BaitConfig::default());
        let gains = bait.first_gains(context, 1).expect("arrays are given");
        for (gain, expected) in gains.iter().zip([0.026_480_0, 0.006_811_9, 0.054_308_1, 0.005_043_3]) {
            assert!((gain - expected).abs() < DIGITS, "{gains:?}");
        }
        assert_eq!(bait.select(context, 1).expect("valid").ids(), [SampleId(2)]);
        assert_eq!(bait.select(context, 2).expect("valid").ids(), [2, 0].map(SampleId));
    });
}

/// The textbook form: every gain from the present inverse, no updates of terms.
fn direct(factors: &[Array2<f64>], labeled: &[Array2<f64>], count: usize, oversample: usize) -> Vec<usize> {
    let width = factors[0].ncols();
    let sum = |of: &[Array2<f64>]| of.iter().fold(Array2::<f64>::zeros((width, width)), |sum, v| sum + v.t().dot(v));
    let (labels, asked) = (labeled.len() as f64, count as f64);
    let fisher = (sum(factors) + sum(labeled)) / (factors.len() + labeled.len()) as f64;
    let start = Array2::<f64>::eye(width) + sum(labeled) / labels.max(1.0) * (labels / (labels + asked));
    let scaled: Vec<Array2<f64>> = factors.iter().map(|v| v * (asked / (labels + asked)).sqrt()).collect();
    let value = |set: &[usize]| {
        let m = set.iter().fold(start.clone(), |m, &i| m + scaled[i].t().dot(&scaled[i]));
        greedy::inverse(&m).expect("positive definite").dot(&fisher).diag().sum()
    };
    let mut chosen: Vec<usize> = Vec::new();
    for _ in 0..(oversample * count).min(factors.len()) {
        let with = |i: usize| value(&[chosen.as_slice(), &[i]].concat());
        let best = (0..factors.len()).filter(|i| !chosen.contains(i)).min_by(|a, b| with(*a).total_cmp(&with(*b)));
        chosen.push(best.expect("samples are left"));
    }
    while chosen.len() > count {
        let without = |k: usize| value(&[&chosen[..k], &chosen[k + 1..]].concat());
        let least = (0..chosen.len()).min_by(|a, b| without(*a).total_cmp(&without(*b)));
        chosen.remove(least.expect("samples are chosen"));
    }
    chosen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_incremental_form_equals_the_direct_one(
        logits in prop::collection::vec(-2.0_f32..2.0, 14 * 3), values in prop::collection::vec(-2.0_f32..2.0, 14 * 4), full: bool,
        labeled in 0_usize..4,
    ) {
        let log_proba = Array2::from_shape_fn((14, 3), |(i, c)| {
            let z = &logits[3 * i..3 * i + 3];
            z[c] - z.iter().map(|z| z.exp()).sum::<f32>().ln()
        });
        let embeddings = Array2::from_shape_vec((14, 4), values).expect("14 rows");
        let fisher = if full { Fisher::Full } else { Fisher::Binary };
        query(&log_proba, &embeddings, labeled, |context| {
            let rows = crate::Rows::from_view(embeddings.view()).expect("row-major");
            let all = Factors::new(fisher, log_proba.view(), rows).expect("narrow");
            let factors: Vec<Array2<f64>> = (0..14).map(|i| all.factor(i)).collect();
            let found = Bait(BaitConfig { fisher, ..BaitConfig::default() }).select(context, 3).expect("valid").ids();
            let expected = direct(&factors[..14 - labeled], &factors[14 - labeled..], 3, 2);
            let found: Vec<usize> = found.iter().map(|id| id.row()).collect();
            prop_assert_eq!(found, expected);
            Ok(())
        })?;
    }

    #[test]
    fn the_order_of_the_axes_of_the_embedding_does_not_matter(values in prop::collection::vec(-2.0_f32..2.0, 12 * 3)) {
        let log_proba = Array2::from_shape_fn((12, 2), |(i, c)| (if (c == 0) == (i % 2 == 0) { 0.5 + i as f32 / 30.0 } else { 0.5 - i as f32 / 30.0 }).ln());
        let embeddings = Array2::from_shape_vec((12, 3), values).expect("12 rows");
        let turned = Array2::from_shape_fn((12, 3), |(i, d)| if d == 1 { -embeddings[[i, 2]] } else { embeddings[[i, usize::from(d != 0)]] });
        let select = |h: &Array2<f32>| query(&log_proba, h, 0, |context| Bait(BaitConfig::default()).first_gains(context, 2).expect("valid"));
        for (x, y) in select(&embeddings).iter().zip(select(&turned)) {
            prop_assert!(*x >= 0.0 && (x - y).abs() < DIGITS);
        }
    }
}
