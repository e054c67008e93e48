"""The record and the table of bench-commands (standard library only)."""

import collections
import json
import os
import pathlib
import statistics
import sys

import bench_kernels

PHASES = ["train", "evaluate", "outputs", "candidates", "search", "query"]
SIDES = ["stock", "f32", "bf16"]


def record(width, strategy, side, start, end, runs):
    (path,) = pathlib.Path(runs).glob(f"*/{strategy}/seed-1/rounds.jsonl")
    rounds = [json.loads(line) for line in path.read_text().splitlines()]
    print(json.dumps({
        "session": os.environ["BENCH_SESSION"], "width": int(width), "strategy": strategy, "side": side,
        "seconds": round(float(end) - float(start), 3),
        "phases": {phase: round(sum(r["seconds"][phase] for r in rounds), 3) for phase in PHASES},
        "load": round(os.getloadavg()[0], 2),
    } | bench_kernels.machine()))


def table(path, session):
    seconds = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path, encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if line["session"] == session:
                seconds[line["width"], line["strategy"]][line["side"]].append((line["seconds"], line["phases"]))
    print("| width, strategy | side | command, s | before / after | " + " | ".join(PHASES) + " |")
    print("|---" * (4 + len(PHASES)) + "|")
    for (width, strategy), by_side in seconds.items():
        before = statistics.median(s for s, _ in by_side["stock"])
        for side in SIDES:
            whole = statistics.median(s for s, _ in by_side[side])
            phases = [statistics.median(p[phase] for _, p in by_side[side]) for phase in PHASES]
            cells = " | ".join(f"{value:.2f}" for value in phases)
            print(f"| {width}, {strategy} | {side} | {whole:.1f} | {before / whole:.2f} | {cells} |")


def main():
    command, *arguments = sys.argv[1:]
    {"record": record, "table": table}[command](*arguments)


main()
