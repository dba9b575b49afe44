"""Prefix replay: what rows know of later days is found, at two strengths each; honest runs pass; the rest is said."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audited_parts import SMALL

from benchmarks.planted_leaks.small_runs import SmallRun, make_run
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_store import FeatureStore, PriceBars
from components.leak_audit.check import Audited
from components.leak_audit.checks.prefix_replay import prefix_replay
from components.leak_audit.results import CheckResult, Status
from components.synthetic_market import Market
from models.features import CLOSES, SHARE_ID, TIME
from models.formatters import DataFormatter
from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
from models.operations import Feature, Kind, Operation

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

MORE_THAN_A_SAMPLE = 9
Spoil = Callable[[LabelledRows], LabelledRows]
Factors = Callable[[int], "np.ndarray[Any, Any]"]


def replayed(run: SmallRun, **changed: Any) -> CheckResult:
    """What the check says of a run, with some settings changed."""
    from components.leak_audit.reading.features import transform_rows
    from components.leak_audit.reading.rows import read_rows
    from models.formatters import get_formatter

    config = replace(run.config, **changed)
    formatter = get_formatter(config.formatter)
    rows = read_rows(run.examples, formatter.sources)
    features = transform_rows(rows, formatter, str(run.graph))
    return prefix_replay(Audited(rows, features, run.schema, str(run.graph), {}, config, config.models[0]))


@pytest.fixture
def spoilt(tmp_path: Path, its_graph: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SmallRun]:
    """A run whose FeatureExampleGen writes something else than `label_rows` gave."""

    def made(spoil: Spoil, shares: int = SMALL.shares) -> SmallRun:
        monkeypatch.setattr(
            "components.feature_example_gen.executor.label_rows", lambda *asked: spoil(label_rows(*asked))
        )
        return make_run(tmp_path, replace(SMALL, shares=shares))

    return made


def with_closes(rows: LabelledRows, closes: Any) -> LabelledRows:
    return replace(rows, columns={**rows.columns, CLOSES: closes.astype(np.float32)})


def test_an_honest_run_passes_and_says_what_was_compared(honest: SmallRun) -> None:
    found = replayed(honest)

    assert found.status is Status.PASSED
    assert found.sentence.startswith("Cut at 8 days, 6 shares give the same ")
    figures = {figure.name: figure.value for figure in found.figures}
    assert figures["values that were compared"] > 400_000
    assert figures["features learned of the train rows that were compared"] == 2


def test_an_honest_run_passes_in_full(honest: SmallRun) -> None:
    found = replayed(honest, full=True)

    assert found.status is Status.PASSED
    figures = {figure.name: figure.value for figure in found.figures}
    assert figures["days that the database was cut at"] > 20
    assert figures["features learned of the train rows that were compared"] == len(WINDOW_RETURNS.features)


@pytest.mark.parametrize(("horizon", "formatter"), [(20, "window_returns"), (1, "closes_with_time")])
def test_a_market_that_reverts_is_honest(tmp_path: Path, horizon: int, formatter: str) -> None:
    asked = replace(SMALL, market="reversal", horizon=horizon, formatter=formatter)

    found = replayed(make_run(tmp_path, asked))

    assert found.status is Status.PASSED, found.sentence


# --- rows that know of later days


@pytest.mark.parametrize("weight", [1 / 3, 0.001])
def test_a_centred_mean_is_found(spoilt: Callable[[Spoil], SmallRun], weight: float) -> None:
    """The newest close is partly that of the next session, as in a mean over the sessions around it."""

    def centred(rows: LabelledRows) -> LabelledRows:
        closes, share = rows.columns[CLOSES].astype(np.float64), rows.columns[SHARE_ID]
        later = np.append(np.arange(1, len(closes)), len(closes) - 1)
        later = np.where(share[later] == share, later, np.arange(len(closes)))
        closes[:, 0] += weight * (closes[later, 0] - closes[:, 0])
        return with_closes(rows, closes)

    found = replayed(spoilt(centred))

    assert found.status is Status.LEAKING
    assert "closes: " in found.sentence
    assert "(number 0)" in found.sentence
    assert " of prices up to 20" in found.sentence


@pytest.mark.parametrize("power", [1.0, 0.001])
def test_a_scale_of_all_days_is_found(spoilt: Callable[[Spoil], SmallRun], power: float) -> None:
    def scaled(rows: LabelledRows) -> LabelledRows:
        closes, share = rows.columns[CLOSES].astype(np.float64), rows.columns[SHARE_ID]
        for name in set(share.tolist()):
            closes[share == name] /= np.mean(closes[share == name]) ** power
        return with_closes(rows, closes)

    assert replayed(spoilt(scaled)).status is Status.LEAKING


def test_a_mean_over_all_shares_is_found_where_it_knows_days_to_come(spoilt: Callable[..., SmallRun]) -> None:
    """A sample of the shares has another mean anyhow: that alone accuses nobody."""

    def less_the_mean(rows: LabelledRows) -> LabelledRows:
        closes = rows.columns[CLOSES]
        return with_closes(rows, closes / closes[:, 0].mean())

    found = replayed(spoilt(less_the_mean, MORE_THAN_A_SAMPLE))

    assert found.status is Status.LEAKING
    assert "closes" in found.sentence


def test_a_mean_over_all_shares_of_the_day_is_honest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def over_the_mean(rows: LabelledRows) -> LabelledRows:
        closes, day = rows.columns[CLOSES], np.unique(rows.columns[TIME], return_inverse=True)[1]
        mean = np.bincount(day, closes[:, 0].astype(float)) / np.bincount(day)
        return with_closes(rows, closes / mean[day][:, None])

    monkeypatch.setattr(
        "components.feature_example_gen.executor.label_rows", lambda *asked: over_the_mean(label_rows(*asked))
    )
    found = replayed(make_run(tmp_path, replace(SMALL, shares=MORE_THAN_A_SAMPLE)))

    assert found.status is Status.PASSED, found.sentence


@pytest.mark.parametrize("rows_restated", [1, 100])
def test_prices_that_are_restated_in_the_examples_are_found(
    spoilt: Callable[[Spoil], SmallRun], monkeypatch: pytest.MonkeyPatch, rows_restated: int
) -> None:
    """What FeatureExampleGen gave is restated afterwards: the database gives other closes."""
    restated = spoilt(lambda rows: restate(rows, rows_restated))
    monkeypatch.setattr("components.feature_example_gen.executor.label_rows", label_rows)

    found = replayed(restated)

    assert found.status is Status.LEAKING
    assert f"({rows_restated:,} rows differ in it)" in found.sentence
    assert "S002, 200" in found.sentence


def restate(rows: LabelledRows, count: int) -> LabelledRows:
    """The last rows of a share that are used, a hundredth of a per cent lower."""
    closes = rows.columns[CLOSES].astype(np.float64)
    used = np.flatnonzero((rows.columns[SHARE_ID] == b"S002") & (rows.split >= 0))
    closes[used[-count:]] *= 0.9999
    return with_closes(rows, closes)


@pytest.mark.parametrize("step", [np.log(2), 0.005])
def test_windows_that_know_the_next_factor_are_found(
    tmp_path: Path, its_graph: None, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """Closes are adjusted by the factor of the session after them, as a wrong join does it."""
    monkeypatch.setattr(
        PriceBars, "adjusted_close", property(lambda bars: bars.close * np.append(bars.factor[1:], bars.factor[-1]))
    )

    found = replayed(make_run(tmp_path, replace(SMALL, bars=paying(step, every=150))))

    assert found.status is Status.LEAKING
    assert "closes: " in found.sentence


# --- factors that PRICE holds on another day


def paying(step: float, every: int, shift: int = 0) -> Callable[[Market, int], PriceBars]:
    """Shares that pay or are split, each on its own days; factors rise `shift` sessions before prices fall."""

    def bars(market: Market, share: int) -> PriceBars:
        steps = np.zeros(len(market.time))
        steps[30 + 7 * share :: every] = step
        close = market.close[:, share] / np.exp(np.cumsum(steps))
        return PriceBars(market.time, close, np.exp(np.cumsum(np.roll(steps, -shift))))

    return bars


@pytest.mark.parametrize(("step", "every"), [(np.log(2), 300), (0.01, 40)])
def test_factors_that_rise_a_session_before_prices_fall_are_found(tmp_path: Path, step: float, every: int) -> None:
    asked = replace(SMALL, shares=12, sessions=700, bars=paying(step, every, shift=1))

    found = replayed(make_run(tmp_path, asked))

    assert found.status is Status.LEAKING
    assert found.sentence.startswith("Factors rise a session before the prices fall for dividends and splits: such as ")


def new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_shares_that_pay_and_are_split_are_honest(tmp_path: Path) -> None:
    found = replayed(make_run(tmp_path, replace(SMALL, bars=paying(0.02, 63))))

    assert found.status is Status.PASSED, found.sentence
    assert "factors step on the days of their prices" in found.sentence


def test_the_shipped_prices_are_honest(tmp_path: Path) -> None:
    from pipeline.job.prices import import_shipped_prices

    with FeatureStore.create(tmp_path / "shipped.db") as store:
        import_shipped_prices(store.path)
    with FeatureStore.open(tmp_path / "shipped.db") as store:
        shipped = [store.bars(one.share_id) for one in store.shares()]

    def bars(market: Market, share: int) -> PriceBars:
        assert shipped[share] is not None
        return shipped[share]

    found = replayed(make_run(new(tmp_path, "run"), replace(SMALL, shares=len(shipped), bars=bars)))

    assert found.status is Status.PASSED, found.sentence
    assert next(one.value for one in found.figures if one.name.startswith("dividends")) > 50


# --- what Transform has learned


@pytest.mark.parametrize("analyzed", [(0, 1, 2), (0, 1)])
def test_scaling_by_other_splits_is_found_by_hand_and_in_full(tmp_path: Path, analyzed: tuple[int, ...]) -> None:
    leaky = make_run(tmp_path, replace(SMALL, analyzed=analyzed))

    for full in (False, True):
        found = replayed(leaky, full=full)

        assert found.status is Status.LEAKING
        assert "log_volatility: " in found.sentence


def own_formatter(name: str, function: Any) -> DataFormatter:
    feature = Feature("own", CLOSES, Operation("OWN", "", function), Kind.SEQUENCE, 21)
    return DataFormatter(name, "", (feature, *WINDOW_RETURNS.features))


def test_what_an_operation_of_ones_own_has_learned_of_other_splits_is_found_in_full(
    tmp_path: Path, declare: Callable[[DataFormatter], None]
) -> None:
    def over_the_largest(closes: Any, feature: Feature) -> Any:
        import tensorflow_transform as tft

        return closes / tft.max(closes)

    declare(own_formatter("over_the_largest", over_the_largest))
    asked = replace(SMALL, shares=3, formatter="over_the_largest")
    leaky = make_run(new(tmp_path, "leaky"), replace(asked, analyzed=(0, 1, 2)))

    found = replayed(leaky, full=True)

    assert found.status is Status.LEAKING
    assert ", own: " in found.sentence


def test_a_feature_that_depends_on_the_other_rows_of_its_batch_is_found(
    tmp_path: Path, declare: Callable[[DataFormatter], None]
) -> None:
    def less_the_mean(closes: Any, feature: Feature) -> Any:
        import tensorflow as tf

        return closes - 1e-3 * tf.reduce_mean(closes, axis=0, keepdims=True)

    declare(own_formatter("less_the_mean", less_the_mean))

    found = replayed(make_run(tmp_path, replace(SMALL, shares=3, formatter="less_the_mean")))

    assert found.status is Status.LEAKING
    assert ", own: " in found.sentence


# --- databases that are not what they were


@pytest.fixture
def copied(honest: SmallRun, tmp_path: Path) -> SmallRun:
    """The honest run with a database of its own, and its record of what it was made of."""
    database = shutil.copy(honest.config.database, tmp_path / "prices.db")
    with FeatureStore.open(database) as store:
        last = str(max(one.last for one in store.shares()))
        config = replace(honest.config, database=database, fingerprint=store.digest(), last_session=last)
    return replace(honest, config=config)


def test_windows_that_are_not_those_of_the_prices_are_found(copied: SmallRun) -> None:
    with sqlite3.connect(copied.config.database) as connection:
        connection.execute("UPDATE PRICE SET close = close * 1.001 WHERE share_id = 'S003' AND time = '2001-03-01'")
    connection.close()

    found = replayed(copied)

    assert found.status is Status.LEAKING
    assert "S003, 2001-03-27, closes: " in found.sentence


def test_new_sessions_change_nothing_and_a_changed_past_is_no_leak(copied: SmallRun) -> None:
    with FeatureStore.create(copied.config.database) as store:
        bars = store.bars("S003")
        assert bars is not None
        later = bars.time[-1] + np.arange(1, 40)
        grown = np.concatenate([bars.time, later]), np.concatenate([bars.close, 50 + np.arange(39.0)])
        store.upsert("S003", PriceBars(*grown, np.ones(len(grown[0]))), source="test")

    assert replayed(copied).status is Status.PASSED

    with FeatureStore.create(copied.config.database) as store:
        changed = bars.close.copy()
        changed[200] *= 1.001
        store.upsert("S003", PriceBars(bars.time, changed, bars.factor), source="test")
    found = replayed(copied)

    assert found.status is Status.NOT_APPLICABLE
    assert found.sentence.startswith("Nothing was replayed: the database has changed since the run (such as S003, ")


def test_windows_without_prices_and_runs_without_a_database_are_not_judged(copied: SmallRun, tmp_path: Path) -> None:
    with sqlite3.connect(copied.config.database) as connection:
        connection.execute("DELETE FROM PRICE")
    connection.close()

    assert "windows without the prices" in replayed(copied).sentence
    assert "is not there" in replayed(copied, database=str(tmp_path / "gone.db")).sentence
    assert "how these examples were made" in replayed(copied, splits=None).sentence
    for changed in ({}, {"database": ""}, {"splits": None}):
        assert replayed(copied, **changed).status is Status.NOT_APPLICABLE
