"""Tiingo's replies."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pytest
from test_source_fixtures import days, parsed, reply

from components.errors import SourceError
from components.extractor.sources.registry import get_source


def row(day, price, ratio=1.0, **changes):
    bar = {"open": price, "high": price + 1, "low": price - 1, "close": price, "volume": 100}
    adjusted = {"adjClose": price * ratio, "divCash": 0.0, "splitFactor": 1.0}
    return {"date": f"{day}T00:00:00.000Z", **bar, **adjusted, **changes}


def read(*rows, first="2024-01-01", last="2024-12-31"):
    return parsed("tiingo", "XYZ", first, last, [reply(list(rows))])


def test_a_dividend():
    history = parsed("tiingo", "AAPL", "2020-08-05", "2020-08-11")
    # 0.82 after a close of 455.61: 455.61 / 454.79
    assert history.adjustment.value == pytest.approx([1, 1, 1.00180303, 1, 1], rel=1e-8)


def test_a_split():
    history = parsed("tiingo", "AAPL", "2020-08-27", "2020-09-01")
    assert history.close.tolist() == [500.04, 499.23, 129.04, 134.18]
    assert history.adjustment.value.tolist() == [1, 1, 4, 1]


def test_a_dividend_on_the_day_of_a_split_is_cash_for_a_new_share():
    # 100 before, 2 for 1: 50 in new shares; 1 of cash: 2 * 50 / 49
    history = read(row("2024-01-02", 100.0, 49 / 100), row("2024-01-03", 49.0, divCash=1.0, splitFactor=2.0))
    assert history.adjustment.value == pytest.approx([1, 2.0408163265], rel=1e-9)


def test_the_first_session_has_step_1_after_rows_are_left_out():
    rows = [row("2024-01-02", 100.0, 0.99), row("2024-01-03", 100.0, divCash=1.0), row("2024-01-04", 100.0)]
    assert read(*rows).adjustment.value == pytest.approx([1, 1 / 0.99, 1])
    assert read(*rows, first="2024-01-03").adjustment.value.tolist() == [1, 1]
    assert days(read(*rows, first="2024-01-03", last="2024-01-03")) == ["2024-01-03"]


def test_the_other_convention_of_a_dividend_is_accepted():
    # A total return reinvested at the day's own close, 97 after 100 and a dividend of 2.
    history = read(row("2024-01-02", 100.0, 1 / (1 + 2 / 97)), row("2024-01-03", 97.0, divCash=2.0))
    assert history.adjustment.value[1] == pytest.approx(100 / 98)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        # Told by adjClose alone: a dividend of 0.05 %, a large one, a split.
        (0.9995, {}, "grows by 1.0005 against close on 2024-01-03, but divCash and splitFactor make it 1$"),
        (0.9, {}, "grows by 1.11111"),
        (0.25, {}, "grows by 4 "),
        # Told by divCash or splitFactor alone.
        (1.0, {"divCash": 0.05}, "grows by 1 .* make it 1.0005"),
        (1.0, {"divCash": 20.0}, "make it 1.25"),
        (1.0, {"splitFactor": 2.0}, "make it 2"),
        # A dividend beside a split, told by one side only.
        (0.5 * 0.98, {"splitFactor": 2.0}, "grows by 2.04082 .* make it 2"),
        (0.5, {"splitFactor": 2.0, "divCash": 1.0}, "grows by 2 .* make it 2.04082"),
    ],
)
def test_events_that_contradict_the_adjusted_close(before, after, message):
    with pytest.raises(SourceError) as caught:
        read(row("2024-01-02", 100.0, before), row("2024-01-03", 100.0, **after))
    text = str(caught.value).split("; the reply begins")[0]
    assert text.startswith("tiingo, share XYZ: adjClose")
    assert re.search(message, text), text


def test_adjusted_closes_may_be_rounded_as_they_are_written():
    # 1.00 and 1.01 for 1.004 and 1.006: nothing happened.
    history = read(row("2024-01-02", 10.04, adjClose=1.00), row("2024-01-03", 10.06, adjClose=1.01))
    assert history.adjustment.value.tolist() == [1, 1]


def test_a_dividend_as_large_as_the_price():
    with pytest.raises(SourceError, match="the dividend of 2024-01-03 is 100, but the close before it only 100"):
        read(row("2024-01-02", 100.0), row("2024-01-03", 100.0, divCash=100.0))


def test_dates_are_taken_as_written():
    rows = [row("2024-01-02", 100.0, date=text) for text in ("2024-01-02T00:00:00+09:00", "2024-01-03")]
    assert days(read(*rows)) == ["2024-01-02", "2024-01-03"]


def test_order_and_duplicates_are_kept():
    rows = [row(day, 100.0) for day in ("2024-01-03", "2024-01-02", "2024-01-02")]
    assert days(read(*rows)) == ["2024-01-03", "2024-01-02", "2024-01-02"]


def test_nothing_in_the_range_is_no_error():
    assert len(read()) == 0
    assert len(read().adjustment.value) == 0


def test_a_null_volume():
    assert np.isnan(read(row("2024-01-02", 100.0, volume=None)).volume).tolist() == [True]


def test_final_at_half_past_five():
    assert get_source("tiingo").settle == dt.timedelta(minutes=90)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"date": "2024-01-32T00:00:00.000Z"}, "a date is '2024-01-32' and not a day"),
        ({"date": "2024-01-02 late"}, "a date is '2024-01-02 late', not like"),
        ({"date": 20240102}, "a date is 20240102"),
        ({"close": None}, "close of 2024-01-02 is None and not a number above 0"),
        ({"open": 0}, "open of 2024-01-02 is 0 "),
        ({"high": True}, "high of 2024-01-02 is True"),
        ({"low": -1.0}, "low of 2024-01-02 is -1.0"),
        ({"close": 10**400}, "close of 2024-01-02 is 1000"),
        ({"adjClose": 0.0}, "adjClose of 2024-01-02 is 0.0"),
        ({"divCash": -0.1}, "divCash of 2024-01-02 is -0.1 and not a number"),
        ({"splitFactor": 0.0}, "splitFactor of 2024-01-02 is 0.0"),
        ({"splitFactor": None}, "splitFactor of 2024-01-02 is None"),
        ({"volume": -5}, "the volume of 2024-01-02 is -5"),
    ],
)
def test_values_that_are_not_recognised(changes, message):
    with pytest.raises(SourceError, match=f"^tiingo, share XYZ: {message}.*; the reply begins with"):
        read(row("2024-01-02", 100.0, **changes), row("2024-01-03", 100.0))


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"1e999"])
def test_numbers_that_json_has_not(literal):
    body = reply([row("2024-01-02", 100.0, close=12345)]).body.replace(b"12345", literal)
    with pytest.raises(SourceError, match=r"not whole JSON|close of 2024-01-02 is inf"):
        parsed("tiingo", "XYZ", "2024-01-01", "2024-12-31", [reply(body)])


def test_a_row_without_a_key():
    short = row("2024-01-03", 100.0)
    del short["divCash"]
    with pytest.raises(SourceError, match="row 2 has no divCash"):
        read(row("2024-01-02", 100.0), short)
    with pytest.raises(SourceError, match="row 1 is 7 and not an object"):
        read(7)
