"""Ask AutoAL which samples to label next, from Python (numpy only).

Run: AUTOAL=target/release/autoal python3 docs/examples/select_from_python.py
"""
import csv
import io
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

AUTOAL = os.environ.get("AUTOAL", "autoal")


def export(folder, **arrays):
    """Writes NAME.npy for every array; AutoAL maps such files into memory instead of reading them."""
    for name, array in arrays.items():
        np.save(Path(folder) / f"{name}.npy", array)


def select(outputs, strategy, query_size, *flags):
    """The ids that a strategy selects, the most wanted first."""
    command = [AUTOAL, "select", "--strategy", strategy, "--query-size", str(query_size), "--outputs", str(outputs), *flags]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [int(row["id"]) for row in csv.DictReader(io.StringIO(answer))]


def from_torch(model, head, loader):
    """How to get the arrays from a PyTorch classifier: `model` gives embeddings, `head` is its last linear layer."""
    import torch

    model.eval()
    with torch.no_grad():
        embeddings = torch.cat([model(images).flatten(1) for images, *_ in loader])
        logits = head(embeddings)
    return {
        "embeddings": embeddings.float().numpy(),
        "log_proba": torch.log_softmax(logits, 1).numpy(),
        "head_weight": head.weight.detach().numpy(),
        "head_bias": head.bias.detach().numpy(),
    }


def main():
    rng = np.random.default_rng(0)
    pool, labeled, classes, width = 500, 20, 4, 16
    weight = rng.normal(size=(classes, width)).astype(np.float32)
    embeddings = rng.normal(size=(pool + labeled, width)).astype(np.float32)
    logits = embeddings @ weight.T
    log_proba = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)
    ids = rng.permutation(10_000)[:pool]

    with tempfile.TemporaryDirectory() as folder:
        export(
            folder,
            ids=ids,
            embeddings=embeddings[:pool],
            log_proba=log_proba[:pool],
            labeled_embeddings=embeddings[pool:],
            labeled_log_proba=log_proba[pool:],
            labeled_labels=logits[pool:].argmax(1),
            head_weight=weight,
            head_bias=np.zeros(classes, np.float32),
        )

        # Margin is simple enough to be done here as well: the answers must agree.
        top = np.sort(np.exp(log_proba[:pool].astype(np.float64)), axis=1)
        gap = top[:, -1] - top[:, -2]
        expected = ids[np.lexsort((ids, gap))][:10].tolist()
        assert select(folder, "margin", 10) == expected

        for strategy in ["badge", "core-set", "bait", "uncertainty-herding", "drop-query", "alfa-mix"]:
            chosen = select(folder, strategy, 10, "--seed", "1")
            assert len(set(chosen)) == 10 and set(chosen) <= set(ids.tolist()), strategy
            assert chosen == select(folder, strategy, 10, "--seed", "1"), strategy
            print(f"{strategy:20} {chosen}")

        # Samples that got a label since: name them, and they are no candidates any more.
        for name in ["labeled_embeddings", "labeled_log_proba", "labeled_labels"]:
            (Path(folder) / f"{name}.npy").unlink()
        done = ",".join(map(str, expected))
        assert not set(select(folder, "core-set", 10, "--labeled", done)) & set(expected)


if __name__ == "__main__":
    main()
