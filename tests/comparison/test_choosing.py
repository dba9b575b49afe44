"""Which combination is chosen, and by which figures: against pandas' own rank correlation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn_answers import DAYS, SHARES, answered

from components.comparison.choosing import ComparisonError, compare, tries_of
from components.evidence.tried import days_of
from components.trials.hurdle import hurdle
from components.trials.record import Record, parse_record, render_record


def rank_ic(rows: pd.DataFrame, name: str) -> float:
    of_day = rows.groupby("time")[[name, "forward_return"]]
    return float(of_day.apply(lambda day: day[name].corr(day["forward_return"], method="spearman")).mean())


def test_the_combination_of_the_best_model_is_chosen() -> None:
    some = [
        answered("closes", "up", 1, linear=0.1, rnn=0.5),
        answered("window_returns", "up", 2, linear=0.1, rnn=0.9),
        answered("window_returns", "outperform", 3, linear=0.4, rnn=0.1),
    ]
    found = compare(some, 1, 0)
    assert (found.winner.formatter, found.winner.label, found.winner.best) == ("window_returns", "up", "rnn")
    assert [one.best for one in found.combinations] == ["rnn", "rnn", "linear"]
    for one, of in zip(found.combinations, some, strict=True):
        assert one.rank_ic.value == pytest.approx(rank_ic(of.rows, one.best), abs=1e-12)
        assert one.models["linear"].value == pytest.approx(rank_ic(of.rows, "linear"), abs=1e-12)
        assert one.rank_ic.low < one.rank_ic.value < one.rank_ic.high
    assert (found.rows, found.days) == (SHARES * DAYS, DAYS)


def test_what_is_behind_is_paired_by_days() -> None:
    some = [answered("closes", "up", 1, linear=0.3), answered("window_returns", "outperform", 1, linear=0.9)]
    behind = compare(some, 1, 0).combinations[0].behind
    assert behind is not None
    assert behind.value == pytest.approx(rank_ic(some[0].rows, "linear") - rank_ic(some[1].rows, "linear"), abs=1e-12)
    assert behind.high < 0
    # Both have the same noise, so their difference is known better than either.
    apart = [one.rank_ic for one in compare(some, 1, 0).combinations]
    assert behind.high - behind.low < min(one.high - one.low for one in apart)


def test_a_label_is_no_advantage() -> None:
    """The same answers have the same rank IC whatever they were asked, and of equals the first is chosen."""
    some = [answered("closes", "up", 1, linear=0.5), answered("closes", "outperform", 1, linear=0.5)]
    found = compare(some, 1, 0)
    assert found.combinations[0].rank_ic == found.combinations[1].rank_ic
    assert found.combinations[0].auc != found.combinations[1].auc
    assert found.chosen == 0
    assert compare(some[::-1], 1, 0).winner.label == "outperform"
    behind = found.combinations[1].behind
    assert behind is not None
    assert (behind.value, behind.low, behind.high) == (0, 0, 0)
    assert not found.combinations[1].clearly_behind


def test_only_rows_that_all_have_are_compared() -> None:
    first, second = answered("closes", "up", 1, linear=0.2), answered("closes", "outperform", 2, linear=0.4)
    shorter = replace(second, rows=second.rows.iloc[3 * SHARES :].sample(frac=1, random_state=1))
    found = compare([first, shorter], 1, 0)
    assert (found.rows, found.days) == (SHARES * (DAYS - 3), DAYS - 3)
    assert found.combinations[0].rank_ic.value == pytest.approx(rank_ic(first.rows.iloc[3 * SHARES :], "linear"))
    assert found.combinations[1].rank_ic.value == pytest.approx(rank_ic(shorter.rows, "linear"))


def test_a_baseline_stands_beside_each() -> None:
    some = [answered("closes", "up", 1, baseline=0.7, linear=0.2), answered("closes", "outperform", 2, linear=0.1)]
    one = compare(some, 1, 0).combinations[0]
    assert one.baseline == "logistic_regression"
    assert one.baseline_rank_ic.value == pytest.approx(rank_ic(some[0].rows, one.baseline))


def test_what_cannot_be_compared_is_said_in_a_line() -> None:
    some = [answered("closes", "up", 1, linear=0.2), answered("closes", "outperform", 2, linear=0.1)]
    alone = [replace(one, rows=one.rows[one.rows["share_id"] == "S00"]) for one in some]
    with pytest.raises(ComparisonError, match="no day of the eval split has two shares that a model tells apart"):
        compare(alone, 1, 0)
    before, after = some[0].rows.iloc[:SHARES], some[1].rows.iloc[SHARES:]
    with pytest.raises(ComparisonError, match="have no row of the eval split in common"):
        compare([replace(some[0], rows=before), replace(some[1], rows=after)], 1, 0)


def test_each_counts_as_a_try_and_the_chosen_one_once() -> None:
    some = [answered(name, "up", seed, linear=0.2, rnn=0.1) for seed, name in enumerate(("a", "b", "c"))]
    tested = (20210101, 20210630)
    tries = tries_of(some, 1, tested, 1, 0)
    assert [one.asked["formatter"] for one in tries] == ["a", "b", "c"]
    assert {one.kind for one in tries} == {"comparison"}
    assert [one.compared_for for one in tries] == [tested, (), tested]
    days = tuple(sorted(set(days_of(some[0].rows).tolist())))
    assert all(one.days == days for one in tries)

    record = parse_record(render_record(Record(True, tries)), "a record")
    assert [(one.id, one.compared_for) for one in record.trials] == [(one.id, one.compared_for) for one in tries]
    seen = replace(tries[1], id="the run", kind="run", days=(20210104, 20210105), compared_for=())
    found = hurdle(record, seen)
    # Those that lost, two models each; what it asks is more than of a first run.
    assert (found.runs, found.tries) == (2, 4)
    assert found.needed > found.first
    # On days that none was compared for they do not count, and on those that they were seen on all do.
    assert hurdle(record, replace(seen, days=(20210701,))).runs == 0
    assert hurdle(record, replace(seen, days=days[-1:])).runs == 3
    assert len(record.on([20210301])) == len(record.between(20210201, 20210210)) == 2
    assert len(record.between(20190101, 20211231)) == 3


def test_the_same_answers_are_the_same_try() -> None:
    some = [answered("a", "up", 1, linear=0.2), answered("b", "up", 2, linear=0.1)]
    first, again = (tries_of(some, 0, (20210101, 20210630), 1, 0) for _ in range(2))
    assert [one.id for one in first] == [one.id for one in again]
    assert np.isfinite([model.auc for one in first for model in one.models]).all()
