"""What a search found, and the files that say so: search.json, search.html and best.json."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.blessing import level_for
from components.evidence.interval import UNKNOWN, Interval
from components.evidence.words import low_to_high, number4
from components.records import to_json, to_plain
from models.search_space import in_words
from pipeline.report.verdict import Verdict
from pipeline.runs.folder import write_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from components.evidence.metric import Metric
    from components.evidence.resampling import DayBlocks
    from pipeline.studies.search.study import Ended

SCHEMA_VERSION = 1
_ALONE = 0.95
SEARCH_JSON, SEARCH_HTML, BEST_JSON = "search.json", "search.html", "best.json"


@dataclass(frozen=True)
class TrialResult:
    """One trial.

    Attributes:
        number: from 1; the first one has the hyperparameters of the settings.
        values: of what was searched for, by name.
        figure: the metric on the eval split, with its 95 % interval over blocks of days.
        gain: by how much the metric is better than that of the first trial, paired; its interval is that of 95 % for
            all other trials together. Unknown for the first.
        seconds: of the training.
        why: it has no figure; empty where it has one.
    """

    number: int
    values: Mapping[str, Any]
    figure: Interval
    gain: Interval
    seconds: float
    why: str = ""


@dataclass(frozen=True)
class SearchReport:
    """Everything `awesome search` reports.

    Attributes:
        created: end of the search, ISO 8601 in UTC.
        model: name of the architecture.
        version: of it.
        formatter: what it sees.
        label: what it predicts.
        horizon: sessions ahead.
        seed: of the trainings, the resampling and of what was tried.
        seeds: that each trial was trained with, from that one on.
        metric: by which the trials are judged.
        metric_title: for people.
        higher_is_better: of it.
        space: where was looked, in words by name.
        fixed: hyperparameters that the settings name, which were left as they are.
        train_rows: rows that were learned from.
        rows: of the eval split.
        days: of the eval split.
        first: day of the eval split, YYYYMMDD.
        last: day of it.
        trials: in the order they were made.
        database: the file the data came from.
        command: that runs the pipeline with the best of them.
    """

    created: str
    model: str
    version: int
    formatter: str
    label: str
    horizon: int
    seed: int
    seeds: int
    metric: str
    metric_title: str
    higher_is_better: bool
    space: Mapping[str, str]
    fixed: Mapping[str, Any]
    train_rows: int
    rows: int
    days: int
    first: int
    last: int
    trials: tuple[TrialResult, ...]
    database: str
    command: str = ""

    @property
    def ranked(self) -> tuple[TrialResult, ...]:
        """The trials that have a figure, the best first; of equal ones the earlier."""
        sign = -1 if self.higher_is_better else 1
        judged = [one for one in self.trials if not one.why]
        return tuple(sorted(judged, key=lambda one: (sign * one.figure.value, one.number)))

    @property
    def best(self) -> TrialResult | None:
        """The best one; None where none has a figure."""
        return self.ranked[0] if self.ranked else None

    @property
    def found_better(self) -> bool:
        """Whether another trial than that of the settings' own hyperparameters is the best, be it by noise."""
        return self.best is not None and self.best.number > 1

    @property
    def best_hyperparameters(self) -> dict[str, Any]:
        """What the pipeline is to be told, by name; empty where no trial has a figure."""
        return {} if self.best is None else {**self.fixed, **self.best.values}

    @property
    def verdict(self) -> Verdict:
        """What it means."""
        best, others = self.best, len([one for one in self.trials[1:] if not one.why])
        if best is None:
            return Verdict("warning", "No trial has a figure", f"No trial has a figure: {self.trials[0].why}.")
        what = f"{self.metric_title} {number4(best.figure.value)} on the eval split"
        what += f", the mean of {self.seeds} seeds" if self.seeds > 1 else ""
        said = f"Trial {best.number} is the best: {what}, {in_words(best.values)}."
        if self.trials[0].why:
            why = f"The settings' own hyperparameters have no figure to compare it with: {self.trials[0].why}."
            return Verdict("warning", "Nothing to compare", f"{said} {why}")
        if not others:
            return Verdict(
                "plain", "Nothing to compare", f"The settings' own hyperparameters have {what}; no other trial has one."
            )
        if best.number == 1:
            return Verdict(
                "plain",
                "Nothing better was found",
                f"None of {others} other trials did better than the settings' own hyperparameters ({what}).",
            )
        gain = f"It is better than the settings' own by {number4(best.gain.value)}"
        if math.isnan(best.gain.low):
            return Verdict("warning", "Too few days", f"{said} {gain}; the eval split has too few days to tell more.")
        ends = f"{low_to_high(best.gain.low, best.gain.high, number4)}, 95 % for all {others} together"
        if best.gain.low > 0:
            more = "that is beyond the noise of these days. Other days have to bear it out: run the pipeline."
            return Verdict("good", "Better than the settings", f"{said} {gain} ({ends}): {more}")
        return Verdict("plain", "Within noise", f"{said} {gain} ({ends}): a difference within noise.")


def results(ended: Sequence[Ended], metric: Metric, blocks: DayBlocks) -> tuple[TrialResult, ...]:
    """Judges trials, each beside the first one.

    Args:
        ended: the trials, that with the settings' own hyperparameters first.
        metric: that they were judged by.
        blocks: of the days of the eval split.
    """
    level = level_for(sum(not one.why for one in ended[1:]))
    sign = 1 if metric.higher_is_better else -1
    made = []
    for number, one in enumerate(ended, 1):
        figure = gain = UNKNOWN
        if not one.why:
            figure = _of_days_and_seeds(one.value, one.drawn, one.by_seed, blocks, _ALONE, metric.bounds)
            if number > 1 and not ended[0].why:
                own = ended[0]
                by_seed = [mine - its for mine, its in zip(one.by_seed, own.by_seed, strict=True)]
                value, drawn = sign * (one.value - own.value), sign * (one.drawn - own.drawn)
                gain = _of_days_and_seeds(value, drawn, by_seed, blocks, level)
        made.append(TrialResult(number, one.values, figure, gain, one.seconds, one.why))
    return tuple(made)


def _of_days_and_seeds(
    value: float,
    drawn: NDArray[np.float64],
    by_seed: Sequence[float],
    blocks: DayBlocks,
    level: float,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """The interval of a mean over seeds: of the days, and where there are several seeds of these as well.

    The two variances add up, and the degrees of freedom of their sum are Welch's and Satterthwaite's.
    """
    found = blocks.summarise(value, drawn, level, bounds)
    seeds = len(by_seed)
    if seeds < 2 or math.isnan(found.standard_error):
        return found
    from scipy.special import stdtrit

    of_days, of_seeds = found.standard_error**2, statistics.variance(by_seed) / seeds
    both = of_days + of_seeds
    if not both:
        return found
    degrees = both**2 / (of_days**2 / blocks.degrees + of_seeds**2 / (seeds - 1))
    reach = float(stdtrit(degrees, (1 + level) / 2)) * math.sqrt(both)
    low, high = bounds or (-math.inf, math.inf)
    return Interval(value, max(low, value - reach), min(high, value + reach), math.sqrt(both))


def write_search(report: SearchReport, page: str, folder: Path) -> None:
    """Writes the files, each whole or not at all, search.json last.

    Raises:
        ReportError: a file cannot be written.
    """
    write_text(folder / BEST_JSON, to_json({report.model: report.best_hyperparameters}) + "\n")
    write_text(folder / SEARCH_HTML, page)
    plain = {"schema_version": SCHEMA_VERSION, **to_plain(report), "verdict": report.verdict}
    write_text(folder / SEARCH_JSON, to_json(plain) + "\n")
