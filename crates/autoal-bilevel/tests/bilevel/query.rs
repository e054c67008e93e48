//! Whole queries on small data: the laws of a query strategy, records, ablations.

use std::sync::Arc;

use autoal_bilevel::AutoAlEnv;
use autoal_bilevel::record::SearchRecord;
use autoal_data::{Dataset, Label, SampleId};
use autoal_strategies::{QueryContext, QueryStrategy, Selection, StrategySpec, SubsetOutputs, catalog};

use crate::support::{assert_close, autoal, blobs, env, with_query};

const SEVEN: &str = "";
const PAPER: &str = "mode = \"paper\"\nwarm-up-epochs = 5\nsearch-steps = 9\n";

fn small() -> AutoAlEnv {
    env(blobs(220, 4, 6, 7))
}

fn run(keys: &str, env: &AutoAlEnv, count: usize) -> Selection {
    let mut strategy = autoal(keys, env);
    with_query(env, 60, 1, 0, |context| strategy.select(context, count)).expect("a query")
}

fn records(selection: &Selection) -> Vec<SearchRecord> {
    selection.log.iter().map(|line| serde_json::from_value(line.clone()).expect("a record")).collect()
}

/// Everything but the seconds.
fn answer(selection: &Selection) -> (Vec<(SampleId, u64)>, String) {
    let samples = selection.samples.iter().map(|s| (s.id, s.score.expect("scored").to_bits())).collect();
    (samples, format!("{:?} {:?}", selection.weights, selection.log))
}

const VARIANTS: [&str; 10] = [
    SEVEN,
    "weights = \"uniform\"",
    "weights = \"searched-global\"",
    "pick = \"top\"",
    "fit-nets = \"learning\"",
    "nominations = \"soft\"\npick = \"top\"\nmask = \"soft-penalty\"\nfolds = 2\nsimulated-share = 0",
    "search-backbone = \"own\"\nsearch-steps = 10\nloss-module = true",
    PAPER,
    "mode = \"paper\"\nwarm-up-epochs = 5\nsearch-steps = 9\nreading = \"equation\"\nactivation = \"raw\"\nloss-module = false",
    "mode = \"paper\"\nwarm-up-epochs = 5\nsearch-steps = 9\nbackbone = false\npick = \"coverage\"",
];

#[test]
fn every_variant_selects_distinct_candidates_in_full_number() {
    let env = small();
    for keys in VARIANTS {
        for count in [1, 12, 160, 500] {
            let selection = run(keys, &env, count);
            let mut ids = selection.ids();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), count.min(160), "`{keys}`, {count}");
            assert!(ids.iter().all(|id| (60..220).contains(&id.0)), "`{keys}`");
        }
    }
}

#[test]
fn the_same_query_gives_the_same_answer_on_any_number_of_threads() {
    let env = small();
    for keys in [SEVEN, PAPER] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| answer(&run(keys, &env, 12)))
        };
        assert_eq!(on(1), on(4), "`{keys}`");
        assert_eq!(on(1), on(1), "`{keys}`");
    }
}

#[test]
fn the_order_of_the_candidates_does_not_matter() {
    let env = small();
    for keys in [SEVEN, PAPER] {
        let plain = run(keys, &env, 12);
        let shuffled = with_query(&env, 60, 1, 0, |context| {
            let rows: Vec<usize> = (0..160).map(|i| (i * 53 + 11) % 160).collect();
            let outputs = SubsetOutputs::new(context.outputs, rows);
            let candidates = outputs.ids(context.candidates);
            autoal(keys, &env).select(&QueryContext { candidates: &candidates, outputs: &outputs, ..*context }, 12)
        });
        assert_eq!(answer(&plain), answer(&shuffled.expect("a query")), "`{keys}`");
    }
}

#[test]
fn labels_of_the_pool_are_never_read() {
    let env = small();
    let mut scrambled = Dataset::clone(&env.dataset);
    scrambled.train.labels[60..].fill(Label(3));
    let scrambled = AutoAlEnv { dataset: Arc::new(scrambled), ..env.clone() };
    for keys in [SEVEN, PAPER] {
        assert_eq!(answer(&run(keys, &env, 12)), answer(&run(keys, &scrambled, 12)), "`{keys}`");
    }
}

#[test]
fn one_candidate_in_paper_mode_is_that_candidate() {
    let env = small();
    for name in ["entropy", "margin", "k-means"] {
        let mut alone = catalog::build(&StrategySpec::Name(name.into())).expect("in the catalog");
        let mut expected = with_query(&env, 60, 1, 0, |context| alone.select(context, 12)).expect("a query").ids();
        let mut actual = run(&format!("{PAPER}candidates = [\"{name}\"]"), &env, 12).ids();
        expected.sort_unstable();
        actual.sort_unstable();
        assert_eq!(actual, expected, "{name}");
    }
}

#[test]
fn uniform_weights_skip_the_search_and_weigh_all_candidates_the_same() {
    let selection = run("weights = \"uniform\"", &small(), 12);
    let [SearchRecord::Round(round)] = &records(&selection)[..] else { panic!("one line, of the round") };
    assert!(!round.searched);
    assert_close(&round.mean_weight, &[1.0 / 7.0; 7], 1e-6);
}

#[test]
fn too_few_labels_to_hold_any_out_mean_uniform_weights() {
    let env = small();
    let selection = with_query(&env, 3, 1, 0, |context| autoal("", &env).select(context, 5)).expect("a query");
    assert_eq!(selection.samples.len(), 5);
    assert!(matches!(&records(&selection)[..], [SearchRecord::Round(round)] if !round.searched));
}

#[test]
fn records_say_what_each_step_and_the_round_looked_like() {
    let selection = run(PAPER, &small(), 12);
    let lines = records(&selection);
    // Three cycles of nine steps in round 0, then the round.
    assert_eq!(lines.len(), 28);
    let cycles: Vec<usize> =
        lines.iter().filter_map(|line| if let SearchRecord::Step(step) = line { Some(step.cycle) } else { None }).collect();
    assert_eq!(cycles, [[0; 9], [1; 9], [2; 9]].concat());
    let Some(SearchRecord::Round(round)) = lines.last() else { panic!("the round comes last") };
    assert_eq!(round.candidates.len(), 7);
    assert!((0..7).all(|k| round.overlaps[k][k] == 12 && round.selections[k] <= 12));
    assert_close(&[selection.weights.iter().map(|w| w.weight).sum()], &[1.0], 1e-9);
    let phases: Vec<&str> = selection.seconds.iter().map(|(phase, _)| *phase).collect();
    assert_eq!(phases, ["search", "candidates", "query"]);
    let step = &selection.log[1];
    for key in ["kind", "round", "cycle", "step", "phase", "search_loss", "grad_norm", "selected", "budget", "precision"] {
        assert!(step.get(key).is_some(), "no `{key}` in {step}");
    }
}

#[test]
fn later_rounds_run_one_cycle_and_differ_from_the_first() {
    let env = small();
    let steps = |round: u32| {
        let selection = with_query(&env, 60, 1, round, |context| autoal(PAPER, &env).select(context, 12)).expect("a query");
        selection.log.len() - 1
    };
    assert_eq!((steps(0), steps(1)), (27, 9));
}

#[test]
fn a_diverging_search_is_an_error_that_says_what_to_change() {
    let env = small();
    let keys =
        "mode = \"paper\"\nwarm-up-epochs = 5\nsearch-steps = 60\nsearch-lr = 1e30\nloss-module = false\nactivation = \"raw\"";
    let mut strategy = autoal(keys, &env);
    let error = with_query(&env, 60, 1, 0, |context| strategy.select(context, 12)).expect_err("the weights overflow");
    assert!(error.to_string().contains("lower `search-lr`"), "{error}");
}
