from __future__ import annotations

import numpy as np
import pytest
from gappy import sessions

from components.missing_sessions.holidays import are_holidays, beyond_holidays


def weekdays_off(exchange: str, first: str = "2015-01-05", last: str = "2024-12-20") -> np.ndarray:
    days = np.arange(first, last, dtype="datetime64[D]")
    return np.setdiff1d(days[np.is_busday(days)], sessions(exchange, first, last))


def look_like_holidays(days: np.ndarray, first: str = "2015-01-05", last: str = "2024-12-20") -> bool:
    return are_holidays(days, *(int(np.datetime64(day, "D").astype(int)) for day in (first, last)))


@pytest.mark.parametrize("exchange", ["XNYS", "XLON", "XETR", "XTSE", "XASX", "XTKS", "XJSE", "BVMF", "XSHG", "XSTO"])
@pytest.mark.parametrize("first", ["2015-01-05", "2021-03-01"])
def test_holidays_come_again(exchange: str, first: str) -> None:
    assert look_like_holidays(weekdays_off(exchange, first), first)


@pytest.mark.parametrize("count", [5, 30, 120, 190])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_days_do_not(count: int, seed: int) -> None:
    days = sessions("XNYS")
    assert not look_like_holidays(np.sort(np.random.default_rng(seed).choice(days, count, replace=False)))


def test_a_suspension_does_not_come_again() -> None:
    assert not look_like_holidays(sessions("XNYS")[100:130])


def test_a_year_tells_nothing() -> None:
    days = weekdays_off("XNYS", "2023-01-05", "2024-12-20")
    assert not look_like_holidays(days, "2023-01-05")


@pytest.mark.parametrize("exchange", ["XSHG", "XTAI", "XKRX", "XIDX", "XTKS"])
@pytest.mark.parametrize("year", range(2005, 2024))
def test_no_exchange_closes_so_often_that_rows_must_be_missing(exchange: str, year: int) -> None:
    for first, last in [
        (f"{year}-01-02", f"{year}-12-31"),
        (f"{year}-01-15", f"{year}-03-10"),
        (f"{year}-09-20", f"{year + 1}-03-01"),
    ]:
        days = np.arange(first, last, dtype="datetime64[D]")
        days = days[np.is_busday(days)]
        assert not beyond_holidays(~np.isin(days, sessions(exchange, first, last))).any()


def test_more_than_holidays() -> None:
    lacking = np.zeros(600, dtype=bool)
    lacking[50:61] = True  # eleven in a row
    lacking[100:110] = True  # ten are a long festival
    assert np.flatnonzero(beyond_holidays(lacking)).tolist() == list(range(50, 61))
    lacking[300:560:7] = True  # 38 within a year
    lacking[599] = True  # and one that lies more than a year behind the festival
    found = beyond_holidays(lacking)
    assert found[300:560:7].all()
    assert not beyond_holidays(lacking[:0]).any()
