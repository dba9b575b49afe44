from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components.errors import SourceError
from components.extractor.sources.base import AdjustedCloses, Factors, History, Steps
from components.extractor.verify import select, verify

DAYS = np.array(["2026-09-14", "2026-09-15", "2026-09-16", "2026-09-17", "2026-09-18"], dtype="datetime64[D]")
LAST = dt.date(2026, 9, 18)


def good(adjustment: Factors | Steps | AdjustedCloses | None = None) -> History:
    return History(
        time=DAYS.copy(),
        open=np.array([10.0, 10.2, 10.1, np.nan, 10.0]),
        high=np.array([10.5, 10.4, 10.3, np.nan, 10.0]),
        low=np.array([9.9, 10.0, 10.1, np.nan, 10.0]),
        close=np.array([10.2, 10.1, 10.3, 10.2, 10.0]),
        volume=np.array([100.0, 0.0, np.nan, 5.0, 1.0]),
        adjustment=adjustment or Steps(np.ones(5)),
    )


def changed(name: str, day: int, value: Any) -> History:
    history = good()
    values = getattr(history, name).copy()
    values[day] = value
    return replace(history, **{name: values})


def test_a_good_history_passes_as_it_is() -> None:
    history = good()
    verified = verify("tencent", "sh600519", history, LAST)
    for name in ("time", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(verified, name), getattr(history, name), equal_nan=name != "time")


def test_an_empty_history_passes() -> None:
    nothing = select(good(), np.zeros(5, dtype=bool))
    assert len(verify("tencent", "sh600519", nothing, LAST)) == 0


@pytest.mark.parametrize(
    ("name", "day", "value", "what"),
    [
        ("time", 2, DAYS[1], "the session is there twice on 2026-09-15"),
        ("time", 3, DAYS[0], "the dates are out of order on 2026-09-14"),
        ("close", 1, 0.0, "the close is no price on 2026-09-15"),
        ("close", 1, -1.0, "the close is no price on 2026-09-15"),
        ("close", 1, np.nan, "the close is no price on 2026-09-15"),
        ("close", 1, np.inf, "the close is no price on 2026-09-15"),
        ("open", 2, 0.0, "the open is no price on 2026-09-16"),
        ("open", 2, np.inf, "the open is no price on 2026-09-16"),
        ("high", 2, -np.inf, "the high is no price on 2026-09-16"),
        ("low", 2, -0.01, "the low is no price on 2026-09-16"),
        ("high", 0, 9.8, "the high is below the low on 2026-09-14"),
        ("close", 0, 10.52, r"the close is outside \[low, high\] on 2026-09-14"),
        ("close", 4, 9.98, r"the close is outside \[low, high\] on 2026-09-18"),
        ("open", 0, 9.88, r"the open is outside \[low, high\] on 2026-09-14"),
        ("open", 1, 10.42, r"the open is outside \[low, high\] on 2026-09-15"),
        ("volume", 3, -1.0, "the volume is impossible on 2026-09-17"),
        ("volume", 3, np.inf, "the volume is impossible on 2026-09-17"),
    ],
)
def test_what_cannot_be_is_refused(name: str, day: int, value: Any, what: str) -> None:
    with pytest.raises(SourceError, match=f"^tencent, share sh600519: {what}") as raised:
        verify("tencent", "sh600519", changed(name, day, value), LAST)
    assert "\n" not in str(raised.value)
    assert "nothing was stored" in str(raised.value)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("kind", ["steps", "factors"])
def test_an_impossible_adjustment_is_refused(kind: str, value: float) -> None:
    values = np.array([1.0, 1.0, value, 1.0, 1.0])
    adjustment = {"steps": Steps(values), "factors": Factors(values)}[kind]
    with pytest.raises(SourceError, match="sina, share sh600519: the adjustment is impossible on 2026-09-16"):
        verify("sina", "sh600519", good(adjustment), LAST)


@pytest.mark.parametrize(("value", "possible"), [(0.0, True), (-1.0, True), (np.nan, False), (np.inf, False)])
def test_an_adjusted_close_may_be_0_or_less(value: float, possible: bool) -> None:
    history = good(AdjustedCloses(np.array([1.0, 1.0, value, 1.0, 1.0]), np.zeros(5, dtype=bool)))
    if possible:
        assert verify("tencent", "sh600519", history, LAST) is not None
        return
    with pytest.raises(SourceError, match="the adjustment is impossible on 2026-09-16"):
        verify("tencent", "sh600519", history, LAST)


def test_prices_that_are_rounded_one_by_one_may_be_half_a_cent_off() -> None:
    verify("yahoo", "AAPL", changed("close", 0, 10.504), LAST)
    with pytest.raises(SourceError, match="close is outside"):
        verify("yahoo", "AAPL", changed("close", 0, 10.506), LAST)


def _with_live_bars(*days: str) -> History:
    """Bars of a session that is still open at the end, impossible ones."""
    history, more = good(), len(days)
    extra = np.full(more, -1.0)
    columns = {name: np.append(getattr(history, name), extra) for name in ("open", "high", "low", "close", "volume")}
    adjustment = AdjustedCloses(np.append(np.full(5, 3.0), extra), np.arange(5 + more) == 2, 3)
    return History(np.append(history.time, np.array(days, dtype="datetime64[D]")), **columns, adjustment=adjustment)


def test_bars_of_open_sessions_are_left_out_before_they_are_judged() -> None:
    verified = verify("yahoo", "AAPL", _with_live_bars("2026-09-21", "2026-09-21"), LAST)
    assert np.array_equal(verified.time, DAYS)
    adjustment = verified.adjustment
    assert adjustment.value.tolist() == [3.0] * 5
    assert adjustment.action.tolist() == [False, False, True, False, False]
    assert adjustment.decimals == 3


def test_a_bar_twice_is_refused_where_its_session_is_closed() -> None:
    with pytest.raises(SourceError, match="there twice on 2026-09-18"):
        verify("yahoo", "AAPL", _with_live_bars("2026-09-18"), LAST)


KEPT = np.array([True, False, True, True, False])


def test_select_keeps_bars_together() -> None:
    chosen = select(good(), KEPT)
    assert len(chosen) == 3
    assert chosen.time.tolist() == DAYS[[0, 2, 3]].tolist()
    assert chosen.close.tolist() == [10.2, 10.3, 10.2]
    assert chosen.low.tolist()[:2] == [9.9, 10.1]
    assert chosen.volume[-1] == 5.0


@pytest.mark.parametrize("kind", [Steps, Factors, AdjustedCloses])
def test_select_keeps_an_adjustment_with_its_days(kind: type[Steps | Factors | AdjustedCloses]) -> None:
    more = (np.array([True, False, False, True, True]), 4) if kind is AdjustedCloses else ()
    chosen = select(good(kind(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), *more)), KEPT).adjustment
    assert type(chosen) is kind
    assert chosen.value.tolist() == [1.0, 3.0, 4.0]
    if kind is AdjustedCloses:
        assert (chosen.action.tolist(), chosen.decimals) == ([True, False, True], 4)
