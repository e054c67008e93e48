//! Adaptive strategies over several rounds: they learn, and a resumed run goes on as if nothing had happened.

use autoal_data::{Label, Pool, SampleId, Seed};
use autoal_strategies::{
    ModelOutputs, OutputsError, QueryContext, QueryStrategy, RoundOutcome, Selection, StrategySpec, StrategyState, catalog,
};
use ndarray::{Array2, ArrayView2, Axis};

const SAMPLES: usize = 80;
const CLASSES: usize = 3;

/// A model whose outputs do not change, on samples of three clusters; every fourth sample is an outlier of its class.
struct World {
    embeddings: Array2<f32>,
    log_proba: Array2<f32>,
    /// Accuracy that training without outliers, or without typical samples, costs.
    cost_of_missing: fn(typical: usize, outliers: usize) -> f64,
}

fn is_outlier(sample: usize) -> bool {
    sample % 4 == 3
}

fn class_of(sample: usize) -> usize {
    sample / 4 % CLASSES
}

impl World {
    fn new() -> Self {
        let wave = |i: usize, d: usize| ((i * 37 + d * 101) % 97) as f32 / 97.0 - 0.5;
        let reach = |i: usize| if is_outlier(i) { 6.0 } else { 0.3 };
        let embeddings =
            Array2::from_shape_fn((SAMPLES, 4), |(i, d)| if d == class_of(i) { 9.0 } else { 0.0 } + reach(i) * wave(i, d));
        let mut log_proba =
            Array2::from_shape_fn((SAMPLES, CLASSES), |(i, c)| if c == class_of(i) { 1.0 } else { 0.0 } + 2.0 * wave(i, c + 7));
        for mut row in log_proba.outer_iter_mut() {
            let sum = row.iter().map(|z| z.exp()).sum::<f32>().ln();
            row.mapv_inplace(|z| z - sum);
        }
        Self { embeddings, log_proba, cost_of_missing: |_, _| 0.0 }
    }
}

/// What the world's model says in one round.
struct Outputs<'a> {
    world: &'a World,
    arrays: [Array2<f32>; 4],
}

impl<'a> Outputs<'a> {
    fn new(world: &'a World, candidates: &[SampleId], labeled: &[SampleId]) -> Self {
        let rows = |ids: &[SampleId]| ids.iter().map(|id| id.row()).collect::<Vec<_>>();
        let gather = |array: &Array2<f32>, ids: &[SampleId]| array.select(Axis(0), &rows(ids));
        let arrays = [
            gather(&world.log_proba, candidates),
            gather(&world.embeddings, candidates),
            gather(&world.embeddings, labeled),
            gather(&world.log_proba, labeled),
        ];
        Self { world, arrays }
    }
}

impl ModelOutputs for Outputs<'_> {
    fn log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.arrays[0].view())
    }

    fn embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.arrays[1].view())
    }

    fn labeled_embeddings(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.arrays[2].view())
    }

    fn labeled_log_proba(&self) -> Result<ArrayView2<'_, f32>, OutputsError> {
        Ok(self.arrays[3].view())
    }

    fn holdout_accuracy(&self, train: &[SampleId], test: &[SampleId]) -> Result<f64, OutputsError> {
        let present = train.iter().chain(test);
        let outliers = present.clone().filter(|id| is_outlier(id.row())).count();
        Ok(1.0 - (self.world.cost_of_missing)(present.count() - outliers, outliers))
    }
}

/// One round: query, labels, learning. Every strategy sees the same world.
fn round(world: &World, pool: &mut Pool, strategy: &mut dyn QueryStrategy, round: u32) -> Selection {
    let candidates = pool.unlabeled().to_vec();
    let (labeled, labels): (Vec<SampleId>, Vec<Label>) = pool.labeled().iter().copied().unzip();
    let outputs = Outputs::new(world, &candidates, &labeled);
    let context = QueryContext {
        candidates: &candidates,
        labeled: &labeled,
        labels: &labels,
        num_classes: CLASSES,
        seed: Seed(3),
        round,
        outputs: &outputs,
    };
    let selection = strategy.select(&context, 6).expect("all arrays are given");
    let answers: Vec<Label> = selection.ids().iter().map(|id| Label(class_of(id.row()) as u16)).collect();
    strategy.observe(&RoundOutcome { selection: &selection, labels: &answers });
    pool.label(&selection.ids().into_iter().zip(answers).collect::<Vec<_>>()).expect("candidates are unlabeled");
    selection
}

fn seed_set() -> Pool {
    let mut pool = Pool::new((0..SAMPLES as u32).map(SampleId).collect());
    let first: Vec<_> = (0..24).map(|i| (SampleId(i), Label(class_of(i as usize) as u16))).collect();
    pool.label(&first).expect("nothing is labeled");
    pool
}

fn specs() -> Vec<StrategySpec> {
    let mut specs: Vec<_> =
        ["albl", "tailor", "comb", "deal", "select-al", "tcm", "ceal"].map(|name| StrategySpec::Name(name.into())).into();
    specs.push(StrategySpec::Table(toml::toml! { name = "albl" variant = "deepal" }));
    specs.push(StrategySpec::Table(toml::toml! { name = "tailor" candidates = ["tcm", "margin"] }));
    specs
}

#[test]
fn a_run_resumed_in_every_round_makes_the_same_queries_with_the_same_weights() {
    let world = World::new();
    for spec in specs() {
        let (mut whole, mut resumed) = (catalog::build(&spec).expect("known"), catalog::build(&spec).expect("known"));
        let (mut pool, mut other) = (seed_set(), seed_set());
        for number in 0..6 {
            let expected = round(&world, &mut pool, whole.as_mut(), number);
            let found = round(&world, &mut other, resumed.as_mut(), number);
            assert_eq!(found, expected, "{spec:?}, round {number}");
            let saved = serde_json::to_string(&resumed.state()).expect("plain JSON");
            resumed = catalog::build(&spec).expect("known");
            resumed.restore(&serde_json::from_str::<StrategyState>(&saved).expect("plain JSON")).expect("its own state");
        }
    }
}

#[test]
fn weights_sum_to_one_and_change_as_labels_come_back() {
    let world = World { cost_of_missing: |typical, outliers| 1.0 / (typical + outliers) as f64, ..World::new() };
    for name in ["albl", "tailor", "comb", "deal"] {
        let mut strategy = catalog::build(&StrategySpec::Name(name.into())).expect("known");
        let mut pool = seed_set();
        let weights: Vec<Vec<f64>> = (0..6)
            .map(|number| round(&world, &mut pool, strategy.as_mut(), number).weights.iter().map(|w| w.weight).collect())
            .collect();
        assert!(weights.iter().all(|w| w.len() == 4 && (w.iter().sum::<f64>() - 1.0).abs() < 1e-12), "{name}");
        assert!(weights[1..].iter().any(|w| *w != weights[0]), "{name} learned nothing: {weights:?}");
    }
}

#[test]
fn a_state_of_other_candidates_is_refused() {
    let (state, world) = (catalog::build(&StrategySpec::Name("comb".into())).expect("known"), World::new());
    let mut strategy = state;
    round(&world, &mut seed_set(), strategy.as_mut(), 0);
    let other = StrategySpec::Table(toml::toml! { name = "comb" candidates = ["random", "margin"] });
    let error = catalog::build(&other).expect("known").restore(&strategy.state()).expect_err("the numbers differ");
    assert_eq!(error.to_string(), "strategy `comb`: cannot restore its state: it was saved with 4 candidates, now there are 2");
}

/// The candidate that SelectAL chose when removing a kind costs this much accuracy.
fn chosen(cost_of_missing: fn(usize, usize) -> f64) -> String {
    let world = World { cost_of_missing, ..World::new() };
    // Clusters of the seed set's classes are smaller than TypiClust's usual least size.
    let mut strategy = catalog::build(&StrategySpec::Name("select-al".into())).expect("known");
    let selection = round(&world, &mut seed_set(), strategy.as_mut(), 0);
    selection.weights.iter().find(|weight| weight.weight == 1.0).expect("one is chosen").candidate.clone()
}

#[test]
fn select_al_queries_more_of_what_it_misses_most() {
    // 18 typical samples and 6 outliers are labeled; a removal takes one of each class.
    assert_eq!(chosen(|typical, _| 0.1 * (18 - typical.min(18)) as f64), "typi-clust");
    assert_eq!(chosen(|_, outliers| 0.1 * (6 - outliers.min(6)) as f64), "badge");
}
