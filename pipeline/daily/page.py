"""The page of the record: what the ledger proves, with what the loops of its sessions have measured of drift."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

from components.live_record import LiveRecord
from components.records import RecordError, from_json
from pipeline.daily.day import FEATURES, LOSSES, Day, Told
from pipeline.daily.report import AlertKind, DailyReport, daily_folder
from pipeline.plan import Plan
from pipeline.report.live import LIVE_HTML, write_live
from pipeline.report.live_facts import DriftDay, LiveFacts
from pipeline.report.live_words import live_verdict
from pipeline.uses.live import live_facts

_SESSION = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].json"

_ROWS_OF_AN_EVENING, _ROWS_OF_A_PERSON = 10_000, 100_000
"""Up to so many rows a look is one at all of them: a third of a CPU second, and three."""


def show(day: Day, told: Told) -> None:
    """Writes the page, and tells somebody where the ledger is not as it was written.

    Raises:
        UserError: the ledger cannot be read, or the page not be written.
    """
    facts = record_of(day.plan, None, day.clock.now(), _measured(day), _ROWS_OF_AN_EVENING, day.judged)
    path = write_live(facts, daily_folder(day.plan) / LIVE_HTML)
    verdict = live_verdict(facts)
    told.said.append(f"{verdict.label}: {path}")
    if facts.trust is not None and not facts.trust.sound:
        told.wrong.append(f"{facts.ledger} is not as it was written: {facts.trust.faults[0]}")
        told.alert(AlertKind.FAILURE, f"the ledger is not as it was written: {facts.trust.faults[0]}")


def record_of(
    plan: Plan,
    ledger: Path | None = None,
    now: dt.datetime | None = None,
    today: DriftDay | None = None,
    rows_again: int = _ROWS_OF_A_PERSON,
    judged: LiveRecord | None = None,
) -> LiveFacts:
    """What is known of a plan's record, with the drift that the loops have measured.

    Args:
        plan: names the database, the workspace and the horizon.
        ledger: the file; None for that beside the database.
        now: the present, with a zone; None for the clock.
        today: what the loop that is at work has measured; None where none is.
        rows_again: up to so many rows of the plan's ledger are all looked at; of a file that is named always are.
        judged: what the loop that is at work has judged of its ledger.

    Raises:
        UserError: the file is no ledger, or cannot be read; or there is none, as the plan's prices are a panel.
    """
    folder = daily_folder(plan)
    drift = {one.session: one for one in drift_days(folder)}
    if today is not None:
        drift[today.session] = today
    look = look_file(plan) if ledger is None else None
    return live_facts(plan, ledger, now, [drift[session] for session in sorted(drift)], look, rows_again, judged)


def look_file(plan: Plan) -> Path:
    """Where it is kept how far the last look at a plan's ledger has come."""
    return daily_folder(plan) / "verified.json"


def drift_days(folder: Path) -> list[DriftDay]:
    """What the loops of a folder have measured of drift, by session."""
    found = []
    for path in sorted(folder.glob(_SESSION)):
        try:
            report = from_json(DailyReport, path.read_bytes())
        except (OSError, RecordError):  # of another version
            continue
        part = report.part("drift")
        if part is not None and {FEATURES, LOSSES} & part.numbers.keys():
            features, losses = (part.numbers.get(name, math.nan) for name in (FEATURES, LOSSES))
            found.append(DriftDay(report.session, features, losses, int(part.numbers.get("alarms", 0))))
    return found


def _measured(day: Day) -> DriftDay | None:
    """What this loop has measured; its report is not written yet."""
    numbers = day.drift.numbers
    if not numbers:
        return None
    features, losses = (numbers.get(name, math.nan) for name in (FEATURES, LOSSES))
    return DriftDay(day.last_session, features, losses, day.drift.alarms)
