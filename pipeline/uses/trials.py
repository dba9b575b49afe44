"""The tries on a database's test days: listed, and taken from a pulled model into the record beside the database."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from components.errors import UserError
from components.feature_example_gen.splits import describe_plan, plan_splits
from components.object_storage import PulledModel
from components.object_storage.models import TRIES
from components.price_panel.opening import open_prices
from components.trials.hurdle import hurdle
from components.trials.record import Record, Trial, append, merge, parse_record, read_record, record_path
from pipeline.job.panel import fetch_panel
from pipeline.plan import Plan
from pipeline.runs.tries import Tries, iso, list_tries

UNKNOWN = "a model was pulled that says nothing of the tries on its test days"

_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})?:(\d{4}-\d{2}-\d{2})?")


def find_tries(plan: Plan, days: str = "", every: bool = False, horizon: int | None = None) -> Tries:
    """Lists the tries on the plan's database, those that only ML Metadata of its workspace knows among them.

    Args:
        plan: names the database and the workspace, and how the next run would cut its splits.
        days: FROM:TO, ISO dates, one of which may be left out; empty for the test days of the next run.
        every: all tries, whatever they looked at; nothing is then said of a hurdle.
        horizon: only tries of this one; the hurdle is that of all.

    Raises:
        UserError: days or the database cannot be used, or the record cannot be read.
    """
    from pipeline.job.gathered_tries import gather_workspace

    first, last = _ends(days)
    if plan.settings.panel is not None:
        fetch_panel(plan)
    gather_workspace(plan.workspace, plan.database)
    whole = record = read_record(record_path(plan.database))
    if horizon is not None:
        record = Record(record.complete, tuple(one for one in record.trials if one.horizon == horizon), record.gaps)
    tried = sorted({day for trial in record.trials for day in trial.days})
    if every:
        return list_tries(record, tried)
    stretch = _sessions(plan, record, days)
    chosen = [day for day in stretch if first <= day <= last]
    if not chosen:
        raise UserError(f"--days {days}: the database has no session there; it has {_span(stretch)}")
    return list_tries(record, chosen, hurdle(whole, _next_try(chosen)))  # a run is judged after tries of any horizon


def _next_try(days: list[int]) -> Trial:
    """A try of which nothing is known but its test days."""
    return Trial("", "", "run", {}, 1, "", tuple(days), ())


def _ends(days: str) -> tuple[int, int]:
    if not days:
        return 0, 99_999_999
    match = _DAYS.fullmatch(days)
    if match is None or match[0] == ":":
        raise UserError(f"--days {days}: write it as FROM:TO, such as 2020-01-01:2021-12-31 or 2020-01-01:")
    low, high = (int((match[number] or default).replace("-", "")) for number, default in ((1, "0"), (2, "99999999")))
    return low, high


def _sessions(plan: Plan, record: Record, days: str) -> list[int]:
    """All sessions of the database where days were named, else those of the test split of the next run."""
    if not plan.database.exists() and record.trials:  # its prices are gone, what was tried on them is not
        return sorted({day for trial in record.trials for day in trial.days})
    with open_prices(plan.database) as store:
        sessions = store.sessions(plan.select(store))
    if not days:
        [(_, first, last, _)] = [
            part for part in describe_plan(plan_splits(sessions, plan.splits)) if part[0] == "test"
        ]
        sessions = sessions[(sessions >= np.datetime64(first, "D")) & (sessions <= np.datetime64(last, "D"))]
    return [int(str(day).replace("-", "")) for day in sessions]


def _span(days: list[int]) -> str:
    return f"{iso(days[0])} to {iso(days[-1])}" if days else "none"


def take_tries(pulled: PulledModel, database: Path, named: bool = False) -> str:
    """Adds the tries on the test days of a pulled model to the record beside a database.

    They are added where the model was made on a database of the same name, or the database was named; another one
    holds other prices, and what was tried on the model's days was tried on none of its own.

    Args:
        pulled: the model.
        database: whose record takes them.
        named: whether a person named the database with the command.

    Returns:
        What was done, in words.

    Raises:
        TrialsError: a record cannot be read or written.
    """
    facts = pulled.manifest.facts
    named = named or facts.database == database.name
    if facts.tries is None:
        if named and facts.market is None and database.is_file():
            append(record_path(database), (), gaps=[UNKNOWN])
        return "how often its test days were tried is not known"
    many = f"{facts.tries} {'try' if facts.tries == 1 else 'tries'}"
    count = f"{many} on its test days" if facts.tries_complete else f"at least {many} on its test days"
    path = pulled.folder / TRIES
    if not path.is_file():
        return count
    if facts.market is not None or not named or not database.is_file():
        return f"{count}, in {path}"
    new = merge(record_path(database), parse_record(path.read_bytes(), str(path)))
    return f"{count}, {new} of them new to {record_path(database)}"
