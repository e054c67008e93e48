//! Our answer to each case of `tests/conformance/stats/stats.json`, with the keys of its `expected`.

use autoal_report::stats::{Estimate, area, badge, bootstrap, classification, friedman, holm, paired, student, wilcoxon};
use serde_json::{Value, json};

/// The answer to the case `name` with its `input`; none for a case of an unknown kind.
pub(crate) fn answer(name: &str, input: &Value) -> Option<Value> {
    let kind = name.split(':').next()?;
    Some(match kind {
        "paired t" => paired_t(input),
        "student t quantile" => json!({"quantile": student::quantile(number(input, "p"), number(input, "df"))}),
        "student t two-sided p" => json!({"p": student::two_sided_p(number(input, "t"), number(input, "df"))}),
        "wilcoxon exact" => wilcoxon_exact(input),
        "wilcoxon with ties and zeros" => wilcoxon_zeros(input),
        "holm" => {
            let adjusted = holm::adjust(&list(&input["p"]));
            let reject: Vec<bool> = adjusted.iter().map(|p| *p <= number(input, "alpha")).collect();
            json!({"adjusted": adjusted, "reject": reject})
        }
        "friedman" => friedman_test(input)?,
        "nemenyi p-values" => nemenyi(input)?,
        "nemenyi critical difference" => critical_difference(input),
        "bootstrap percentile ci of the mean" => {
            let (low, high) = bootstrap::mean_interval(&list(&input["x"]), bootstrap::RESAMPLES)?;
            json!({"low": low, "high": high})
        }
        "confidence band" => band(input),
        "aubc" => {
            let curve: Vec<(usize, f64)> = counts(&input["labels"]).into_iter().zip(list(&input["metric"])).collect();
            json!({"aubc": area::aubc(&curve)})
        }
        "badge penalty matrix" => penalties(input),
        "badge budgets" => json!({"budgets": badge::budgets(
            &counts(&input["labels"]), &list(&input["random_mean_accuracy"]), count(input, "initial"), count(input, "query_size"))}),
        "classification metrics" => {
            let scores = classification::scores(&counts(&input["truth"]), &counts(&input["predicted"]), count(input, "classes"))?;
            let mut value = serde_json::to_value(&scores).ok()?;
            value["f1_micro"] = json!(scores.accuracy);
            value
        }
        "ece" => {
            let correct: Vec<bool> = counts(&input["correct"]).into_iter().map(|c| c == 1).collect();
            json!({"ece": classification::calibration_error(&list(&input["confidence"]), &correct, count(input, "bins"))})
        }
        _ => return None,
    })
}

fn paired_t(input: &Value) -> Value {
    let test = paired::test(&list(&input["a"]), &list(&input["b"])).expect("the fixtures have pairs");
    let interval = test.interval.map(|(low, high)| [low, high]);
    json!({"t": test.t, "df": test.n - 1, "p": test.p, "mean_difference": test.mean_difference, "ci95": interval})
}

fn wilcoxon_exact(input: &Value) -> Value {
    let differences: Vec<f64> = list(&input["a"]).iter().zip(list(&input["b"])).map(|(a, b)| a - b).collect();
    let ranks = wilcoxon::signed_ranks(&differences, wilcoxon::Zeros::Drop);
    json!({"w": ranks.w(), "w_plus": ranks.plus, "w_minus": ranks.minus, "p_exact": ranks.exact_p(), "p_normal": ranks.normal_p(false)})
}

fn wilcoxon_zeros(input: &Value) -> Value {
    let zeros = match input["zero_method"].as_str() {
        Some("wilcox") => wilcoxon::Zeros::Drop,
        Some("pratt") => wilcoxon::Zeros::Pratt,
        _ => wilcoxon::Zeros::Split,
    };
    let ranks = wilcoxon::signed_ranks(&list(&input["differences"]), zeros);
    json!({"w": ranks.w(), "p_normal": ranks.normal_p(false), "p_normal_corrected": ranks.normal_p(true)})
}

fn friedman_test(input: &Value) -> Option<Value> {
    let test = friedman::test(&table(&input["scores"]))?;
    Some(json!({"average_ranks": test.average_ranks, "statistic": test.statistic, "p": test.p,
        "statistic_without_tie_correction": test.plain_statistic,
        "iman_davenport_f": test.iman_davenport, "iman_davenport_p": test.iman_davenport_p}))
}

fn nemenyi(input: &Value) -> Option<Value> {
    let test = friedman::test(&table(&input["scores"]))?;
    let ranks = &test.average_ranks;
    let row = |a: &f64| ranks.iter().map(|b| friedman::nemenyi_p(a - b, ranks.len(), test.n)).collect::<Vec<_>>();
    Some(json!({"p": ranks.iter().map(row).collect::<Vec<_>>()}))
}

fn critical_difference(input: &Value) -> Value {
    let (alpha, k) = (number(input, "alpha"), count(input, "k"));
    let differences: Vec<f64> = counts(&input["n"]).into_iter().map(|n| friedman::critical_difference(alpha, k, n)).collect();
    json!({"q": friedman::critical_value(alpha, k), "critical_difference": differences})
}

fn band(input: &Value) -> Value {
    let curves = table(&input["curves"]);
    let at = |i: usize| Estimate::of(&curves.iter().map(|c| c[i]).collect::<Vec<_>>()).expect("the fixture has seeds");
    let estimates: Vec<Estimate> = (0..curves[0].len()).map(at).collect();
    json!({"mean": estimates.iter().map(|e| e.mean).collect::<Vec<_>>(), "sd": estimates.iter().map(|e| e.sd).collect::<Vec<_>>(),
        "low": estimates.iter().map(Estimate::low).collect::<Vec<_>>(), "high": estimates.iter().map(Estimate::high).collect::<Vec<_>>()})
}

fn penalties(input: &Value) -> Value {
    let values: Vec<Vec<Vec<f64>>> = input["accuracy"].as_array().into_iter().flatten().map(table).collect();
    let matrix = badge::penalty_matrix(&values, number(input, "threshold"));
    let k = values.len();
    let losses: Vec<Vec<usize>> = (0..k).map(|i| (0..k).map(|j| matrix.wins[j][i]).collect()).collect();
    let tie = |i: usize, j: usize| if i == j { 0 } else { matrix.budgets - matrix.wins[i][j] - matrix.wins[j][i] };
    let ties: Vec<Vec<usize>> = (0..k).map(|i| (0..k).map(|j| tie(i, j)).collect()).collect();
    json!({"t": matrix.t, "penalty": matrix.penalty, "column_mean": matrix.column_mean, "wins": matrix.wins, "losses": losses, "ties": ties})
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or(f64::NAN)
}

fn count(value: &Value, key: &str) -> usize {
    value[key].as_u64().unwrap_or(0) as usize
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn counts(value: &Value) -> Vec<usize> {
    list(value).into_iter().map(|v| v as usize).collect()
}

fn table(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().into_iter().flatten().map(list).collect()
}
