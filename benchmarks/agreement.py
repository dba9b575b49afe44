"""TFMA's figures beside scikit-learn's on the same predictions: `python -m benchmarks.agreement [RUN]`.

RUN is a folder that `awesome run` wrote; without one, a run on a small synthetic market is made first.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.measure import print_table, write_result

TOLERANCE = 1e-3


def main() -> int:
    """Prints the table and writes benchmarks/results/agreement.json; 0 if every figure agrees to 1e-3, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path)
    run = parser.parse_args().run
    if run is None:
        with tempfile.TemporaryDirectory() as folder:
            rows = compare(_small_run(Path(folder)))
    else:
        rows = compare(run)
    print_table("TFMA and scikit-learn on the same predictions", rows)
    largest = [
        {"figure": name, "largest difference": max(r["difference"] for r in rows if r["metric"] == name)}
        for name in dict.fromkeys(row["metric"] for row in rows)
    ]
    print_table("Largest difference over the models", largest)
    most = max(row["difference"] for row in rows)
    write_result("agreement", {"rows": rows, "largest": largest, "largest_difference": most, "tolerance": TOLERANCE})
    return 0 if most <= TOLERANCE else 1


def compare(run: Path) -> list[dict[str, Any]]:
    """Every figure of every model of a run's folder by both: model, metric, tfma, scikit_learn, difference."""
    from sklearn import metrics as sk

    from pipeline.runs.folder import open_run

    opened = open_run(run)
    report, predictions = opened.report, opened.predictions()
    label = predictions["label"]
    rows = []
    for name, model in report.models.items():
        probability = predictions[name]
        called = probability > 0.5
        independent = {
            "auc": sk.roc_auc_score(label, probability),
            "auc_exact": sk.roc_auc_score(label, probability),
            "auc_precision_recall": sk.average_precision_score(label, probability),
            "accuracy": sk.accuracy_score(label, called),
            "precision": sk.precision_score(label, called, zero_division=0),
            "recall": sk.recall_score(label, called),
            "average_loss": sk.log_loss(label, probability),
            "label/mean": label.mean(),
            "prediction/mean": probability.mean(),
        }
        for metric, value in independent.items():
            ours = model.metrics[metric]
            row = {"model": name, "metric": metric, "tfma": ours, "scikit_learn": float(value)}
            rows.append(row | {"difference": abs(ours - float(value))})
    return rows


def _small_run(workspace: Path) -> Path:
    from pipeline.job.run import run
    from pipeline.plan import load_plan

    plan = load_plan({"market": "reversal", "market_shares": 40, "market_sessions": 2000, "workspace": workspace})
    return run(plan, Console(stderr=True))[1]


if __name__ == "__main__":
    raise SystemExit(main())
