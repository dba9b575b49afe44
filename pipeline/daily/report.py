"""What a loop did, as typed values and as WORKSPACE/daily/NAME/SESSION.json; docs/daily.md says it in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from components.extractor.report import ALL_WELL, NOTHING, PARTIAL
from components.records import Number, RecordError, from_json, to_json
from components.whole_files import write_whole
from pipeline.plan import Plan


class Status(StrEnum):
    """How a part ended."""

    DONE = "done"
    """It did what there was to do."""
    NOTHING = "nothing new"
    """There was nothing to do."""
    LEFT_OUT = "left out"
    """It was not asked for, or the settings leave it out."""
    PARTIAL = "in part"
    """It did what it could; `wrong` says what it could not."""
    FAILED = "failed"
    """It did nothing; `wrong` says why."""


class AlertKind(StrEnum):
    """What somebody is told of at once."""

    FAILURE = "failure"
    SUSPECTS = "suspects"
    DRIFT = "drift"
    LATE = "late"
    MISSING = "missing"
    MODEL = "model"
    RETRAINED = "retrained"
    PUSHED = "pushed"
    PROVED = "proved"
    REFUTED = "refuted"


@dataclass(frozen=True)
class Alert:
    """Something that somebody is told of.

    Attributes:
        kind: what it is about.
        text: a sentence.
    """

    kind: AlertKind
    text: str


@dataclass(frozen=True)
class PartReport:
    """What one part did.

    Attributes:
        name: of the part.
        status: how it ended.
        said: what it did, a sentence each.
        wrong: what is wrong, a sentence each.
        numbers: counts and figures by name.
        seconds: that it took.
    """

    name: str
    status: Status
    said: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    numbers: Mapping[str, Number] = field(default_factory=dict)
    seconds: Number = 0.0


@dataclass(frozen=True)
class DailyReport:
    """What a loop did.

    Attributes:
        session: the last session that has closed, of all exchanges of the shares, ISO.
        started: when, ISO, UTC.
        clock: whose time that is.
        database: the prices.
        ledger: the predictions.
        name: of the pipeline: the database, the formatter, the horizon.
        parts: in the order in which they were done; of one that was done twice the last one counts.
        alerts: what somebody was told of.
        undelivered: why an alert did not arrive, a sentence each.
        seconds: that all of it took.
        schema_version: layout of this file.
    """

    session: str
    started: str
    clock: str
    database: str
    ledger: str
    name: str
    parts: tuple[PartReport, ...]
    alerts: tuple[Alert, ...] = ()
    undelivered: tuple[str, ...] = ()
    seconds: Number = 0.0
    schema_version: int = 1

    JSON_FIRST: ClassVar = ("schema_version", "session", "exit_code")

    @property
    def exit_code(self) -> int:
        """0: all is well. 3: a part failed or was done in part. 4: every part that was begun failed."""
        last = {one.name: one.status for one in self.parts}
        begun = [status for status in last.values() if status is not Status.LEFT_OUT]
        if begun and all(status is Status.FAILED for status in begun):
            return NOTHING
        return PARTIAL if {Status.FAILED, Status.PARTIAL} & set(begun) else ALL_WELL

    def part(self, name: str) -> PartReport | None:
        """What the last part of a name did; None where it was not begun."""
        return next((one for one in reversed(self.parts) if one.name == name), None)


def daily_folder(plan: Plan) -> Path:
    """Where the reports of a plan's loops lie: a file a session, that of its last loop."""
    return plan.workspace / "daily" / plan.name


def report_file(folder: Path, session: str) -> Path:
    """The file of a session's report in a plan's folder."""
    return folder / f"{session}.json"


def read_daily(folder: Path, session: str) -> DailyReport | None:
    """The report of a session; None where there is none that this version reads."""
    try:
        return from_json(DailyReport, report_file(folder, session).read_bytes())
    except (OSError, RecordError):
        return None


def save_daily(report: DailyReport, folder: Path) -> Path:
    """Writes a report whole or not at all, and gives the file.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = report_file(folder, report.session)
    write_whole(path, f"{to_json(report)}\n")
    return path
