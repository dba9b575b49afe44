"""Sina's replies."""

from __future__ import annotations

import numpy as np
import pytest
from test_source_fixtures import days, parsed, reply

from components.errors import SourceError, UnknownShareError
from components.extractor.sources.registry import get_source

ROW = {"day": "2024-01-15", "open": "15.23", "high": "15.30", "low": "15.15", "close": "15.25", "volume": "35678900"}
NEXT = {**ROW, "day": "2024-01-16"}
NO_FACTORS = b'var sh600519hfq={"total":0,"data":[]}'


def read(rows=(ROW, NEXT), factors=NO_FACTORS, first="2024-01-01", last="2024-12-31"):
    return parsed("sina", "sh600519", first, last, [reply(list(rows)), reply(factors, content_type="text/javascript")])


def assignment(*entries):
    data = ",".join(f'{{"d":"{day}","f":"{factor}"}}' for day, factor in entries)
    return f'var sh600519hfq={{"total":{len(entries)},"data":[{data}]}}\n/* made by hand */\n'.encode()


def year(share):
    return parsed("sina", share, "2024-01-01", "2024-12-31")


def test_a_dividend():
    history = year("sh600015")
    # 1.00 after a close of 11.00, so 1.1 times as much from the ex-date on
    assert history.adjustment.value.tolist() == [2.0, 2.0, 2.2, 2.2]


def test_a_split_with_the_factors_in_another_order():
    history = year("sz002594")
    assert history.adjustment.value.tolist() == [1, 1, 3]
    assert (history.close * history.adjustment.value).tolist() == pytest.approx([242, 246, 247.5])


def test_an_index_has_no_factors():
    assert year("sz399006").adjustment.value.tolist() == [1, 1]


def test_before_the_first_factor_it_is_1():
    assert read(factors=assignment(("2024-01-16", "2.5"))).adjustment.value.tolist() == [1, 2.5]
    assert read(factors=assignment(("2024-01-15", "2.5"))).adjustment.value.tolist() == [2.5, 2.5]


def test_a_date_twice():
    twice = ("2024-01-16", "2.5")
    assert read(factors=assignment(twice, twice)).adjustment.value.tolist() == [1, 2.5]
    with pytest.raises(SourceError, match=r"2024-01-16 has two factors, 2\.5 and 2\.6"):
        read(factors=assignment(twice, ("2024-01-16", "2.6")))


def test_rows_outside_of_the_range_are_left_out():
    history = read(factors=assignment(("2024-01-16", "2.5")), first="2024-01-16", last="2024-01-20")
    assert days(history) == ["2024-01-16"]
    assert history.adjustment.value.tolist() == [2.5]
    assert len(read(first="2024-02-01")) == 0


def test_order_and_duplicates_are_kept():
    assert days(read([NEXT, ROW, ROW])) == ["2024-01-16", "2024-01-15", "2024-01-15"]


def test_a_null_volume():
    assert np.isnan(read([{**ROW, "volume": None}]).volume).tolist() == [True]


def test_it_reaches_back_1023_sessions():
    assert get_source("sina").reach == 1023


def test_no_session_at_all_is_an_unknown_share():
    with pytest.raises(UnknownShareError):
        read([])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"day": "2024-01-15 15:00:00"}, "a day is '2024-01-15 15:00:00' and not a day"),
        ({"day": "2023-02-29"}, "a day is '2023-02-29'"),
        ({"close": ""}, "the close of 2024-01-15 is ''"),
        ({"open": "--"}, "the open of 2024-01-15 is '--'"),
        ({"low": None}, "the low of 2024-01-15 is None"),
        ({"high": {}}, "the high of 2024-01-15 is {}"),
        ({"volume": "many"}, "the volume of 2024-01-15 is 'many'"),
    ],
)
def test_values_that_are_not_recognised(changes, message):
    with pytest.raises(SourceError, match=f"^sina, share sh600519: {message}.*; the reply begins with"):
        read([{**ROW, **changes}, NEXT])


@pytest.mark.parametrize("tail", [b"", b"\n", b";", b" ;\n/* x */", b"/* a\n * } b **/\n\n"])
def test_forms_of_the_assignment(tail):
    body = b'var sh600519hfq={"total":1,"data":[{"d":"1900-01-01","f":"2"}]}' + tail
    assert read(factors=body).adjustment.value.tolist() == [2, 2]
    assert read(factors=body.replace(b"=", b" = ")).adjustment.value.tolist() == [2, 2]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"total":0,"data":[]}',
        b"var sh600519hfq=null",
        b"var sh600519hfq=",
        NO_FACTORS.replace(b"sh600519", b"sh600518"),
        NO_FACTORS.replace(b"hfq", b"qfq"),
        NO_FACTORS.replace(b"hfq", b"hfqx"),
        NO_FACTORS + b";alert(1)",
        NO_FACTORS + b"/* a */ alert(1) /* b */",
        NO_FACTORS + b"/* never ends",
        NO_FACTORS + NO_FACTORS,
        NO_FACTORS.replace(b"[]", b"[].concat(evil())"),
        NO_FACTORS.replace(b'"total"', b"total"),
        b"<html>Will be right back</html>",
        assignment(("2024-01-16", "2.5"))[:-45],
    ],
)
def test_other_assignments_are_refused(body):
    with pytest.raises(SourceError, match=r"^sina, share sh600519: .*(not an assignment|not whole JSON)"):
        read(factors=body)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (b"var sh600519hfq={}", "data is None and not a list"),
        (b'var sh600519hfq={"data":[]}', "0 factors came of None"),
        (NO_FACTORS.replace(b":0", b":3"), "0 factors came of 3"),
        (NO_FACTORS.replace(b":0", b":false"), "0 factors came of False"),
        (assignment(("2024-01-16", "0")), "the factor of 2024-01-16 is '0'"),
        (assignment(("2024-01-16", "")), "the factor of 2024-01-16 is ''"),
        (assignment(("2024-01-99", "2")), "the day of a factor is '2024-01-99'"),
        (b'var sh600519hfq={"total":1,"data":[[]]}', "factor 1 is .. and not an object"),
        (b'var sh600519hfq={"total":1,"data":[{"d":"2024-01-16"}]}', "row 1 has no f"),
        # As funds have them: cash to be added, where the factor alone would be false.
        (b'var sh600519hfq={"total":1,"data":[{"d":"2024-01-16","f":"1","s":"0","u":"0.797"}]}', "has u = '0.797'"),
        (b'var sh600519hfq={"total":1,"data":[{"d":"2024-01-16","f":"1","s":"2","u":"1"}]}', "has s = '2'"),
    ],
)
def test_factors_that_are_not_recognised(factors, message):
    with pytest.raises(SourceError, match=f"^sina, share sh600519: .*{message}"):
        read(factors=factors)


def test_columns_of_funds_that_say_nothing():
    body = b'var sh600519hfq={"total":1,"data":[{"d":"1900-01-01","f":"1","s":"0","u":"1"}]}'
    assert read(factors=body).adjustment.value.tolist() == [1, 1]


@pytest.mark.parametrize("share", ["sh000300", "sz399006"])
def test_an_index_may_have_no_file_of_factors(share):
    history = parsed("sina", share, "2024-01-01", "2024-12-31", [reply([ROW]), reply(b"", status=404)])
    assert (history.adjustment.value.tolist(), history.doubts) == ([1], ())


def test_a_factor_file_that_is_not_there():
    with pytest.raises(SourceError, match="status 404"):
        parsed("sina", "sh600519", "2024-01-01", "2024-12-31", [reply([ROW]), reply(NO_FACTORS, status=404)])
