"""The page and the file that a run leaves: report.html and report.json.

report.html is self-contained: no script, style sheet, font or picture from elsewhere, and a content security policy
that forbids them; its own scripts (interactive.py) are allowed by their digests, and without them it stands still.
Everything in it that came from data is escaped.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.words import number
from components.plausibility.record import what_to_do
from models.labels import words_of
from pipeline.report.palette import SPLIT_COLOURS, model_styles
from pipeline.report.summary import baseline_rows
from pipeline.report.templates import load_template
from pipeline.report.tries import tries_section
from pipeline.report.verdict import assess, plausible_auc
from pipeline.report.words import duration, readable_time
from pipeline.runs.folder import REPORT_HTML, REPORT_JSON, save_report, write_text
from pipeline.runs.results import ReportError, RunReport

if TYPE_CHECKING:
    import pandas as pd

    from components.explanation.results import Explanation
    from components.tear_sheet.signal import Signal
    from pipeline.report.drawn import Drawn

SHARES_SHOWN = 200
"""Shares listed on the page; report.json has them all."""

SUSPECTS_SHOWN = 200

_PREDICTION_COLUMNS = ("time", "share_id", "label", "forward_return")


@dataclass(frozen=True)
class Step:
    """A step's time, and the length of its bar in per cent of the longest."""

    name: str
    seconds: float
    width: float
    cached: bool


@dataclass(frozen=True)
class GroupRow:
    """A year or share: its labelled rows, and a written AUC for each model, in the report's order."""

    name: str
    rows: int
    aucs: tuple[str, ...]


def write_report(
    report: RunReport,
    predictions: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
    directory: Path,
    signals: Callable[[], Mapping[str, Signal]] | None = None,
    keep: Path | None = None,
) -> RunReport:
    """Writes report.html and report.json, each whole or not at all.

    Args:
        report: the run's numbers.
        predictions: one row for each labelled row of the test split: time (datetime64), share_id, label (0 or 1),
            forward_return (that the label tells the sign of), and for each model a column of its name with the
            probability of what its label asks.
        histories: by model, one row an epoch: epoch, loss, val_loss and whatever else was logged.
        directory: folder to write to, made if it is missing.
        signals: gives by model its scores beside what followed; None to look at them anew.
        keep: file that keeps what was drawn for the next run, as in `drawn_of`.

    Returns:
        The report as it was written, with the figures of the portfolio that the page shows.

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
    drawn = _drawn(report, predictions, histories, signals, keep)
    report = replace(report, portfolio=drawn.traded.figures)
    write_text(directory / REPORT_HTML, _render(report, predictions, drawn))
    # The file of numbers comes last: where it is, the run is complete.
    save_report(report, directory / REPORT_JSON)
    return report


def render_html(
    report: RunReport,
    predictions: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
    explanation: Explanation | None = None,
    signals: Callable[[], Mapping[str, Signal]] | None = None,
    keep: Path | None = None,
) -> str:
    """Makes the page; the arguments are those of `write_report`, and what `awesome explain` found.

    Raises:
        ValueError: `predictions` lacks a column that is read.
    """
    return _render(report, predictions, _drawn(report, predictions, histories, signals, keep), explanation)


def _drawn(
    report: RunReport,
    predictions: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
    signals: Callable[[], Mapping[str, Signal]] | None,
    keep: Path | None,
) -> Drawn:
    from pipeline.report.drawn import drawn_of

    missing = [column for column in (*_PREDICTION_COLUMNS, *report.models) if column not in predictions.columns]
    if missing:
        raise ValueError(f"predictions lack the columns {missing}")
    return drawn_of(report, predictions, histories, signals, keep)


def _render(report: RunReport, predictions: pd.DataFrame, drawn: Drawn, explanation: Explanation | None = None) -> str:
    from components.evidence.curves import calibration_curve
    from components.evidence.metric import METRICS
    from pipeline.report.backtest import backtest_section
    from pipeline.report.comparison import compared_section
    from pipeline.report.explanation import explanation_section
    from pipeline.report.missing import left_out_in_words, missing_in_words
    from pipeline.report.timeline import ordered_splits, spans, ticks
    from pipeline.report.universe import outside_in_words, universe_in_words, warnings_of

    names, words = list(report.models), words_of(report.label)
    styles = model_styles(names)
    labels = predictions["label"].to_numpy()
    calibrations = {name: calibration_curve(labels, predictions[name].to_numpy(dtype=float)) for name in names}
    best = report.market.best_auc if report.market is not None else None
    path = Path(__file__).with_name("report.html.j2")
    scored = {name: model.scores for name, model in report.models.items() if model.scores} | dict(report.baselines)
    return load_template(path, duration=duration).render(
        report=report,
        verdict=assess(report),
        words=words,
        held=[name for name, model in report.models.items() if model.blessed and name in report.held_back],
        champion=report.models.get(report.champion) if report.champion is not None else None,
        styles=styles,
        split_colours=SPLIT_COLOURS,
        created=readable_time(report.created),
        spans=spans(report),
        ticks=ticks(report),
        splits=[(name, report.splits[name]) for name in ordered_splits(report.splits)],
        missing_total=missing_in_words(report.missing),
        universe_said=() if report.universe is None else universe_in_words(report.universe),
        universe_warnings=() if report.universe is None else warnings_of(report.universe),
        outside=outside_in_words(report),
        left_out=left_out_in_words(report),
        best=best,
        plausible=plausible_auc(report.settings),
        forest=drawn.forest,
        roc=drawn.roc,
        calibration=drawn.calibration,
        calibrations=calibrations,
        training=drawn.training,
        years=drawn.years,
        year_rows=group_rows(report, "by_year"),
        share_rows=group_rows(report, "by_share")[:SHARES_SHOWN],
        scored=scored,
        beside=baseline_rows(report),
        metrics=tuple(METRICS.values()),
        difference_chart=drawn.differences,
        signal=drawn.signal,
        backtest=backtest_section(report, drawn.traded),
        compared=None if report.comparison is None else compared_section(report.comparison),
        explanation=None if explanation is None else explanation_section(explanation, styles),
        tries=None if report.tries is None else tries_section(report.tries),
        what_to_do=what_to_do,
        suspects_shown=SUSPECTS_SHOWN,
        audit_chart=drawn.audit,
        shares_total=len(group_rows(report, "by_share")),
        share_ids=report.data.share_ids[:SHARES_SHOWN],
        metric_names=sorted({metric for model in report.models.values() for metric in model.metrics}),
        steps=_steps(report),
        total_seconds=sum(value for value in report.seconds.values() if math.isfinite(value)),
    )


def group_rows(report: RunReport, attribute: str) -> list[GroupRow]:
    """The rows of a table by year or by share: `attribute` is by_year or by_share."""
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
