"""What a comparison of finished runs found, as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.evidence.findings import Figures
from components.evidence.interval import Interval


@dataclass(frozen=True)
class ComparedRun:
    """One of the runs, by one of its models.

    Attributes:
        name: of its folder.
        folder: where it lies.
        created: its end, ISO 8601 in UTC.
        model: the one it is compared by; `chosen` says why this one.
        chosen: "asked for", "the champion" or "the highest AUC".
        first: first test day, ISO date.
        last: last test day.
        rows: of its test split.
        figures: of the model on all of its test split, by metric.
        verdict: of the run, in a few words.
        common_rows: rows that it shares with the first run: the same share and day, with the same outcome.
        common_days: days of these.
        revised: rows of the same share and day whose outcome is another one, as prices were revised; left out.
        differences: the model's figures less those of the first run's model on these rows, with paired 95 % intervals
            over blocks of days, by metric; empty for the first run, and where `incomparable` says why.
        incomparable: why there are no differences; empty where there are.
    """

    name: str
    folder: str
    created: str
    model: str
    chosen: str
    first: str
    last: str
    rows: int
    figures: Figures
    verdict: str
    common_rows: int = 0
    common_days: int = 0
    revised: int = 0
    differences: Mapping[str, Interval] = field(default_factory=dict)
    incomparable: str = ""


@dataclass(frozen=True)
class ComparedRuns:
    """A comparison of runs with the first of them.

    Attributes:
        runs: in the order given, at least two.
        settings: settings, data and versions that are not the same in all of them: by name, in the order of the runs.
    """

    runs: tuple[ComparedRun, ...]
    settings: Mapping[str, tuple[str, ...]]
