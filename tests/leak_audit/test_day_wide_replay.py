"""Day-wide columns under audit: an honest run passes every check, and one that knows later days is found by replay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from audited_parts import SMALL, accusing, audited_by

from benchmarks.planted_leaks.small_runs import SmallRun, make_run
from components.feature_store import PriceBars
from components.leak_audit.checks import completeness, prefix_replay, split_proof
from components.leak_audit.results import Status
from components.synthetic_market import Market
from models.day_wide import columns
from models.day_wide.prices import DayPrices, Floats

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

MADE = replace(SMALL, market="residual_reversal", formatter="market_relative")
Plant = Callable[[str, Callable[[DayPrices, Floats], Floats]], None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    return make_run(tmp_path_factory.mktemp("market_relative"), MADE)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Spoils what makes a column, in a run and where it is replayed: both are the same code."""

    def planted(name: str, spoil: Callable[[DayPrices, Floats], Floats]) -> None:
        honest = columns.COLUMNS[name]
        spoilt = replace(honest, make=lambda prices: spoil(prices, honest.make(prices)))
        holding = {
            one.name: columns.side_by_side(one.name, [spoilt if part is honest else part for part in one.parts])
            for one in columns.COLUMNS.values()
            if honest in one.parts
        }
        known = MappingProxyType({**columns.COLUMNS, name: spoilt, **holding})
        monkeypatch.setattr("models.day_wide.rows.COLUMNS", known)

    return planted


def status_of(run: SmallRun, check: str) -> tuple[Status, str]:
    [found] = audited_by(run, check).checks
    return found.status, found.sentence


def test_an_honest_run_passes_every_check(run: SmallRun) -> None:
    report = audited_by(run, *accusing())

    accused = {check.name: check.sentence for check in report.checks if check.status not in _INNOCENT}
    assert accused == {}
    by_name = {check.name: check for check in report.checks}
    for name in (prefix_replay.NAME, completeness.NAME, "label proof", split_proof.NAME):
        assert by_name[name].status is Status.PASSED, name
    assert "market_relative_returns" in by_name["future canary"].sentence


_INNOCENT = (Status.PASSED, Status.NOT_APPLICABLE, Status.INFORMATION)


def test_a_thousandth_of_the_return_of_the_next_session_is_found(tmp_path: Path, plant: Plant) -> None:
    def with_the_next(prices: DayPrices, values: Floats) -> Floats:
        later = np.append(values[1:], np.nan)
        later[np.append(prices.start[1:] != prices.start[:-1], True)] = np.nan
        return values + 0.001 * np.nan_to_num(later)

    plant("market_relative_returns", with_the_next)
    status, sentence = status_of(make_run(tmp_path, MADE), prefix_replay.NAME)

    assert status is Status.LEAKING
    assert "market_relative_returns: " in sentence


def test_a_figure_of_all_days_is_found(tmp_path: Path, plant: Plant) -> None:
    plant("day_rank_20", lambda prices, values: values - np.nanmean(prices.moved(20)))
    status, sentence = status_of(make_run(tmp_path, MADE), prefix_replay.NAME)

    assert status is Status.LEAKING
    assert "day_rank_20: " in sentence


def test_a_market_that_trades_a_day_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest: Any = DayPrices.__dict__["market"].func
    monkeypatch.setattr(DayPrices, "market", property(lambda prices: np.append(honest(prices)[1:], 0.0)))

    status, sentence = status_of(make_run(tmp_path, MADE), prefix_replay.NAME)

    assert status is Status.LEAKING
    assert "market_relative_returns: " in sentence


def test_columns_that_the_database_does_not_give_are_named(run: SmallRun, plant: Plant) -> None:
    plant("day_rank_5", lambda prices, values: values + 0.001)

    for name in (completeness.NAME, prefix_replay.NAME):
        status, sentence = status_of(run, name)
        assert status is Status.LEAKING
        assert "day_rank_5" in sentence


def test_a_formatter_that_reads_a_year_back_passes_with_an_embargo_of_a_year(tmp_path: Path) -> None:
    year = replace(MADE, market="momentum_year", formatter="momentum", sessions=1650, embargo=253)
    report = audited_by(make_run(tmp_path, year), *_REPLAYED)

    assert {check.name: check.status for check in report.checks} == dict.fromkeys(_REPLAYED, Status.PASSED)


def whole_bars(market: Market, share: int) -> PriceBars:
    bars = (of[:, share] for of in (market.bars.open, market.bars.high, market.bars.low, market.bars.volume))
    close = np.ascontiguousarray(market.close[:, share])
    return PriceBars(market.time, close, np.ones_like(close), *bars)


BARS = replace(SMALL, market="volume_reversal", formatter="market_activity", sessions=900, embargo=61, bars=whole_bars)


def test_a_formatter_of_whole_bars_passes_and_one_that_knows_the_next_volume_does_not(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, plant: Plant
) -> None:
    report = audited_by(make_run(tmp_path, BARS), *_REPLAYED)
    assert {check.name: check.status for check in report.checks} == dict.fromkeys(_REPLAYED, Status.PASSED)

    def with_the_next(prices: DayPrices, values: Floats) -> Floats:
        last = np.append(prices.start[1:] != prices.start[:-1], True)
        return values + np.where(last, 0.0, 0.001 * np.append(np.diff(prices.logs("volume")), 0.0))

    plant("volume_shock_20", with_the_next)
    status, sentence = status_of(make_run(tmp_path_factory.mktemp("planted"), BARS), prefix_replay.NAME)
    assert status is Status.LEAKING
    assert "volume_shock_20: " in sentence


_REPLAYED = (split_proof.NAME, completeness.NAME, "label proof", prefix_replay.NAME, "scaling")


def test_an_embargo_that_is_shorter_than_the_reach_is_named(run: SmallRun) -> None:
    assert run.config.splits is not None
    further = replace(run.config, splits=replace(run.config.splits, reach=252), embargo=253)

    status, sentence = status_of(replace(run, config=further), split_proof.NAME)

    assert status is Status.LEAKING
    assert "the embargo of 253 allows 0" in sentence
