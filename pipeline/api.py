"""What Python programs call: `import awesome`, then `awesome.run(...)`. The command line does the same and prints it.

Settings are keyword arguments under the names that `awesome config` lists, with Python's own values (`horizon=5`,
`models=["linear"]`); what is not given comes from the environment and awesome.toml, as for a command. What a user can
mend is an `awesome.UserError`, whose text says what and how.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.plan import Plan
    from pipeline.report.listed_runs import ListedRun
    from pipeline.runs.compared import ComparedRuns
    from pipeline.runs.folder import FinishedRun
    from pipeline.uses.forecast import Forecast

__all__ = ["UserError", "compare", "open_run", "predict", "run", "runs"]

PathLike = str | os.PathLike[str]


def run(*, show: bool = False, **settings: Any) -> FinishedRun:
    """Trains, evaluates and reports; pushes the best model that passes. As `awesome run` does.

    Args:
        show: whether to print what the command prints.
        settings: as in `awesome config`.

    Returns:
        The run's folder and its report.

    Raises:
        UserError: something that can be mended.
    """
    plan = _plan(settings)
    from pipeline.job.run import run as run_job
    from pipeline.runs.folder import FinishedRun

    report, folder = run_job(plan, _console(show))
    return FinishedRun(folder, report)


def predict(*, model: str | None = None, run: PathLike | None = None, **settings: Any) -> Forecast:
    """The probability that each share's next close is higher, or of what else a model's label asks.

    Args:
        model: a run's candidate, or the folder of a pulled model; None for the pushed one.
        run: the run of the candidate, as in `open_run`; None for the latest one on the same data.
        settings: as in `awesome config`.

    Returns:
        A probability a share, the likeliest first, and what the model is worth.

    Raises:
        UserError: there is no such model, or no prices to predict from.
    """
    plan = _plan(settings)
    from pipeline.runs.folder import find_run
    from pipeline.uses.predict import predict as predict_shares

    folder = None if run is None else find_run(plan.workspace, Path(run))
    return predict_shares(plan, model, folder, _console(False))


def open_run(run: PathLike | None = None, **settings: Any) -> FinishedRun:
    """A finished run: its report with all figures, and what it left.

    Args:
        run: its folder, its report.json, or its name in the workspace; None for the latest one.
        settings: as in `awesome config`; of use here is `workspace`.

    Raises:
        UserError: there is none, or its report cannot be read.
    """
    from pipeline.runs import folder

    return folder.open_run(folder.find_run(_plan(settings).workspace, None if run is None else Path(run)))


def runs(**settings: Any) -> list[ListedRun]:
    """The finished runs of the workspace, the newest first. As `awesome runs`.

    Raises:
        UserError: there is no workspace.
    """
    from pipeline.report.listed_runs import list_runs

    return list_runs(_plan(settings).workspace)


def compare(*runs: PathLike, model: str | None = None, **settings: Any) -> ComparedRuns:
    """Compares runs with the first one, paired by the test days that they share. As `awesome compare`.

    Args:
        runs: at least two, each as in `open_run`.
        model: the one that all are compared by; None for each run's champion, else for its highest AUC.
        settings: as in `awesome config`; of use here is `workspace`.

    Raises:
        UserError: there are fewer than two, or one lacks what is needed.
    """
    from pipeline.runs.folder import find_run
    from pipeline.uses.compare import compare_runs

    home = _plan(settings).workspace
    return compare_runs([find_run(home, Path(one)) for one in runs], model)


def _plan(settings: dict[str, Any]) -> Plan:
    from pipeline.plan import load_plan
    from pipeline.settings import Settings

    if unknown := sorted(settings.keys() - Settings.model_fields.keys()):
        raise UserError(f"there is no setting {unknown[0]!r}; `awesome config` lists all")
    return load_plan(settings)


def _console(show: bool) -> Console:
    from rich.console import Console

    return Console(quiet=not show, emoji=False)
