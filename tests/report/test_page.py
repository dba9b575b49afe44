"""report.html: its words, its tables and charts, and that it needs nothing from elsewhere."""

from __future__ import annotations

import dataclasses
import itertools
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made_run import NAMES, NAN, NASTY, made_page, made_run
from shown import Page, assert_needs_nothing_from_elsewhere

from components.errors import UserError
from components.evidence.comparing import compare
from components.evidence.metric import METRICS
from components.missing_sessions.summary import MissingSummary
from components.records import to_json
from pipeline.report.page import render_html, write_report
from pipeline.runs.folder import read_report
from pipeline.runs.results import MarketSummary, ModelResult


def test_nothing_blessed_page() -> None:
    words = Page(made_page(champion=False)).words()
    assert "No model blessed, nothing pushed" in words
    assert "that is the normal outcome on daily prices of large shares" in words
    assert "Nothing: no model was blessed." in words
    assert "linear: not above 0.5 & <1 standard error" in words
    assert "skill 90%" not in words


def test_champion_on_a_market_page() -> None:
    words = Page(made_page(champion=True)).words()
    assert "Champion: linear" in words
    assert "90%" in words
    assert "linear was pushed to runs/x/serving/1" in words
    assert "best possible AUC 0.545" in words
    assert "best 0.545" in words, "the forest plot marks it"


def test_the_tables_hold_the_reports_numbers() -> None:
    report, _, _ = made_run()
    words = Page(made_page(champion=False)).words()
    for model in report.models.values():
        assert f"{model.auc:.3f} {model.auc_low:.3f} to {model.auc_high:.3f}" in words
        assert f"{model.accuracy:.3f} {model.majority:.3f}" in words
    assert "train 2001-01-01 2008-12-31 2,000 10,000 5 20" in words
    year = [f"{model.by_year['2012'].auc:.3f}" for model in report.models.values()]
    assert f"2012 {report.models['linear'].by_year['2012'].rows} {' '.join(year)}" in words
    assert "Transform cached Trainer.linear 30.0 s Trainer.rnn 2 min 00 s" in words
    assert "2 min 30 s in all" in words
    assert "awesome run, 2024-05-06 07:08 UTC" in words


@pytest.mark.parametrize(("setting", "limit"), [({}, "0.53"), ({"audit_plausible_auc": 0.6}, "0.6")])
def test_the_page_names_the_plausible_auc_of_the_run(setting: dict[str, float], limit: str) -> None:
    report, predictions, histories = made_run(names=("linear",))
    report = dataclasses.replace(report, settings={**report.settings, **setting})
    assert f"More than {limit} on real daily prices" in Page(render_html(report, predictions, histories)).words()


def test_calibration_figures_are_those_of_equal_bins() -> None:
    report, predictions, histories = made_run(names=("linear",), days=200, shares=1)
    order = predictions.sort_values("linear")
    words = Page(render_html(report, predictions, histories)).words()
    for part in np.array_split(order.index, 10):
        rows = order.loc[part]
        assert f"{rows['linear'].mean():.3f} {rows['label'].mean():.3f} 20 " in words


def test_the_best_epoch_is_the_one_with_the_lowest_eval_loss() -> None:
    words = Page(made_page(champion=False)).words()
    assert words.count("best eval: after 3 epochs") == len(NAMES)
    assert "The best eval loss is 0.6800, after 3 epochs." in words


def test_everything_from_data_is_escaped() -> None:
    report, predictions, histories = made_run()
    poison = "</title></desc></svg>" + NASTY
    report = dataclasses.replace(
        report,
        models={poison: dataclasses.replace(report.models["linear"], reason=NASTY, model_uri=NASTY)},
        champion=poison,
        pushed=NASTY,
        settings={**report.settings, NASTY: NASTY},
        versions={NASTY: NASTY},
        seconds={NASTY: 1.0},
        cached=(NASTY,),
        market=MarketSummary(NASTY, 0.55),
        data=dataclasses.replace(report.data, database=NASTY, digest=NASTY),
        splits={**report.splits, "test": dataclasses.replace(report.splits["test"], first=NASTY)},
    )
    source = render_html(report, predictions.rename(columns={"linear": poison}), {poison: histories["linear"]})
    page = Page(source)
    assert_needs_nothing_from_elsewhere(source)
    assert source.lower().count("<script") == len(page.all("script")), "a name is nowhere markup"
    assert "alert(" not in "".join(re.findall(r"<script>(.*?)</script>", source, re.DOTALL))
    assert NASTY in page.words()
    assert all(not name.startswith("on") for _, attributes in page.elements for name in attributes)


@pytest.mark.parametrize("champion", [True, False])
def test_the_page_needs_nothing_from_elsewhere(champion: bool) -> None:
    assert_needs_nothing_from_elsewhere(made_page(champion=champion))


def test_all_figures_stand_beside_those_of_the_baselines() -> None:
    report, predictions, histories = made_run(champion=True)
    predictions["lightgbm"] = np.random.default_rng(3).uniform(0.4, 0.6, len(predictions))
    found, _ = compare(predictions, list(report.models), ["lightgbm"], horizon=1, seed=0)
    models = {
        name: dataclasses.replace(model, scores=found.models[name].scores, differences=found.models[name].differences)
        for name, model in report.models.items()
    }
    report = dataclasses.replace(report, models=models, baselines=found.baselines)
    page = Page(render_html(report, predictions, histories))
    words = page.words()
    for metric in METRICS.values():
        assert metric.title in words
    for figures in (found.models["linear"].scores, found.baselines["lightgbm"]):
        for estimate in figures.values():
            assert f"{estimate.value:.4f}" in words
            assert f"{estimate.low:.4f} to {estimate.high:.4f}" in words
    difference = found.models["linear"].differences["lightgbm"]["auc"]
    assert f"{difference.low:.4f} to {difference.high:.4f}" in words
    assert "Differences in AUC: linear less lightgbm" in words


def test_every_chart_has_a_title_and_a_description() -> None:
    page = Page(made_page(champion=False))
    charts = page.all("svg")
    # Forest, years, two of ROC, calibration, four of the signal, two of the backtest, and the training of each model.
    assert len(charts) == 11 + len(NAMES)
    assert all(chart["role"] == "img" for chart in charts)
    assert len(page.all("desc")) == len(charts)
    assert {a["lang"] for a in page.all("html")} == {"en"}


def test_the_same_run_gives_the_same_page() -> None:
    run = made_run(names=("linear",))
    assert render_html(*run) == render_html(*run)


def test_figures_that_are_missing_do_not_stop_the_page() -> None:
    names = ("linear", "dnn", "rnn")
    report, predictions, histories = made_run(names=names)
    unknown = ModelResult(NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, False, "the test split holds one class only")
    report = dataclasses.replace(report, models=dict.fromkeys(names, unknown), seconds={}, cached=(), versions={})
    histories = {
        "linear": histories["linear"].assign(val_loss=NAN),
        "dnn": pd.DataFrame({"epoch": [1]}),
        "rnn": histories["rnn"].drop(columns=["epoch", "loss"]),
    }
    one_class = Page(render_html(report, predictions.assign(label=1), histories))
    assert "n/a n/a" in one_class.words()
    assert "no AUC" in one_class.words()
    assert "Training of linear: 4 epochs." in one_class.words()
    assert "Training of dnn" not in one_class.words()
    assert "nan" not in one_class.words().split()
    empty = Page(render_html(report, predictions.iloc[:0], {}))
    assert "ROC curves" not in empty.words()


def test_constant_predictions_unknown_splits_and_a_name_like_a_formula_are_drawn() -> None:
    report, predictions, histories = made_run(names=("linear",))
    name = r"$\alpha$"
    source = render_html(
        dataclasses.replace(report, splits={}, models={name: report.models["linear"]}),
        predictions.assign(**{name: 0.5}),
        {name: histories["linear"]},
    )
    drawn = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", source))
    assert drawn.count(name) >= 5


def test_a_prediction_column_that_is_missing_is_a_defect_of_the_caller() -> None:
    report, predictions, histories = made_run()
    with pytest.raises(ValueError, match="rnn"):
        render_html(report, predictions.drop(columns="rnn"), histories)


def test_write_report_makes_the_folder_and_both_files(tmp_path: Path) -> None:
    report, predictions, histories = made_run(names=("linear",))
    written = write_report(report, predictions, histories, tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["report.html", "report.json"]
    assert dataclasses.replace(written, portfolio=None) == report
    assert to_json(read_report(tmp_path / "a" / "b")) == to_json(written)
    assert (tmp_path / "a" / "b" / "report.html").read_text(encoding="utf-8").lstrip().startswith("<!DOCTYPE html>")


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"file.*--output"):
        write_report(*made_run(), tmp_path / "file" / "run")


@pytest.mark.slow
def test_a_large_run_is_written_quickly_and_small(tmp_path: Path) -> None:
    run = made_run(shares=500, days=120)
    assert len(run[1]) == 60_000
    start = time.process_time()
    write_report(*run, tmp_path)
    assert time.process_time() - start < 10
    assert (tmp_path / "report.html").stat().st_size < 1_500_000


def test_every_member_of_a_model_has_its_own_losses() -> None:
    report, predictions, _ = made_run(names=("dnn",))
    two = pd.DataFrame(
        {"member": [1, 1, 1, 2, 2, 2], "epoch": [0.64, 1, 2, 1, 2, 3], "loss": [np.nan, 0.70, 0.69, 0.70, 0.69, 0.68],
         "val_loss": [0.691, 0.695, 0.697, 0.696, 0.694, 0.692]}
    )  # fmt: skip
    page = Page(render_html(report, predictions, {"dnn": two}))
    said = "Training of dnn: 2 members of 2 to 3 epochs. The members' best eval losses are 0.6910 to 0.6920"
    assert f"{said}, after 0.64 to 3 epochs." in page.words()


def test_the_time_line_is_to_scale() -> None:
    found = re.findall(
        r'<span class="(\w+)" style="left:([\d.]+)%;width:([\d.]+)%" title="([^"]+)">', made_page(champion=False)
    )
    assert [kind for kind, *_ in found] == ["train", "gap", "eval", "gap", "test"]
    ends = [(float(left), float(left) + float(width)) for _, left, width, _ in found]
    assert ends[0][0] == 0
    assert ends[-1][1] == pytest.approx(100, abs=0.01)
    for before, after in itertools.pairwise(ends):
        assert after[0] == pytest.approx(before[1], abs=0.01)
    # 31 of the days from 2001-01-01 to 2013-02-15, both included.
    total = (pd.Timestamp("2013-02-15") - pd.Timestamp("2001-01-01")).days + 1
    assert float(found[1][2]) == pytest.approx(100 * 31 / total, abs=0.001)
    assert found[1][3] == "gap of 31 days between train and eval: purge and embargo"


def test_missing_sessions_stand_with_the_splits() -> None:
    report, predictions, histories = made_run()
    assert "Missing sessions" not in Page(made_page(champion=False)).words()
    lines = (f"{NASTY} lacks 12 sessions: 2003-06-04, 2003-06-05, 2003-06-06, ...",)
    splits = {name: dataclasses.replace(one, windows_across=40, labels_across=2) for name, one in report.splits.items()}
    report = dataclasses.replace(report, missing=MissingSummary(1, 12, lines), splits=splits)
    page = render_html(report, predictions, histories)
    words = Page(page).words()
    assert "Missing sessions: 1 share lacks 12 sessions between first and last price." in words
    assert "Left out: 120 windows and 6 labels that reach across more missing sessions" in words
    assert lines[0] in words
    assert NASTY not in page
