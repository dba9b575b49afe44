"""`awesome run --compare-formatters --compare-labels` from end to end, and that the test split decides nothing."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jobs import SETTINGS, SHARES, Job, awesome, succeeded

from components.synthetic_market import generate, write_market
from components.trials.record import read_record, record_path

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

SESSIONS, TESTED = 450, 360
"""Of the market, and the place of the first session of the test split."""

ASKED = (
    *("--compare-formatters", "window_returns,closes", "--compare-labels", "outperform"),
    *("--models", "linear", "--no-audit"),
)


def made(folder: Path, turned: bool) -> Path:
    """A market; turned, all test days have other returns, and so their rows other labels."""
    market = generate("reversal_easy", shares=SHARES, sessions=SESSIONS)
    close = market.close.copy()
    if turned:
        close[TESTED:] = close[TESTED - 1] ** 2 / close[TESTED:]
    folder.mkdir()
    (folder / "awesome.toml").write_text(
        f'split_dates = ["{market.time[300]}", "{market.time[TESTED]}"]\nembargo = 5\n{SETTINGS}'
    )
    moved, bars = close / market.close, market.bars
    bars = replace(bars, open=bars.open * moved, high=bars.high * moved, low=bars.low * moved)
    write_market(replace(market, close=close, bars=bars), folder / "awesome.db")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Job:
    return succeeded(made(tmp_path_factory.mktemp("compared") / "as-it-is", False), "run", *ASKED, "--output", "out")


@pytest.fixture(scope="module")
def compared(run: Job) -> Any:
    return run.report()["comparison"]


def test_the_run_is_made_with_the_chosen_one_and_trains_it_once(run: Job, compared: Any) -> None:
    report = run.report()
    chosen = compared["combinations"][compared["chosen"]]
    assert {one["formatter"] for one in compared["combinations"]} == {"window_returns", "closes"}
    assert (report["settings"]["formatter"], report["settings"]["label"]) == (chosen["formatter"], "outperform")
    assert chosen["rank_ic"]["value"] == max(one["rank_ic"]["value"] for one in compared["combinations"])
    assert "Trainer.linear" in report["cached"]
    assert run.out.count("✓ Evaluator") == run.out.count("✓ Evidence") == 1
    assert report["splits"]["eval"]["first"] <= compared["first"] < compared["last"] < report["splits"]["test"]["first"]


def test_terminal_and_page_show_the_table(run: Job, compared: Any) -> None:
    assert "Compared on the eval split" in run.out
    assert "Which formatter, which label?" in (run.folder / "out/report.html").read_text()
    assert "Chosen on the eval split" in succeeded(run.folder, "evaluate", "out").out


def test_the_chosen_model_predicts_by_the_command_that_is_said(run: Job) -> None:
    command = run.out.partition("The model predicts by: ")[2].splitlines()[0]
    said = succeeded(run.folder, *shlex.split(command)[1:]).out
    assert all(f"S{share:03}" in said for share in range(SHARES))


def test_those_that_were_not_chosen_are_tries_on_the_test_days(run: Job, compared: Any) -> None:
    record = read_record(record_path(run.folder / "awesome.db"))
    candidates, [own] = record.trials[:2], record.trials[2:]
    chosen = compared["combinations"][compared["chosen"]]["formatter"]
    assert [one.kind for one in candidates] == ["comparison"] * 2
    assert own.kind == "run"
    lost = [one for one in candidates if one.compared_for]
    assert [one.asked["formatter"] for one in lost] == [name for name in ("window_returns", "closes") if name != chosen]
    first, last = lost[0].compared_for
    assert first <= own.days[0] < own.days[-1] <= last
    hurdle = run.report()["tries"]["hurdle"]
    assert (hurdle["runs"], hurdle["tries"]) == (1, 1)
    assert hurdle["needed"] > hurdle["first"]


def test_the_labels_of_the_test_split_change_nothing_that_is_chosen_by(
    compared: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = succeeded(made(tmp_path_factory.mktemp("turned") / "turned", True), "run", *ASKED, "--output", "out")
    assert other.report()["comparison"] == compared  # to the last bit
    assert other.report()["models"]["linear"]["auc"] != pytest.approx(0.5, abs=1e-6)


def test_a_second_time_nothing_is_trained_and_no_try_is_new(run: Job, compared: Any) -> None:
    before = record_path(run.folder / "awesome.db").read_text()
    again = succeeded(run.folder, "run", *ASKED, "--output", "again")
    for line in again.out.splitlines():
        if "✓ Trainer" in line or "✓ EvalAnswers" in line or "✓ Transform" in line:
            assert line.endswith("from the cache")
    assert again.report("again")["comparison"] == compared
    assert record_path(run.folder / "awesome.db").read_text() == before


def test_one_share_is_refused_before_anything_is_trained(run: Job) -> None:
    refused = awesome(run.folder, "run", *ASKED, "--shares", "S000")
    assert refused.code == 1
    assert refused.err.startswith("awesome: compare_formatters: what is compared is how shares of a day are ranked")
    assert "Trainer" not in refused.out
