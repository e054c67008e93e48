//! The paper's search: gradients reach SearchNet, phases keep to their own network, batches stay aligned.

use std::cell::RefCell;

use autoal_bilevel::config::Activation;
use autoal_bilevel::record::Phase;
use autoal_bilevel::search::paper::{Batch, Nets, Search, weights};
use autoal_bilevel::search::{Key, Trained, adam, sgd};
use autoal_bilevel::search_net::SearchNet;
use autoal_bilevel::{AutoAlConfig, BilevelError};
use autoal_data::{InputShape, Seed, Stream};
use autoal_models::config::Arch;
use autoal_models::{Input, LossHead, ModelConfig, Network};
use burn::module::Module;
use ndarray::{Array2, array};

use crate::support::{assert_close, bits, device, features, host, matrix, noise};

const KEY: Key = Key { seed: Seed(5), round: 0 };
const DIM: usize = 5;

fn config(keys: &str) -> AutoAlConfig {
    AutoAlConfig::from_table(&format!("mode = \"paper\"\n{keys}").parse().expect("TOML")).expect("in range")
}

fn model() -> ModelConfig {
    ModelConfig { arch: Arch::Mlp, hidden: vec![16], ..ModelConfig::default() }
}

fn nets(candidates: usize) -> Nets {
    let (shape, device) = (InputShape::Features { dim: DIM }, device());
    let mut rng = Seed(3).rng(Stream::named("test-nets"), 0);
    let fit = Network::init(&model(), shape, 3, &mut rng, &device).expect("fits");
    let search = SearchNet::own(Network::init(&model(), shape, candidates, &mut rng, &device).expect("fits"));
    let module = LossHead::init(&search.stage_widths(), &mut rng, &device);
    Nets {
        fit: Trained::new(fit.train(), adam()),
        search: Trained::new(search.train(), sgd()),
        module: Some(Trained::new(module.train(), sgd())),
    }
}

fn inputs(n: usize) -> Array2<f32> {
    Array2::from_shape_vec((n, DIM), noise(1, n * DIM)).expect("whole rows")
}

/// Rows `from..from + n`: the first candidate marks the `budget` highest losses of FitNet, the second the first rows.
fn batch(rows: &Array2<f32>, from: usize, n: usize, nets: &Nets) -> Batch {
    let at: Vec<usize> = (from..from + n).collect();
    let classes: Vec<usize> = at.iter().map(|row| row % 3).collect();
    let logits = host(nets.fit.net.valid().forward(features(rows, &at)).logits);
    let loss = |i: usize| {
        let row = &logits[i * 3..(i + 1) * 3];
        row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[classes[i]]
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| loss(b).total_cmp(&loss(a)));
    let budget = n / 5;
    let marks = Array2::from_shape_fn((n, 2), |(row, k)| {
        let marked = if k == 0 { order[..budget].contains(&row) } else { row < budget };
        f32::from(u8::from(marked))
    });
    Batch { rows: at, classes, marks, budget: budget as f64 }
}

type Ask<'a> = dyn Fn(&[usize]) -> Result<Input, BilevelError> + 'a;

fn search<'a>(config: &'a AutoAlConfig, device: &'a burn::tensor::Device, ask: &'a Ask<'a>) -> Search<'a> {
    Search::new(config, KEY, device, 0, ask).expect("the mode is paper")
}

#[test]
fn searchnets_gradient_is_not_zero_at_step_one_in_either_reading() {
    let (rows, device) = (inputs(60), device());
    for keys in
        ["loss-module = false", "loss-module = false\nreading = \"equation\"", "loss-module = false\nactivation = \"sigmoid\""]
    {
        let (config, nets) = (config(keys), Nets { module: None, ..nets(2) });
        let batch = batch(&rows, 0, 60, &nets);
        let ask: &Ask<'_> = &|at| Ok(features(&rows, at));
        let (_, record) = search(&config, &device, ask).search_step(1, &batch, nets).expect("finite");
        assert!(record.grad_norm > 1e-4, "`{keys}`: {}", record.grad_norm);
    }
}

#[test]
fn a_step_changes_its_own_network_and_leaves_the_others_bit_identical() {
    let (rows, device, config) = (inputs(60), device(), config(""));
    let ask: &Ask<'_> = &|at| Ok(features(&rows, at));
    let state =
        |nets: &Nets| [bits(&nets.fit.net), bits(&nets.search.net), bits(&nets.module.as_ref().expect("there is one").net)];
    for (changed, phase) in [Phase::Fit, Phase::Search, Phase::LossModule].into_iter().enumerate() {
        let nets = nets(2);
        let (before, batch) = (state(&nets), batch(&rows, 0, 60, &nets));
        let search = search(&config, &device, ask);
        let (nets, record) = match phase {
            Phase::Fit => search.fit_step(0, &batch, nets),
            Phase::Search => search.search_step(1, &batch, nets),
            Phase::LossModule => search.module_step(2, &batch, nets),
        }
        .expect("finite");
        let after = state(&nets);
        for net in 0..3 {
            assert_eq!(before[net] == after[net], net != changed, "{phase:?}, network {net}");
        }
        assert!(record.grad_norm > 0.0, "{phase:?}");
    }
}

#[test]
fn weight_moves_to_the_candidate_that_marks_high_losses() {
    let (rows, device) = (inputs(60), device());
    let config = config("search-lr = 0.2\nloss-module = false");
    let ask: &Ask<'_> = &|at| Ok(features(&rows, at));
    let mut nets = Nets { module: None, ..nets(2) };
    let batch = batch(&rows, 0, 60, &nets);
    for step in 0..150 {
        // FitNet stands still, so that the roles of the candidates stay what they are.
        nets = search(&config, &device, ask).search_step(step, &batch, nets).expect("finite").0;
    }
    let all: Vec<usize> = (0..60).collect();
    let logits = nets.search.net.valid().forward(features(&rows, &all)).logits;
    let weights = host(weights(logits, Activation::Softmax));
    let marked: Vec<usize> = (0..60).filter(|&row| batch.marks[[row, 0]] != batch.marks[[row, 1]]).collect();
    let mean = marked.iter().map(|row| weights[2 * row]).sum::<f64>() / marked.len() as f64;
    assert!(mean > 0.8, "{mean}");
}

#[test]
fn phases_take_turns_and_fitnet_takes_the_batch_after_searchnets() {
    let (rows, device, config) = (inputs(90), device(), config("search-steps = 7"));
    let asked = RefCell::new(Vec::new());
    let ask: &Ask<'_> = &|at| {
        asked.borrow_mut().push(at[0]);
        Ok(features(&rows, at))
    };
    let nets = nets(2);
    let batches: Vec<Batch> = (0..3).map(|i| batch(&rows, 30 * i, 30, &nets)).collect();
    let (_, records) = search(&config, &device, ask).run(&batches, nets).expect("finite");
    let phases: Vec<Phase> = records.iter().map(|record| record.phase).collect();
    let turn = [Phase::Fit, Phase::Search, Phase::LossModule];
    assert_eq!(phases, [&turn[..], &turn[..], &turn[..1]].concat());
    // Two networks look at the batch of each step.
    assert_eq!(*asked.borrow(), [30, 30, 0, 0, 0, 0, 60, 60, 30, 30, 30, 30, 0, 0]);
    assert!(records.iter().enumerate().all(|(step, record)| record.step == step));
}

#[test]
fn permuting_the_rows_of_a_batch_leaves_every_loss_unchanged() {
    let (rows, device, config) = (inputs(60), device(), config(""));
    let ask: &Ask<'_> = &|at| Ok(features(&rows, at));
    let plain = batch(&rows, 0, 60, &nets(2));
    let order: Vec<usize> = (0..60).map(|i| (i * 7 + 3) % 60).collect();
    let permuted = Batch {
        rows: order.iter().map(|&i| plain.rows[i]).collect(),
        classes: order.iter().map(|&i| plain.classes[i]).collect(),
        marks: plain.marks.select(ndarray::Axis(0), &order),
        budget: plain.budget,
    };
    let search = search(&config, &device, ask);
    let losses = |batch: &Batch| {
        let (_, fit) = search.fit_step(0, batch, nets(2)).expect("finite");
        let (_, search) = search.search_step(0, batch, nets(2)).expect("finite");
        [fit.fit_loss.expect("a fit step"), search.search_loss.expect("a search step")]
    };
    assert_close(&losses(&permuted), &losses(&plain), 1e-5);
}

#[test]
fn the_combination_oracle_holds() {
    let (marks, weights) =
        (array![[1.0_f32, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]], array![[0.8_f32, 0.2], [0.5, 0.5], [0.3, 0.7], [0.6, 0.4]]);
    let combined = host((matrix(&weights) * matrix(&marks)).sum_dim(1));
    assert_close(&combined, &[0.8, 1.0, 0.7, 0.0], 1e-6);
    let (_, share) = autoal_bilevel::weight_summary(&weights, &marks, 4);
    assert_close(&share, &[0.52, 0.48], 1e-6);
}

#[test]
fn reading_e_never_weights_fitnet_negatively() {
    let (rows, device, config) = (inputs(60), device(), config("reading = \"equation\"\nfit-budget-weight = 0.0"));
    let ask: &Ask<'_> = &|at| Ok(features(&rows, at));
    let nets = nets(2);
    let batch = batch(&rows, 0, 60, &nets);
    let (_, record) = search(&config, &device, ask).fit_step(0, &batch, nets).expect("finite");
    assert!(record.fit_loss.expect("a fit step") >= 0.0);
}
