//! The paper's gate and losses: the toy oracle of specification 4.2, the count regulariser, reading E.

use autoal_bilevel::gate::{count_regularizer, equation_gate, figure_gate, steepness};
use autoal_bilevel::search::paper::search_loss;
use ndarray::array;

use crate::support::{SINGLE, assert_close, host, leaf, matrix, vector};

#[test]
fn the_toy_oracle_holds_for_gate_losses_and_gradient() {
    let losses = [1.0, 3.0];
    let at = leaf(&[0.2, 0.8]);
    let selection = figure_gate(at.clone(), 0.5, 10.0);
    assert_close(&host(selection.clone()), &[0.047_425_9, 0.952_574_1], SINGLE);
    let loss = search_loss(selection.clone(), vector(&losses));
    assert_close(&host(loss.clone()), &[-1.452_574_1], SINGLE);
    let gradient = host(at.grad(&loss.backward()).expect("scores are in the graph"));
    assert_close(&gradient, &[-0.225_883_3, -0.677_649_9], SINGLE);
    let fit = (selection.detach() * vector(&losses)).mean();
    assert_close(&host(fit), &[1.452_574_1], SINGLE);
}

#[test]
fn the_count_regulariser_equals_equation_nine_and_its_closed_form() {
    let expected = [(0, 0.0), (1, -0.122_459_3), (2, -0.231_058_6), (4, -0.380_797_1), (10, -0.493_307_1)];
    for (off, value) in expected {
        for selected in [20 + off, 20_usize.saturating_sub(off)] {
            assert_close(&[count_regularizer(selected, 20.0)], &[value], 5e-8);
            assert_close(&[count_regularizer(selected, 20.0)], &[-0.5 * (off as f64 / 4.0).tanh()], 1e-12);
        }
    }
}

#[test]
fn the_gate_is_a_quarter_of_a_standard_deviation_wide_and_never_steeper_than_the_cap() {
    assert_close(&[steepness(&[0.0, 1.0])], &[8.0], 1e-4);
    assert_close(&[steepness(&[0.5; 4]), steepness(&[0.5, 0.5001])], &[100.0, 100.0], 1e-9);
}

#[test]
fn reading_e_gates_each_candidate() {
    let logits = array![[0.0_f32, 2.0], [-1.0, 1.0]];
    let (weights, marks) = (array![[0.25_f32, 0.75], [0.5, 0.5]], array![[1.0_f32, 0.0], [1.0, 1.0]]);
    let gate = |z: f64| 1.0 / (1.0 + (-z).exp());
    let expected = [
        gate(0.0) * (1.0 - 0.4) * 0.25 + gate(2.0) * (0.0 - 0.4) * 0.75,
        gate(-1.0) * (1.0 - 0.4) * 0.5 + gate(1.0) * (1.0 - 0.4) * 0.5,
    ];
    let actual = host(equation_gate(matrix(&logits), matrix(&weights), matrix(&marks), 0.4));
    assert_close(&actual, &expected, SINGLE);
}
