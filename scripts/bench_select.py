"""Called by scripts/bench-select: `bench_select.py AUTOAL FOLDER CANDIDATES QUERY_SIZE OUT STRATEGY...`.

512 columns, 10 classes, 100 labels: rectified embeddings of low rank within a class, with noise, as in scripts/bench_strategies.py.
Memory is sampled from /proc while the program runs: anonymous, and all that was resident, pages of the mapped file included.
"""
import json, os, platform, subprocess, sys, threading, time

import numpy as np

D, C, L, T = 512, 10, 100, 10
LIMIT = float(os.environ.get("LIMIT", 600))


def proba(logits):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return (p / p.sum(-1, keepdims=True)).astype(np.float32)


def write_arrays(folder, n):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(C, D)).astype(np.float32)
    basis = (rng.normal(size=(32, D)) / np.sqrt(32)).astype(np.float32)
    normal = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
    embed = lambda rows: np.maximum(centres[rows % C] + normal(len(rows), 32) @ basis + 0.3 * normal(len(rows), D), 0)
    os.makedirs(folder)
    save = lambda name, array: np.save(f"{folder}/{name}.npy", array)
    embeddings = np.lib.format.open_memmap(f"{folder}/embeddings.npy", mode="w+", dtype=np.float32, shape=(n, D))
    for start in range(0, n, 20_000):
        embeddings[start:start + 20_000] = embed(np.arange(start, min(n, start + 20_000)))
    embeddings.flush()
    save("labeled_embeddings", embed(np.arange(L)))
    save("labeled_labels", np.arange(L) % C)
    save("log_proba", np.log(proba(2 * normal(n, C))))
    save("labeled_log_proba", np.log(proba(2 * normal(L, C))))
    save("head_weight", 0.3 * centres / np.linalg.norm(centres, axis=1, keepdims=True))
    save("head_bias", np.zeros(C, np.float32))
    for name in ["predicted_loss", "labeled_probability"]:
        save(name, rng.random(n, dtype=np.float32))
    if n <= 100_000:
        passes = np.stack([proba(2 * normal(n, C)) for _ in range(T)])
        save("mc_proba", passes)
        save("ensemble_proba", passes[:5])


def kib(pid, key):
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) for line in f if line.startswith(key)), 0)
    except OSError:
        return 0


def measure(autoal, folder, query_size, strategy):
    start, answer, anonymous, resident = time.perf_counter(), {}, 0, 0
    program = subprocess.Popen([autoal, "select", "--strategy", strategy, "--query-size", query_size, "--outputs", folder],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    reader = threading.Thread(target=lambda: answer.update(zip(["out", "error"], program.communicate())))
    reader.start()
    while reader.is_alive():
        anonymous, resident = max(anonymous, kib(program.pid, "RssAnon:")), max(resident, kib(program.pid, "VmHWM:"))
        if time.perf_counter() - start > LIMIT:
            program.kill()
        reader.join(0.02)
    ids = {line.split(",")[0] for line in answer["out"].splitlines()[1:]}
    return {"strategy": strategy, "seconds": round(time.perf_counter() - start, 2), "exit": program.returncode, "selected": len(ids),
            "anonymous_mib": anonymous // 1024, "resident_mib": resident // 1024, "error": answer["error"].strip() or None}


def main():
    autoal, folder, candidates, query_size, out, *strategies = sys.argv[1:]
    if not os.path.isdir(folder):
        write_arrays(folder, int(candidates))
    with open(out, "w") as f:
        machine = {"machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()}
        f.write(json.dumps(machine) + "\n")
        for strategy in strategies:
            record = json.dumps(measure(autoal, folder, query_size, strategy))
            f.write(record + "\n")
            f.flush()
            print(record, flush=True)


main()
