//! What candidates say, as numbers.

use autoal_bilevel::config::Nominations;
use autoal_bilevel::nominations::{Ask, Candidates, Signal, Signals, rank_levels, soft_rank};
use autoal_strategies::StrategySpec;

use crate::support::assert_close;

#[test]
fn soft_ranks_equal_the_oracle() {
    let actual: Vec<f64> = (0..8).map(|rank| f64::from(soft_rank(rank, 2, 3.0))).collect();
    assert_close(&actual, &[1.0, 0.833_333_3, 0.666_666_7, 0.5, 0.333_333_3, 0.166_666_7, 0.0, 0.0], 1e-6);
}

#[test]
fn hard_marks_end_at_the_budget() {
    let ask = Ask { kind: Nominations::Hard, budget: 2, beta: 3.0 };
    assert_eq!(ask.nominate(&[3, 0, 1], 5), [1.0, 0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn levels_are_ranks_from_below_and_equal_scores_share_theirs() {
    assert_close(&rank_levels(&[3.0, 1.0, 2.0, 9.0]), &[0.625, 0.125, 0.375, 0.875], 1e-12);
    assert_close(&rank_levels(&[1.0, 5.0, 1.0, 7.0]), &[0.25, 0.625, 0.25, 0.875], 1e-12);
    assert_close(&rank_levels(&[f64::NAN, f64::NEG_INFINITY, 0.0]), &[1.0 / 6.0, 0.5, 5.0 / 6.0], 1e-12);
}

#[test]
fn joined_folds_rank_scores_over_all_rows_and_keep_nominations() {
    let part = |scores: &[f64], nominations: &[f32], first: Vec<usize>| Signals {
        signals: vec![Signal::Scores(scores.to_vec()), Signal::Nominations(nominations.to_vec())],
        first_choices: vec![first.clone(), first],
        nan_scores: 0,
    };
    let parts = [(vec![2, 0], part(&[0.9, 0.1], &[1.0, 0.0], vec![0])), (vec![1, 3], part(&[0.5, 0.7], &[0.25, 0.5], vec![1]))];
    let joined = Signals::join(&parts, 4);
    let matrix = joined.matrix();
    let column = |k: usize| matrix.column(k).iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    assert_close(&column(0), &[0.125, 0.375, 0.875, 0.625], 1e-7);
    assert_close(&column(1), &[0.0, 0.25, 1.0, 0.5], 1e-7);
    assert_eq!(joined.first_choices[0], [2, 3]);
}

#[test]
fn one_strategy_twice_gets_two_names() {
    let specs = [StrategySpec::Name("random".into()), StrategySpec::Name("random".into())];
    let candidates = Candidates::build(&specs).expect("random is in the catalog");
    assert_eq!(candidates.names(), ["random", "random#2"]);
}

#[test]
fn an_unknown_candidate_is_an_error_that_names_it() {
    let error = Candidates::build(&[StrategySpec::Name("entropi".into())]).err().expect("there is no such strategy");
    assert!(error.to_string().contains("entropi"), "{error}");
}
