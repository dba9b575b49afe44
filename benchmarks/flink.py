"""The same run in memory and on a local Flink of 1 and 2 TaskManagers: `python -m benchmarks.flink`.

Flink has to be there (tools/get_flink.py). CPU seconds are those of the command and of all of Flink's processes and
workers while it ran; `same` says whether the examples are the same rows and the model's AUC the same to 0.001.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.local_flink import cpu_seconds, local_flink
from benchmarks.measure import print_table, run_process, write_result

BEAM_STEPS = ("FeatureExampleGen", "StatisticsGen", "Transform", "Evaluator")


def main() -> int:
    """Prints the table and writes benchmarks/results/flink.json; 0 if all results are the same, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", type=int, default=40)
    parser.add_argument("--sessions", type=int, default=1520)
    options = parser.parse_args()
    market = ["--market", "momentum", "--market-shares", str(options.shares)]
    market += ["--market-sessions", str(options.sessions)]
    get_flink = Path(__file__).parents[1] / "tools" / "get_flink.py"
    home = Path(subprocess.check_output([sys.executable, str(get_flink)], text=True).splitlines()[-1])
    rows = []
    with tempfile.TemporaryDirectory(prefix="flink") as temporary:
        folder = Path(temporary)
        rows.append(_run("in memory", folder / "memory", market, []))
        for managers in (1, 2):
            with local_flink(home, folder / f"flink-{managers}", managers) as flink:
                before = cpu_seconds(flink.processes)
                row = _run(f"Flink, {managers}", folder / f"run-{managers}", market, flink.flags(managers))
                row["engine cpu s"] = cpu_seconds(flink.processes) - before
            rows.append(row)
    first = rows[0]
    for row in rows:
        row["same"] = row["digest"] == first["digest"] and abs(row["auc"] - first["auc"]) <= 0.001
        row["all cpu s"] = row["command cpu s"] + row.setdefault("engine cpu s", 0.0)
    shown = ("where", "examples", "command cpu s", "engine cpu s", "all cpu s", "wall s", *BEAM_STEPS, "auc", "same")
    print_table("One linear model, in memory and on Flink", [{name: row[name] for name in shown} for row in rows])
    write_result("flink", {row["where"]: row for row in rows})
    return 0 if all(row["same"] for row in rows) else 1


def _run(where: str, folder: Path, market: list[str], flags: list[str]) -> dict[str, Any]:
    """What one run used, and what became of it."""
    command = [sys.executable, "-m", "awesome", "run", *market, "--models", "linear", "--no-audit", *flags]
    usage = run_process(
        [*command, "--workspace", str(folder / "runs"), "--output", str(folder / "out")],
        {"AWESOME_BEAM_START_SECONDS": "240"},
    )
    report = json.loads((folder / "out" / "report.json").read_text())
    count, digest = _examples(folder)
    took = report["seconds"]
    return {
        "where": where,
        "examples": count,
        "digest": digest,
        "auc": report["models"]["linear"]["auc"],
        "command cpu s": usage.cpu,
        "wall s": usage.wall,
        **{step: sum(took[name] for name in took if name.partition(".")[0] == step) for step in BEAM_STEPS},
    }


def _examples(folder: Path) -> tuple[int, str]:
    """How many examples there are, and a digest of them that their order and files do not change."""
    import tensorflow as tf

    files = sorted(str(path) for path in folder.glob("runs/tfx/*/FeatureExampleGen/examples/*/Split-*/*"))
    digests = sorted(
        hashlib.sha256(tf.train.Example.FromString(one.numpy()).SerializeToString(deterministic=True)).digest()
        for one in tf.data.TFRecordDataset(files)
    )
    return len(digests), hashlib.sha256(b"".join(digests)).hexdigest()[:16]


if __name__ == "__main__":
    raise SystemExit(main())
