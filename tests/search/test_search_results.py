"""What trials come to: which is the best, and whether it is better by more than noise."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import made_searches
import numpy as np
import pytest
from made_searches import AUC, BLOCKS, DAYS, LOSS, NOISE, OWN, OWN_WITH_UNITS, of_days, report
from rich.console import Console
from scipy import stats
from shown import assert_needs_nothing_from_elsewhere

from pipeline.studies.search.page import render_search
from pipeline.studies.search.results import SearchReport, results, write_search
from pipeline.studies.search.running import how_to_use
from pipeline.studies.search.study import Ended
from pipeline.studies.search.table import print_search


def test_a_gain_is_paired_and_its_interval_holds_for_all_others_together() -> None:
    others = [of_days(0.5 + NOISE[0] + 0.01 * NOISE[1] + 0.002), of_days(0.5 + NOISE[2]), of_days(0.5 + NOISE[3])]
    made = results([OWN, *others], AUC, BLOCKS)
    assert math.isnan(made[0].gain.value)
    differences = 0.01 * NOISE[1] + 0.002
    error = differences.std() / math.sqrt(DAYS)
    assert made[1].gain.value == pytest.approx(differences.mean())
    assert made[1].gain.standard_error == pytest.approx(error, rel=0.08)
    # Three comparisons with 5 % for all of them: each is made at 5/3 %.
    reach = stats.t.ppf(1 - 0.05 / 3 / 2, BLOCKS.degrees) * made[1].gain.standard_error
    assert made[1].gain.low == pytest.approx(made[1].gain.value - reach)
    # What both owe to the same days is no difference between them.
    assert made[1].figure.standard_error > 20 * made[1].gain.standard_error


def test_beyond_noise_is_said_only_where_it_is() -> None:
    sure = report(OWN, of_days(0.52 + NOISE[0] + 0.01 * NOISE[1]), of_days(0.5 + NOISE[2]))
    assert (sure.best.number if sure.best else 0, sure.verdict.label) == (2, "Better than the settings")
    lucky = report(OWN, of_days(0.501 + NOISE[1] - NOISE[1].mean() + OWN.value - 0.5), of_days(0.4 + NOISE[2]))
    assert (lucky.best.number if lucky.best else 0, lucky.verdict.label) == (2, "Within noise")
    assert "a difference within noise" in lucky.verdict.sentence
    worse = report(OWN, of_days(0.45 + NOISE[0]))
    assert worse.verdict.label == "Nothing better was found"


def test_with_several_seeds_an_interval_knows_of_them_too() -> None:
    own = replace(OWN, by_seed=(0.49, 0.5, 0.51))
    other = replace(of_days(0.52 + NOISE[0] + 0.01 * NOISE[1]), by_seed=(0.5, 0.52, 0.56))
    one = results([OWN, replace(other, by_seed=())], AUC, BLOCKS)[1].gain
    several = results([own, other], AUC, BLOCKS)[1].gain
    assert several.value == one.value
    between = np.var([0.01, 0.02, 0.05], ddof=1) / 3
    both = one.standard_error**2 + between
    assert several.standard_error == pytest.approx(math.sqrt(both))
    degrees = both**2 / (one.standard_error**4 / BLOCKS.degrees + between**2 / 2)
    assert several.high - several.value == pytest.approx(stats.t.ppf(0.975, degrees) * math.sqrt(both))
    # Beyond the noise of the days, and not beyond that of the seeds.
    assert report(OWN, replace(other, by_seed=())).verdict.label == "Better than the settings"
    assert report(own, other).verdict.label == "Within noise"
    assert "the mean of 3 seeds" in report(own, other).verdict.sentence


def test_a_loss_is_better_where_it_is_lower() -> None:
    found = report(of_days(0.01 + NOISE[0]), of_days(-0.01 + NOISE[0] + 0.001 * NOISE[1]), metric=LOSS)
    assert found.best is not None
    assert found.best.number == 2
    assert found.best.gain.value == pytest.approx(0.02, abs=1e-3)
    assert found.verdict.label == "Better than the settings"


def test_what_has_no_figure_is_neither_best_nor_compared() -> None:
    diverged = Ended({"rate": 9.0}, math.nan, np.array([]), 1.0, "training diverged")
    found = report(OWN, diverged, of_days(0.52 + NOISE[0] + 0.01 * NOISE[1]))
    assert [one.number for one in found.ranked] == [3, 1]
    alone = report(OWN, found_other := of_days(0.52 + NOISE[0] + 0.01 * NOISE[1]))
    assert found_other.why == ""
    assert found.ranked[0].gain == alone.ranked[0].gain
    assert report(diverged).verdict.label == "No trial has a figure"
    assert report(diverged).best_hyperparameters == {}
    # Where the settings' own has none there is nothing to be better than.
    assert report(diverged, OWN).verdict.label == "Nothing to compare"


def test_the_settings_go_with_what_was_found() -> None:
    found = report(OWN, of_days(0.52 + NOISE[0], rate=0.0321, units=(16, 8)))
    assert found.best_hyperparameters == {"epochs": 3, "rate": 0.0321, "units": (16, 8)}


@pytest.fixture
def many() -> SearchReport:
    return made_searches.many()


def test_the_table_fits_eighty_columns(many: SearchReport) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    print_search(many, console)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "The best 10 of 26 trials" in text
    assert "the settings' own" in text
    assert "1 trial has no figure: training <diverged>." in text
    # No number is cut.
    for one in many.ranked[:10]:
        assert f"{one.figure.value:.4f}" in text
        assert f"{one.figure.low:.4f} to {one.figure.high:.4f}" in text


def test_the_page_needs_nothing_from_elsewhere_and_escapes(many: SearchReport) -> None:
    page = render_search(many)
    assert_needs_nothing_from_elsewhere(page)
    assert "training &lt;diverged&gt;" in page
    assert page.count("<figure") == 3  # the trials, the rate, the units
    for one in many.ranked:
        told = f"{one.figure.value:.4f} ({one.figure.low:.4f} to {one.figure.high:.4f})"
        assert f'"trial {one.number}: {told}"' in page, "a chart that is asked answers"
    assert render_search(many) == page


def test_a_search_without_a_figure_says_why_and_leaves_nothing_to_run_with(tmp_path: Path) -> None:
    nothing = report(Ended({"rate": 9.0, "units": (8,)}, math.nan, np.array([]), 1.0, "training diverged"))
    console = Console(width=80, record=True, file=io.StringIO())
    print_search(nothing, console)
    assert console.export_text().split() == "No trial has a figure: training diverged.".split()
    page = render_search(nothing)
    assert "No trial has a figure" in page
    assert nothing.command not in page
    assert how_to_use(nothing) == ""
    write_search(nothing, page, tmp_path)
    assert json.loads((tmp_path / "best.json").read_text()) == {"rnn": {}}


def test_only_what_is_better_than_the_settings_is_to_be_run_with() -> None:
    better, worse = (
        replace(report(OWN_WITH_UNITS, of_days(at + NOISE[0], units=(8,))), command="awesome run --this")
        for at in (0.6, 0.4)
    )
    assert (how_to_use(better).count(better.command), render_search(better).count(better.command)) == (1, 1)
    assert worse.verdict.label == "Nothing better was found"
    assert how_to_use(worse) == ""
    assert worse.command not in render_search(worse)


def test_the_files_say_what_was_found(many: SearchReport, tmp_path: Path) -> None:
    write_search(many, "page", tmp_path)
    assert json.loads((tmp_path / "best.json").read_text()) == {
        "rnn": {name: list(v) if isinstance(v, tuple) else v for name, v in many.best_hyperparameters.items()}
    }
    held = json.loads((tmp_path / "search.json").read_text())
    assert held["verdict"]["label"] == many.verdict.label
    assert len(held["trials"]) == 27
    assert held["trials"][26]["figure"]["value"] is None
