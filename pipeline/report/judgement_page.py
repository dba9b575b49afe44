"""The page of `awesome judge`: a judgement of somebody's forecasts, self-contained as report.html is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.evidence.metric import METRICS
from components.plausibility.record import what_to_do
from models.labels import words_of
from pipeline.report.backtest import BacktestSection, default_model, section_of
from pipeline.report.judgement import OWN, assumptions, verdicts
from pipeline.report.missing import missing_in_words
from pipeline.report.page import SHARES_SHOWN, SUSPECTS_SHOWN, group_rows
from pipeline.report.templates import load_template
from pipeline.report.tries import tries_section
from pipeline.report.universe import universe_in_words, warnings_of
from pipeline.report.verdict import Verdict
from pipeline.report.words import readable_time
from pipeline.runs.judged import Judgement
from pipeline.runs.results import ReportError, RunReport

if TYPE_CHECKING:
    import pandas as pd

_TONES = ("warning", "good", "plain")
_RIVALS = (
    "momentum_20 and reversal_1 are the returns of the last 20 sessions and of the last one; the base rate and the "
    "logistic regression have learned from the days before the first forecast alone: forecasts that do not beat them "
    "are not worth their trouble. A score says only in which order, so figures that need a probability have a dash."
)


def render_judgement(judgement: Judgement, predictions: pd.DataFrame) -> str:
    """Makes the page.

    Args:
        judgement: of a file of which something could be judged.
        predictions: the judged rows: time, label, forward_return, and a column for each model.

    Raises:
        ReportError: nothing could be judged.
    """
    from components.evidence.correlation import daily_rank_ic
    from components.evidence.curves import calibration_curve
    from pipeline.report import charts
    from pipeline.report.drawing import model_styles
    from pipeline.report.rank_ic_chart import rank_ic_chart

    report, file = judgement.report, judgement.file
    if report is None:
        raise ReportError(f"no forecast of {file.path} can be judged, so there is no page")
    names, words = list(report.models), words_of(report.label)
    styles = model_styles(names)
    probable = [name for name in names if name not in file.scores]
    label, forward = predictions["label"].to_numpy(), predictions["forward_return"].to_numpy()
    said = {name: predictions[name].to_numpy(dtype=float) for name in names}
    curves = {name: calibration_curve(label, said[name]) for name in probable}
    days, at = np.unique(predictions["time"].to_numpy(), return_inverse=True)
    daily = {name: daily_rank_ic(values, forward, at.reshape(-1))[1] for name, values in said.items()}
    scored = {name: model.scores for name, model in report.models.items()} | dict(report.baselines)
    of_models = verdicts(report)
    shares = group_rows(report, "by_share")
    return load_template(Path(__file__).with_name("judgement.html.j2")).render(
        judgement=judgement,
        file=file,
        report=report,
        words=words,
        name=Path(file.path).name,
        created=readable_time(report.created),
        test=report.splits["test"],
        verdict=_headline(of_models),
        others=of_models if len(of_models) > 1 else [],
        styles=styles,
        scored=scored,
        rivals=_RIVALS,
        metrics=[metric for metric in METRICS.values() if any(metric.name in figures for figures in scored.values())],
        forest=charts.forest_chart(report.models, styles, None, None),
        difference_chart=charts.difference_chart(
            {name: model.differences for name, model in report.models.items()}, tuple(report.baselines), styles
        ),
        calibration=charts.calibration_chart(curves, said, styles, words) if curves else None,
        calibrations=curves,
        rank_ic=rank_ic_chart(days, daily, styles),
        years=charts.year_chart(report.models, styles),
        year_rows=group_rows(report, "by_year"),
        share_rows=shares[:SHARES_SHOWN],
        shares_total=len(shares),
        backtest=_backtest(report, judgement),
        tries=None if report.tries is None else tries_section(report.tries, OWN),
        trust=assumptions(file),
        missing=missing_in_words(report.missing),
        universe=()
        if report.universe is None
        else (*universe_in_words(report.universe), *warnings_of(report.universe)),
        what_to_do=what_to_do,
        suspects_shown=SUSPECTS_SHOWN,
    )


def _headline(of_models: list[Verdict]) -> Verdict:
    """The verdict of the only model; of several, what is to be said first."""
    first = min(of_models, key=lambda one: _TONES.index(one.tone))
    if len(of_models) == 1:
        return first
    alike = sum(one.label == first.label for one in of_models)
    return Verdict(first.tone, f"{first.label}: {alike} of {len(of_models)}", first.sentence)


def _backtest(report: RunReport, judgement: Judgement) -> BacktestSection:
    if judgement.backtest is not None:
        return section_of(report, judgement.backtest, default_model(report))
    why = judgement.no_backtest
    return BacktestSection(Verdict("plain", "No backtest", f"{why[:1].upper()}{why[1:]}."))
