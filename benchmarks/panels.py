"""Wide panels of real closes, beside plain scikit-learn and LightGBM scripts: `python -m benchmarks.panels`.

Two panels are fetched from the package registry (see benchmarks/panel_data.py) into --data, which git ignores by
default. For each horizon the main job trains its models, and a plain script (benchmarks/straightforward/panel.py) fits
each learner on the same rows and features; that the test rows are the same is checked, share by share and day by day.
Every process runs alone, one after the other: the main job, each of its Trainers once more, each script. Takes about a
quarter of an hour on two cores.

What is asked: the best of the project's models is within 0.005 AUC of LightGBM's, or above it. The best is taken on the
test split itself, so its AUC flatters: it says that a plain learner has no more to give, not how good a model is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import ProcessUsage, print_table, run_process, write_result
from benchmarks.panel_data import PANELS, Panel, PanelFiles, prepare
from components.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from components.evidence.resampling import Interval
    from pipeline.results import RunReport

DATA = Path(__file__).parent / ".data"
MODELS = ("linear", "dnn", "rnn")
LEARNERS = ("logistic_regression", "lightgbm")
HORIZONS = (1, 20)
TOLERANCE = 0.005
"""AUC by which the best model may be below LightGBM."""


@dataclass(frozen=True)
class Measured:
    """One model or learner on one panel at one horizon.

    Attributes:
        name: of the model or the learner.
        auc: on the test split.
        rank_ic: on the test split.
        usage: of its process; a Trainer's, or a script's from prices to predictions.
        imports: CPU seconds of the process that went into the import of TensorFlow and TFX; 0 for a script.
    """

    name: str
    auc: Interval
    rank_ic: Interval
    usage: ProcessUsage
    imports: float = 0.0


@dataclass(frozen=True)
class Case:
    """One panel at one horizon.

    Attributes:
        panel: its name.
        horizon: sessions ahead.
        rows: of train, eval and test.
        models: the project's.
        learners: the scripts'.
        best: the model with the highest AUC on the test split.
        ahead: that model's AUC less LightGBM's on the same rows, with its paired interval.
        job: the whole main job, every step of it for all models.
    """

    panel: str
    horizon: int
    rows: dict[str, int]
    models: tuple[Measured, ...]
    learners: tuple[Measured, ...]
    best: str
    ahead: Interval
    job: ProcessUsage


def main(argv: list[str] | None = None) -> int:
    """Prints the tables and writes benchmarks/results/panels.json.

    Args:
        argv: command line; None for the process's own.

    Returns:
        0 if the best model is within the tolerance of LightGBM's AUC, or above it, on every panel and horizon; 1 where
        it is not; 2 where a panel cannot be had.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [panel.name for panel in PANELS]
    parser.add_argument("--data", type=Path, default=DATA, help="keeps the panels (default: %(default)s)")
    parser.add_argument("--panels", nargs="+", choices=names, default=names)
    parser.add_argument("--horizons", nargs="+", type=int, default=list(HORIZONS), help="sessions ahead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="work in this new folder and keep it")
    arguments = parser.parse_args(argv)
    chosen = [panel for panel in PANELS if panel.name in arguments.panels]
    try:
        files = {panel.name: prepare(panel, arguments.data) for panel in chosen}
    except UserError as error:
        print(f"benchmarks.panels: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        cases = [
            _measure(panel, files[panel.name], horizon, work / f"{panel.name}-{horizon}", arguments.seed)
            for panel in chosen
            for horizon in arguments.horizons
        ]
    payload = {
        "panels": [_panel_row(panel, files[panel.name]) for panel in chosen],
        "skill": [row for case in cases for row in skill_rows(case)],
        "target": [target_row(case) for case in cases],
        "speed": [row for case in cases for row in speed_rows(case)],
    }
    print_table("Panels", payload["panels"])
    print_table("Test split", payload["skill"])
    print_table(f"Best model beside LightGBM: within {TOLERANCE} AUC or above", payload["target"])
    print_table("CPU seconds of whole processes, and how many times a plain script's", payload["speed"])
    write_result("panels", payload)
    return 0 if all(row["holds"] == "yes" for row in payload["target"]) else 1


def skill_rows(case: Case) -> list[dict[str, Any]]:
    """The case's rows of the table of AUC, rank IC, seconds and memory."""
    return [
        {
            "panel": case.panel,
            "horizon": case.horizon,
            "model": one.name,
            "auc": one.auc.value,
            "auc 95 %": _ends(one.auc),
            "rank ic": round(one.rank_ic.value, 4),
            "rank ic 95 %": _ends(one.rank_ic),
            "seconds": round(one.usage.wall, 1),
            "peak MiB": round(one.usage.peak_rss),
        }
        for one in (*case.models, *case.learners)
    ]


def target_row(case: Case) -> dict[str, Any]:
    """Whether the case's best model is within the tolerance of LightGBM's AUC, or above it."""
    area = {one.name: one.auc.value for one in (*case.models, *case.learners)}
    return {
        "panel": case.panel,
        "horizon": case.horizon,
        "test rows": case.rows["test"],
        "best": case.best,
        "auc": area[case.best],
        "lightgbm": area["lightgbm"],
        "difference": round(case.ahead.value, 4),
        "difference 95 %": _ends(case.ahead),
        "holds": "yes" if case.ahead.value >= -TOLERANCE else "no",
    }


def speed_rows(case: Case) -> list[dict[str, Any]]:
    """The case's rows of the table of CPU seconds: each Trainer and the whole job against the plain scripts.

    A Trainer reads features that other steps made, a script makes its own from the prices; so each Trainer stands
    beside each script with all that its process did, and the whole job beside both scripts together.
    """
    scripts = {one.name: one.usage.cpu for one in case.learners}
    processes = [
        *((f"Trainer {one.name}", one.usage.cpu, one.imports) for one in case.models),
        ("whole job", case.job.cpu, None),
        *((f"script {one.name}", one.usage.cpu, None) for one in case.learners),
    ]
    return [
        {
            "panel": case.panel,
            "horizon": case.horizon,
            "process": name,
            "cpu s": round(cpu, 1),
            "of it imports": imports if imports is None else round(imports, 1),
            **{f"x {learner}": cpu / seconds for learner, seconds in scripts.items()},
            "x both scripts": cpu / sum(scripts.values()),
        }
        for name, cpu, imports in processes
    ]


def _ends(interval: Interval) -> str:
    return f"{interval.low:.4f} to {interval.high:.4f}"


def _panel_row(panel: Panel, files: PanelFiles) -> dict[str, Any]:
    return {
        "panel": panel.name,
        "shares": files.shares,
        "sessions": files.sessions,
        "package": f"{panel.project} {panel.version}",
        "file": panel.member,
        "sha256": f"{panel.sha256[:12]}...",
    }


def _measure(panel: Panel, files: PanelFiles, horizon: int, work: Path, seed: int) -> Case:
    """Runs the main job, its Trainers and the scripts on one panel at one horizon."""
    import pandas as pd

    from pipeline.results import RunReport

    print(f"{panel.description}, {horizon} day{'s' if horizon > 1 else ''} ahead", file=sys.stderr, flush=True)
    run, workspace = work / "run", work / "workspace"
    work.mkdir(parents=True)
    awesome = [str(Path(sys.executable).with_name("awesome")), "run", "--db", str(files.database)]
    choices = ["--models", ",".join(MODELS), "--horizon", str(horizon), "--seed", str(seed)]
    job = run_process([*awesome, *choices, "--output", str(run), "--workspace", str(workspace)])
    report, predictions = RunReport.from_json(run), pd.read_parquet(run / "predictions.parquet")
    models = []
    for name in MODELS:
        module = [sys.executable, "-m", "benchmarks.panel_trainer", "--workspace", str(workspace), "--model", name]
        options = ["--horizon", str(horizon), "--seed", str(seed), "--output", str(work / name)]
        usage = run_process([*module, *options])
        models.append(_measured(name, predictions, name, horizon, seed, usage, _last_line(usage)["import"]["cpu"]))
    learners = []
    together = predictions
    for name in LEARNERS:
        answered = work / f"{name}.parquet"
        usage = run_process(_script(name, files.prices, horizon, report, seed, answered))
        own = pd.read_parquet(answered)
        check_same_rows(predictions, own, report.splits["train"].rows, _last_line(usage)["train_rows"])
        learners.append(_measured(name, own, "probability", horizon, seed, usage))
        own = own[["time", "share_id", "probability"]].rename(columns={"probability": name})
        together = together.merge(own, on=["time", "share_id"])
    best = max(models, key=lambda one: one.auc.value).name
    return Case(
        panel=panel.name,
        horizon=horizon,
        rows={name: split.rows for name, split in report.splits.items()},
        models=tuple(models),
        learners=tuple(learners),
        best=best,
        ahead=auc_difference(together, best, "lightgbm", horizon, seed),
        job=job,
    )


def _script(learner: str, prices: Path, horizon: int, report: RunReport, seed: int, answered: Path) -> list[str]:
    """The plain script's command, with the days that the run's purge and embargo left."""
    train, test = report.splits["train"], report.splits["test"]
    module = [sys.executable, "-m", "benchmarks.straightforward.panel", "--prices", str(prices), "--learner", learner]
    days = ["--train", train.first, train.last, "--test", test.first, test.last]
    return [*module, *days, "--horizon", str(horizon), "--seed", str(seed), "--predictions", str(answered)]


def _last_line(usage: ProcessUsage) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(usage.output.strip().splitlines()[-1])
    return line


def _measured(
    name: str,
    rows: pd.DataFrame,
    column: str,
    horizon: int,
    seed: int,
    usage: ProcessUsage,
    imports: float = 0.0,
) -> Measured:
    """The intervals of the probabilities in a column, computed alike for models and learners."""
    from components.evidence.statistics import auc_interval, rank_ic

    label, ahead, day = (rows[key].to_numpy() for key in ("label", "forward_return", "time"))
    score = rows[column].to_numpy()
    area = auc_interval(label, score, day, horizon=horizon, seed=seed)
    return Measured(name, area, rank_ic(score, ahead, day, horizon=horizon, seed=seed), usage, imports)


def auc_difference(rows: pd.DataFrame, first: str, second: str, horizon: int, seed: int) -> Interval:
    """One AUC less another on the same rows, with the interval of the difference from the same resampled days.

    Args:
        rows: time, label, and the scores in the two columns named.
        first: its AUC counts in full.
        second: its AUC is taken off.
        horizon: sessions ahead that the label looks.
        seed: of the resampling.
    """
    from components.evidence.resampling import DayBlocks
    from components.evidence.statistics import Pairs

    up = rows["label"].to_numpy() == 1
    blocks = DayBlocks(rows["time"].to_numpy(), horizon=horizon, seed=seed)
    one, other = (Pairs(up, rows[name].to_numpy()) for name in (first, second))

    def difference(weight: np.ndarray[Any, Any]) -> float:
        each = weight[blocks.index]
        return one.auc(each) - other.auc(each)

    return blocks.interval(difference)


def check_same_rows(run: pd.DataFrame, script: pd.DataFrame, train_rows: int, script_train_rows: int) -> None:
    """Refuses a comparison of unlike rows.

    Args:
        run: the run's test rows: time, share_id, label.
        script: the script's.
        train_rows: how many rows the run trained on.
        script_train_rows: how many the script was fitted on.

    Raises:
        RuntimeError: rows or labels differ; a defect.
    """
    keys = ["time", "share_id", "label"]
    same = len(run) == len(script) == len(run[keys].merge(script[keys], on=keys))
    if not same or train_rows != script_train_rows:
        raise RuntimeError(
            f"the plain script's rows are not the run's: {script_train_rows} and {train_rows} to train on, "
            f"{len(script)} and {len(run)} to test on"
        )


if __name__ == "__main__":
    raise SystemExit(main())
