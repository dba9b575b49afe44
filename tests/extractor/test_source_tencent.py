"""Tencent's replies."""

from __future__ import annotations

import re

import numpy as np
import pytest
from test_source_fixtures import days, parsed, reply

from components.errors import SourceError, UnknownShareError
from components.extractor.adjustment import whole_bars
from components.extractor.sources.announcements import read_announcement
from components.extractor.sources.base import Factors

SHARE, FIRST, LAST = "sh600519", "2024-06-03", "2024-06-28"
ROWS = [
    ["2024-06-18", "10.00", "10.50", "10.60", "9.90", "100"],
    ["2024-06-19", "10.10", "10.40", "10.70", "10.00", "200"],
]
EVENT = {"fh_sh": "1", "cqr": "2024-06-19", "FHcontent": ""}


def higher(rows, by=1.0):
    """The rows of prices that are as much higher."""
    return [[row[0], *(f"{float(price) + by:.2f}" for price in row[1:5]), *row[5:]] for row in rows]


def answer(rows, key="day", share=SHARE, **node):
    return reply({"code": 0, "msg": "", "data": {share: {key: rows, "qt": {}, **node}}})


def read(raw=ROWS, hfq=ROWS, key="hfqday", share=SHARE, first=FIRST, last=LAST):
    return parsed("tencent", share, first, last, [answer(raw, share=share), answer(hfq, key, share)])


def assert_unadjusted(history, doubt=None):
    """The factors are 1 throughout; nothing, or one thing, speaks against that."""
    assert isinstance(history.adjustment, Factors)
    assert history.adjustment.value.tolist() == [1.0] * len(history)
    assert len(history.doubts) == (doubt is not None)
    if doubt:
        assert re.search(doubt, history.doubts[0].text)


def test_closes_that_are_adjusted_and_rounded():
    history = parsed("tencent", "sz000001", "2024-01-02", "2024-01-05")
    assert history.adjustment.value.tolist() == [1142.04, 1140.80, 1129.64, 1149.48]
    assert not history.adjustment.action.any()
    assert history.adjustment.decimals == 2


def test_a_dividend():
    history = parsed("tencent", SHARE, "2024-06-17", "2024-06-21")
    assert [day for day, event in zip(days(history), history.adjustment.action, strict=True) if event] == ["2024-06-19"]
    assert (history.adjustment.cash[2], history.adjustment.ratio[2]) == (pytest.approx(30.876), 1)
    assert np.isnan(history.adjustment.cash[[0, 1, 3, 4]]).all()
    bars, _ = whole_bars(history)
    # 308.76 CNY for 10 shares: 1530.88 / (1530.88 - 30.876)
    assert bars.factor.tolist() == [1, 1, *[pytest.approx(1530.88 / 1500.004, rel=1e-12)] * 3]


def test_new_shares_and_cash():
    history = parsed("tencent", "sz300750", "2023-04-24", "2023-04-27")
    assert history.adjustment.action.tolist() == [False, False, True, False]
    bars, _ = whole_bars(history)
    # 8 new ones for 10 and 2.52 a share: the reference is (411.30 - 2.52) / 1.8
    assert bars.factor.tolist() == [1, 1, *[pytest.approx(411.30 / ((411.30 - 2.52) / 1.8), rel=1e-12)] * 2]


def test_hong_kong_is_in_shares_and_not_adjusted():
    history = parsed("tencent", "hk00700", "2024-05-14", "2024-05-20")
    assert history.volume[0] == 29_401_220
    assert_unadjusted(history, "a row names an event of 2024-05-17; .*--source yahoo --best-effort --shares 0700.HK")


def test_an_index_is_not_adjusted():
    history = parsed("tencent", "sh000001", "2024-01-02", "2024-01-04")
    assert history.close.tolist() == [2962.28, 2967.25, 2954.35]
    assert_unadjusted(history)
    assert history.volume[0] == 309_143_910


@pytest.mark.parametrize(
    ("share", "unit"),
    [("sh600519", 100), ("sz399106", 1), ("sh000300", 1), ("sh688981", 1), ("sz300750", 100), ("hk00005", 1)],
)
def test_units_of_volume(share, unit):
    assert read(share=share).volume.tolist() == [100 * unit, 200 * unit]


def test_unadjusted_prices_have_to_be_the_raw_ones():
    assert_unadjusted(read(key="day"))
    other = [ROWS[0], ["2024-06-19", "10.10", "10.41", "10.70", "10.00", "200"]]
    with pytest.raises(SourceError, match="the close of 2024-06-19 is not the raw one"):
        read(hfq=other, key="day")


def test_windows_are_joined_in_their_order():
    first, last = "2022-06-20", "2024-06-28"
    old = [["2022-06-20", "8.00", "8.10", "8.20", "7.90", "50"]]
    late = [[*ROWS[0]], [*higher(ROWS[1:], 0.1)[0], EVENT]]
    answers = [answer(old), answer(old), answer(ROWS), answer(late, "hfqday")]
    history = parsed("tencent", SHARE, first, last, answers)
    assert days(history) == ["2022-06-20", "2024-06-18", "2024-06-19"]
    assert history.close.tolist() == [8.1, 10.5, 10.4]
    assert history.adjustment.value.tolist() == [8.1, 10.5, 10.5]
    assert history.adjustment.action.tolist() == [False, False, True]


def test_an_ex_date_without_a_session_counts_for_the_next_one():
    rows = [[*ROWS[0], {"cqr": "2024-06-19"}], ["2024-06-21", *ROWS[1][1:]]]
    history = read(rows, higher([row[:6] for row in rows]))
    assert history.adjustment.action.tolist() == [False, True]


def test_two_events_may_count_for_one_session():
    first, second = {"cqr": "2024-06-19", "FHcontent": "10转10股"}, {"cqr": "2024-06-20", "FHcontent": "10派1元"}
    rows = [[*ROWS[0], first], ["2024-06-18", *ROWS[0][1:], second], ["2024-06-21", *ROWS[1][1:]]]
    rows[0][0] = "2024-06-17"
    history = read(rows, higher([row[:6] for row in rows]))
    # A share became two, and each of those was paid 0.1.
    assert (history.adjustment.ratio[2], history.adjustment.cash[2]) == (2, pytest.approx(0.2))


def test_rows_outside_of_the_range_are_left_out():
    history = read(first="2024-06-19", last="2024-06-19")
    assert days(history) == ["2024-06-19"]
    assert history.close.tolist() == [10.4]


def test_order_and_duplicates_are_kept():
    rows = [ROWS[1], ROWS[0], ROWS[0]]
    assert days(read(rows, rows)) == ["2024-06-19", "2024-06-18", "2024-06-18"]


@pytest.mark.parametrize(
    ("raw", "hfq", "message"),
    [
        (ROWS, ROWS[:1], "2024-06-19 is only in the raw prices"),
        (ROWS[1:], ROWS, "2024-06-18 is only in the adjusted prices"),
        (ROWS, ROWS[::-1], "order or number of sessions from 2024-06-18 on"),
        (ROWS, [*ROWS, ROWS[1]], "order or number of sessions from 2024-06-19 on"),
    ],
)
def test_raw_and_adjusted_have_the_same_sessions(raw, hfq, message):
    with pytest.raises(SourceError, match=message):
        read(raw, hfq)


@pytest.mark.parametrize(
    "data", [{}, [], {SHARE: []}, {SHARE: {}}, {SHARE: {"day": [], "qt": {}}}, {SHARE: {"qt": {}}}]
)
def test_nothing_is_unknown_only_over_a_long_range(data):
    answers = [reply({"code": 0, "msg": "", "data": data})] * 2
    assert len(parsed("tencent", SHARE, "2024-06-03", "2024-06-28", answers)) == 0
    with pytest.raises(UnknownShareError):
        parsed("tencent", SHARE, "2024-04-29", "2024-06-28", answers)


def test_a_share_with_a_name_is_known_even_without_a_session():
    answers = [answer([], qt={SHARE: ["1", "贵州茅台", "600519"]})] * 2
    assert len(parsed("tencent", SHARE, "2023-04-29", "2024-06-28", answers)) == 0


def changed(item, value):
    row = list(ROWS[1])
    row[item] = value
    return [ROWS[0], row]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(0, "2024-06-31"), "a date is '2024-06-31' and not a day"),
        (changed(0, "2024-6-19"), "a date is '2024-6-19'"),
        (changed(0, "20240619"), "not a day"),
        (changed(0, None), "a date is None"),
        (changed(1, ""), "the open of 2024-06-19 is '' and not a number above 0"),
        (changed(2, "0.00"), "the close of 2024-06-19 is '0.00'"),
        (changed(2, "nan"), "the close of 2024-06-19 is 'nan'"),
        (changed(2, "inf"), "'inf'"),
        (changed(2, "1_0"), "'1_0'"),
        (changed(2, " 10"), "' 10'"),
        (changed(2, "1e1"), "'1e1'"),
        (changed(2, "\u0661\u0660"), "not a number"),
        (changed(2, "-10"), "'-10'"),
        (changed(2, True), "the close of 2024-06-19 is True"),
        (changed(3, None), "the high of 2024-06-19 is None"),
        (changed(4, []), r"the low of 2024-06-19 is \[\]"),
        (changed(5, "-1"), "the volume of 2024-06-19 is '-1'"),
        (changed(5, "9" * 400), "the volume of 2024-06-19 is '999"),
        ([ROWS[0], ROWS[1][:5]], "row 2 has 5 items, not 6, 7 or 9"),
        ([ROWS[0], [*ROWS[1], EVENT, "0.19"]], "row 2 has 8 items"),
        ([ROWS[0], [*ROWS[1], "x"]], "item 7 of row 2 is 'x' and not an object"),
        ([ROWS[0], [*ROWS[1], {"fh_sh": "1"}]], r"the ex-date \(cqr\) of row 2 is None"),
        ([ROWS[0], [*ROWS[1], {"cqr": "soon"}]], r"the ex-date \(cqr\) of row 2 is 'soon'"),
        ([ROWS[0], "2024-06-19"], "row 2 is '2024-06-19' and not a list"),
        ({}, r"day is \{\} and not a list"),
        ([ROWS[0]] * 640, "640 rows came, so that some may have been cut off"),
    ],
)
def test_rows_that_are_not_recognised(rows, message):
    with pytest.raises(SourceError, match=f"^tencent, share sh600519: .*{message}.*; the reply begins with"):
        read(rows, rows)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the reply is .* and not an object"),
        ({"msg": ""}, "code None"),
        ({"code": False, "data": {}}, "code False"),
        ({"code": "0", "data": {}}, "code '0'"),
        ({"code": 0}, "data is None"),
        ({"code": 0, "data": {"sz000001": {"day": ROWS}}}, "the reply is about 'sz000001'"),
        ({"code": 0, "data": {SHARE: {"qfqday": ROWS}}}, "the prices came under 'qfqday'"),
        ({"code": 0, "data": {SHARE: {"hfqday": ROWS}}}, "the prices came under 'hfqday'"),
        ({"code": 0, "data": {SHARE: ROWS}}, "and not an object"),
    ],
)
def test_shapes_that_are_not_recognised(body, message):
    with pytest.raises(SourceError, match=f"^tencent, share sh600519: .*{message}"):
        parsed("tencent", SHARE, FIRST, LAST, [reply(body), answer(ROWS)])


def test_other_statuses_and_types():
    for bad in (reply({}, status=404), reply(b"{}", content_type="image/png")):
        with pytest.raises(SourceError, match=r"status 404|image/png"):
            parsed("tencent", SHARE, FIRST, LAST, [answer(ROWS), bad])


# --- adjusted prices below 0, Hong Kong's rows, and answers without adjustments


def test_an_adjusted_close_may_be_0_or_less():
    history = read(hfq=higher(ROWS, -10.45))
    assert history.adjustment.value.tolist() == [pytest.approx(0.05), pytest.approx(-0.05)]
    for bad in ("--1", "-", "1-", "-1e1", "- 1"):
        with pytest.raises(SourceError, match="the adjusted close of 2024-06-19 is"):
            read(hfq=[ROWS[0], [*ROWS[1][:2], bad, *ROWS[1][3:]]])


@pytest.mark.parametrize("more", [[], [{}], [{}, "0.050", "133053.691"]])
def test_rows_of_six_seven_and_nine_items(more):
    rows = [[*row, *more] for row in ROWS]
    history = read(rows, rows, key="day", share="hk00700")
    assert history.close.tolist() == [10.5, 10.4]
    assert_unadjusted(history)


def test_an_event_of_nine_items_is_read():
    rows = [[*ROWS[0], {}, "0.000", "1.000"], [*ROWS[1], EVENT, "0.000", "1.000"]]
    assert_unadjusted(read(rows, rows, key="day", share="hk00700"), "a row names an event of 2024-06-19")


def test_an_ex_date_in_every_row_is_none():
    rows = [[f"2024-06-{day}", *ROWS[0][1:], {"cqr": f"2024-06-{day}"}] for day in (17, 18, 19, 20)]
    assert_unadjusted(read(rows, rows, key="day"))


def test_hfq_that_is_the_raw_series_is_no_adjustment():
    history = read([ROWS[0], [*ROWS[1], EVENT]], [ROWS[0], [*ROWS[1], EVENT]])
    assert_unadjusted(history, "a row names an event of 2024-06-19")


def test_unadjusted_rows_stand_for_a_raw_series_that_is_empty():
    assert read([], ROWS, key="day", share="hk00700").close.tolist() == [10.5, 10.4]


def test_adjusted_rows_do_not():
    doubt = r"adjusted prices came and no raw ones; .*Yahoo does .*0700\.HK"
    assert_unadjusted(read([], ROWS, share="hk00700"), doubt)


def test_an_empty_list_of_adjusted_rows_leaves_the_others():
    answers = [answer(ROWS), answer([], "hfqday", day=ROWS)]
    assert_unadjusted(parsed("tencent", SHARE, FIRST, LAST, answers))


def test_a_jump_by_a_simple_ratio_is_in_doubt_where_no_adjustment_came():
    def read_jump(share, by):
        rows = [ROWS[0], ["2024-06-19", *(f"{float(price) * by:.2f}" for price in ROWS[0][1:5]), "1"]]
        return read(rows, rows, key="day", share=share)

    for by in (0.5, 0.2, 3, 10):
        assert_unadjusted(read_jump("sh600519", by), "the close of 2024-06-19 is .* after 10.5, as in a split")
    assert_unadjusted(read_jump("sh600519", 0.9))
    assert_unadjusted(read_jump("sh000300", 0.5))


def test_raw_rows_among_adjusted_ones_are_refused():
    first, last = "2022-06-20", "2024-06-28"
    old = [["2022-06-20", "8.00", "8.10", "8.20", "7.90", "50"]]
    adjusted = [answer(ROWS), answer(higher(ROWS), "hfqday")]
    with pytest.raises(SourceError, match="before 2024-06-18 are unadjusted, those from it on are adjusted"):
        parsed("tencent", SHARE, first, last, [answer(old), answer(old), *adjusted])
    with pytest.raises(SourceError, match="from 2024-06-18 on are unadjusted, those before are adjusted"):
        parsed("tencent", SHARE, first, last, [answer(old), answer(higher(old), "hfqday"), answer(ROWS), answer(ROWS)])


@pytest.mark.parametrize(
    ("words", "ten", "cash", "ratio"),
    [
        ("10派3元", "3", 0.3, 1),
        ("10派308.76元", "308.76", 30.876, 1),
        ("10转8股派25.2元", "25.2", 2.52, 1.8),
        ("10送2股转增3股派1元(含税)", "1", 0.1, 1.5),
        ("10转10", "", 0, 2),
        ("1拆5", "", 0, 5),
        ("10合1", "", 0, 0.1),
        ("10配3股，配股价：5.00元", "", -1.5, 1.3),  # noqa: RUF001
        ("10派1元配3股配股价5元", "1", -1.4, 1.3),
        ("10配3股", "", None, 1.3),
        ("10合5股配3股配股价12.5元", "", -3.75, 0.8),
        ("末期息3.4港元", "", 3.4, 1),
        ("末期息0.3美元", "", None, None),
        ("", "3", 0.3, None),
        ("", "", None, None),
        ("other words", "3", 0.3, None),
    ],
)
def test_what_rows_say_of_events(words, ten, cash, ratio):
    found = read_announcement(words, ten)
    for value, expected in ((found.cash, cash), (found.ratio, ratio)):
        assert np.isnan(value) if expected is None else value == pytest.approx(expected, rel=1e-12)
