"""Side by side: `bench_strategies.py TIME_STRATEGIES OUT.json` (called by scripts/bench-strategies).

10,000 x 512 embeddings, 10 classes, query size 200, 100 labels: rectified, of low rank within a class, with noise. Medians over runs;
the two programs take turns, so both see the same load.
"""
import json, os, platform, subprocess, sys, tempfile, time, warnings

import numpy as np

warnings.filterwarnings("ignore")
N, D, C, B, L, RUNS = 10_000, 512, 10, 200, 100, 5


def arrays(rng):
    centres, basis = rng.normal(size=(C, D)), rng.normal(size=(32, D)) / np.sqrt(32)
    def embed(n):
        y = np.arange(n) % C
        return np.maximum(centres[y] + rng.normal(size=(n, 32)) @ basis + 0.3 * rng.normal(size=(n, D)), 0).astype(np.float32)
    logits = 2 * rng.normal(size=(N, C))
    log_proba = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)
    return embed(N), embed(L), log_proba


def ours(program, folder, strategy):
    text = subprocess.run([program, folder, str(B), "3", strategy], check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def theirs(x, labeled, log_proba):
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.pool import Badge, CoreSet, TypiClust
    from sklearn.cluster import KMeans
    everything = np.concatenate([x, labeled])
    y = np.concatenate([np.full(N, np.nan), np.arange(L) % C])
    def kmeans():
        fit = KMeans(B, n_init=1, random_state=0).fit(x)
        return {"inertia": float(fit.inertia_), "iterations": int(fit.n_iter_)}
    def query(strategy):
        return {"rows": [int(i) for i in strategy.query(everything, y, batch_size=B)]}
    class Given(SkactivemlClassifier):
        """A classifier that has its answer: BADGE is timed without training."""
        def fit(self, *_, **__): return self
        def predict_proba(self, rows): return np.exp(log_proba[:len(rows)])
    given = Given(classes=list(range(C)))
    def badge():
        chosen = Badge(random_state=0).query(everything, y, clf=given, fit_clf=False, batch_size=B)
        return {"rows": [int(i) for i in chosen]}
    return {
        "badge": ("scikit-activeml Badge", badge),
        "core-set": ("scikit-activeml CoreSet", lambda: query(CoreSet(random_state=0))),
        "typi-clust": ("scikit-activeml TypiClust", lambda: query(TypiClust(random_state=0))),
        "k-means": ("scikit-learn KMeans, n_init=1", kmeans),
    }


def inertia_of(rows, x):
    d = ((x ** 2).sum(1)[:, None] - 2 * x @ x[rows].T + (x[rows] ** 2).sum(1)).clip(0)
    return float(d.min(1).sum())


def gradients(x, log_proba):
    a = np.exp(log_proba)
    a[np.arange(N), log_proba.argmax(1)] -= 1
    return (a[:, :, None] * x[:, None, :]).reshape(N, -1)


def agreement(strategy, a, b, x, log_proba):
    if strategy == "badge":
        g = gradients(x, log_proba)
        return {"same_first": a["rows"][0] == b["rows"][0], "potential_ours": inertia_of(a["rows"], g), "potential_theirs": inertia_of(b["rows"], g)}
    if strategy == "k-means":
        mine = a["log"][0]["k-means"]["inertia"][-1]
        return {"inertia_ours": mine, "inertia_theirs": b["inertia"], "ratio": mine / b["inertia"]}
    same = sum(p == q for p, q in zip(a["rows"], b["rows"]))
    return {"same_rank": same, "same_set": len(set(a["rows"]) & set(b["rows"])),
            "potential_ours": inertia_of(a["rows"], x), "potential_theirs": inertia_of(b["rows"], x)}


def cpu():
    """The processor's name, from Linux where it tells."""
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    program, out = sys.argv[1:3]
    x, labeled, log_proba = arrays(np.random.default_rng(0))
    records = []
    with tempfile.TemporaryDirectory() as folder:
        for name, array in [("embeddings", x), ("labeled_embeddings", labeled), ("log_proba", log_proba)]:
            np.save(f"{folder}/{name}.npy", array)
        for strategy, (name, run) in theirs(x, labeled, log_proba).items():
            mine, other = [], []
            for _ in range(RUNS):
                a = ours(program, folder, strategy)
                mine += a["seconds"]
                start = time.perf_counter(); b = run(); other.append(time.perf_counter() - start)
            ratio = float(np.median(other) / np.median(mine))
            records.append({"strategy": strategy, "against": name, "seconds_ours": mine, "seconds_theirs": other, "times_faster": ratio,
                            "agreement": agreement(strategy, a, b, x, log_proba)})
            print(f"{strategy:12} {np.median(mine):8.3f} s   {name} {np.median(other):8.3f} s   {ratio:7.1f} times   {records[-1]['agreement']}")
    machine = {"cpu": cpu(), "cores": os.cpu_count(), "load": os.getloadavg(), "python": platform.python_version()}
    size = {"candidates": N, "width": D, "classes": C, "query_size": B, "labeled": L}
    with open(out, "w") as f:
        json.dump({"machine": machine, "size": size, "results": records}, f, indent=1)


main()
