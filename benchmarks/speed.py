"""CPU and memory of the main job beside what else somebody would write: `python -m benchmarks.speed`.

All train and evaluate four models on the same rows (20 shares x 8,300 sessions of a market without signal), each in a
process of its own, one after the other; the figures are the operating system's for the whole process. Beside the main
job with its defaults, audit included, stand a plain script (`benchmarks/plain_keras.py`: Keras, scikit-learn and
LightGBM, as many networks, the same baselines) and a straightforward TFX pipeline. Against the latter the main job is
also run with the same work, one network a model and no leak audit; the baselines and intervals that it makes all the
same the pipeline does not. `--peers plain` leaves the pipeline out, which takes most of the time. Python's bytecode is
written before, as an installation writes it. A machine that others use is not equally fast all the time, so with
`--turns 3` the main job, the same from its cache and the script run three times in turns, and their means count.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.measure import ProcessUsage, print_table, run_process, write_result

SHARES, SESSIONS = 20, 8320
NETWORKS = ("dnn", "custom_dnn", "rnn")
"""The models that are the mean of several networks."""
MOST_CACHED = 8
"""CPU seconds that a run on unchanged data may take."""
_PACKAGES = ("benchmarks", "components", "models", "pipeline")
OURS, CACHED, SAME = "main job with its defaults", "the same again, from the cache", "main job, the same work"
PLAIN, TFX = "plain Keras script", "straightforward TFX pipeline"


def main() -> int:
    """Prints all and writes benchmarks/results/speed.json; 0 if what is asked holds.

    Asked is that the main job with its defaults takes no more CPU than the plain script, and with the same work a
    quarter of the straightforward pipeline's.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--epochs", type=int, default=10, help="most epochs of the straightforward pipeline")
    parser.add_argument("--peers", nargs="+", choices=("plain", "tfx"), default=["plain", "tfx"])
    parser.add_argument(
        "--turns", type=int, choices=range(1, 10), default=1, help="of the main job and the plain script"
    )
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it")
    arguments = parser.parse_args()
    run_process([sys.executable, "-m", "compileall", "-q", *_PACKAGES])
    usages: dict[str, ProcessUsage] = {}
    parts: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        database = work / "market.db"
        rows = _write_data(database, work / "csv", arguments.sessions)
        turns = [_turn(work / f"whole{turn}", database, arguments.peers) for turn in range(arguments.turns)]
        for name in turns[0]:
            usages[name] = _mean([turn[name] for turn in turns])
            printed = [_last_line(turn[name]) for turn in turns]
            each = [one["cpu"] for one in printed] if name == PLAIN else printed
            parts[name] = {part: fmean(one[part] for one in each) for part in each[0]}
        if "tfx" in arguments.peers:
            usages[SAME] = _run(work / "same", database, "--no-audit", members=1)
            folders = ["--csv-dir", str(work / "csv"), "--work", str(work / "straightforward")]
            module = [sys.executable, "-m", "benchmarks.straightforward.run"]
            usages[TFX] = run_process([*module, *folders, "--epochs", str(arguments.epochs)])
            parts[TFX] = {name: usage["cpu"] for name, usage in _last_line(usages[TFX]).items()}
    for name, seconds in parts.items():
        print_table(f"{name}, {rows:,} rows, CPU seconds", [{"part": k, "cpu s": v} for k, v in seconds.items()])
    ours = usages[OURS].cpu
    table: list[dict[str, Any]] = [
        {"what": name, "cpu s": usage.cpu, "main job / this": ours / usage.cpu, "s": usage.wall, "MiB": usage.peak_rss}
        for name, usage in usages.items()
    ]
    print_table("Whole processes", table)
    asked = [(f"{CACHED}: at most {MOST_CACHED} CPU s", usages[CACHED].cpu / MOST_CACHED)]
    if PLAIN in usages:
        asked.append(("main job: at most the plain script's", ours / usages[PLAIN].cpu))
    if TFX in usages:
        asked.append(("main job, the same work: at most a quarter of TFX's", 4 * usages[SAME].cpu / usages[TFX].cpu))
    holds = [{"asked": what, "of what is allowed": part, "holds": "yes" if part <= 1 else "no"} for what, part in asked]
    print_table("Asked", holds)
    write_result("speed", {"rows": rows, "whole": table, "parts": parts, "asked": holds})
    return int(any(part > 1 for _, part in asked))


def _turn(folder: Path, database: Path, peers: Sequence[str]) -> dict[str, ProcessUsage]:
    """The main job, the same again, and the plain script."""
    usages = {OURS: _run(folder, database), CACHED: _run(folder, database, output="again")}
    if "plain" in peers:
        usages[PLAIN] = run_process([sys.executable, "-W", "ignore", "-m", "benchmarks.plain_keras", str(database)])
    return usages


def _mean(usages: Sequence[ProcessUsage]) -> ProcessUsage:
    """The means, with the output of the last one."""
    wall, cpu, peak = (fmean(getattr(one, name) for one in usages) for name in ("wall", "cpu", "peak_rss"))
    return ProcessUsage(wall, cpu, peak, usages[-1].output)


def _last_line(usage: ProcessUsage) -> Any:
    """What a process prints last, which is JSON."""
    return json.loads(usage.output.strip().splitlines()[-1])


def _run(folder: Path, database: Path, *options: str, members: int | None = None, output: str = "run") -> ProcessUsage:
    """The main job in a workspace of its own; `members` of networks where it is not their default."""
    folders = ["--db", str(database), "--output", str(folder / output), "--workspace", str(folder / "workspace")]
    command = [sys.executable, "-m", "benchmarks.timed_job", *folders, *options]
    changed = {} if members is None else {name: {"members": members} for name in NETWORKS}
    return run_process(command, {"AWESOME_HYPERPARAMETERS": json.dumps(changed)})


def _write_data(database: Path, csv: Path, sessions: int) -> int:
    """Makes the market, and the same splits of it as CSV files for the straightforward pipeline."""
    import numpy as np

    from components.feature_example_gen.examples import label_rows
    from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
    from components.feature_store import CLOSE_COLUMNS, FeatureStore
    from components.synthetic_market import generate, write_market

    write_market(generate("null", shares=SHARES, sessions=sessions), database)
    with FeatureStore.open(database) as store:
        shares = [summary.share_id for summary in store.shares()]
        features = store.read_features(shares)
        labelled = label_rows(features, plan_splits(store.sessions(), SplitSettings()))
    frame = features.to_pandas()
    frame["label"] = labelled.columns["label_1"]
    csv.mkdir(exist_ok=True)
    for index, split in enumerate(SPLITS):
        part = frame[labelled.split == index]
        part[["time", "share_id", *CLOSE_COLUMNS, "label"]].to_csv(csv / f"{split}.csv", index=False)
    return int(np.sum(labelled.split >= 0))


if __name__ == "__main__":
    raise SystemExit(main())
