"""A comparison of formatters and labels on a terminal and on the page of its run."""

from __future__ import annotations

from dataclasses import replace

from hand_made_run import made_run
from made_comparison import FOUND, figure
from shown import Page, assert_needs_nothing_from_elsewhere, printed

from components.records import from_json, to_json
from pipeline.report.comparison_table import print_comparison
from pipeline.report.page import render_html
from pipeline.runs.results import RunReport


def test_the_table_fits_80_columns_the_best_first() -> None:
    text = printed(80, print_comparison, FOUND)
    assert max(map(len, text.splitlines())) <= 80
    words = text.split()
    for word in ("+0.023", "(+0.013", "+0.033)", "chosen", "-0.002", "(-0.006", "custom_dnn", "107,500"):
        assert word in words
    for interval in ("(+0.013 +0.033)", "(-0.006 +0.002)", "(-0.022 -0.002)", "(-0.005 +0.035)"):
        assert interval in text
    places = [text.index(name) for name in ("a_formatter", "window_returns", "closes_with", "no rank IC")]
    assert places == sorted(places)
    assert "Chosen on the eval split: a_formatter_of_mine_with_a_long_name, outperform." in " ".join(words)
    assert "2 of the 3 others are within the interval of the difference" in " ".join(words)
    assert "the test split was looked at for the chosen one alone" in " ".join(words)


def test_what_leads_beyond_its_interval_is_said_to() -> None:
    clear = replace(FOUND, combinations=(FOUND.combinations[2], FOUND.combinations[1]))
    said = " ".join(printed(100, print_comparison, clear).split())
    assert "Every other combination is behind it by more than its interval." in said
    ahead = replace(FOUND.winner, baseline_rank_ic=figure(0.5))
    behind_baseline = replace(FOUND, combinations=(FOUND.combinations[0], ahead))
    said = " ".join(printed(100, print_comparison, behind_baseline).split())
    assert "A baseline on the same features, logistic regression, ranks the shares better than it." in said


def test_the_page_shows_it_and_the_file_keeps_it() -> None:
    report, predictions, histories = made_run()
    report = replace(report, comparison=FOUND)
    page = render_html(report, predictions, histories)
    assert_needs_nothing_from_elsewhere(page)
    words = Page(page).words()
    assert "Which formatter, which label?" in words
    assert "custom_dnn +0.023 +0.013 to +0.033 chosen 0.512 0.502 to 0.522 +0.015 -0.005 to +0.035 logistic" in words
    assert "Which formatter" not in Page(render_html(replace(report, comparison=None), predictions, histories)).words()
    kept = from_json(RunReport, to_json(report)).comparison
    assert kept is not None
    assert to_json(kept) == to_json(FOUND)
