//! FitNets that keep learning during the improved search.

use autoal_bilevel::record::SearchRecord;
use autoal_bilevel::search::fit_nets::FitNets;
use autoal_data::{InputShape, Seed, Stream};
use autoal_models::config::Arch;
use autoal_models::{ModelConfig, Network};
use autoal_strategies::QueryStrategy;
use ndarray::Array2;

use crate::support::{SINGLE, assert_close, autoal, bits, blobs, device, env, features, noise, with_query};

const ROWS: usize = 40;
const DIM: usize = 5;

fn network(fold: u64) -> Network {
    let model = ModelConfig { arch: Arch::Linear, dropout: 0.0, ..ModelConfig::default() };
    let mut rng = Seed(fold).rng(Stream::named("test-fit-net"), 0);
    Network::init(&model, InputShape::Features { dim: DIM }, 3, &mut rng, &device()).expect("a linear model fits")
}

/// Inputs, classes and folds of a small problem.
fn problem() -> (Array2<f32>, Vec<usize>, Vec<usize>) {
    let inputs = Array2::from_shape_vec((ROWS, DIM), noise(4, ROWS * DIM)).expect("whole rows");
    (inputs, (0..ROWS).map(|i| i % 3).collect(), (0..ROWS).map(|i| i % 2).collect())
}

#[test]
fn the_loss_of_a_step_is_the_masked_mean_plus_the_mean() {
    let ((inputs, classes, fold_of), device) = (problem(), device());
    let of = |rows: &[usize]| Ok(features(&inputs, rows));
    let fresh = |fold_of: Vec<usize>| FitNets::new(vec![network(1), network(2)], fold_of, classes.clone(), &of, 0.01, &device);
    let rows: Vec<usize> = (0..ROWS).collect();
    let mask: Vec<f64> = rows.iter().map(|row| (row % 5) as f64 / 4.0).collect();
    // With the folds exchanged, the out-of-fold losses are those that each network has on what it learns from.
    let own = fresh(fold_of.iter().map(|fold| 1 - fold).collect()).losses(&rows).expect("losses");
    let expected: f64 = (0..2)
        .map(|fold| {
            let learned: Vec<usize> = rows.iter().copied().filter(|row| fold_of[*row] != fold).collect();
            let total: f64 = learned.iter().map(|row| mask[*row]).sum();
            learned.iter().map(|row| own[*row] * (mask[*row] / total + 1.0 / learned.len() as f64)).sum::<f64>() / 2.0
        })
        .sum();
    let (_, loss) = fresh(fold_of.clone()).step(&rows, &mask, 0).expect("a step");
    assert_close(&[loss], &[expected], SINGLE);
}

#[test]
fn a_fit_net_learns_from_its_own_samples_and_never_from_its_fold() {
    let ((inputs, classes, fold_of), device) = (problem(), device());
    let of = |rows: &[usize]| Ok(features(&inputs, rows));
    let rows: Vec<usize> = (0..ROWS).collect();
    let learned = |classes: Vec<usize>| {
        let mut nets = FitNets::new(vec![network(1), network(2)], fold_of.clone(), classes, &of, 0.05, &device);
        let mut losses = Vec::new();
        for step in 0..20 {
            let loss;
            (nets, loss) = nets.step(&rows, &[0.5; ROWS], step).expect("a step");
            losses.push(loss);
        }
        (bits(&nets.network(0)), bits(&nets.network(1)), losses)
    };
    let (first, second, losses) = learned(classes.clone());
    assert!(losses[19] < 0.9 * losses[0], "{losses:?}");
    let changed = classes.iter().zip(&fold_of).map(|(class, fold)| if *fold == 0 { (class + 1) % 3 } else { *class });
    let (first_again, second_again, _) = learned(changed.collect());
    assert_eq!(first, first_again, "the labels of its fold moved a FitNet");
    assert_ne!(second, second_again);
}

#[test]
fn a_query_with_learning_fit_nets_records_their_loss() {
    let env = env(blobs(220, 4, 6, 7));
    let selected = |keys: &str| {
        let mut strategy = autoal(keys, &env);
        with_query(&env, 60, 1, 0, |context| strategy.select(context, 12)).expect("a query")
    };
    let losses = |keys: &str| -> Vec<Option<f64>> {
        let lines = selected(keys).log.into_iter().map(|line| serde_json::from_value(line).expect("a record"));
        lines.filter_map(|record| if let SearchRecord::Step(step) = record { Some(step.fit_loss) } else { None }).collect()
    };
    assert!(losses("").iter().all(Option::is_none));
    let learning: Vec<f64> = losses("fit-nets = \"learning\"").into_iter().map(|loss| loss.expect("recorded")).collect();
    assert!(learning.len() == 100 && learning[99] < learning[0], "{} to {}", learning[0], learning[99]);
    assert_eq!(selected("fit-nets = \"learning\"").ids(), selected("fit-nets = \"learning\"").ids());
}
