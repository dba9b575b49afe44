"""The page and the file that a run leaves: report.html and report.json.

report.html is self-contained: no script, no style sheet, font or picture from elsewhere, and a content security policy
that forbids them. Everything in it that came from data is escaped.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.findings import PREDECESSOR
from pipeline.report.summary import assess, number, percent, plausible_auc
from pipeline.report.templates import load_template
from pipeline.runs.results import REPORT_HTML, REPORT_JSON, ReportError, RunReport, SplitResult, write_text

if TYPE_CHECKING:
    import pandas as pd

_SPLITS = ("train", "eval", "test")
_SHARES_SHOWN = 200
"""Shares listed on the page; report.json has them all."""

_PREDICTION_COLUMNS = ("time", "share_id", "label", "forward_return")


@dataclass(frozen=True)
class Span:
    """A stretch of the time line.

    Attributes:
        kind: train, eval, test or gap.
        left: where it starts, in per cent of the line.
        width: how long it is, in per cent of the line.
        words: what it is, for the reader.
    """

    kind: str
    left: float
    width: float
    words: str


@dataclass(frozen=True)
class Tick:
    """A year's mark on the time line.

    Attributes:
        left: where it stands, in per cent of the line.
        label: what is written there.
    """

    left: float
    label: str


@dataclass(frozen=True)
class Step:
    """A step's time.

    Attributes:
        name: the step.
        seconds: wall-clock seconds.
        width: length of its bar, in per cent of the longest.
        cached: whether it was served from the cache.
    """

    name: str
    seconds: float
    width: float
    cached: bool


@dataclass(frozen=True)
class GroupRow:
    """One line of a table of AUCs by group.

    Attributes:
        name: the year or share.
        rows: labelled rows in it.
        aucs: a written AUC for each model, in the report's order.
    """

    name: str
    rows: int
    aucs: tuple[str, ...]


def write_report(
    report: RunReport,
    predictions: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
    directory: Path,
) -> None:
    """Writes report.html and report.json, each whole or not at all.

    Args:
        report: the run's numbers.
        predictions: one row for each labelled row of the test split: time (datetime64), share_id, label (0 or 1),
            forward_return (log return over the horizon), and for each model a column of its name with the
            probability that the close rises.
        histories: by model, one row an epoch: epoch, loss, val_loss and whatever else was logged.
        directory: folder to write to, made if it is missing.

    Raises:
        ReportError: the folder or a file in it cannot be written.
        ValueError: `predictions` lacks a column that is read.
    """
    directory = Path(directory)
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise ReportError(
            f"{directory}: the folder cannot be made ({error.strerror}). Choose another with --output."
        ) from None
    write_text(directory / REPORT_HTML, render_html(report, predictions, histories))
    # The file of numbers comes last: where it is, the run is complete.
    report.to_json(directory / REPORT_JSON)


def render_html(report: RunReport, predictions: pd.DataFrame, histories: Mapping[str, pd.DataFrame]) -> str:
    """Makes the page.

    Args:
        report: the run's numbers.
        predictions: as in `write_report`.
        histories: as in `write_report`.

    Returns:
        The HTML document.

    Raises:
        ValueError: `predictions` lacks a column that is read.
    """
    from components.evidence.curves import calibration_curve, roc_curve
    from components.evidence.metric import METRICS
    from pipeline.report import charts
    from pipeline.report.audit_chart import audit_chart
    from pipeline.report.drawing import model_styles
    from pipeline.report.evidence_chart import difference_chart
    from pipeline.report.training import training_chart
    from pipeline.uses.backtest import backtest_section

    missing = [column for column in (*_PREDICTION_COLUMNS, *report.models) if column not in predictions.columns]
    if missing:
        raise ValueError(f"predictions lack the columns {missing}")
    names = list(report.models)
    styles = model_styles(names)
    labels = predictions["label"].to_numpy()
    probabilities = {name: predictions[name].to_numpy(dtype=float) for name in names}
    rocs = {name: roc_curve(labels, values) for name, values in probabilities.items() if len(labels)}
    calibrations = {name: calibration_curve(labels, values) for name, values in probabilities.items()}
    training = [
        training_chart(index, name, histories[name], styles[name])
        for index, name in enumerate(names)
        if name in histories
    ]
    best = report.market.best_auc if report.market is not None else None
    path = Path(__file__).with_name("report.html.j2")
    scored = {name: model.scores for name, model in report.models.items() if model.scores} | dict(report.baselines)
    return load_template(path, number=number, number4=_four_decimals, percent=percent, duration=_duration).render(
        report=report,
        verdict=assess(report),
        champion=report.models.get(report.champion) if report.champion is not None else None,
        styles=styles,
        created=_readable_time(report.created),
        spans=_spans(report),
        ticks=_ticks(report),
        splits=[(name, report.splits[name]) for name in _ordered_splits(report.splits)],
        best=best,
        plausible=plausible_auc(report.settings),
        forest=charts.forest_chart(report.models, styles, report.champion, best),
        roc=charts.roc_charts(rocs, styles) if rocs else (),
        calibration=charts.calibration_chart(calibrations, probabilities, styles) if len(labels) else None,
        calibrations=calibrations,
        training=[chart for chart in training if chart is not None],
        years=charts.year_chart(report.models, styles),
        year_rows=_group_rows(report, "by_year"),
        share_rows=_group_rows(report, "by_share")[:_SHARES_SHOWN],
        scored=scored,
        metrics=tuple(METRICS.values()),
        difference_chart=difference_chart(
            {name: model.differences for name, model in report.models.items()},
            (*report.baselines, PREDECESSOR),
            styles,
        ),
        backtest=backtest_section(report, predictions),
        audit_chart=None if report.audit is None else audit_chart(report.audit),
        shares_total=len(_group_rows(report, "by_share")),
        share_ids=report.data.share_ids[:_SHARES_SHOWN],
        metric_names=sorted({metric for model in report.models.values() for metric in model.metrics}),
        steps=_steps(report),
        total_seconds=sum(value for value in report.seconds.values() if math.isfinite(value)),
    )


def _ordered_splits(splits: Mapping[str, SplitResult]) -> list[str]:
    """Train, eval and test first and in this order, whatever else there is after them."""
    return [name for name in _SPLITS if name in splits] + [name for name in splits if name not in _SPLITS]


def _day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text[:10]).date()
    except ValueError:
        return None


def _line(report: RunReport) -> tuple[date, date] | None:
    """First and last day of the time line; None where no dates are known."""
    texts = [report.data.first, report.data.last]
    for split in report.splits.values():
        texts += [split.first, split.last]
    days = [day for day in map(_day, texts) if day is not None]
    return (min(days), max(days)) if days and min(days) < max(days) else None


def _spans(report: RunReport) -> list[Span]:
    """The splits and the gaps between them, in the order of time."""
    line = _line(report)
    if line is None:
        return []
    start, total = line[0], (line[1] - line[0]).days + 1
    dated = []
    for name in _ordered_splits(report.splits):
        split = report.splits[name]
        first, last = _day(split.first), _day(split.last)
        if first is not None and last is not None:
            dated.append((first, last, name, split))
    dated.sort(key=lambda item: item[:2])
    spans: list[Span] = []
    before: tuple[date, str] | None = None
    for first, last, name, split in dated:
        if before is not None and (first - before[0]).days > 1:
            # Only the days in between: the splits' own ends are inside them.
            days = (first - before[0]).days - 1
            words = f"gap of {days} days between {before[1]} and {name}: purge and embargo"
            spans.append(Span("gap", _share((before[0] - start).days + 1, total), _share(days, total), words))
        words = f"{name}: {split.first} to {split.last}, {split.rows:,} rows, {split.sessions:,} sessions"
        width = _share((last - first).days + 1, total)
        spans.append(Span(name if name in _SPLITS else "other", _share((first - start).days, total), width, words))
        before = (last, name)
    return spans


def _share(days: int, total: int) -> float:
    return round(100 * days / total, 3)


def _ticks(report: RunReport) -> list[Tick]:
    """Years along the time line, seven at most."""
    line = _line(report)
    if line is None:
        return []
    start, end = line
    total = (end - start).days + 1
    years = list(range(start.year + 1, end.year + 1))
    step = max(1, math.ceil(len(years) / 7))
    return [Tick(_share((date(year, 1, 1) - start).days, total), str(year)) for year in years[::step]]


def _group_rows(report: RunReport, attribute: str) -> list[GroupRow]:
    tables: Sequence[Mapping[str, Any]] = [getattr(model, attribute) for model in report.models.values()]
    groups = sorted({group for table in tables for group in table})
    return [
        GroupRow(
            name=group,
            rows=max(table[group].rows for table in tables if group in table),
            aucs=tuple(number(table[group].auc) if group in table else "n/a" for table in tables),
        )
        for group in groups
    ]


def _steps(report: RunReport) -> list[Step]:
    longest = max([value for value in report.seconds.values() if math.isfinite(value)] or [0.0])
    steps = [
        Step(name, value, round(100 * value / longest, 2) if longest > 0 else 0.0, name in report.cached)
        for name, value in report.seconds.items()
        if math.isfinite(value)
    ]
    timed = {step.name for step in steps}
    return steps + [Step(name, 0.0, 0.0, True) for name in report.cached if name not in timed]


def _four_decimals(value: float) -> str:
    """Differences between models begin at the third decimal."""
    return f"{round(value, 4) + 0.0:.4f}" if math.isfinite(value) else "n/a"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min {rest:02d} s"


def _readable_time(created: str) -> str:
    """The time of the run as a person writes it; as it stands where it is not ISO 8601."""
    try:
        # Python 3.10 does not read the Z.
        moment = datetime.fromisoformat(created.replace("Z", "+00:00"))
    except ValueError:
        return created
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M} UTC"
