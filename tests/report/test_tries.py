"""The section on tries, and the sentences under a run's table."""

from __future__ import annotations

import dataclasses

import numpy as np
from hand_made_run import made_run
from rich.console import Console
from shown import Page

from components.evidence.tried import days_of
from components.trials.hurdle import hurdle
from components.trials.record import NO_RECORD, Record, Series, Trial, TriedModel
from pipeline.report.page import render_html
from pipeline.report.summary import print_summary
from pipeline.report.tries import MOST_SHOWN, consequences
from pipeline.runs.results import RunReport
from pipeline.runs.tries import list_tries


def tried(number: int, days: list[int]) -> Trial:
    influence = np.random.default_rng(number).normal(size=len(days)) * 1e-3
    model = TriedModel("linear", 0.51, 0.01, number == 1, 2.0, f"a{number}", Series.of(influence))
    asked = {"models": "<linear>", "formatter": "window_returns", "seed": str(number)}
    time = f"2026-01-01T{number // 60:02d}:{number % 60:02d}:00Z"
    return Trial(f"{number:016x}", time, "run", asked, 1, f"r{number}", tuple(days), (model,))


def run_after(earlier: int, complete: bool = True) -> RunReport:
    """A run after so many tries on its test days."""
    report, predictions, _ = made_run()
    days = sorted({int(day) for day in days_of(predictions)})
    trials = [tried(number, days) for number in range(1, earlier + 2)]
    gaps = () if complete else (NO_RECORD,)
    before = hurdle(Record(complete, tuple(trials[:-1]), gaps), trials[-1])
    tries = list_tries(Record(complete, tuple(trials), gaps), days, before, trials[-1].id)
    return dataclasses.replace(report, tries=tries)


def words_of(report: RunReport) -> str:
    _, predictions, histories = made_run()
    return Page(render_html(report, predictions, histories)).words()


def test_a_first_run_says_that_it_is_the_first() -> None:
    words = words_of(run_after(0))
    assert "This run is the first to look at these 120 test days (2012-09-03 to 2013-02-15)." in words
    assert "An AUC has to lie 1.96 standard errors above 1/2 to be blessed." in words
    assert "50% of the test stretch is left" in words
    assert "lower bound" not in words


def test_a_later_run_says_how_many_were_before_it_and_what_is_left() -> None:
    report = run_after(3, complete=False)
    words = words_of(report)
    assert "At least 4 tries looked at these 120 test days (2012-09-03 to 2013-02-15), this run among them." in words
    assert f"Their number is a lower bound: {NO_RECORD}." in words
    assert "This run was judged after 3 earlier tries of 3 different models." in words
    assert report.tries is not None
    assert report.tries.hurdle is not None
    assert f"an AUC has to lie {report.tries.hurdle.needed:.2f} standard errors above 1/2" in words
    assert "a test split that begins after 2013-02-15 has been seen by no try that is known" in words
    assert "a test split that begins after 2013-02-15 has been seen by nobody" in words_of(run_after(3))
    assert "2026-01-01 00:04 UTC run (this run) <linear>, window_returns, horizon 1, seed 4" in words
    assert "0.510 (0.490-0.530) linear linear" in words  # the first was blessed

    console = Console(width=1000, record=True)
    print_summary(report, console)
    printed = console.export_text()
    assert "At least 4 tries looked at these 120 test days" in printed
    assert "of the test stretch is left" in printed


def test_days_are_new_after_those_that_this_run_saw_itself() -> None:
    before, own = tried(1, [20120903, 20120904]), tried(2, [20120904, 20120905])
    record = Record(True, (before, own))
    tries = list_tries(record, own.days, hurdle(Record(True, (before,)), own), own.id)
    assert any("begins after 2012-09-05 has been seen by nobody" in sentence for sentence in consequences(tries))


def test_a_page_shows_the_last_of_many_tries() -> None:
    words = words_of(run_after(MOST_SHOWN + 9))
    assert f"{MOST_SHOWN + 10} tries looked at these" in words
    assert f"The last {MOST_SHOWN} tries; report.json has all" in words
    assert "seed 10 " not in words
    assert "seed 11 " in words


def test_a_report_of_an_older_version_says_nothing_of_tries() -> None:
    report, _, _ = made_run()
    assert report.tries is None
    assert "looked at these" not in words_of(report)
