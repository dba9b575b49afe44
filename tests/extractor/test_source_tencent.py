"""Tencent's replies."""

from __future__ import annotations

import pytest
from test_source_fixtures import days, parsed, reply

from components.errors import SourceError, UnknownShareError

SHARE, FIRST, LAST = "sh600519", "2024-06-03", "2024-06-28"
ROWS = [
    ["2024-06-18", "10.00", "10.50", "10.60", "9.90", "100"],
    ["2024-06-19", "10.10", "10.40", "10.70", "10.00", "200"],
]
EVENT = {"fh_sh": "1", "cqr": "2024-06-19", "FHcontent": ""}


def answer(rows, key="day", share=SHARE, **node):
    return reply({"code": 0, "msg": "", "data": {share: {key: rows, "qt": {}, **node}}})


def read(raw=ROWS, hfq=ROWS, key="hfqday", share=SHARE, first=FIRST, last=LAST):
    return parsed("tencent", share, first, last, [answer(raw, share=share), answer(hfq, key, share)])


def test_closes_that_are_adjusted_and_rounded():
    history = parsed("tencent", "sz000001", "2024-01-02", "2024-01-05")
    assert history.adjustment.value.tolist() == [1142.04, 1140.80, 1129.64, 1149.48]
    assert not history.adjustment.action.any()
    assert history.adjustment.decimals == 2


def test_a_dividend():
    history = parsed("tencent", SHARE, "2024-06-17", "2024-06-21")
    assert [day for day, event in zip(days(history), history.adjustment.action, strict=True) if event] == ["2024-06-19"]
    factor = history.adjustment.value / history.close
    # 308.76 CNY for 10 shares: 1530.88 / (1530.88 - 30.876)
    assert factor[1] == pytest.approx(7, rel=1e-6)
    assert factor[2] / factor[1] == pytest.approx(1.0205840, rel=2e-6)
    assert factor[4] == pytest.approx(factor[2], rel=2e-6)


def test_new_shares_and_cash():
    history = parsed("tencent", "sz300750", "2023-04-24", "2023-04-27")
    assert history.adjustment.action.tolist() == [False, False, True, False]
    factor = history.adjustment.value / history.close
    # 8 new ones for 10 and 2.52 a share: p = 411.30 / 1.8 = 228.50, 1.8 * 228.50 / (228.50 - 1.40)
    assert factor[2] / factor[1] == pytest.approx(1.8110964, rel=3e-5)


def test_hong_kong_in_shares_and_with_three_decimals():
    history = parsed("tencent", "hk00700", "2024-05-14", "2024-05-20")
    assert history.volume[0] == 29_401_220
    assert history.adjustment.decimals == 3
    assert history.adjustment.action.tolist() == [False, False, True, False]


def test_an_index_is_not_adjusted():
    history = parsed("tencent", "sh000001", "2024-01-02", "2024-01-04")
    assert history.adjustment.value.tolist() == history.close.tolist() == [2962.28, 2967.25, 2954.35]
    assert history.volume[0] == 309_143_910


@pytest.mark.parametrize(
    ("share", "unit"),
    [("sh600519", 100), ("sz399106", 1), ("sh000300", 1), ("sh688981", 1), ("sz300750", 100), ("hk00005", 1)],
)
def test_units_of_volume(share, unit):
    assert read(share=share).volume.tolist() == [100 * unit, 200 * unit]


def test_unadjusted_prices_have_to_be_the_raw_ones():
    assert read(key="day").adjustment.value.tolist() == [10.5, 10.4]
    other = [ROWS[0], ["2024-06-19", "10.10", "10.41", "10.70", "10.00", "200"]]
    with pytest.raises(SourceError, match="the close of 2024-06-19 is not the raw one"):
        read(hfq=other, key="day")


def test_windows_are_joined_in_their_order():
    first, last = "2022-06-20", "2024-06-28"
    old = [["2022-06-20", "8.00", "8.10", "8.20", "7.90", "50"]]
    answers = [answer(old), answer(old), answer(ROWS), answer([[*ROWS[0]], [*ROWS[1], EVENT]], "hfqday")]
    history = parsed("tencent", SHARE, first, last, answers)
    assert days(history) == ["2022-06-20", "2024-06-18", "2024-06-19"]
    assert history.close.tolist() == [8.1, 10.5, 10.4]
    assert history.adjustment.action.tolist() == [False, False, True]


def test_an_ex_date_without_a_session_counts_for_the_next_one():
    rows = [[*ROWS[0], {"cqr": "2024-06-19"}], ["2024-06-21", *ROWS[1][1:]]]
    history = read(rows, [row[:6] for row in rows])
    assert history.adjustment.action.tolist() == [False, True]


def test_rows_outside_of_the_range_are_left_out():
    history = read(first="2024-06-19", last="2024-06-19")
    assert days(history) == ["2024-06-19"]
    assert history.adjustment.value.tolist() == [10.4]


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
        ([ROWS[0], ROWS[1][:5]], "row 2 has 5 items, not 6 or 7"),
        ([ROWS[0], [*ROWS[1], EVENT, "0.19"]], "row 2 has 8 items"),
        ([ROWS[0], [*ROWS[1], "x"]], "item 7 of row 2 is 'x' and not an object"),
        ([ROWS[0], [*ROWS[1], {}]], r"the ex-date \(cqr\) of row 2 is None"),
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
