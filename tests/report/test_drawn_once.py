"""A run whose steps all came from the cache takes its charts from the last one, and says all else anew."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hand_made_run import Run, made_run
from shown import Page

from components.evidence.tried import days_of
from components.records import to_json
from components.tear_sheet.results import SignalFigures
from components.tear_sheet.signal import Signal, read_signals
from components.trials.record import Record, Series, Trial, TriedModel
from pipeline.report.drawn import signals_of
from pipeline.report.page import render_html, write_report
from pipeline.runs.results import RunReport
from pipeline.runs.tries import list_tries


def after(earlier: int) -> Run:
    """A run after so many tries on its test days, at a minute of its own, all from the cache."""
    report, predictions, histories = made_run(champion=True, days=200)
    days = [int(day) for day in days_of(predictions)]
    trials = [
        Trial(
            f"{number:016x}", f"2026-01-01T00:{number:02d}:00Z", "run", {"models": "linear"}, 1, f"r{number}",
            tuple(days), (TriedModel("linear", 0.51, 0.01, False, 2.0, f"a{number}", Series.of([0.001] * len(days))),),
        )
        for number in range(earlier + 1)
    ]  # fmt: skip
    tries = list_tries(Record(True, tuple(trials), ()), days, None, trials[-1].id)
    created = f"2026-01-01T00:{earlier:02d}:30+00:00"
    seconds = dict.fromkeys(report.seconds, 0.5 + earlier)
    return (
        replace(report, created=created, seconds=seconds, cached=tuple(seconds), tries=tries),
        predictions,
        histories,
    )


def test_the_page_of_a_later_run_is_that_which_would_be_drawn_anew(tmp_path: Path) -> None:
    keep = tmp_path / "drawn.json"
    assert render_html(*after(0), keep=keep) == render_html(*after(0))
    written = keep.stat().st_mtime_ns
    for earlier in (1, 4):
        page = render_html(*after(earlier), keep=keep)
        assert page == render_html(*after(earlier))
        words = Page(page).words()
        assert f"{earlier + 1} tries looked at these 200 test days" in words
        assert f"00:{earlier:02d}" in words
    assert keep.stat().st_mtime_ns == written  # so it was read


def changed(report: RunReport, model: str) -> RunReport:
    """Another AUC of a model."""
    return replace(report, models={**report.models, model: replace(report.models[model], auc=0.61, auc_high=0.65)})


def swapped(shares: list[str]) -> list[str]:
    """Shares that answer for each other from the middle of the days on."""
    half = len(shares) // 2
    return shares[:half] + shares[half:][::-1]


@pytest.mark.parametrize(
    "change",
    [
        lambda report, rows, histories: (replace(report, champion="dnn"), rows, histories),
        lambda report, rows, histories: (changed(report, "rnn"), rows, histories),
        lambda report, rows, histories: (report, rows.assign(rnn=1 - rows["rnn"]), histories),
        lambda report, rows, histories: (report, rows.assign(share_id=swapped(rows["share_id"].to_list())), histories),
        lambda report, rows, histories: (report, rows, histories | {"dnn": histories["dnn"].iloc[:2]}),
        lambda report, rows, histories: (
            replace(report, settings={**report.settings, "horizon": 5}),
            rows,
            histories,
        ),
    ],
    ids=["champion", "a figure", "answers", "shares", "a training", "horizon"],
)
def test_what_differs_in_a_chart_is_drawn(change: Callable[..., Run], tmp_path: Path) -> None:
    keep = tmp_path / "drawn.json"
    before = render_html(*after(0), keep=keep)
    report, predictions, histories = change(*after(0))
    anew = render_html(report, predictions, histories)
    assert render_html(report, predictions, histories, keep=keep) == anew != before


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"x\\n{}"])
def test_a_file_that_is_not_one_is_written_anew(content: bytes, tmp_path: Path) -> None:
    keep = tmp_path / "drawn.json"
    keep.write_bytes(content)
    assert render_html(*after(0), keep=keep) == render_html(*after(0))
    assert keep.read_bytes() != content


def test_signals_are_read_once_of_the_same_predictions(tmp_path: Path) -> None:
    _, predictions, _ = made_run(champion=True, days=200)
    read: list[int] = []

    def signals(rows: pd.DataFrame) -> Mapping[str, SignalFigures]:
        def anew() -> dict[str, Signal]:
            read.append(len(rows))
            return read_signals(rows, ["dnn"], 1)

        return signals_of(rows, ["dnn"], 1, anew, tmp_path / "signals.json")

    first = signals(predictions)
    assert to_json(signals(predictions)) == to_json(first)
    assert read == [1000]
    assert signals(predictions.iloc[:900]) != first
    assert read == [1000, 900]


def test_the_portfolio_of_a_later_run_is_taken_from_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = tmp_path / "drawn.json"
    first = write_report(*after(0), tmp_path / "first", keep=keep).portfolio
    assert first is not None
    monkeypatch.setattr("pipeline.report.backtest.backtest", None)  # nothing can be traded from here on
    report, predictions, histories = after(2)
    # The page of a run may be made again of what report.json says.
    for again in (report, replace(report, portfolio=first)):
        assert to_json(write_report(again, predictions, histories, tmp_path / "later", keep=keep).portfolio) == to_json(
            first
        )


def test_a_file_that_cannot_be_written_costs_no_page(tmp_path: Path) -> None:
    assert render_html(*after(0), keep=tmp_path / "not there" / "drawn.json") == render_html(*after(0))


@pytest.mark.slow
def test_nothing_that_draws_is_imported_for_what_was_drawn(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from hand_made_run import made_run
from pipeline.report.page import render_html, write_report
print(len(render_html(*made_run(), keep=Path({str(tmp_path / "drawn.json")!r}))))
print(*sorted({{"matplotlib", "sklearn.metrics", "empyrical"}} & set(sys.modules)))
"""
    first, second = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.splitlines()
        for _ in range(2)
    )
    assert first[0] == second[0]
    assert first[1] != second[1] == ""
