"""What an audit found, as typed values: audit.json read and written. Nothing heavier than the standard library."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from components.errors import UserError

AUDIT_FILE = "audit.json"
VERDICT_PROPERTY = "verdict"
"""Of LeakAudit's output in ML Metadata."""

NAN = float("nan")


class AuditError(UserError):
    """An audit cannot be made, or what it left cannot be read."""


class Status(str, Enum):
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
    """The worst of some statuses.

    Args:
        statuses: at least one.
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
    value: float
    low: float = NAN
    high: float = NAN
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
        return f"{self.low:.{self.decimals}f} to {self.high:.{self.decimals}f}"

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
    """

    name: str
    status: Status
    sentence: str
    figures: tuple[Figure, ...] = ()
    look_at: str = ""


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
            return f"clean: {len(found)} checks passed on {self.rows:,} rows"
        names = ", ".join(check.name for check in found)
        return f"{self.verdict}: {names}; {found[0].sentence[0].lower()}{found[0].sentence[1:]}"

    def check(self, name: str) -> CheckResult:
        """The check of that name.

        Args:
            name: of a check that was made.

        Raises:
            KeyError: there is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """In JSON's types; the verdict is written too, for whoever reads the file without this program."""
        return {"verdict": self.verdict, "verdict_line": self.verdict_line, **_plain(asdict(self))}

    def to_json(self) -> str:
        """The content of audit.json."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AuditReport:
        """Reads what `to_dict` gave.

        Args:
            values: of audit.json, or a part of another file.

        Raises:
            AuditError: it is not an audit.
        """
        try:
            checks = tuple(
                CheckResult(
                    name=str(check["name"]),
                    status=Status(check["status"]),
                    sentence=str(check["sentence"]),
                    figures=tuple(_figure(figure) for figure in check["figures"]),
                    look_at=str(check["look_at"]),
                )
                for check in values["checks"]
            )
            models = tuple(str(name) for name in values["models"])
            return cls(checks, models, str(values["formatter"]), int(values["horizon"]), int(values["rows"]))
        except (KeyError, TypeError, ValueError) as error:
            raise AuditError(f"this is no leak audit ({error!r}); make it anew with `awesome audit`") from None

    @classmethod
    def from_json(cls, text: str, where: str) -> AuditReport:
        """Reads what `to_json` gave.

        Args:
            text: of the file.
            where: the file, for messages.

        Raises:
            AuditError: it is not an audit; the message names the file.
        """
        try:
            values = json.loads(text)
        except ValueError:
            raise AuditError(f"{where}: is not JSON; make the audit anew with `awesome audit`") from None
        try:
            return cls.from_dict(values)
        except AuditError as error:
            raise AuditError(f"{where}: {error}") from None


def _figure(values: Mapping[str, Any]) -> Figure:
    numbers = {name: NAN if values[name] is None else float(values[name]) for name in ("value", "low", "high")}
    return Figure(str(values["name"]), **numbers, decimals=int(values["decimals"]), level=float(values["level"]))


def _plain(value: Any) -> Any:
    """NaN as null, since JSON has no word for it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return None if isinstance(value, float) and not math.isfinite(value) else value
