"""What an audit found, as typed values: audit.json read and written. Nothing heavier than the standard library."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import ClassVar

from components.errors import UserError
from components.evidence.words import low_to_high, number
from components.records import Number, RecordError, from_json, to_json

AUDIT_FILE = "audit.json"
VERDICT_PROPERTY = "verdict"
"""Of LeakAudit's output in ML Metadata."""

NAN = float("nan")


class AuditError(UserError):
    """An audit cannot be made, or what it left cannot be read."""


class Status(StrEnum):
    """What a check says, the better before the worse."""

    NOT_APPLICABLE = "not applicable"
    INFORMATION = "information"  # shows what a leak would have given; there is nothing in it to pass
    PASSED = "passed"
    SUSPICIOUS = "suspicious"
    LEAKING = "leaking"

    @property
    def severity(self) -> int:
        """Larger is worse."""
        return list(Status).index(self)


def worst(*statuses: Status) -> Status:
    """The worst of one or more statuses.

    >>> worst(Status.PASSED, Status.SUSPICIOUS).value
    'suspicious'
    """
    return max(statuses, key=lambda status: status.severity)


@dataclass(frozen=True)
class Figure:
    """A number of a check.

    Attributes:
        name: what it is, in words.
        value: the number; NaN where it is not known.
        low: lower end of its interval; NaN where it has none.
        high: upper end of it.
        decimals: to write it with; 0 for a count.
        level: of the interval.
    """

    name: str
    value: Number
    low: Number = NAN
    high: Number = NAN
    decimals: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        """Takes whole numbers and NumPy's for what they are."""
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))

    @property
    def bounded(self) -> bool:
        """Whether it has an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def number(self) -> str:
        """The number as it is written, without its interval."""
        return f"{self.value:,.{self.decimals}f}" if math.isfinite(self.value) else "n/a"

    def ends(self) -> str:
        """Its interval as it is written."""
        return low_to_high(self.low, self.high, partial(number, decimals=self.decimals))

    def text(self) -> str:
        """The number as it is written, with its interval where it has one."""
        return f"{self.number()} ({self.ends()})" if self.bounded else self.number()


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    Attributes:
        name: of the check.
        status: what it says.
        sentence: the same in one sentence.
        figures: its numbers.
        look_at: what to look at; empty where there is nothing.
        models: the models that it touches; empty for all of the run.
    """

    name: str
    status: Status
    sentence: str
    figures: tuple[Figure, ...] = ()
    look_at: str = ""
    models: tuple[str, ...] = ()

    def is_accepted(self, accepted: Collection[str]) -> bool:
        """Whether a person has accepted it by the name of its check, for all models that it is made for."""
        return any(self.name == name or self.name.startswith(f"{name}, ") for name in accepted)


_VERDICTS = {Status.SUSPICIOUS: "suspicious", Status.LEAKING: "leaking"}


@dataclass(frozen=True)
class AuditReport:
    """All checks of one run.

    Attributes:
        checks: in the order they were made.
        models: the architectures that were trained again.
        formatter: the DataFormatter of the run.
        horizon: sessions ahead.
        rows: examples that were read, of all splits.
    """

    checks: tuple[CheckResult, ...]
    models: tuple[str, ...]
    formatter: str
    horizon: int
    rows: int

    # The verdict is written too, for whoever reads the file without this program.
    JSON_FIRST: ClassVar = ("verdict", "verdict_line")

    @property
    def verdict(self) -> str:
        """The verdict in a word: clean, suspicious or leaking."""
        return _VERDICTS.get(worst(Status.PASSED, *(check.status for check in self.checks)), "clean")

    @property
    def leaks(self) -> bool:
        """Whether it is certain that the evaluation leaks, so that its figures say nothing."""
        return any(check.status is Status.LEAKING for check in self.checks)

    @property
    def verdict_line(self) -> str:
        """The verdict in one line, with the checks it comes from."""
        status = worst(Status.PASSED, *(check.status for check in self.checks))
        found = [check for check in self.checks if check.status is status]
        if status is Status.PASSED:
            return f"clean: {len(found)} check{'' if len(found) == 1 else 's'} passed on {self.rows:,} rows"
        names = ", ".join(check.name for check in found)
        return f"{self.verdict}: {names}; {found[0].sentence[:1].lower()}{found[0].sentence[1:]}"

    @property
    def suspicious(self) -> tuple[CheckResult, ...]:
        """The checks that are suspicious."""
        return tuple(check for check in self.checks if check.status is Status.SUSPICIOUS)

    def holding_back(self, model: str, accepted: Collection[str] = ()) -> tuple[CheckResult, ...]:
        """The checks for which a model must not be pushed: the one place that says so.

        A leak keeps every model back. A suspicion keeps back the models that it touches, unless a person has accepted
        it by name.

        Args:
            model: of the run.
            accepted: names of checks.
        """
        if self.leaks:
            return tuple(check for check in self.checks if check.status is Status.LEAKING)
        return tuple(
            check
            for check in self.suspicious
            if (not check.models or model in check.models) and not check.is_accepted(accepted)
        )

    def held_back(self, models: Iterable[str], accepted: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
        """The models of a run that must not be pushed, with the names of the checks that say so."""
        found = {model: self.holding_back(model, accepted) for model in models}
        return {model: tuple(check.name for check in checks) for model, checks in found.items() if checks}

    def check(self, name: str) -> CheckResult:
        """The check of that name.

        Raises:
            KeyError: there is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def to_json(self) -> str:
        """The content of audit.json."""
        return to_json(self) + "\n"

    @classmethod
    def from_json(cls, content: str | bytes, where: str) -> AuditReport:
        """Reads what `to_json` gave.

        Args:
            content: of the file.
            where: the file, for messages.

        Raises:
            AuditError: it is not an audit; the message names the file.
        """
        try:
            report = from_json(cls, content)
        except RecordError as error:
            raise AuditError(f"{where}: is no leak audit ({error}); make it anew with `awesome audit`") from None
        if not report.checks:
            raise AuditError(f"{where}: holds no check, so nothing was audited; make it anew with `awesome audit`")
        return report
