"""Faults of what the replay server says of a share's history."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
from asking import LAST, MARKET, SOURCES, TARGETS, bars, get

from components.extractor.replay import HISTORY_FAULTS, Fault, Market, ReplayServer
from components.extractor.replay.making import make_listing

SPLIT = dt.date(2024, 2, 6)
FACTORS = "/finance.sina.com.cn/realstock/company/sh600519/hfq.js"
CLOSE = 4


def shown(server: ReplayServer, source: str, kind: str | None = None, value: float | None = None) -> list[tuple]:
    server.faults.clear()
    if kind is not None:
        server.faults.add(Fault(kind, value=value))
    return bars(source, get(server, TARGETS[source]).body)


def split(server: ReplayServer) -> None:
    """Makes the shares split instead of pay."""
    listings = [
        make_listing(one.share, one.exchange, dt.date(2024, 1, 2), LAST, splits={SPLIT: 4.0})
        for one in MARKET.listings.values()
    ]
    server.market = Market({one.share: one for one in listings}, LAST)


@pytest.mark.parametrize("source", SOURCES)
def test_a_late_start_leaves_out_the_first_bars(server: ReplayServer, source: str) -> None:
    assert shown(server, source, "late-start", 7) == shown(server, source)[7:]


@pytest.mark.parametrize("source", ["tiingo", "sina", "yahoo"])
def test_a_saturday_repeats_the_close_before_it(server: ReplayServer, source: str) -> None:
    good, bad = shown(server, source), shown(server, source, "day-off")
    assert [row for row in bad if row in good] == good
    [extra] = [row for row in bad if row not in good]
    assert dt.date.fromisoformat(extra[0]).weekday() == 5
    assert extra[CLOSE] == good[[row[0] for row in good].index("2024-03-22")][CLOSE]


@pytest.mark.parametrize("source", ["sina", "tencent"])
def test_another_share_under_the_name_that_was_asked_for(server: ReplayServer, source: str) -> None:
    good, bad = shown(server, source), shown(server, source, "other-share")
    assert [row[0] for row in bad] == [row[0] for row in good]
    assert not {row[CLOSE] for row in bad} & {row[CLOSE] for row in good}


def test_one_share_of_an_exchange_has_no_other(server: ReplayServer) -> None:
    assert shown(server, "tiingo", "other-share") == shown(server, "tiingo")


@pytest.mark.parametrize("source", ["tiingo", "sina"])
def test_a_split_that_is_named_and_that_raw_prices_do_not_show(server: ReplayServer, source: str) -> None:
    split(server)
    good, bad = shown(server, source), shown(server, source, "split-not-applied")
    for (day, *_, right), (_, *_, wrong) in zip(good, bad, strict=True):
        assert wrong == pytest.approx(right * (4 if dt.date.fromisoformat(day) >= SPLIT else 1))


def test_a_split_that_yahoo_names_and_did_not_divide_by(server: ReplayServer) -> None:
    split(server)
    good, bad = shown(server, "yahoo"), shown(server, "yahoo", "split-not-applied")
    for (day, *_, right), (_, *_, wrong) in zip(good, bad, strict=True):
        assert wrong == pytest.approx(right * (1 if dt.date.fromisoformat(day) >= SPLIT else 4))
    reply = json.loads(get(server, TARGETS["yahoo"].replace("events=div", "events=div,splits")).body)
    assert [one["numerator"] for one in reply["chart"]["result"][0]["events"]["splits"].values()] == [4.0]


def test_no_event_is_named(server: ReplayServer) -> None:
    server.faults.add(Fault("unadjusted"))
    rows = get(server, TARGETS["tiingo"]).json
    assert {(row["divCash"], row["splitFactor"]) for row in rows} == {(0.0, 1.0)}
    assert [row["adjClose"] for row in rows] == [row["close"] for row in rows]
    assert b'"total":1,' in get(server, FACTORS).body
    assert b"events" not in get(server, TARGETS["yahoo"]).body


def test_sinas_list_of_factors_is_empty(server: ReplayServer) -> None:
    assert b'"total":2,' in get(server, FACTORS).body
    server.faults.add(Fault("no-factors"))
    assert b'{"total":0,"data":[]}' in get(server, FACTORS).body


@pytest.mark.parametrize("source", SOURCES)
def test_a_captcha_is_an_answer_of_nobody(server: ReplayServer, source: str) -> None:
    server.faults.add(Fault("captcha", times=1))
    assert get(server, TARGETS[source]).json == {"ret": -1, "url": "https://captcha.example/verify"}


@pytest.mark.parametrize("kind", HISTORY_FAULTS)
def test_a_share_that_is_not_in_the_market_stays_unknown(server: ReplayServer, kind: str) -> None:
    server.market = replace(server.market, listings={})
    server.faults.add(Fault(kind))
    assert get(server, TARGETS["tiingo"]).status == 404
