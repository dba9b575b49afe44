"""Splits and dividends that Yahoo names, and whether its prices show them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from test_source_fixtures import parsed, reply
from test_source_yahoo import result

from components.extractor.sources.base import History

FIRST, LAST = "2024-01-02", "2024-12-31"
DAYS = [str(day) for day in np.arange("2024-01-02", "2024-07-01", dtype="datetime64[D]") if np.is_busday(day)]
SPLIT = 90
"""The session of the split."""
RATIOS = [10, 2, 3, 1.5, 1 / 190, 1 / 10, 1 / 2, 20, 1.3]


def walk(seed: int = 0) -> np.ndarray:
    """Closes without any split, about 50."""
    return 50 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.015, len(DAYS))))


def chart(closes: np.ndarray, ratio: float, *, day: str = DAYS[SPLIT], dividends=(), adjclose=None) -> dict:
    parts = (ratio, 1.0) if ratio > 1 else (1.0, 1 / ratio)
    closes = closes.astype(np.float32).astype(float)
    answer = result(dict(zip(DAYS, closes.tolist(), strict=True)), [(day, *parts)] if ratio != 1 else [], dividends)
    quote = answer["indicators"]["quote"][0]
    quote.update(open=quote["close"], high=quote["close"], low=quote["close"])
    given = closes if adjclose is None else adjclose
    answer["indicators"]["adjclose"] = [{"adjclose": given.tolist()}]
    return answer


def read(answer: dict, first: str = FIRST, last: str = LAST) -> History:
    return parsed("yahoo", "XYZ", first, last, [reply({"chart": {"result": [answer], "error": None}})])


def doubted(answer: dict, **days: str) -> list[str]:
    return sorted({str(doubt.day) for doubt in read(answer, **days).doubts})


def before(count: int) -> np.ndarray:
    return np.arange(len(DAYS)) < count


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_split_that_the_closes_show_is_no_doubt(ratio: float) -> None:
    history = read(chart(walk(), ratio))
    assert history.doubts == ()
    factor = np.cumprod(history.adjustment.value)
    # What was traded, times the factor, is the walk.
    np.testing.assert_allclose(history.close * factor / walk(), history.close[0] / walk()[0], rtol=5e-5)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("times", [1, -1])
def test_a_split_that_is_not_applied_or_applied_twice(ratio: float, times: int) -> None:
    closes = walk() * np.where(before(SPLIT), ratio**times, 1)
    assert doubted(chart(closes, ratio)) == [DAYS[SPLIT]]


@pytest.mark.parametrize("ratio", [10, 2, 1 / 190, 1 / 10])
@pytest.mark.parametrize("part", [slice(0, 40), slice(40, SPLIT)], ids=["old closes", "late closes"])
def test_a_split_that_is_applied_to_a_part_of_the_closes(ratio: float, part: slice) -> None:
    closes = walk()
    closes[part] *= ratio
    assert DAYS[40] in doubted(chart(closes, ratio))


@pytest.mark.parametrize("ratio", [10, 1 / 190])
def test_a_split_after_the_last_day_wanted_changed_the_prices_too(ratio: float) -> None:
    assert doubted(chart(walk() * np.where(before(SPLIT), ratio, 1), ratio), last=DAYS[60]) == [DAYS[SPLIT]]
    assert doubted(chart(walk(), ratio), last=DAYS[60]) == []


def test_a_split_on_a_day_without_a_row_is_that_of_the_next_one() -> None:
    friday = next(at for at in range(60, 100) if dt.date.fromisoformat(DAYS[at]).weekday() == 4)
    saturday = str(dt.date.fromisoformat(DAYS[friday]) + dt.timedelta(days=1))
    assert doubted(chart(walk(), 10, day=saturday)) == []
    unapplied = walk() * np.where(before(friday + 1), 10, 1)
    assert doubted(chart(unapplied, 10, day=saturday)) == [DAYS[friday + 1]]


def test_a_price_before_a_reverse_split_keeps_its_digits() -> None:
    closes = walk() / 1000
    history = read(chart(closes * np.where(before(SPLIT), 1000, 1) * np.where(before(SPLIT), 1, 1000), 1 / 1000))
    assert history.close[0] == pytest.approx(closes[0], rel=1e-5)
    assert len(set(history.close[:SPLIT].tolist())) > 80


def test_a_price_of_today_is_rounded_as_ever() -> None:
    assert read(chart(np.full(len(DAYS), 130.123412), 1)).close[0] == 130.1234


@pytest.mark.parametrize("cash", [5.0, 20.0, 40.0])
def test_a_dividend_that_no_price_shows(cash: float) -> None:
    """Of 10 % of the price and more, while neither the close nor the adjusted close has moved."""
    assert doubted(chart(walk(), 1, dividends=[(DAYS[SPLIT], cash)])) == [DAYS[SPLIT]]


@pytest.mark.parametrize("cash", [0.2, 2.5, 20.0])
def test_a_dividend_that_the_prices_show(cash: float) -> None:
    closes = walk()
    closes[SPLIT:] *= 1 - cash / closes[SPLIT - 1]
    adjusted = closes * np.where(before(SPLIT), 1 - cash / closes[SPLIT - 1], 1)
    assert doubted(chart(closes, 1, dividends=[(DAYS[SPLIT], cash)], adjclose=adjusted)) == []


@pytest.mark.parametrize("seed", range(20))
def test_ordinary_shares_are_in_no_doubt(seed: int) -> None:
    """Days of minus ten per cent among them, and a split of 11 for 10."""
    closes = walk(seed) * np.where(before(30), 1, 0.9)
    assert doubted(chart(closes, 1.1)) == []
