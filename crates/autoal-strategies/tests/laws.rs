//! The laws that every strategy of the catalog passes, with the defaults of its parameters.

use autoal_data::{Label, SampleId, Seed};
use autoal_strategies::catalog::{self, Entry};
use autoal_strategies::{
    ArrayOutputs, LinearHead, McOutputs, ModelOutputs, Need, OutputsError, QueryContext, QueryError, QueryStrategy, RoundOutcome,
    Selection, StrategyError, StrategySpec,
};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};
use rand::{Rng, RngExt};

/// Strategies whose answer to a smaller query need not be the beginning of the answer to a larger one.
const WITHOUT_PREFIX: &[&str] = &[
    "k-means",
    "typi-clust",
    "cluster-margin",
    "dpp",
    "badge",
    "bait",
    "batch-bald",
    "drop-query",
    "alfa-mix",
    "tcm",
    "refine",
    "albl",
    "tailor",
    "select-al",
    "comb",
    "deal",
    "ceal",
];

/// Outputs made of arrays, with an accuracy that depends on what was trained on.
struct Outputs(ArrayOutputs<'static>);

impl ModelOutputs for Outputs {
    fn log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.0.log_proba()
    }
    fn embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.0.embeddings()
    }
    fn labeled_embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.0.labeled_embeddings()
    }
    fn labeled_log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        self.0.labeled_log_proba()
    }
    fn mc_dropout(&self) -> Result<&McOutputs, OutputsError> {
        self.0.mc_dropout()
    }
    fn mc_proba(&self, rows: &[usize]) -> Result<Array3<f32>, OutputsError> {
        self.0.mc_proba(rows)
    }
    fn predicted_loss(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        self.0.predicted_loss()
    }
    fn head(&self) -> Result<&LinearHead, OutputsError> {
        self.0.head()
    }
    fn ensemble(&self, members: usize) -> Result<&McOutputs, OutputsError> {
        self.0.ensemble(members)
    }
    fn labeled_probability(&self) -> Result<ArrayView1<'_, f32>, OutputsError> {
        self.0.labeled_probability()
    }
    fn holdout_accuracy(&self, train: &[SampleId], _: &[SampleId]) -> Result<f64, OutputsError> {
        Ok(train.iter().map(|id| f64::from(id.0 % 7)).sum::<f64>() / (7.0 * train.len().max(1) as f64))
    }
}

/// A pool with everything that a strategy may ask about.
#[derive(Clone)]
struct World {
    ids: Vec<SampleId>,
    labeled: Vec<SampleId>,
    labels: Vec<Label>,
    log_proba: Array2<f32>,
    embeddings: Array2<f32>,
    labeled_embeddings: Array2<f32>,
    labeled_log_proba: Array2<f32>,
    mc_proba: Array3<f32>,
    ensemble_proba: Array3<f32>,
    scalar: Array1<f32>,
    head: LinearHead,
}

const WIDTH: usize = 5;

impl World {
    /// Random outputs for `candidates` samples, `labeled` labels and `classes` classes.
    fn new(candidates: usize, labeled: usize, classes: usize) -> Self {
        let mut rng = Seed(11).rng(autoal_data::Stream::named("laws"), 0);
        let labels = (0..labeled).map(|i| Label((i % classes) as u16)).collect();
        Self {
            // Ascending, with gaps, some beyond 2^31.
            ids: (0..candidates as u32).map(|i| SampleId(i * 5_000_011)).collect(),
            labeled: (0..labeled as u32).map(|i| SampleId(4_100_000_000 + i)).collect(),
            labels,
            log_proba: log_proba(&mut rng, candidates, classes),
            embeddings: normal(&mut rng, candidates, WIDTH),
            labeled_embeddings: normal(&mut rng, labeled, WIDTH),
            labeled_log_proba: log_proba(&mut rng, labeled, classes),
            mc_proba: passes(&mut rng, 4, candidates, classes),
            ensemble_proba: passes(&mut rng, 5, candidates, classes),
            scalar: (0..candidates).map(|_| rng.random::<f32>()).collect(),
            head: LinearHead { weight: normal(&mut rng, classes, WIDTH), bias: Array1::zeros(classes) },
        }
        .in_order(None)
    }

    fn outputs(&self) -> Outputs {
        let this = self.clone();
        Outputs(
            ArrayOutputs::new()
                .with_log_proba(this.log_proba)
                .with_embeddings(this.embeddings)
                .with_labeled_embeddings(this.labeled_embeddings)
                .with_labeled_log_proba(this.labeled_log_proba)
                .with_mc_proba(this.mc_proba)
                .with_ensemble_proba(this.ensemble_proba)
                .with_predicted_loss(this.scalar.clone())
                .with_labeled_probability(this.scalar)
                .with_head(this.head),
        )
    }

    /// The same pool with its candidates listed in another order; by ascending id without one.
    fn in_order(mut self, order: Option<Vec<usize>>) -> Self {
        let order = order.unwrap_or_else(|| {
            let mut order: Vec<usize> = (0..self.ids.len()).collect();
            order.sort_by_key(|&row| self.ids[row]);
            order
        });
        self.ids = order.iter().map(|&row| self.ids[row]).collect();
        self.log_proba = self.log_proba.select(Axis(0), &order);
        self.embeddings = self.embeddings.select(Axis(0), &order);
        self.mc_proba = self.mc_proba.select(Axis(1), &order);
        self.ensemble_proba = self.ensemble_proba.select(Axis(1), &order);
        self.scalar = self.scalar.select(Axis(0), &order);
        self
    }

    fn query(&self, strategy: &mut dyn QueryStrategy, count: usize) -> Result<Selection, QueryError> {
        let outputs = self.outputs();
        strategy.select(&self.context(&outputs), count)
    }

    fn context<'a>(&'a self, outputs: &'a Outputs) -> QueryContext<'a> {
        QueryContext {
            candidates: &self.ids,
            labeled: &self.labeled,
            labels: &self.labels,
            num_classes: self.log_proba.ncols(),
            seed: Seed(5),
            round: 2,
            outputs,
        }
    }
}

fn normal(rng: &mut impl Rng, rows: usize, columns: usize) -> Array2<f32> {
    // The sum of four uniform numbers is normal enough for a test.
    Array2::from_shape_simple_fn((rows, columns), || (0..4).map(|_| rng.random::<f32>()).sum::<f32>() - 2.0)
}

fn log_proba(rng: &mut impl Rng, rows: usize, classes: usize) -> Array2<f32> {
    let mut logits = normal(rng, rows, classes) * 3.0;
    for mut row in logits.outer_iter_mut() {
        let sum: f32 = row.iter().map(|z| z.exp()).sum();
        row.mapv_inplace(|z| z - sum.ln());
    }
    logits
}

fn passes(rng: &mut impl Rng, draws: usize, rows: usize, classes: usize) -> Array3<f32> {
    let mut passes = Array3::zeros((draws, rows, classes));
    for mut pass in passes.outer_iter_mut() {
        pass.assign(&log_proba(rng, rows, classes).mapv(f32::exp));
    }
    passes
}

fn fresh(entry: &Entry) -> Box<dyn QueryStrategy> {
    catalog::build(&StrategySpec::Name(entry.info.name.into())).expect("defaults are valid")
}

fn for_all(mut law: impl FnMut(&Entry, &str)) {
    assert!(!catalog::ENTRIES.is_empty());
    for entry in catalog::ENTRIES {
        law(entry, entry.info.name);
    }
}

/// Checks what every selection must be.
fn check(world: &World, selection: &Selection, count: usize, name: &str) {
    let mut ids = selection.ids();
    assert_eq!(ids.len(), count.min(world.ids.len()), "{name} selects as many as asked for");
    assert!(ids.iter().all(|id| world.ids.contains(id)), "{name} selects candidates");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count.min(world.ids.len()), "{name} selects distinct samples");
}

fn selected(world: &World, entry: &Entry, count: usize) -> Selection {
    let selection = world.query(fresh(entry).as_mut(), count).unwrap_or_else(|error| panic!("{}: {error}", entry.info.name));
    check(world, &selection, count, entry.info.name);
    selection
}

#[test]
fn exactly_as_many_distinct_candidates_are_selected_as_asked_for() {
    let world = World::new(60, 12, 3);
    for_all(|entry, _| [1, 7, 59, 60, 61, 1000].iter().for_each(|&count| drop(selected(&world, entry, count))));
}

#[test]
fn the_same_query_has_the_same_answer() {
    let world = World::new(60, 12, 3);
    for_all(|entry, name| assert_eq!(selected(&world, entry, 9), selected(&world, entry, 9), "{name}"));
}

#[test]
fn the_order_of_candidates_does_not_matter() {
    let world = World::new(60, 12, 3);
    let order = (0..60).map(|i| i * 7 % 60).collect();
    let other = world.clone().in_order(Some(order));
    for_all(|entry, name| assert_eq!(selected(&world, entry, 9).samples, selected(&other, entry, 9).samples, "{name}"));
}

#[test]
fn scores_belong_to_their_samples_and_rank_the_selection() {
    let world = World::new(60, 12, 3).in_order(Some((0..60).map(|i| i * 7 % 60).collect()));
    let outputs = world.outputs();
    let mut with_scores = 0;
    for_all(|entry, name| {
        let Some(scores) = fresh(entry).scores(&world.context(&outputs)).expect("scores") else { return };
        let selection = selected(&world, entry, 9);
        if selection.samples.iter().any(|sample| sample.score.is_none()) {
            // The scores are of a first step; the selection does not rank by them.
            return;
        }
        for sample in &selection.samples {
            let row = world.ids.iter().position(|id| *id == sample.id).expect("a candidate");
            assert_eq!(sample.score, Some(scores[row]), "{name}");
        }
        assert!(selection.samples.is_sorted_by(|a, b| a.score >= b.score), "{name}");
        with_scores += 1;
    });
    assert!(with_scores > 10);
}

#[test]
fn asking_for_fewer_gives_the_first_of_the_same_order() {
    let world = World::new(60, 12, 3);
    for_all(|entry, name| {
        if !WITHOUT_PREFIX.contains(&name) {
            assert_eq!(selected(&world, entry, 20).ids()[..8], selected(&world, entry, 8).ids(), "{name}");
        }
    });
}

#[test]
fn one_thread_or_two_give_the_same_answer() {
    // More candidates than a block of rows, so that there is something to share.
    let world = World::new(700, 40, 3);
    let on = |threads: usize, entry: &Entry| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| selected(&world, entry, 15))
    };
    for_all(|entry, name| assert_eq!(on(1, entry).samples, on(2, entry).samples, "{name}"));
}

#[test]
fn a_score_that_is_not_a_number_ranks_last_and_is_counted() {
    let mut world = World::new(30, 6, 3);
    for row in [3, 4] {
        world.log_proba.row_mut(row).fill(f32::NAN);
        world.mc_proba.index_axis_mut(Axis(1), row).fill(f32::NAN);
        world.scalar[row] = f32::NAN;
    }
    let outputs = world.outputs();
    let mut counted = 0;
    for_all(|entry, name| {
        let scores = fresh(entry).scores(&world.context(&outputs)).expect("scores");
        let bad = scores.map_or(0, |scores| scores.iter().filter(|score| score.is_nan()).count());
        let selection = selected(&world, entry, 30);
        if bad > 0 {
            assert_eq!(selection.nan_scores, bad, "{name}");
            let last: Vec<SampleId> = selection.ids()[30 - bad..].to_vec();
            assert_eq!(last, [world.ids[3], world.ids[4]], "{name}");
            counted += 1;
        }
    });
    assert!(counted >= 8);
}

#[test]
fn odd_but_finite_inputs_do_not_panic() {
    let base = World::new(40, 9, 3);
    let mut worlds =
        vec![("no labels", World::new(40, 0, 3)), ("two classes", World::new(40, 9, 2)), ("one candidate", World::new(1, 9, 3))];
    worlds.push(("one class", World::new(40, 9, 1)));
    worlds.push((
        "identical embeddings",
        World { embeddings: Array2::ones((40, WIDTH)), labeled_embeddings: Array2::ones((9, WIDTH)), ..base.clone() },
    ));
    worlds.push((
        "zero vectors",
        World { embeddings: Array2::zeros((40, WIDTH)), labeled_embeddings: Array2::zeros((9, WIDTH)), ..base.clone() },
    ));
    worlds.push(("huge embeddings", World { embeddings: &base.embeddings * 1e30, ..base.clone() }));
    worlds.push(("tiny embeddings", World { embeddings: &base.embeddings * 1e-30, ..base.clone() }));
    worlds.push(("one class labeled", World { labels: vec![Label(2); 9], ..base.clone() }));
    let mut certain = base.clone();
    certain.log_proba.fill(f32::NEG_INFINITY);
    certain.log_proba.column_mut(1).fill(0.0);
    certain.labeled_log_proba = certain.log_proba.slice(ndarray::s![..9, ..]).to_owned();
    certain.mc_proba.fill(0.0);
    certain.mc_proba.index_axis_mut(Axis(2), 1).fill(1.0);
    worlds.push(("certain predictions", certain));
    worlds.push(("no probability at all", World { log_proba: Array2::from_elem((40, 3), f32::NEG_INFINITY), ..base }));
    for (what, world) in &worlds {
        for_all(|entry, name| {
            for count in [1, 6, 40] {
                match world.query(fresh(entry).as_mut(), count) {
                    Ok(selection) => check(world, &selection, count, &format!("{name} on {what}")),
                    Err(error) => panic!("{name} on {what}: {error}"),
                }
            }
        });
    }
}

#[test]
fn labels_that_come_back_and_state_that_is_restored_do_not_disturb() {
    let world = World::new(40, 9, 3);
    for_all(|entry, name| {
        let mut strategy = fresh(entry);
        let first = world.query(strategy.as_mut(), 6).expect("a selection");
        let labels = vec![Label(1); first.samples.len()];
        strategy.observe(&RoundOutcome { selection: &first, labels: &labels });
        let mut resumed = fresh(entry);
        resumed.restore(&strategy.state()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (a, b) = (world.query(strategy.as_mut(), 6).expect("a"), world.query(resumed.as_mut(), 6).expect("b"));
        assert_eq!(a.samples, b.samples, "{name} goes on the same after a restart");
        assert_eq!(a.weights, b.weights, "{name}");
    });
}

#[test]
fn queries_that_make_no_sense_are_errors() {
    let world = World::new(10, 4, 3);
    let outputs = world.outputs();
    let context = world.context(&outputs);
    let twice = [SampleId(1), SampleId(2), SampleId(1)];
    for_all(|entry, name| {
        let mut strategy = fresh(entry);
        let mut select = |context: QueryContext<'_>, count| strategy.select(&context, count);
        assert!(matches!(select(context, 0), Err(QueryError::ZeroQuerySize)), "{name}");
        assert!(matches!(select(QueryContext { candidates: &[], ..context }, 3), Err(QueryError::EmptyPool)), "{name}");
        assert!(
            matches!(select(QueryContext { candidates: &twice, ..context }, 3), Err(QueryError::DuplicateId(SampleId(1)))),
            "{name}"
        );
        let known = [world.labeled[0]];
        assert!(matches!(select(QueryContext { candidates: &known, ..context }, 1), Err(QueryError::DuplicateId(_))), "{name}");
        assert!(matches!(select(QueryContext { labels: &[], ..context }, 3), Err(QueryError::Input(_))), "{name}");
    });
}

#[test]
fn an_array_that_is_missing_or_has_the_wrong_length_is_named() {
    let world = World::new(10, 4, 3);
    let nothing = Outputs(ArrayOutputs::new());
    let short = World { ids: world.ids[..9].to_vec(), ..world.clone() };
    for_all(|entry, name| {
        let needs = entry.info.needs;
        if needs.is_empty() {
            return;
        }
        // Strategies that mix others name their own member.
        let error = fresh(entry).select(&world.context(&nothing), 3);
        assert!(error.is_err(), "{name} has needs");
        if needs.contains(&Need::LogProba) || needs.contains(&Need::Embeddings) || needs.contains(&Need::McDropout) {
            assert!(short.query(fresh(entry).as_mut(), 3).is_err(), "{name} sees that lengths disagree");
        }
    });
}

#[test]
fn embeddings_that_are_not_finite_are_an_error_that_names_the_sample() {
    let mut world = World::new(10, 4, 3);
    world.embeddings[[6, 2]] = f32::INFINITY;
    let error = world.query(fresh(catalog::find("core-set").expect("it exists")).as_mut(), 3).expect_err("infinite");
    assert!(error.to_string().contains(&world.ids[6].to_string()), "{error}");
}

#[test]
fn documented_defaults_are_the_defaults() {
    for_all(|entry, name| {
        let defaults = (entry.defaults)();
        assert_eq!(defaults.len(), entry.info.parameters.len(), "{name} documents every parameter");
        for parameter in entry.info.parameters {
            let Ok(documented) = format!("value = {}", parameter.default).parse::<toml::Table>() else {
                // A long list is described, not spelled out.
                assert!(defaults[parameter.key].is_array(), "{name}: {} has no TOML value", parameter.key);
                continue;
            };
            assert_eq!(defaults.get(parameter.key), documented.get("value"), "{name}: {}", parameter.key);
            let table = toml::Table::from_iter([(parameter.key.replace('-', "_"), documented["value"].clone())]);
            (entry.build)(&table).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    });
}

#[test]
fn unknown_names_and_parameters_are_errors_that_suggest_the_nearest() {
    let error = |text: &str| {
        let table: toml::Table = text.parse().expect("TOML");
        catalog::build(&StrategySpec::Table(table)).err().expect("an error").to_string()
    };
    assert!(error("name = \"coreset\"").contains("`core-set`"));
    assert!(error("name = \"typi-clust\"\nneighbors = 3").contains("`neighbours`"));
    assert!(error("name = \"margin\"\nx = 3").contains("none"));
    assert!(matches!(catalog::find("zzz"), Err(StrategyError::Unknown { suggestion: None, .. })));
}

#[test]
fn names_are_distinct_and_kebab_case() {
    let mut names: Vec<&str> = catalog::ENTRIES.iter().map(|entry| entry.info.name).collect();
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), catalog::ENTRIES.len());
}
