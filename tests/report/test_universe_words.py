"""What a run says of who was there: on a terminal, and on its page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_made_run import made_run
from judged_runs import model, report
from shown import Page, printed

from components.universe.summary import UniverseSummary
from pipeline.report.page import render_html
from pipeline.report.summary import print_summary
from pipeline.runs.results import SplitResult

ALIVE = UniverseSummary(shares=20)
DEAD = UniverseSummary(shares=30, members=28, without_prices=4, ended=5, delisted=3)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (ALIVE, ("Survivorship: none of 20 shares ever ended.", "awesome members import")),
        (UniverseSummary(shares=1), ("Survivorship: the only share never ended.",)),
        (
            DEAD,
            (
                "Universe: 28 shares are members for a time",
                "Survivorship: the database has no prices of 4 of 32 members",
                "Delistings: of 2 of 5 shares that ended the return after the last price is not known",
            ),
        ),
        (UniverseSummary(shares=3, ended=1), ("Delistings: of the share that ended the return",)),
        (UniverseSummary(shares=3, members=1, ended=1, delisted=1), ("Universe: 1 share is a member for a time",)),
    ],
)
def test_what_makes_figures_too_good_is_said_on_terminal_and_page(
    there: UniverseSummary, said: tuple[str, ...]
) -> None:
    text = printed(2000, print_summary, replace(report({"linear": model(0.5)}), universe=there))
    run, predictions, histories = made_run()
    words = Page(render_html(replace(run, universe=there), predictions, histories)).words()
    for sentence in said:
        assert sentence in text
        assert sentence in words
    assert "Who was there" in words


@pytest.mark.parametrize("there", [None, UniverseSummary(shares=9, deathless=True), UniverseSummary(9, 0, 0, 2, 2)])
def test_nothing_is_said_where_the_dead_are_there_or_nobody_dies(there: UniverseSummary | None) -> None:
    text = printed(200, print_summary, replace(report({"linear": model(0.5)}), universe=there))
    run, predictions, histories = made_run()
    words = Page(render_html(replace(run, universe=there), predictions, histories)).words()
    for word in ("Survivorship", "Universe:", "Delistings", "Who was there"):
        assert word not in text
        assert word not in words


def test_rows_that_were_left_out_are_counted() -> None:
    splits = {
        name: SplitResult("2001-01-02", "2008-12-31", 10, 5, 20, 2000, outside=1200)
        for name in ("train", "eval", "test")
    }
    run = replace(report({"linear": model(0.5)}), universe=DEAD, splits=splits)
    said = "Left out: 3,600 rows of shares that were no members on their day."
    assert said in printed(200, print_summary, run)
    made, predictions, histories = made_run()
    assert said in Page(render_html(replace(made, universe=DEAD, splits=splits), predictions, histories)).words()
