"""Day-wide columns: their values beside pandas', and that a row knows no later days and needs no earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.day_wide.columns import COLUMNS, DayColumn, columns_of, reach_of, width_of
from models.day_wide.prices import DayPrices, Floats, ShareCloses, sessions_needed, span
from models.day_wide.rows import DayRows, Values

SHARES = [f"S{at:02}" for at in range(12)]
LONGEST = reach_of(COLUMNS)
DAYS = np.busday_offset("2010-01-04", np.arange(sessions_needed(LONGEST) + 80))


def closes(missing: float = 0.0, seed: int = 0) -> list[ShareCloses]:
    """Random walks that share a market; each share but the first lacks some sessions."""
    rng = np.random.default_rng(seed)
    moves = 0.01 * rng.standard_normal((len(DAYS), 1)) + 0.02 * rng.standard_normal((len(DAYS), len(SHARES)))
    levels = 50 * np.exp(np.cumsum(moves, axis=0))
    there = rng.random(levels.shape) >= missing
    there[:, 0] = True
    opened = levels * np.exp(0.01 * rng.standard_normal(levels.shape))
    wide = np.exp(0.01 * rng.random(levels.shape))
    bars = {"open": opened, "high": np.maximum(opened, levels) * wide, "low": np.minimum(opened, levels) / wide}
    bars["volume"] = np.rint(1e6 * np.exp(0.5 * rng.standard_normal(levels.shape)))
    return [
        ShareCloses(
            share,
            DAYS[there[:, at]],
            np.ascontiguousarray(levels[there[:, at], at]),
            bars={name: values[there[:, at], at] for name, values in bars.items()},
        )
        for at, share in enumerate(SHARES)
    ]


def since(one: ShareCloses, first: np.datetime64) -> ShareCloses:
    kept = one.days >= first
    return replace(one, days=one.days[kept], close=one.close[kept], bars={n: v[kept] for n, v in one.bars.items()})


def look_up(shares: Sequence[ShareCloses], market: Sequence[str] = SHARES, day: np.datetime64 | None = None) -> Values:
    """All columns of all shares on one day, the last one of all by default."""
    rows = DayRows.of(DayPrices(shares, market), list(COLUMNS))
    names = [one.share_id for one in shares]
    return rows.look_up(names, np.full(len(names), DAYS[-1] if day is None else day))


def as_table(shares: Sequence[ShareCloses]) -> pd.DataFrame:
    return pd.DataFrame({one.share_id: pd.Series(one.close, one.days) for one in shares})


def ranks(table: pd.DataFrame) -> Floats:
    """Of the last row: pandas' ranks, from -1/2 to 1/2."""
    last = table.iloc[-1]
    return ((last.rank() - 0.5) / last.count() - 0.5).to_numpy()


def test_returns_less_the_markets_are_pandas() -> None:
    shares = closes()
    returns = np.log(as_table(shares)).diff()
    expected = returns.sub(returns.mean(axis=1), axis=0).tail(20).T.to_numpy()

    np.testing.assert_allclose(look_up(shares)["market_relative_returns"], expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("steps", [1, 5, 20])
def test_ranks_of_returns_are_pandas(steps: int) -> None:
    shares = closes()
    expected = ranks(np.log(as_table(shares)).diff(steps))

    np.testing.assert_allclose(look_up(shares)[f"day_rank_{steps}"], expected, rtol=0, atol=1e-7)


def test_ranks_of_a_window_are_pandas_of_each_day_the_oldest_first() -> None:
    shares = closes()
    returns = np.log(as_table(shares)).diff()
    expected = np.array([ranks(returns.iloc[: len(DAYS) - ago]) for ago in reversed(range(20))]).T

    np.testing.assert_allclose(look_up(shares)["day_ranks"], expected, rtol=0, atol=1e-7)


def test_ranks_of_a_window_are_known_from_the_sessions_that_are_read_whoever_was_gone() -> None:
    """The share's window spans what it may, and on its oldest day another one has been gone for as long as it may."""
    table = as_table(closes()[:4])
    last = len(DAYS) - 1
    ranked = last - span(20) + 1  # the session of the oldest return, which began the day before
    there = {one: np.ones(len(DAYS), bool) for one in ("S00", "S01", "S02", "S03")}
    there["S01"][ranked + 1 :] = False
    there["S01"][np.linspace(ranked, last, 20).round().astype(int)] = True
    there["S02"][ranked - span(1) + 1 : ranked] = False
    shares = [ShareCloses(one, DAYS[at], table[one].to_numpy()[at]) for one, at in there.items()]
    begins = DAYS[len(DAYS) - 1 - sessions_needed(20)]
    short = [ShareCloses(o.share_id, o.days[o.days >= begins], o.close[o.days >= begins]) for o in shares]

    def of(some: Sequence[ShareCloses]) -> Floats:
        found = DayRows.of(DayPrices(some, list(there)), ["day_ranks"]).look_up(["S01"], DAYS[-1:])["day_ranks"]
        return np.asarray(found)

    assert not np.isnan(of(shares)).any()
    np.testing.assert_array_equal(of(short), of(shares))


def test_ranks_of_volatility_are_pandas() -> None:
    shares = closes()
    returns = np.log(as_table(shares)).diff()
    relative = returns.sub(returns.mean(axis=1), axis=0)
    expected = ranks((relative**2).rolling(20).mean())

    np.testing.assert_allclose(look_up(shares)["day_rank_volatility"], expected, rtol=0, atol=1e-7)


def test_equal_values_share_their_place() -> None:
    shares = [ShareCloses(f"S{at}", DAYS, np.full(len(DAYS), 10.0 + at)) for at in range(4)]
    moved = ShareCloses("UP", DAYS, np.linspace(10, 20, len(DAYS)))

    found = look_up([*shares, moved], [f"S{at}" for at in range(4)] + ["UP"])["day_rank_1"]

    np.testing.assert_allclose(found, [-0.1, -0.1, -0.1, -0.1, 0.4])


def test_a_share_that_missed_sessions_is_compared_with_the_market_of_all_of_them() -> None:
    shares = closes()
    table = np.log(as_table(shares))
    gone = slice(len(DAYS) - 4, len(DAYS) - 1)  # three sessions before the last
    late = shares[3]
    shares[3] = ShareCloses(late.share_id, np.delete(late.days, gone), np.delete(late.close, gone))

    found = look_up(shares)["market_relative_returns"][3, -1]

    others = table.drop(columns="S03").diff()
    market = others.mean(axis=1).iloc[-4:]  # while it was gone it was none of the market
    market.iloc[-1] = (others.iloc[-1].sum() + table["S03"].iloc[-1] - table["S03"].iloc[-5]) / len(SHARES)
    expected = table["S03"].iloc[-1] - table["S03"].iloc[-5] - market.sum()
    assert found == pytest.approx(expected, abs=1e-7)


def test_a_share_of_no_market_is_compared_with_it_and_changes_nothing_of_it() -> None:
    shares = closes()
    without = look_up(shares[:-1], SHARES[:-1])
    beside = look_up(shares, SHARES[:-1])

    for name, values in without.items():
        np.testing.assert_array_equal(beside[name][:-1], values)
    returns = np.log(as_table(shares)).diff().iloc[-1]
    assert beside["market_relative_returns"][-1, -1] == pytest.approx(returns["S11"] - returns[:-1].mean(), abs=1e-7)
    below = (returns.iloc[:-1] < returns["S11"]).mean()
    assert beside["day_rank_1"][-1] == pytest.approx(below - 0.5, abs=1e-7)


@pytest.mark.parametrize("missing", [0.0, 0.05])
@pytest.mark.parametrize("back", [0, 1, 17, 60])
def test_a_row_has_the_same_bits_whatever_comes_after_it_and_needless_days_before_it(missing: float, back: int) -> None:
    shares = closes(missing)
    now = DAYS[-1 - back]
    begins = DAYS[len(DAYS) - 1 - back - sessions_needed(LONGEST)]
    whole = look_up(shares, day=now)
    cut = [one.until(now) for one in shares]
    short = [since(one, begins) for one in cut]

    for part in (cut, short, short[::-1]):
        found = look_up(part, day=now)
        order = [SHARES.index(one.share_id) for one in part]
        for name, values in whole.items():
            np.testing.assert_array_equal(found[name], values[order], err_msg=name)
    assert not np.isnan(whole["market_relative_returns"][0]).any()


@pytest.mark.parametrize("column", COLUMNS.values(), ids=list(COLUMNS))
def test_a_column_reaches_back_as_far_as_it_says_and_no_further(column: DayColumn) -> None:
    name, reach = column.name, column.reach
    shares = closes()
    before = look_up(shares)[name]

    def changed(ago: int) -> bool:
        rng = np.random.default_rng(1)
        other = []
        for one in shares:
            moved = np.ones(len(DAYS))
            moved[len(DAYS) - 1 - ago] = np.exp(rng.standard_normal())
            bars = {name: one.bars[name] * moved ** (10 + rng.random()) for name in column.bars}
            other.append(replace(one, close=one.close * moved, bars=one.bars | bars))
        return not np.array_equal(look_up(other)[name], before)

    assert changed(reach)
    assert changed(0) is (name != "day_rank_252_21")  # which skips the last month
    assert not changed(reach + 1)


def test_a_share_with_too_few_sessions_has_no_value() -> None:
    shares = closes()
    young = shares[5]
    shares[5] = ShareCloses(young.share_id, young.days[-20:], young.close[-20:])

    found = look_up(shares)

    assert np.isnan(found["market_relative_returns"][5]).all()
    assert np.isnan(found["day_rank_20"][5])
    assert not np.isnan(found["day_rank_5"][5])
    assert not np.isnan(found["day_rank_20"][np.arange(12) != 5]).any()


def test_a_day_or_share_that_is_not_there_has_no_value() -> None:
    rows = DayRows.of(DayPrices(closes(), SHARES), ["day_rank_1"])

    found = rows.look_up(["S00", "NONE"], np.array(["2010-01-09", "2010-03-01"], "datetime64[D]"))["day_rank_1"]

    assert np.isnan(found).all()


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    rows = DayRows.of(DayPrices(closes(0.05), SHARES), list(COLUMNS))
    rows.write(tmp_path)
    again = DayRows.open(tmp_path)

    day = np.full(len(SHARES), DAYS[-1])
    for name, values in rows.look_up(SHARES, day).items():
        np.testing.assert_array_equal(again.look_up(SHARES, day)[name], values)


def test_what_a_formatter_reads_decides_how_far_back_it_reaches() -> None:
    assert reach_of(["closes", "share_id"]) == 20
    assert columns_of(["closes", "day_rank_5", "share_id"]) == ("day_rank_5",)
    assert (width_of("market_relative_returns"), width_of("day_rank_5"), width_of("time")) == (20, 1, 1)


def test_a_share_is_of_the_market_on_the_days_on_which_it_belongs_to_it() -> None:
    shares = closes()
    gone = shares[3]
    member = np.ones(len(DAYS), bool)
    member[-8:] = False
    shares[3] = ShareCloses(gone.share_id, gone.days, gone.close, member)

    found = look_up(shares)

    returns = np.log(as_table(shares)).diff().tail(20)
    market = returns.mean(axis=1)
    market.iloc[-8:] = returns.drop(columns="S03").mean(axis=1).iloc[-8:]
    np.testing.assert_allclose(
        found["market_relative_returns"], returns.sub(market, axis=0).T.to_numpy(), rtol=0, atol=1e-7
    )
    others = ranks(returns.drop(columns="S03"))
    np.testing.assert_allclose(np.delete(found["day_rank_1"], 3), others, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "steps", "until", "over"),
    [
        ("momentum_5", 5, 0, 60),
        ("momentum_20", 20, 0, 60),
        ("momentum_60", 60, 0, 60),
        ("momentum_252_21", 252, 21, 252),
    ],
)
def test_momentum_is_pandas(name: str, steps: int, until: int, over: int) -> None:
    shares = closes()
    returns = np.log(as_table(shares)).diff()
    relative = returns.sub(returns.mean(axis=1), axis=0)
    moved = relative.rolling(steps - until).sum().shift(until).iloc[-1]
    size = np.sqrt((relative**2).rolling(over).mean().iloc[-1] * (steps - until))

    np.testing.assert_allclose(look_up(shares)[name], moved / size, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "steps", "until"), [("day_rank_60", 60, 0), ("day_rank_252_21", 252, 21)])
def test_long_ranks_are_pandas(name: str, steps: int, until: int) -> None:
    shares = closes()
    logs = np.log(as_table(shares))

    np.testing.assert_allclose(look_up(shares)[name], ranks(logs.shift(until) - logs.shift(steps)), rtol=0, atol=1e-7)


@pytest.mark.parametrize("steps", [60, 252])
def test_long_volatilities_are_pandas(steps: int) -> None:
    shares = closes()
    returns = np.log(as_table(shares)).diff()
    relative = returns.sub(returns.mean(axis=1), axis=0)
    expected = 0.5 * np.log((relative**2).rolling(steps).mean().iloc[-1])

    np.testing.assert_allclose(look_up(shares)[f"log_volatility_{steps}"], expected, rtol=0, atol=1e-5)


def test_what_never_moves_has_no_momentum() -> None:
    shares = [ShareCloses(f"S{at}", DAYS, np.full(len(DAYS), 10.0 + at)) for at in range(3)]

    found = look_up(shares, ["S0", "S1", "S2"])

    assert found["momentum_252_21"].tolist() == [0, 0, 0]
    assert np.isfinite(found["log_volatility_252"]).all()
