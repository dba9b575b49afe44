"""What a walk leaves: the page, the JSON, the predictions, and what is printed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hand_made_walk import predictions, walk
from shown import Page, assert_needs_nothing_from_elsewhere, printed

from pipeline.runs.results import ReportError
from pipeline.studies.walkforward.page import render_walk
from pipeline.studies.walkforward.results import Walk, write_walk
from pipeline.studies.walkforward.scores import score_horizon
from pipeline.studies.walkforward.summary import part_tables, print_plan, print_walk


def write(made: Walk, folder: Path) -> None:
    write_walk(made, render_walk(made), predictions(), folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walk")
    write(walk(), folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "walkforward.html").read_text(encoding="utf-8")


def test_three_files_and_nothing_half_written(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"walkforward.html", "walkforward.json", "predictions.parquet"}
    assert list(pd.read_parquet(folder / "predictions.parquet").columns[:3]) == ["horizon", "fold", "time"]


def test_the_json_holds_every_figure(folder: Path) -> None:
    read = json.loads((folder / "walkforward.json").read_text())
    made = walk()
    assert next(iter(read)) == "schema_version"
    assert [one["horizon"] for one in read["horizons"]] == [1, 20]
    first = read["horizons"][0]
    assert [part["name"] for part in first["folds"]] == ["fold 1", "fold 2"]
    auc = made.horizons[0].folds[1].scores["knows"].auc
    assert first["folds"][1]["scores"]["knows"]["auc"] == {
        "value": auc.value, "low": auc.low, "high": auc.high, "standard_error": auc.standard_error,
    }  # fmt: skip
    assert read["folds"][0]["test"] == {
        "first": made.folds[0].test.first, "last": made.folds[0].test.last, "sessions": 200,
    }  # fmt: skip
    assert [finding["sentence"] for finding in read["findings"]] == [one.sentence for one in made.findings]


def test_the_plausible_auc_is_the_walk_s_own() -> None:
    made = walk(horizons=(1,))
    assert made.verdict.label == "Suspect a leak"
    settings = {**made.settings, "audit_plausible_auc": 0.99}
    assert replace(made, settings=settings).verdict.label == "More than luck"


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(page: str) -> None:
    assert_needs_nothing_from_elsewhere(page)
    assert "prefers-color-scheme: dark" in page


def test_the_page_says_what_was_found(page: str) -> None:
    made = walk()
    text = Page(page).words()
    for finding in made.findings:
        assert finding.sentence in text
    auc = made.horizons[1].overall.scores["logistic_regression"].auc
    assert f"{auc.value:.3f} {auc.low:.3f} to {auc.high:.3f}" in text
    assert "No day is tested twice" in text
    assert "Train grows from the first session on." in text
    for fold in made.folds:
        assert f"test {fold.test.first} to {fold.test.last}" in page  # in words for those who cannot see the chart
    assert '<a href="../folds/x/run-2-20/report.html">horizon 20, fold 2</a>' in page
    assert "none, all from the cache" in page


def test_a_part_without_an_interval_says_why_and_is_not_drawn(page: str) -> None:
    stub = walk().horizons[1].years[0]
    assert f"{stub.scores['knows'].auc.value:.3f}<small>too few days</small>" in page
    years = page[page.index('aria-labelledby="years-20-title') :]
    by_folds = page[page.index('aria-labelledby="folds-20-title') :]
    # One marker a model for each of two folds; of two years one has an interval.
    drawn = [svg[: svg.index("</svg>")].count("clip-path") for svg in (by_folds, years)]
    assert drawn[1] == drawn[0] - 4, drawn  # a line and a marker of each of two models


def test_what_comes_from_data_is_escaped(page: str) -> None:
    assert "&lt;b&gt;.db" in page
    assert "<b>.db" not in page


def test_a_market_is_named_with_its_best_auc(tmp_path: Path) -> None:
    write(walk((1,), "reversal", 0.5451), tmp_path)
    page = (tmp_path / "walkforward.html").read_text()
    assert "synthetic market <strong>reversal</strong>" in page
    assert "The best possible AUC on this market is 0.545" in page
    assert "best possible" in page


def test_where_a_fold_leaks_no_figure_is_believed(tmp_path: Path) -> None:
    made = walk((1,))
    first, second = made.runs
    made = replace(made, runs=(replace(first, audit="clean"), replace(second, audit="leaking")))
    assert (made.verdict.tone, made.verdict.label) == ("warning", "The evaluation leaks")
    assert "The leak audit of horizon 1, fold 2 says" in made.verdict.sentence
    write(made, tmp_path)
    page = (tmp_path / "walkforward.html").read_text()
    assert "<h1>The evaluation leaks</h1>" in page
    assert '<td data-label="leak audit">clean</td>' in page
    for text in (page, printed(80, print_walk, made)):
        assert " ".join(made.verdict.sentence.split()) in " ".join(text.split())
        assert "than luck" not in text


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "walkforward.html").mkdir()
    with pytest.raises(ReportError, match=r"walkforward\.html: cannot be written"):
        write(walk((1,)), tmp_path)
    assert not (tmp_path / "walkforward.json").exists()


# the terminal


@pytest.mark.parametrize(("width", "tables"), [(40, 6), (80, 2), (117, 2), (118, 1)])
def test_models_stand_side_by_side_as_far_as_there_is_room(width: int, tables: int) -> None:
    names = ("linear", "dnn", "custom_dnn", "rnn", "logistic_regression", "lightgbm")
    frame = predictions(days=40)
    scored = score_horizon(frame.assign(**dict.fromkeys(names, frame["knows"]))[[*frame.columns[:7], *names]], 1)
    made = part_tables(scored, width)
    assert len(made) == tables
    text = printed(width, lambda console: [console.print(table) for table in made])
    for name in names if width >= 80 else ():
        assert re.search(rf"\b{name}\b", text)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_number_is_broken_on_a_narrow_terminal(width: int) -> None:
    made = walk((1,))
    text = printed(width, print_walk, made)
    for part in (*made.horizons[0].folds, *made.horizons[0].years, made.horizons[0].overall):
        for score in part.scores.values():
            assert f"{score.auc.value:.3f}" in text
            assert f"({score.auc.low:.3f}-{score.auc.high:.3f})" in text
    assert max(map(len, text.splitlines())) <= width
    if width >= 80:  # below it, whole cells are folded
        for score in made.horizons[0].overall.scores.values():
            assert f"{score.rank_ic.low:+.3f} to {score.rank_ic.high:+.3f}" in text
        assert "logistic_regression" in text
        assert "2/2 folds" in text
        assert "2/2 years" in text
    assert " ".join(made.findings[0].sentence.split()) in " ".join(text.split())


def test_the_plan_is_shown_with_its_dates() -> None:
    made = walk()
    text = printed(80, print_plan, made.folds, (1, 20), True)
    assert "2 folds, train rolling; horizon 1, 20" in text
    for fold in made.folds:
        for stretch in (fold.train, fold.evaluation, fold.test):
            assert stretch.first in text
            assert stretch.last in text
            assert f"({stretch.sessions})" in text


def test_where_prices_are_wrong_no_figure_is_believed(tmp_path: Path) -> None:
    made = walk((1,))
    first, second = made.runs
    made = replace(made, runs=(first, replace(second, wrong_prices=("A:2020-08-31", "A:2020-09-01"))))
    assert (made.verdict.tone, made.verdict.label) == ("warning", "Wrong prices")
    assert "--accept A:2020-08-31" in made.verdict.sentence
    write(made, tmp_path)
    assert "<h1>Wrong prices</h1>" in (tmp_path / "walkforward.html").read_text()
