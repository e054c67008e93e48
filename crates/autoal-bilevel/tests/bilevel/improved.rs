//! The improved search: behaviour tests (a) to (e) of specification 4.3 on synthetic candidates.

use autoal_bilevel::AutoAlConfig;
use autoal_bilevel::config::MaskKind;
use autoal_bilevel::nominations::rank_levels;
use autoal_bilevel::record::StepRecord;
use autoal_bilevel::search::Key;
use autoal_bilevel::search::improved::{Problem, Search, SearchLossKeys, search_loss};
use autoal_bilevel::search_net::SearchNet;
use autoal_data::{Seed, Stream};
use autoal_models::LossHead;
use burn::tensor::activation::softmax;
use ndarray::Array2;

use crate::support::{assert_close, device, features, host, matrix, noise, vector};

const ROWS: usize = 240;
const DIM: usize = 6;
const KEY: Key = Key { seed: Seed(5), round: 1 };

/// Inputs, losses, and two candidates: one ranks by loss, the other at random. With `by_region`, they swap roles where the first input
/// is negative.
struct Task {
    inputs: Array2<f32>,
    nominations: Array2<f32>,
    losses: Vec<f64>,
    rewards: Vec<f64>,
}

fn task(by_region: bool) -> Task {
    let mut inputs = Array2::from_shape_vec((ROWS, DIM), noise(1, ROWS * DIM)).expect("whole rows");
    // The regions lie apart, so that a small network can tell them.
    inputs.column_mut(0).mapv_inplace(|x| x + x.signum());
    let losses: Vec<f64> = noise(2, ROWS).into_iter().map(|z| f64::from(z).exp()).collect();
    let (good, random) = (rank_levels(&losses), rank_levels(&noise(3, ROWS).into_iter().map(f64::from).collect::<Vec<_>>()));
    let nominations = Array2::from_shape_fn((ROWS, 2), |(row, k)| {
        let swapped = by_region && inputs[[row, 0]] < 0.0;
        (if (k == 0) == swapped { random[row] } else { good[row] }) as f32
    });
    let (mean, std) = (losses.iter().sum::<f64>() / ROWS as f64, 1.0);
    let rewards = losses.iter().map(|l| ((l - mean) / std).clamp(-3.0, 3.0)).collect();
    Task { inputs, nominations, losses, rewards }
}

fn config(keys: &str) -> AutoAlConfig {
    AutoAlConfig::from_table(&keys.parse().expect("TOML")).expect("in range")
}

fn head() -> SearchNet {
    SearchNet::head(DIM, 32, 2, &mut Seed(9).rng(Stream::named("test-net"), 0), &device())
}

/// Runs a search on a task and gives the weights of all rows, `[n][K]`, and the records.
fn searched(keys: &str, task: &Task, net: SearchNet, module: Option<LossHead>) -> (Array2<f32>, Vec<StepRecord>) {
    let (config, device) = (config(keys), device());
    let all: Vec<usize> = (0..task.losses.len()).collect();
    let problem = Problem {
        inputs: &|rows| Ok(features(&task.inputs, rows)),
        nominations: &task.nominations,
        losses: &task.losses,
        rewards: &task.rewards,
        share: 0.2,
        batch_size: task.losses.len(),
    };
    let search = Search::new(&config, KEY, &device).expect("improved is the default mode");
    let (net, records) = search.run(&problem, net, module).expect("the losses are finite");
    let weights = host(softmax(net.forward(features(&task.inputs, &all)).logits, 1));
    (Array2::from_shape_vec((all.len(), 2), weights.into_iter().map(|w| w as f32).collect()).expect("two candidates"), records)
}

fn mean_weight(weights: &Array2<f32>, candidate: usize, keep: impl Fn(usize) -> bool) -> f32 {
    let kept: Vec<f32> = (0..weights.nrows()).filter(|&row| keep(row)).map(|row| weights[[row, candidate]]).collect();
    kept.iter().sum::<f32>() / kept.len() as f32
}

#[test]
fn searchnets_gradient_is_not_zero_at_step_one() {
    for mask in ["exact-budget", "soft-penalty"] {
        let (_, records) = searched(&format!("mask = \"{mask}\"\nsearch-steps = 1"), &task(false), head(), None);
        assert!(records[0].grad_norm > 1e-3, "{mask}: {}", records[0].grad_norm);
    }
}

#[test]
fn weight_moves_to_the_candidate_that_nominates_high_losses() {
    let task = task(false);
    for keys in ["", "mask = \"soft-penalty\"", "mask = \"soft-penalty\"\nthreshold = \"quantile\""] {
        let (weights, records) = searched(keys, &task, head(), None);
        let weight = mean_weight(&weights, 0, |_| true);
        assert!(weight > 0.9, "`{keys}`: {weight}");
        let (first, last) = (&records[0], &records[records.len() - 1]);
        assert!(last.precision > first.precision + 0.1, "`{keys}`: precision {} to {}", first.precision, last.precision);
        assert!(last.search_loss < first.search_loss, "`{keys}`");
    }
}

#[test]
fn one_vector_for_all_samples_finds_the_good_candidate_too() {
    let (weights, _) = searched("weights = \"searched-global\"", &task(false), SearchNet::global(2, &device()), None);
    assert!(weights[[0, 0]] > 0.9, "{}", weights[[0, 0]]);
    assert!(weights.outer_iter().all(|row| row == weights.row(0)));
}

#[test]
fn weight_follows_the_candidates_roles_by_region_of_the_input() {
    let task = task(true);
    let (weights, records) = searched("", &task, head(), None);
    let positive = mean_weight(&weights, 0, |row| task.inputs[[row, 0]] > 0.0);
    let negative = mean_weight(&weights, 1, |row| task.inputs[[row, 0]] < 0.0);
    assert!(positive > 0.9 && negative > 0.9, "{positive} where the first is good, {negative} where the second is");
    // One vector cannot: each candidate is good in half of the space.
    let (_, global) = searched("weights = \"searched-global\"", &task, SearchNet::global(2, &device()), None);
    let (own, global) = (records[records.len() - 1].precision, global[global.len() - 1].precision);
    assert!(own > global + 0.1, "precision {own} with a weight for each sample, {global} with one for all");
}

#[test]
fn the_exact_budget_selects_as_many_as_it_should_and_the_penalty_comes_near() {
    let (_, records) = searched("temperature = 0.01", &task(false), head(), None);
    let last = &records[records.len() - 1];
    assert!((last.selected as f64 - last.budget).abs() <= 2.0, "{} of {}", last.selected, last.budget);
    let (_, records) = searched("mask = \"soft-penalty\"\nthreshold = \"quantile\"", &task(false), head(), None);
    let last = &records[records.len() - 1];
    assert!((last.selected as f64 - last.budget).abs() <= 0.2 * last.budget, "{} of {}", last.selected, last.budget);
}

#[test]
fn permuting_rows_leaves_every_loss_and_the_learned_weights_unchanged() {
    let (task, n) = (task(true), ROWS);
    let order: Vec<usize> = (0..n).map(|i| (i * 77 + 13) % n).collect();
    let permuted = Task {
        inputs: task.inputs.select(ndarray::Axis(0), &order),
        nominations: task.nominations.select(ndarray::Axis(0), &order),
        losses: order.iter().map(|&row| task.losses[row]).collect(),
        rewards: order.iter().map(|&row| task.rewards[row]).collect(),
    };
    let (weights, records) = searched("search-steps = 20", &task, head(), None);
    let (permuted_weights, permuted_records) = searched("search-steps = 20", &permuted, head(), None);
    for (a, b) in records.iter().zip(&permuted_records) {
        let (a, b) = (a.search_loss.expect("a search step"), b.search_loss.expect("a search step"));
        // Sums in another order; twenty steps of Adam magnify the last bit.
        assert!((a - b).abs() < 1e-3, "{a} against {b}");
    }
    let expected: Vec<f64> = order.iter().map(|&row| f64::from(weights[[row, 0]])).collect();
    let actual: Vec<f64> = permuted_weights.column(0).iter().map(|w| f64::from(*w)).collect();
    assert_close(&actual, &expected, 5e-3);
}

#[test]
fn misaligned_rows_would_be_noticed() {
    // The guard on the test above: shifting one array against the others changes the loss.
    let task = task(false);
    let keys = SearchLossKeys { mask: MaskKind::ExactBudget, temperature: 0.05, entropy_weight: 0.0, budget_weight: 0.0 };
    let loss = |rewards: &[f64]| {
        let logits = Array2::from_elem((ROWS, 2), 0.0_f32);
        let terms = search_loss(matrix(&logits), matrix(&task.nominations), vector(rewards), 48.0, &keys, |_| 0.0);
        host(terms.loss)[0]
    };
    let mut shifted = task.rewards.clone();
    shifted.rotate_left(1);
    assert!((loss(&task.rewards) - loss(&shifted)).abs() > 0.1);
}

#[test]
fn the_loss_is_what_the_specification_says_on_equal_weights() {
    // s = the mean of two nominations; H = ln 2; the budget is exact, so there is no penalty.
    let nominations = Array2::from_shape_fn((4, 2), |(row, _)| [0.9_f32, 0.5, 0.4, 0.1][row]);
    let keys = SearchLossKeys { mask: MaskKind::ExactBudget, temperature: 0.1, entropy_weight: 0.02, budget_weight: 1.0 };
    let rewards = [2.0, 1.0, 3.0, 0.0];
    let terms = search_loss(matrix(&Array2::zeros((4, 2))), matrix(&nominations), vector(&rewards), 2.0, &keys, |_| 0.0);
    let mask = [0.988_614_9, 0.613_962_1, 0.369_118_0, 0.028_305_0];
    let reward: f64 = mask.iter().zip(rewards).map(|(m, l)| m * l).sum::<f64>() / 2.0;
    assert_close(&host(terms.loss), &[-reward - 0.02 * 2.0_f64.ln()], 2e-5);
}

#[test]
fn a_loss_module_learns_along_and_alone_still_trains_searchnet() {
    let task = task(false);
    let module = || LossHead::init(&[32], &mut Seed(4).rng(Stream::named("test-module"), 0), &device());
    let (_, both) = searched("loss-module = true", &task, head(), Some(module()));
    assert!(both[0].pred_loss.is_some());
    let keys = "loss-module = true\nbackbone = false\nsearch-steps = 5";
    let (weights, alone) = searched(keys, &task, head(), Some(module()));
    assert!(alone[0].grad_norm > 0.0);
    // The ranking loss reaches the hidden layer and never the output layer, which decides the weights and started at zero.
    assert!(weights.iter().all(|w| *w == 0.5));
}

#[test]
fn an_early_stop_ends_the_search_and_hands_back_the_best_network() {
    let (weights, records) = searched("early-stop = 5\nsearch-steps = 400", &task(false), head(), None);
    assert!(records.len() < 400, "{} steps", records.len());
    assert!(mean_weight(&weights, 0, |_| true) > 0.6);
}

#[test]
fn a_cosine_schedule_and_sgd_are_selectable() {
    let keys = "search-optimizer = \"sgd\"\nsearch-schedule = \"cosine\"\nsearch-lr = 0.3\nsearch-steps = 200";
    let (weights, _) = searched(keys, &task(false), head(), None);
    assert!(mean_weight(&weights, 0, |_| true) > 0.9);
}

#[test]
fn mini_batches_learn_the_same() {
    let (config, device, task) = (config("search-steps = 150"), device(), task(false));
    let asked = std::cell::RefCell::new(Vec::new());
    let problem = Problem {
        inputs: &|rows| {
            asked.borrow_mut().push(rows.to_vec());
            Ok(features(&task.inputs, rows))
        },
        nominations: &task.nominations,
        losses: &task.losses,
        rewards: &task.rewards,
        share: 0.2,
        batch_size: 60,
    };
    let search = Search::new(&config, KEY, &device).expect("improved is the default mode");
    let (net, records) = search.run(&problem, head(), None).expect("the losses are finite");
    let all: Vec<usize> = (0..ROWS).collect();
    let weights = host(softmax(net.forward(features(&task.inputs, &all)).logits, 1));
    let mean = weights.iter().step_by(2).sum::<f64>() / ROWS as f64;
    assert!(mean > 0.9, "{mean}");
    assert!(records.iter().all(|record| (record.budget - 12.0).abs() < 1e-9));
    let mut epoch: Vec<usize> = asked.borrow()[..4].concat();
    epoch.sort_unstable();
    assert_eq!(epoch, all, "four mini-batches of 60 are one epoch of 240");
}
