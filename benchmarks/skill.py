"""Skill on synthetic markets, through the whole pipeline: `python -m benchmarks.skill`.

Each market is made, split, trained and evaluated by the code of `awesome run`; the seed makes the market too.
skill = (AUC - 1/2) / (best possible AUC - 1/2); its noise over test splits of this size is 2 to 5 %. *Of bayes* is the
same with what the Bayes classifier has on the very rows (benchmarks/bayes.py) in the place of the best possible AUC.
Takes about a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.bayes import bayes_auc
from benchmarks.default_trees import on_features
from benchmarks.measure import print_table, write_result


@dataclass(frozen=True)
class Target:
    """What is asked of a model on a market.

    Attributes:
        market: the scenario.
        models: what is trained on it.
        least: skill that is asked for; None on the market without signal, where |AUC - 1/2| < 0.01 is.
    """

    market: str
    models: tuple[str, ...]
    least: float | None


TARGETS = (
    Target("null", ("linear", "dnn", "custom_dnn", "rnn"), None),
    Target("reversal", ("linear",), 0.90),
    Target("momentum", ("linear",), 0.90),
    Target("xor", ("dnn",), 0.85),
    Target("regime", ("rnn",), 0.90),
)
NULL_TOLERANCE = 0.01
OF_BAYES = "of bayes"


def main() -> int:
    """Prints the tables and writes benchmarks/results/skill.json; 0 if every target holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shares", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=2900)
    parser.add_argument("--all-models", action="store_true", help="train all four models on every market")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for target in TARGETS:
        models = TARGETS[0].models if arguments.all_models else target.models
        for seed in range(arguments.seeds):
            rows += _measure(target, models, seed, arguments)
    summary = _summary(rows)
    print_table("Runs", rows)
    print_table("Skill on synthetic markets", summary)
    failed = [row for row in rows if row["holds"] == "no"]
    write_result("skill", {"runs": rows, "summary": summary})
    return 1 if failed else 0


def _measure(target: Target, models: tuple[str, ...], seed: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from components.evidence.auc import skill
    from pipeline.job.run import run
    from pipeline.plan import load_plan

    with tempfile.TemporaryDirectory() as folder:
        plan = load_plan(
            {
                "market": target.market,
                "market_shares": arguments.shares,
                "market_sessions": arguments.sessions,
                "models": models,
                "seed": seed,
                "workspace": Path(folder),
            }
        )
        print(f"{target.market}, seed {seed}", file=sys.stderr, flush=True)
        report, _ = run(plan, Console(stderr=True))
        bayes = _bayes(target, Path(folder), seed, arguments)
        found: list[dict[str, Any]] = [
            {
                "market": target.market,
                "seed": seed,
                "model": name,
                "auc": model.auc,
                "low": model.auc_low,
                "high": model.auc_high,
                "best": None if report.market is None else report.market.best_auc,
                "bayes": bayes,
                "skill": None if target.least is None else model.skill,
                OF_BAYES: None if target.least is None else skill(model.auc, bayes),
                "asked": _asked(target, name),
                "blessed": "yes" if model.blessed else "no",
                "seconds": report.seconds[f"Trainer.{name}"],
                "train rows": report.splits["train"].rows,
            }
            for name, model in report.models.items()
        ]
        if target.market == "regime":
            found.append(_lightgbm(Path(folder), plan.horizon, seed, found[0]))
    for row in found:
        row["holds"] = _holds(target, row)
        # On regime the recurrent model also has to beat LightGBM, which stands last.
        if target.market == "regime" and row["model"] == "rnn" and row["auc"] <= found[-1]["auc"]:
            row["holds"] = "no"
    return found


def _bayes(target: Target, workspace: Path, seed: int, arguments: argparse.Namespace) -> float:
    """What the Bayes classifier reaches on the run's test rows."""
    from components.synthetic_market import generate
    from pipeline.runs.folder import open_run

    rows = open_run(workspace / "latest").predictions()
    size = arguments.shares, arguments.sessions
    market = generate(target.market, shares=size[0], sessions=size[1], seed=seed)
    places = (
        np.searchsorted(market.time, rows["time"].to_numpy("datetime64[D]")),
        np.searchsorted(market.share_ids, rows["share_id"].to_numpy(str)),
    )
    return bayes_auc(target.market, *size, seed, places, rows["label"].to_numpy())


def _asked(target: Target, model: str) -> str:
    if target.least is None:
        return f"abs(AUC - 0.5) < {NULL_TOLERANCE}"
    return f"skill >= {target.least}" if model in target.models else ""


def _holds(target: Target, row: dict[str, Any]) -> str:
    if not row["asked"]:
        return ""
    if target.least is None:
        return "yes" if abs(row["auc"] - 0.5) < NULL_TOLERANCE else "no"
    return "yes" if row["skill"] >= target.least else "no"


def _lightgbm(workspace: Path, horizon: int, seed: int, like: dict[str, Any]) -> dict[str, Any]:
    """LightGBM with its defaults on the very features and rows that the models of the run saw."""
    import tensorflow_transform as tft

    from components.evidence.auc import auc_interval, skill
    from models.data import load_rows
    from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
    from models.transform_graph import TransformGraph

    [graph] = workspace.glob("tfx/*/Transform/transform_graph/*")
    [examples] = workspace.glob("tfx/*/FeatureExampleGen/examples/*")
    features = TransformGraph(tft.TFTransformOutput(str(graph)), WINDOW_RETURNS)
    train, test = (
        load_rows([f"{examples}/Split-{split}/*"], horizon, WINDOW_RETURNS, features) for split in ("train", "test")
    )
    probability = on_features(train, test, seed)
    area = auc_interval(test.label, probability, test.time, horizon=horizon, seed=seed)
    return like | {
        "model": "lightgbm",
        "auc": area.value,
        "low": area.low,
        "high": area.high,
        "skill": skill(area.value, like["best"]),
        OF_BAYES: skill(area.value, like["bayes"]),
        "asked": "",
        "blessed": "",
        "seconds": None,
    }


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    summary = []
    for market, model in dict.fromkeys((row["market"], row["model"]) for row in rows):
        mine = [row for row in rows if (row["market"], row["model"]) == (market, model)]
        measure = "AUC" if mine[0]["skill"] is None else "skill"
        summary.append(
            {
                "market": market,
                "model": model,
                "best possible AUC": mine[0]["best"],
                "measure": measure,
                **{f"seed {row['seed']}": row[measure.lower()] for row in mine},
                OF_BAYES: None if measure == "AUC" else float(np.mean([row[OF_BAYES] for row in mine])),
                "asked": mine[0]["asked"],
                "holds": "" if not mine[0]["asked"] else "yes" if all(row["holds"] == "yes" for row in mine) else "no",
            }
        )
    return summary


if __name__ == "__main__":
    raise SystemExit(main())
