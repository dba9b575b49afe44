"""Copies planted in whole small runs, and rows dropped behind their back: each must be caught, and the run stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited_parts import audited_by

from benchmarks.planted_leaks.small_runs import Asked, make_run
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_store import PriceBars
from components.leak_audit.checks import completeness, split_proof, twins
from components.leak_audit.results import Status
from components.synthetic_market import Market
from models.features import label_key

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def twins_later(count: int, sessions: int, factor: float) -> Callable[[Market, int], PriceBars]:
    """Of the shares, the last `count` are the first ones, some sessions later and times a factor."""

    def bars(market: Market, share: int) -> PriceBars:
        first_twin = market.close.shape[1] - count
        close = market.close[:, share]
        if share >= first_twin:
            close = np.roll(market.close[:, share - first_twin], sessions) * factor
            # Before the twin begins it has a past of its own.
            close[:sessions] = market.close[:sessions, share] * (close[sessions] / market.close[sessions, share])
        close = np.ascontiguousarray(close)
        return PriceBars(market.time, close, np.ones_like(close))

    return bars


@pytest.mark.parametrize(("count", "factor"), [(1, 1.0), (3, 0.013)])
def test_shares_under_another_name_with_shifted_days_are_caught_by_the_twins(
    tmp_path: Path, its_graph: None, count: int, factor: float
) -> None:
    run = make_run(tmp_path, Asked(shares=6, sessions=520, bars=twins_later(count, 220, factor)))

    report = audited_by(run, twins.NAME, completeness.NAME)

    found = report.check(twins.NAME)
    assert found.status is Status.LEAKING
    assert report.verdict == "leaking"
    # They came from the database, so nothing is missing and nothing is added.
    assert report.check(completeness.NAME).status is Status.PASSED


@pytest.mark.parametrize("part", [0.05, 0.5])
def test_test_rows_that_are_dropped_because_they_fell_are_caught_by_completeness(
    tmp_path: Path, its_graph: None, monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    def spoil(rows: LabelledRows) -> LabelledRows:
        fell = (rows.split == 2) & (rows.columns[label_key(1)] == 0)
        gone = fell & (np.random.default_rng(0).random(len(fell)) < part)
        return replace(rows, split=np.where(gone, -1, rows.split))

    monkeypatch.setattr("components.feature_example_gen.executor.label_rows", lambda *asked: spoil(label_rows(*asked)))

    report = audited_by(make_run(tmp_path, Asked(shares=6, sessions=520)), completeness.NAME, split_proof.NAME)

    found = report.check(completeness.NAME)
    assert found.status is Status.LEAKING
    assert "rows that the database gives are not in the examples" in found.sentence
    assert report.check(split_proof.NAME).status is Status.PASSED
