"""What Python programs call: `import awesome`, then `awesome.run(...)`. The command line does the same and prints it.

Settings are keyword arguments under the names that `awesome config` lists, with Python's own values (`horizon=5`,
`models=["linear"]`); what is not given comes from the environment and awesome.toml, as for a command. What a user can
mend is an `awesome.UserError`, whose text says what and how.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.plan import Plan
    from pipeline.report.listed_runs import ListedRun
    from pipeline.report.live_facts import LiveFacts
    from pipeline.runs.compared import ComparedRuns
    from pipeline.runs.folder import FinishedRun
    from pipeline.uses.forecast import Forecast
    from pipeline.uses.past import PastForecasts

__all__ = ["UserError", "compare", "live", "open_run", "predict", "predict_past", "run", "runs"]

PathLike = str | os.PathLike[str]
Day = str | dt.date


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
    if not isinstance(show, bool):
        raise TypeError(f"show is True or False, not {show!r}")
    plan = _plan(settings)
    from pipeline.job.run import run as run_job
    from pipeline.runs.folder import FinishedRun

    report, folder = run_job(plan, _console(show))
    return FinishedRun(folder, report)


def predict(*, model: PathLike | None = None, run: PathLike | None = None, **settings: Any) -> Forecast:
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
    if days := sorted(settings.keys() & {"since", "until"}):
        raise UserError(f"{days[0]}: predict is of the session to come; awesome.predict_past is of the past")
    asked, folder = _model(model), _path("run", run)
    plan = _plan(settings)
    from pipeline.runs.folder import find_run
    from pipeline.uses.predict import predict as predict_shares

    found = None if folder is None else find_run(plan.workspace, folder)
    return predict_shares(plan, asked, found, _console(False))


def predict_past(
    *,
    since: Day | None = None,
    until: Day | None = None,
    model: PathLike | None = None,
    run: PathLike | None = None,
    **settings: Any,
) -> PastForecasts:
    """What a model says after every session of a stretch of the past. As `awesome predict --since`.

    Args:
        since: the first session, a date or ISO; None for the first one.
        until: the last session; None for the last one.
        model: as in `predict`.
        run: as in `predict`.
        settings: as in `awesome config`, but for `since` and `until`, which are those of an extraction there.

    Returns:
        A probability a share and session, each made of prices up to that session alone.

    Raises:
        UserError: there is no such model, or no window that ends within the stretch.
    """
    asked, folder, first, last = _model(model), _path("run", run), _day("since", since), _day("until", until)
    if first is not None and last is not None and first > last:
        raise UserError(f"since: {first} is after until, {last}")
    plan = _plan(settings)
    from pipeline.runs.folder import find_run
    from pipeline.uses.past import predict_past as predict_sessions

    found = None if folder is None else find_run(plan.workspace, folder)
    return predict_sessions(plan, asked, found, first, last, _console(False))


def live(*, ledger: PathLike | None = None, **settings: Any) -> LiveFacts:
    """Whether the predictions that were written down before the fact have proved anything. As `awesome live`.

    Args:
        ledger: its file, such as a copy; None for that beside the database.
        settings: as in `awesome config`; of use here are `db`, `workspace`, `horizon`, `formatter` and `label`.

    Raises:
        UserError: the file is no ledger, or cannot be read.
    """
    file = _path("ledger", ledger)
    plan = _plan(settings)
    from pipeline.daily.page import record_of

    return record_of(plan, file, plan.settings.clock)


def open_run(run: PathLike | None = None, **settings: Any) -> FinishedRun:
    """A finished run: its report with all figures, and what it left.

    Args:
        run: its folder, its report.json, or its name in the workspace; None for the latest one.
        settings: as in `awesome config`; of use here is `workspace`.

    Raises:
        UserError: there is none, or its report cannot be read.
    """
    named = _path("run", run)
    from pipeline.runs import folder

    return folder.open_run(folder.find_run(_plan(settings).workspace, named))


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
    named = [_run(one) for one in runs]
    if model is not None and not isinstance(model, str):
        raise TypeError(f"model is the name of one, or None, not {model!r}")
    from pipeline.runs.folder import find_run
    from pipeline.uses.compare import compare_runs

    home = _plan(settings).workspace
    return compare_runs([find_run(home, one) for one in named], model)


def _run(value: object) -> Path:
    if (path := _path("a run", value)) is None:
        raise TypeError("a run to compare is a folder, or the name of one in the workspace, not None")
    return path


def _path(name: str, value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, (str, os.PathLike)):
        kind = "a path" if name == "ledger" else "a path (of a run also its name in the workspace)"
        raise TypeError(f"{name} is {kind}, or None, not {value!r}")
    return Path(value)


def _model(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"model is the name of a run's candidate, the folder of a pulled model, or None, not {value!r}")
    return os.fspath(value)


def _day(name: str, value: object) -> dt.date | None:
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise UserError(f"{name}: {value!r} is no date such as 2020-12-31") from None
    if value is not None and (not isinstance(value, dt.date) or isinstance(value, dt.datetime)):
        raise TypeError(f"{name} is a date, or its text such as 2020-12-31, not {value!r}")
    return value


def _plan(settings: dict[str, Any]) -> Plan:
    from pipeline.plan import load_plan
    from pipeline.settings import Settings

    if unknown := sorted(settings.keys() - Settings.model_fields.keys()):
        raise UserError(f"there is no setting {unknown[0]!r}; `awesome config` lists all")
    return load_plan(settings)


def _console(show: bool) -> Console:
    from rich.console import Console

    return Console(quiet=not show, emoji=False)
