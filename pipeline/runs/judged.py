"""What became of a file of forecasts, as typed values: judgement.json and `awesome judge --json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipeline.runs.results import RunReport

if TYPE_CHECKING:
    from components.backtest import Backtest
    from components.judging.forecasts import LeftOut

JUDGEMENT_JSON, JUDGEMENT_HTML = "judgement.json", "judgement.html"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class JudgedFile:
    """The file, and what was not judged of it.

    Attributes:
        path: the file.
        rows: in it.
        judged: rows that were judged.
        left_out: the others, by reason.
        scores: models whose values are no probabilities.
        known_until: the last day that a model may have been trained on, ISO; empty where nobody said.
        dated: whether the file says when each forecast was written.
        training: rows that the baselines learned from.
        notes: how it was read, a line each.
    """

    path: str
    rows: int
    judged: int
    left_out: tuple[LeftOut, ...]
    scores: tuple[str, ...]
    known_until: str
    dated: bool
    training: int
    notes: tuple[str, ...]

    @property
    def mend(self) -> int:
        """Rows for which the file or the database should be mended."""
        return sum(one.count for one in self.left_out if one.mend)


@dataclass(frozen=True)
class Judgement:
    """What is said of a file of forecasts.

    Attributes:
        file: what it holds, and what was not judged of it.
        report: the figures, in the form of a run's report; None where no forecast could be judged.
        backtest: what they are worth after costs; None where they cannot be traded.
        no_backtest: why they cannot; empty where they can.
        schema_version: layout of judgement.json.
    """

    file: JudgedFile
    report: RunReport | None = None
    backtest: Backtest | None = None
    no_backtest: str = ""
    schema_version: int = SCHEMA_VERSION

    JSON_FIRST: ClassVar = ("schema_version",)
