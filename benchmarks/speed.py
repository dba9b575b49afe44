"""CPU and memory of the main job beside a straightforward TFX pipeline: `python -m benchmarks.speed`.

All train and evaluate four models on the same rows (20 shares x 8,300 sessions of a market without signal), each in a
process of its own, one after the other; the figures are the operating system's for the whole process. Each trains with
its own defaults until its own early stopping ends. The main job is run twice: with the same work, one network a model
and no leak audit, and as it is, several networks a model and the audit. Both times it fits two baselines and resamples
days for its intervals, which the straightforward pipeline does not. Takes ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import ProcessUsage, print_table, run_process, write_result

SHARES, SESSIONS = 20, 8320
NETWORKS = ("dnn", "custom_dnn", "rnn")
"""The models that are the mean of several networks."""


def main() -> int:
    """Prints all and writes benchmarks/results/speed.json; 0 if the same work takes at most a quarter of the CPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--epochs", type=int, default=10, help="most epochs of the straightforward pipeline")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        database = work / "market.db"
        rows = _write_data(database, work / "csv", arguments.sessions)
        same = _run(work / "same", database, ["--no-audit"], {name: {"members": 1} for name in NETWORKS})
        whole = _run(work / "whole", database, [], {})
        report = json.loads((work / "whole" / "run" / "report.json").read_text())
        folders = ["--csv-dir", str(work / "csv"), "--work", str(work / "straightforward")]
        module = [sys.executable, "-m", "benchmarks.straightforward.run"]
        plain = run_process([*module, *folders, "--epochs", str(arguments.epochs)])
    plain_steps = json.loads(plain.output.strip().splitlines()[-1])
    print_table(
        f"Main job with its defaults, {rows:,} rows, seconds a step",
        [{"step": k, "wall": v} for k, v in report["seconds"].items()],
    )
    # The clock says little on a machine that others use too; CPU seconds of one run can be compared.
    plain_steps = {name: {"cpu": usage["cpu"]} for name, usage in plain_steps.items()}
    print_table("Straightforward pipeline, CPU seconds a step", [{"step": k} | v for k, v in plain_steps.items()])
    table: list[dict[str, Any]] = [
        {
            "pipeline": name,
            "cpu s": usage.cpu,
            "times less": plain.cpu / usage.cpu,
            "peak MiB": usage.peak_rss,
        }
        for name, usage in (
            ("straightforward", plain),
            ("main job, the same work", same),
            ("main job with its defaults", whole),
        )
    ]
    print_table("Whole processes", table)
    write_result(
        "speed",
        {"rows": rows, "whole": table, "main_job_steps": report["seconds"], "straightforward_steps": plain_steps},
    )
    return 0 if plain.cpu >= 4 * same.cpu else 1


def _run(folder: Path, database: Path, options: list[str], hyperparameters: dict[str, dict[str, int]]) -> ProcessUsage:
    """The main job in a workspace of its own."""
    folders = ["--output", str(folder / "run"), "--workspace", str(folder / "workspace")]
    command = [str(Path(sys.executable).with_name("awesome")), "run", "--db", str(database), *folders, *options]
    return run_process(command, {"AWESOME_HYPERPARAMETERS": json.dumps(hyperparameters)})


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
