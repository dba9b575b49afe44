"""Yahoo's replies."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from test_source_fixtures import days, parsed, reply

from components.errors import SourceError

FIRST, LAST = "2024-01-02", "2024-01-31"


def stamp(day, clock="14:30"):
    return int(dt.datetime.fromisoformat(f"{day}T{clock}:00+00:00").timestamp())


def result(closes, splits=(), dividends=(), **changes):
    """A chart of sessions by day; prices are the close and 1 more or less."""
    stamps = [stamp(day) for day in closes]
    values = list(closes.values())

    def column(add):
        return [None if value is None else value + add for value in values]

    quote = {"open": column(0), "high": column(1), "low": column(-1), "close": values, "volume": [800] * len(values)}
    return {
        "meta": {"currency": "USD", "symbol": "XYZ", "exchangeTimezoneName": "America/New_York", "gmtoffset": -18000},
        "timestamp": stamps,
        "events": {
            "dividends": {str(stamp(day)): {"amount": amount, "date": stamp(day)} for day, amount in dividends},
            "splits": {
                str(stamp(day)): {
                    "date": stamp(day),
                    "numerator": new,
                    "denominator": old,
                    "splitRatio": f"{new}:{old}",
                }
                for day, new, old in splits
            },
        },
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": values}]},
        **changes,
    }


def read(chart, first=FIRST, last=LAST):
    return parsed("yahoo", "XYZ", first, last, [reply({"chart": {"result": [chart], "error": None}})])


def test_a_dividend_before_a_split_that_comes_after_the_range():
    history = parsed("yahoo", "AAPL", "2020-08-05", "2020-08-10")
    assert days(history) == ["2020-08-05", "2020-08-06", "2020-08-07", "2020-08-10"]
    # Raw again: 4 for 1 came on 2020-08-31.
    assert history.close.tolist() == [440.25, 455.61, 444.45, 450.91]
    assert history.high.tolist() == [441.57, 457.65, 454.70, 455.10]
    assert history.volume.tolist() == [30_498_000, 50_607_200, 49_511_400, 53_100_900]
    # 0.205 of today's shares were 0.82 then: 455.61 / 454.79
    assert history.adjustment.value == pytest.approx([1, 1, 1.00180303, 1], rel=1e-8)


def test_a_split_inside_of_the_range_and_the_row_of_today_twice():
    history = parsed("yahoo", "AAPL", "2020-08-27", "2020-08-31")
    assert days(history) == ["2020-08-27", "2020-08-28", "2020-08-31"]
    assert history.close.tolist() == [500.04, 499.23, 129.04]
    assert history.volume.tolist() == [38_888_100, 46_907_500, 225_702_700]
    assert history.adjustment.value.tolist() == [1, 1, 4]
    # The raw close times the factor moves as the split-adjusted close does.
    factor = np.cumprod(history.adjustment.value)
    assert (history.close * factor)[2] / history.close[1] == pytest.approx(4 * 129.04 / 499.23)


def test_dates_are_those_of_the_exchange():
    # 23:00 UTC of the day before is 10:00 in Sydney.
    assert days(parsed("yahoo", "BHP.AX", "2024-03-04", "2024-03-05")) == ["2024-03-04", "2024-03-05"]


def test_several_splits_are_undone_by_day():
    chart = result(
        {"2024-01-02": 10.0, "2024-01-03": 11.0, "2024-01-04": 12.0},
        splits=[("2024-01-03", 3, 2), ("2024-01-04", 1, 4)],
    )
    history = read(chart)
    # 3 for 2 and then 1 for 4: 10 * 1.5 / 4, 11 / 4, 12
    assert history.close.tolist() == [3.75, 2.75, 12.0]
    assert history.volume == pytest.approx([800 / 0.375, 3200, 800])
    assert history.adjustment.value.tolist() == [1, 1.5, 0.25]


def test_a_dividend_on_the_day_of_a_split():
    chart = result({"2024-01-02": 125.0, "2024-01-03": 124.0}, [("2024-01-03", 4, 1)], [("2024-01-03", 1.25)])
    # 500 before, 125 in new shares, 1.25 of cash for each: 4 * 125 / 123.75
    assert read(chart).adjustment.value == pytest.approx([1, 4.0404040404], rel=1e-9)


def test_an_event_on_a_day_that_is_left_out_counts_for_the_next_session():
    closes = {"2024-01-02": 100.0, "2024-01-03": None, "2024-01-04": 50.0}
    history = read(result(closes, [("2024-01-03", 2, 1)], [("2024-01-03", 1.0)]))
    assert history.close.tolist() == [200, 50]
    assert history.adjustment.value == pytest.approx([1, 2 * 100 / 99])


def test_two_splits_of_one_closed_time():
    closes = {"2024-01-02": 100.0, "2024-01-03": None, "2024-01-04": 50.0}
    history = read(result(closes, [("2024-01-03", 2, 1), ("2024-01-04", 3, 1)]))
    assert history.close.tolist() == [600, 50]
    assert history.adjustment.value.tolist() == [1, 6]


def test_the_first_session_has_step_1():
    closes = {"2024-01-02": 100.0, "2024-01-03": 50.0}
    history = read(result(closes, [("2024-01-03", 2, 1)], [("2024-01-03", 1.0)]), first="2024-01-03")
    assert days(history) == ["2024-01-03"]
    assert history.adjustment.value.tolist() == [1]


def test_the_noise_of_float32_is_rounded_away():
    chart = result({"2024-01-02": float(np.float32(440.25 / 28)), "2024-01-03": 5.0}, [("2024-01-03", 28, 1)])
    assert chart["indicators"]["quote"][0]["close"][0] * 28 != 440.25
    assert read(chart).close[0] == 440.25


def test_nulls():
    chart = result({"2024-01-02": 10.0, "2024-01-03": None, "2024-01-04": 12.0})
    quote = chart["indicators"]["quote"][0]
    quote["open"][1], quote["open"][2], quote["volume"][2] = 9.0, None, None
    history = read(chart)
    assert days(history) == ["2024-01-02", "2024-01-04"]
    assert np.isnan(history.open).tolist() == [False, True]
    assert np.isnan(history.volume).tolist() == [False, True]


def test_order_and_duplicates_are_kept():
    chart = result({"2024-01-04": 10.0, "2024-01-03": 11.0})
    chart["timestamp"].append(stamp("2024-01-03", "19:00"))
    for column in chart["indicators"]["quote"][0].values():
        column.append(column[1])
    assert days(read(chart)) == ["2024-01-04", "2024-01-03", "2024-01-03"]


def test_nothing_in_the_range_is_no_error():
    assert len(parsed("yahoo", "KO", "2024-03-04", "2024-03-07")) == 0
    assert len(read(result({"2024-01-02": 10.0}), first="2024-01-03")) == 0


def test_events_may_be_missing():
    chart = result({"2024-01-02": 10.0})
    del chart["events"]
    assert read(chart).close.tolist() == [10]


def test_days_before_1970():
    chart = result({"1965-03-01": 10.0})
    assert days(read(chart, first="1960-01-01")) == ["1965-03-01"]


def test_a_split_that_no_price_shows_yet():
    chart = result({"2024-01-02": 10.0, "2024-01-03": 11.0}, [("2024-01-04", 2, 1)])
    with pytest.raises(SourceError, match="the split of 2024-01-04 comes after the last session"):
        read(chart)


def spoiled(path, value):
    chart = result({"2024-01-02": 10.0, "2024-01-03": 11.0}, [("2024-01-03", 2, 1)], [("2024-01-03", 0.5)])
    at = chart
    for step in path[:-1]:
        at = at[step] if step != "first" else next(iter(at.values()))
    at[path[-1]] = value
    return chart


QUOTE = ("indicators", "quote", 0)
SPLIT = ("events", "splits", "first")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("meta",), None, "meta is None and not an object"),
        (("meta", "symbol"), "ABC", "the reply is about 'ABC'"),
        (("meta", "exchangeTimezoneName"), None, "exchangeTimezoneName is None"),
        (("meta", "exchangeTimezoneName"), "Mars/Olympus", "'Mars/Olympus' and not a time zone"),
        (("meta", "exchangeTimezoneName"), "America", "'America' and not a time zone"),
        (("meta", "exchangeTimezoneName"), "../../etc/passwd", "and not a time zone"),
        (("timestamp",), None, "timestamp is None"),
        (("timestamp", 0), "1704205800", "a time is '1704205800' and not seconds"),
        (("timestamp", 0), True, "a time is True"),
        (("timestamp", 0), 10**30, "a time is 1000"),
        (("timestamp", 0), 1704205800000, "a time is 1704205800000"),
        (("indicators",), [], "indicators is .. and not an object"),
        ((*QUOTE[:2],), [], "quote has 0 items, not 1"),
        ((*QUOTE, "close"), [1.0], "close has 1 values for 2 times"),
        ((*QUOTE, "volume"), None, "volume is None and not a list"),
        ((*QUOTE, "close", 0), "", "the close of 2024-01-02 is ''"),
        ((*QUOTE, "close", 0), False, "the close of 2024-01-02 is False"),
        ((*QUOTE, "close", 0), 1e-6, "the raw close of 2024-01-02 rounds to 0"),
        ((*QUOTE, "high", 1), -3, "the high of 2024-01-03 is -3"),
        ((*QUOTE, "volume", 1), -3, "the volume of 2024-01-03 is -3"),
        (("events",), [], "events is .. and not an object"),
        (("events", "splits"), [], "splits is .. and not an object"),
        ((*SPLIT, "numerator"), 0, "a part of the split of 2024-01-03 is 0"),
        ((*SPLIT, "denominator"), None, "a part of the split of 2024-01-03 is None"),
        ((*SPLIT, "numerator"), 1e14, "the splits multiply to a number that no share has"),
        ((*SPLIT, "date"), "2024-01-03", "a time is '2024-01-03'"),
        (("events", "dividends", "first", "amount"), None, "the dividend of 2024-01-03 is None"),
        (("events", "dividends", "first", "amount"), 10.0, "the dividend of 2024-01-03 is 10, but the close"),
    ],
)
def test_values_that_are_not_recognised(path, value, message):
    with pytest.raises(SourceError, match=f"^yahoo, share XYZ: .*{message}.*; the reply begins with"):
        read(spoiled(path, value))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the reply is .. and not an object"),
        ({"chart": None}, "chart is None"),
        ({"chart": {"result": None, "error": None}}, "chart.result is None"),
        ({"chart": {"result": [], "error": None}}, "chart.result has 0 items"),
        ({"chart": {"result": [], "error": "Not Found"}}, "chart.error is 'Not Found' and not an object"),
        ({"finance": {"result": None, "error": {"code": "Unauthorized"}}}, "chart is None"),
    ],
)
def test_shapes_that_are_not_recognised(body, message):
    with pytest.raises(SourceError, match=f"^yahoo, share XYZ: {message}"):
        parsed("yahoo", "XYZ", FIRST, LAST, [reply(body)])
