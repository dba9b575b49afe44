"""Wide panels of real closes, beside plain scikit-learn and LightGBM scripts: `python -m benchmarks.panels`.

Two panels are fetched from the package registry (see benchmarks/panel_data.py) into --data, which git ignores by
default. For each horizon the main job trains its models and fits its baselines, and a plain script
(benchmarks/straightforward/panel.py) fits each learner on the same rows and features; that the rows are the same is
checked, the test's share by share and day by day. Every process runs alone, one after the other: the main job, each of
its Trainers once more, each script. All of that once for each label; what a Trainer takes does not depend on the label,
and is measured with the first alone. Takes an hour on two cores that others use as well.

What is asked: the best of the project's models is within 0.005 AUC of LightGBM's or above it, of the main job's
baseline (more trees, stopped early on the eval split) and of the script's (defaults) alike. The best is taken on the
test split itself, so its AUC flatters: it says that a plain learner has no more to give, not how good a model is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import ProcessUsage, print_table, run_process, write_result
from benchmarks.panel_data import PANELS, Panel, PanelFiles, prepare
from components.errors import UserError
from components.evidence.metric import AUC, RANK_IC
from components.evidence.words import low_to_high, number4

if TYPE_CHECKING:
    import pandas as pd

    from components.evidence.findings import Findings
    from pipeline.runs.results import RunReport

DATA = Path(__file__).parent / ".data"
MODELS = ("linear", "dnn", "custom_dnn", "rnn")
LABELS = ("up", "outperform")
LEARNERS = ("logistic_regression", "lightgbm")
HORIZONS = (1, 20)
TOLERANCE = 0.005
"""AUC by which the best model may be below LightGBM."""


@dataclass(frozen=True)
class Case:
    """One panel at one horizon with one label.

    Attributes:
        panel: its name.
        horizon: sessions ahead.
        label: what is predicted.
        findings: figures and paired differences of the project's models; as baselines those of the main job, and of the
            scripts under `script_name`.
        used: by the name of a model, what its Trainer used, where that was measured, or of a script, from prices to
            predictions; the main job's baselines have no process of their own.
        imports: CPU seconds of each Trainer that went into the import of TensorFlow and TFX.
        job: the whole main job, every step of it for all models.
    """

    panel: str
    horizon: int
    label: str
    findings: Findings
    used: Mapping[str, ProcessUsage]
    imports: Mapping[str, float]
    job: ProcessUsage


def script_name(learner: str) -> str:
    """What a learner of the plain script is called, beside the main job's baseline of the same kind."""
    return f"script {learner}"


def main(argv: list[str] | None = None) -> int:
    """Prints the tables and writes benchmarks/results/panels.json.

    Args:
        argv: command line; None for the process's own.

    Returns:
        0 if the best model is within the tolerance of LightGBM's AUC, or above it, on every panel, label and horizon; 1
        where it is not; 2 where a panel cannot be had.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [panel.name for panel in PANELS]
    parser.add_argument("--data", type=Path, default=DATA, help="keeps the panels (default: %(default)s)")
    parser.add_argument("--panels", nargs="+", choices=names, default=names)
    parser.add_argument("--horizons", nargs="+", type=int, default=list(HORIZONS), help="sessions ahead")
    parser.add_argument("--labels", nargs="+", choices=LABELS, default=list(LABELS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
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
            _measure(
                Asked(panel, files[panel.name], horizon, label, tuple(arguments.models), arguments.seed),
                work / f"{panel.name}-{horizon}-{label}",
                timed=label == arguments.labels[0],
            )
            for panel in chosen
            for horizon in arguments.horizons
            for label in arguments.labels
        ]
    payload = {
        "panels": [_panel_row(panel, files[panel.name]) for panel in chosen],
        "skill": [row for case in cases for row in skill_rows(case)],
        "target": [row for case in cases for row in target_rows(case)],
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
    figures = {name: found.scores for name, found in case.findings.models.items()} | dict(case.findings.baselines)
    return [
        {
            "panel": case.panel,
            "horizon": case.horizon,
            "label": case.label,
            "model": name,
            "auc": round(scores[AUC].value, 4),
            "auc 95 %": low_to_high(scores[AUC].low, scores[AUC].high, number4),
            "rank ic": round(scores[RANK_IC].value, 4),
            "rank ic 95 %": low_to_high(scores[RANK_IC].low, scores[RANK_IC].high, number4),
            "seconds": round(case.used[name].wall, 1) if name in case.used else None,
            "peak MiB": round(case.used[name].peak_rss) if name in case.used else None,
        }
        for name, scores in figures.items()
    ]


def target_rows(case: Case) -> list[dict[str, Any]]:
    """Whether the case's best model is within the tolerance of each LightGBM's AUC, or above it."""
    models = case.findings.models
    best = max(models, key=lambda name: models[name].scores[AUC].value)
    rows = []
    for rival in ("lightgbm", script_name("lightgbm")):
        ahead = models[best].differences[rival][AUC]
        rows.append(
            {
                "panel": case.panel,
                "horizon": case.horizon,
                "label": case.label,
                "test rows": case.findings.rows,
                "days": case.findings.days,
                "best": best,
                "auc": round(models[best].scores[AUC].value, 4),
                "against": rival,
                "difference": round(ahead.value, 4),
                "95 %": low_to_high(ahead.low, ahead.high, number4),
                "holds": "yes" if ahead.value >= -TOLERANCE else "no",
            }
        )
    return rows


def speed_rows(case: Case) -> list[dict[str, Any]]:
    """The case's rows of the table of CPU seconds: each Trainer and the whole job against the plain scripts.

    A Trainer reads features that other steps made, a script makes its own from the prices; so each Trainer stands
    beside each script with all that its process did, and the whole job beside both scripts together.
    """
    scripts = {name: case.used[name].cpu for name in map(script_name, LEARNERS)}
    processes = [
        *((f"Trainer {name}", case.used[name].cpu, imports) for name, imports in case.imports.items()),
        ("whole job", case.job.cpu, None),
        *((name, cpu, None) for name, cpu in scripts.items()),
    ]
    return [
        {
            "panel": case.panel,
            "horizon": case.horizon,
            "label": case.label,
            "process": name,
            "cpu s": round(cpu, 1),
            "of it imports": None if imports is None else round(imports, 1),
            **{f"x {script}": cpu / seconds for script, seconds in scripts.items()},
            "x both": cpu / sum(scripts.values()),
        }
        for name, cpu, imports in processes
    ]


def _panel_row(panel: Panel, files: PanelFiles) -> dict[str, Any]:
    return {
        "panel": panel.name,
        "shares": files.shares,
        "sessions": files.sessions,
        "package": f"{panel.project} {panel.version}",
        "file": panel.member,
        "sha256": f"{panel.sha256[:12]}...",
    }


@dataclass(frozen=True)
class Asked:
    """What one case is measured of: a panel, its files, and what is predicted by which models with which seed."""

    panel: Panel
    files: PanelFiles
    horizon: int
    label: str
    models: tuple[str, ...]
    seed: int


def _measure(asked: Asked, work: Path, timed: bool) -> Case:
    """Runs the main job, its Trainers where they are timed, and the scripts."""
    import pandas as pd

    from components.evidence.comparing import compare
    from pipeline.runs.folder import open_run

    ahead = f"{asked.horizon} day{'s' if asked.horizon > 1 else ''} ahead"
    print(f"{asked.panel.description}, {ahead}, {asked.label}", file=sys.stderr, flush=True)
    run, workspace = work / "run", work / "workspace"
    work.mkdir(parents=True)
    awesome = [str(Path(sys.executable).with_name("awesome")), "run", "--db", str(asked.files.database)]
    same = ["--horizon", str(asked.horizon), "--seed", str(asked.seed)]
    choices = ["--models", ",".join(asked.models), "--label", asked.label, *same]
    # The audit takes its time, and is a part of the job as it is measured with the first label.
    audit = ["--audit" if timed else "--no-audit"]
    job = run_process([*awesome, *choices, *audit, "--output", str(run), "--workspace", str(workspace)])
    opened = open_run(run)
    report, predictions = opened.report, opened.predictions()
    used, imports = {}, {}
    for name in asked.models if timed else ():
        module = [sys.executable, "-m", "benchmarks.panel_trainer", "--workspace", str(workspace), "--model", name]
        options = ["--label", asked.label, *same, "--output", str(work / name)]
        used[name] = run_process([*module, *options])
        imports[name] = _last_line(used[name])["import"]["cpu"]
    for learner in LEARNERS:
        name, answered = script_name(learner), work / f"{learner}.parquet"
        used[name] = run_process(_script(learner, asked, report, answered))
        own = pd.read_parquet(answered)
        check_same_rows(predictions, own, report.splits["train"].rows, _last_line(used[name])["train_rows"])
        own = own[["time", "share_id", "probability"]].rename(columns={"probability": name})
        predictions = predictions.merge(own, on=["time", "share_id"])
    rivals = [*report.baselines, *map(script_name, LEARNERS)]
    findings, _ = compare(predictions, asked.models, rivals, asked.horizon, asked.seed)
    return Case(asked.panel.name, asked.horizon, asked.label, findings, used, imports, job)


def _script(learner: str, asked: Asked, report: RunReport, answered: Path) -> list[str]:
    """The plain script's command, with the days that the run's purge and embargo left."""
    train, test = report.splits["train"], report.splits["test"]
    prices = str(asked.files.prices)
    module = [sys.executable, "-m", "benchmarks.straightforward.panel", "--prices", prices, "--learner", learner]
    days = ["--train", train.first, train.last, "--test", test.first, test.last]
    same = ["--horizon", str(asked.horizon), "--label", asked.label, "--seed", str(asked.seed)]
    return [*module, *days, *same, "--predictions", str(answered)]


def _last_line(usage: ProcessUsage) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(usage.output.strip().splitlines()[-1])
    return line


def check_same_rows(run: pd.DataFrame, script: pd.DataFrame, train_rows: int, script_train_rows: int) -> None:
    """Refuses a comparison of unlike test rows (time, share_id, label) or numbers of train rows: that is a defect."""
    keys = ["time", "share_id", "label"]
    same = len(run) == len(script) == len(run[keys].merge(script[keys], on=keys))
    if not same or train_rows != script_train_rows:
        raise RuntimeError(
            f"the plain script's rows are not the run's: {script_train_rows} and {train_rows} to train on, "
            f"{len(script)} and {len(run)} to test on"
        )


if __name__ == "__main__":
    raise SystemExit(main())
