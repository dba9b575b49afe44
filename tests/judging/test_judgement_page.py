"""The page of a judgement says what the terminal says, in figures that are those of the judgement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from judged_files import judged, made_forecasts, made_market
from needed import needed
from scipy.stats import spearmanr
from shown import Page, assert_needs_nothing_from_elsewhere

from components.evidence.words import number4
from components.judging.forecast_columns import ColumnChoice
from pipeline.plan import load_plan
from pipeline.report.drawing import model_styles
from pipeline.report.judgement import assumptions, verdicts
from pipeline.report.judgement_page import render_judgement
from pipeline.report.rank_ic_chart import rank_ic_chart
from pipeline.runs.results import ReportError
from pipeline.uses.judge import JudgedForecasts

needed("adbc_driver_sqlite")

BOTH = ColumnChoice(("good", "coin"), ("signal",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> JudgedForecasts:
    plan = made_market(tmp_path_factory.mktemp("page"))
    frame = made_forecasts(plan)
    frame.loc[0, "share_id"] = "<b>&"
    frame.loc[1, "good"] = 7
    return judged(plan, frame, BOTH)


def page_of(made: JudgedForecasts) -> tuple[str, Page]:
    source = render_judgement(made.judgement, made.predictions)
    assert_needs_nothing_from_elsewhere(source)
    return source, Page(source)


def test_everything_that_is_judged_is_on_the_page(made: JudgedForecasts) -> None:
    source, page = page_of(made)
    report, file, said = made.judgement.report, made.judgement.file, page.words()
    assert report is not None
    for sentence in (*(one.sentence for one in verdicts(report)), *assumptions(file)):
        assert " ".join(sentence.split()) in said
    for figures in (*(model.scores for model in report.models.values()), *report.baselines.values()):
        for estimate in figures.values():
            assert number4(estimate.value) in said
    assert made.judgement.backtest is not None
    assert "signal long-short" in said
    assert "This file is the first to look at" in said
    assert {one.why for one in file.left_out} == {"no probability", "unknown share", "pending"}
    for one in file.left_out:
        assert f"{one.why}{' mend' if one.mend else ''} {one.count:,} {one.words}" in said
    assert "row 2, share <b>&" in said
    assert "<b>" not in source
    # AUC, rank IC, years, calibration, differences, growth, rolling Sharpe ratio.
    assert [tag for tag, _ in page.elements].count("svg") == 7


def test_scores_have_no_calibration(tmp_path: Path) -> None:
    plan = made_market(tmp_path, shares=2)
    made = judged(plan, made_forecasts(plan)[["time", "share_id", "signal"]], ColumnChoice((), ("signal",)))
    _, page = page_of(made)
    assert "Calibration" not in page.words()
    # Two shares have no rank IC.
    assert "Rank IC day by day" not in page.words()


def test_a_judgement_by_another_label_speaks_of_that(tmp_path: Path) -> None:
    plan = made_market(tmp_path)
    asked = load_plan({"db": plan.database, "workspace": plan.workspace, "label": "outperform"})
    said = page_of(judged(asked, made_forecasts(plan), ColumnChoice(("good",))))[1].words()
    assert "1 session ahead, of a return above the day's median, against the prices of" in said
    assert "of all rows called 55%, 55% came above the median." in said
    assert "model predicted came above the median rows" in said
    assert "rose" not in said.split()


def test_what_cannot_be_traded_says_why(tmp_path: Path) -> None:
    plan = made_market(tmp_path, shares=1)
    made = judged(plan, made_forecasts(plan)[["time", "share_id", "good"]], ColumnChoice(("good",)))
    assert made.judgement.backtest is None
    assert "No backtest." in page_of(made)[1].words()


def test_without_a_judgement_there_is_no_page(tmp_path: Path) -> None:
    plan = made_market(tmp_path, shares=1)
    frame = made_forecasts(plan, sessions=1)[["time", "share_id", "good"]]
    made = judged(plan, frame, ColumnChoice(("good",)))
    with pytest.raises(ReportError, match=r"no forecast of .* can be judged, so there is no page"):
        render_judgement(made.judgement, made.predictions)


def test_the_chart_of_days_tells_their_mean(made: JudgedForecasts) -> None:
    frame = made.predictions
    daily = pd.Series({day: spearmanr(rows["good"], rows["forward_return"])[0] for day, rows in frame.groupby("time")})
    chart = rank_ic_chart(daily.index.to_numpy(), {"good": daily.to_numpy()}, model_styles(["good"]))
    assert chart is not None
    known = daily.dropna()
    assert f"good {known.mean():+.3f} on average, above 0 on {(known > 0).sum()} of {len(known)} days" in (
        chart.description
    )
    assert rank_ic_chart(daily.index.to_numpy(), {"good": np.full(len(daily), np.nan)}, model_styles(["good"])) is None
