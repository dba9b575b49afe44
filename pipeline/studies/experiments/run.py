"""Runs the experiments: checks first, then trains what is not kept yet, then writes the page and the file."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.feature_example_gen.splits import plan_splits
from pipeline.job.quiet import import_tensorflow, run_log
from pipeline.job.workspace import check_writable, workspace_lock
from pipeline.paths import pattern_in
from pipeline.runs.folder import write_text
from pipeline.studies.experiments.answers import Answers, answers_key, read_answers, write_answers
from pipeline.studies.experiments.catalogue import Experiment, ExperimentError, choose_experiments
from pipeline.studies.experiments.findings import Finding, TimeGain, judge_claims
from pipeline.studies.experiments.page import render_page
from pipeline.studies.experiments.panels import (
    SPLIT_KINDS,
    Panel,
    PanelRows,
    Split,
    market_panel,
    panel_rows,
    shipped_panel,
    split_settings,
)
from pipeline.studies.experiments.results import EXPERIMENTS_HTML, EXPERIMENTS_JSON, ExperimentsReport
from pipeline.studies.experiments.scores import paired_difference, score
from pipeline.studies.experiments.tries import count_tries

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.studies.experiments.training import SplitTrainer

LOG_FILE = "experiments.log"
TRAININGS = "trainings"
"""The folder of what is finished, in the output's: there is none without it."""

_DATA = {"shipped": ("shipped",), "market": ("market",), "both": ("shipped", "market")}


@dataclass(frozen=True)
class Options:
    """What the command was asked for; `models` are names of experiments, none for all.

    `database` is the user's own: where it holds the shipped prices, they were tried there as well.
    """

    horizons: tuple[int, ...]
    models: tuple[str, ...]
    data: str
    seed: int
    epochs: int
    output: Path
    market_shares: int
    market_sessions: int
    database: Path | None = None

    @property
    def command(self) -> str:
        """The command line that asks for the same."""
        parts = [f"--horizons {','.join(map(str, self.horizons))}", f"--data {self.data}"]
        parts += [f"--models {','.join(self.models)}"] if self.models else []
        parts += [f"--seed {self.seed}", f"--epochs {self.epochs}"]
        if "market" in _DATA[self.data]:
            parts += [f"--market-shares {self.market_shares}", f"--market-sessions {self.market_sessions}"]
        return " ".join(["awesome experiments", *parts])


def run_experiments(options: Options, console: Console) -> ExperimentsReport:
    """Does all of it, and writes experiments.html and .json; what is finished is taken from the output's folder.

    Raises:
        UserError: something the user can fix.
    """
    experiments = _checked(options)
    folder = options.output
    check_writable(folder)
    with workspace_lock(folder), run_log(folder / LOG_FILE):
        panels = _panels(options, console)
        rows = {(p.name, h): panel_rows(p, h, options.seed) for p in panels for h in options.horizons}
        answers = _all_answers(options, experiments, panels, rows, console)
        count_tries(options.database, panels, answers, options.epochs, options.seed)
        findings, gains = [], []
        with console.status("Resampling days"):
            for panel in panels:
                for horizon in options.horizons:
                    mine = {key[2:]: value for key, value in answers.items() if key[:2] == (panel.name, horizon)}
                    correlation = rows[panel.name, horizon].correlation
                    scores = {k: score(v, horizon, correlation, options.seed) for k, v in mine.items()}
                    findings += [
                        Finding(
                            panel.name, horizon, e, correlation, scores["shuffled", e.name], scores["dated", e.name]
                        )
                        for e in experiments
                    ]
                    gains += _time_gain(panel, horizon, mine, options.seed)
        report = ExperimentsReport(
            panels={panel.name: panel.title for panel in panels},
            findings=tuple(findings),
            gains=tuple(gains),
            claims=judge_claims(findings, gains),
            epochs=options.epochs,
            seed=options.seed,
            command=options.command,
        )
        write_text(folder / EXPERIMENTS_HTML, render_page(report))
        write_text(folder / EXPERIMENTS_JSON, report.to_json())
    return report


def _checked(options: Options) -> tuple[Experiment, ...]:
    """The experiments; refuses what can be refused before anything is made."""
    if why := pattern_in(options.output):
        raise ExperimentError(f"--output {options.output}: {why}, or name another --output")
    there = [name for name in (EXPERIMENTS_HTML, EXPERIMENTS_JSON) if (options.output / name).exists()]
    if there and not (options.output / TRAININGS).is_dir():
        raise ExperimentError(f"--output {options.output}: holds {there[0]} of something else; name another folder")
    if options.data not in _DATA:
        raise ExperimentError(f"--data {options.data}: choose one of {', '.join(_DATA)}")
    if not options.horizons or min(options.horizons) < 1:
        raise ExperimentError("--horizons: name sessions ahead, each 1 or more, such as 1,20")
    if options.epochs < 1:
        raise ExperimentError(f"--epochs {options.epochs}: at least 1 is needed")
    if "market" in _DATA[options.data] and options.market_shares < 2:
        raise ExperimentError(f"--market-shares {options.market_shares}: shares that move together are at least 2")
    return choose_experiments(options.models)


def _panels(options: Options, console: Console) -> list[Panel]:
    stores = options.output / "stores"
    stores.mkdir(exist_ok=True)
    panels = []
    for name in _DATA[options.data]:
        with console.status(f"Reading the {name} data"):
            panel = (
                shipped_panel(stores)
                if name == "shipped"
                else market_panel(stores, options.market_shares, options.market_sessions, options.seed)
            )
            for horizon in options.horizons:
                plan_splits(panel.sessions, split_settings(horizon))
        panels.append(panel)
    return panels


_Key = tuple[str, int, Split, str]
"""Panel, horizon, split, experiment."""


def _all_answers(
    options: Options,
    experiments: tuple[Experiment, ...],
    panels: list[Panel],
    rows: dict[tuple[str, int], PanelRows],
    console: Console,
) -> dict[_Key, Answers]:
    """The answers of every experiment on every panel, horizon and split: kept ones, else by a training."""
    folder, epochs, seed = options.output / TRAININGS, options.epochs, options.seed
    folder.mkdir(exist_ok=True)
    found: dict[_Key, Answers] = {}
    total = len(rows) * len(SPLIT_KINDS) * len(experiments)
    for panel, horizon, kind in itertools.product(panels, options.horizons, SPLIT_KINDS):
        trainer: SplitTrainer | None = None
        for experiment in experiments:
            path = folder / f"{answers_key(panel, horizon, kind, experiment, epochs, seed)}.npz"
            place = f"{len(found) + 1}/{total}"
            said = f"{place:>6}  {panel.name:<8} h={horizon:<3} {kind:<8} {experiment.name:<15}"
            made, took = read_answers(path), "kept"
            if made is None:
                trainer = trainer or _split_trainer(rows[panel.name, horizon], kind, console)
                with _training_status(console, said, epochs) as on_epoch:
                    made = trainer.answers(experiment, epochs, seed, on_epoch)
                write_answers(made, path)
                took = f"{made.seconds:6.1f} s"
            console.print(f"  [green]✓[/] {said} {took}", highlight=False)
            found[panel.name, horizon, kind, experiment.name] = made
    return found


def _split_trainer(rows: PanelRows, kind: Split, console: Console) -> SplitTrainer:
    """Imports TensorFlow: all may be kept already."""
    with console.status("Loading TensorFlow"):
        import_tensorflow()
        from pipeline.studies.experiments.training import SplitTrainer
    return SplitTrainer(rows, kind)


@contextmanager
def _training_status(console: Console, said: str, epochs: int) -> Iterator[Callable[[int], None]]:
    """Shows which epoch is done, on a terminal."""
    begin = time.perf_counter()
    with console.status(said) as status:
        yield lambda epoch: status.update(f"{said} epoch {epoch}/{epochs}, {time.perf_counter() - begin:.0f} s")


def _time_gain(panel: Panel, horizon: int, answers: dict[tuple[Split, str], Answers], seed: int) -> list[TimeGain]:
    """What `time` adds to linear, where both were trained."""
    if not {("shuffled", "linear"), ("shuffled", "linear_time")} <= set(answers):
        return []
    changes = {
        kind: paired_difference(answers[kind, "linear_time"], answers[kind, "linear"], horizon, seed)
        for kind in SPLIT_KINDS
    }
    return [TimeGain(panel.name, horizon, changes)]
