"""The whole way from a source to the store, against the replay server, source by source and fault by fault."""

from __future__ import annotations

import datetime as dt
import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hosts import host_of, send
from replayed_market import (
    DIVIDENDS,
    NEXT,
    SHARES,
    SOURCES,
    SPLITS,
    TODAY,
    Run,
    assert_holds,
    contents,
    evening,
    http_for,
    listing,
    table,
)
from triggers import no_writes, triggers

from components.errors import ExtractionError
from components.extractor import ExtractionPlan, ExtractionReport, HttpSettings, Status, extract
from components.extractor.replay import DATA_FAULTS, HOST_FAULTS, Fault, ReplayServer


def statuses(report: ExtractionReport) -> set[Status]:
    return {outcome.status for outcome in report.shares}


def of(share: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of one share, in whichever of the first two columns it stands."""
    return [row for row in rows if share in row[:2]]


# --- what every source does


@pytest.mark.parametrize("source", SOURCES)
class TestEverySource:
    def test_the_first_extraction_holds_the_whole_market(self, run, server, database, source) -> None:
        report = run(source)
        assert report.exit_code == 0
        assert statuses(report) == {Status.NEW}
        assert [outcome.share_id for outcome in report.shares] == list(SHARES[source])
        assert [(one.gaps, one.off_calendar, one.last) for one in report.shares] == [(0, 0, str(TODAY))] * 2
        assert_holds(database, source, server.market, TODAY)
        assert len(table(database, "FEATURE")) == len(table(database, "PRICE")) - 2 * 20

    def test_the_second_one_writes_no_row(self, run, database, source) -> None:
        run(source)
        with triggers(*no_writes("PRICE", "FEATURE", "EXTRACTION")):
            report = run(source)
        assert (report.exit_code, statuses(report)) == (0, {Status.UNCHANGED})

    def test_an_increment_asks_from_ten_sessions_before_the_last_stored_one(
        self, run, server, database, source
    ) -> None:
        run(source)
        server.forget()
        report = run(source, NEXT)
        assert (report.exit_code, statuses(report)) == (0, {Status.NEW})
        sessions = server.market.listings[SHARES[source][0]].days
        begin = sessions[sessions.index(str(TODAY)) - 10]
        if source in ("tencent", "tiingo"):
            asked = [one for one in server.requests if re.search(f"(startDate=|,day,){begin}", one.target)]
            # Beside it, of a source whose factors do not accumulate: a year of the past.
            assert len(asked) == (len(server.requests) if source == "tencent" else 2)
            assert len(server.requests) == 4
            assert {outcome.new for outcome in report.shares} == {
                sessions.index(str(NEXT)) - sessions.index(str(TODAY))
            }
        assert_holds(database, source, server.market, NEXT)

    @pytest.mark.parametrize(
        "events",
        [{"splits": {**SPLITS, dt.date(2024, 4, 3): 3.0}}, {"dividends": {**DIVIDENDS, dt.date(2024, 4, 3): 1.2}}],
    )
    def test_a_new_corporate_action_refetches_that_share_from_the_start(
        self, run, server, database, tmp_path, source, events
    ) -> None:
        run(source)
        first, second = SHARES[source]
        server.market = server.market.with_listings(listing(first, **events))
        report = run(source, NEXT)
        assert report.exit_code == 0
        outcomes = {outcome.share_id: outcome for outcome in report.shares}
        assert outcomes[first].status is Status.READJUSTED
        assert "2024-04-03" in outcomes[first].reason
        assert outcomes[second].status is Status.NEW
        assert_holds(database, source, server.market, NEXT)
        run(source, NEXT, tmp_path / "clean.db")
        assert contents(database) == contents(tmp_path / "clean.db")

    @pytest.mark.parametrize("kind", [*HOST_FAULTS, *DATA_FAULTS])
    def test_a_fault_leaves_nothing_false_and_a_later_run_heals_it(
        self, run, server, database, tmp_path, source, kind
    ) -> None:
        run(source)
        before = contents(database)
        share, other = SHARES[source]
        value = 0.01 if kind in ("slow", "429-retry-after") else 3 if kind == "missing" else None
        server.faults.add(Fault(kind, share=share, value=value))
        report = run(source, NEXT)
        outcome = report.shares[0]
        after = contents(database)
        run(source, NEXT, tmp_path / "clean.db", plan_options={"shares": (other,)})
        clean = contents(tmp_path / "clean.db")
        assert [row for row in after["PRICE"] if row[0] == other] == clean["PRICE"]
        if kind == "slow" or (source == "sina" and kind in ("disorder", "high-below-low")):
            # Not wrong; or wrong in the middle of what Sina always gives, where an increment does not look.
            assert outcome.status is Status.NEW
            assert_holds(database, source, server.market, NEXT)
        elif kind == "missing":
            assert outcome.status is Status.BEHIND
            assert report.exit_code == 3
            assert f"the source ends 3 sessions before {NEXT}" in outcome.reason
            days = server.market.listings[share].days
            assert outcome.last == days[days.index(str(NEXT)) - 3]
        else:
            assert outcome.status is Status.FAILED
            assert report.exit_code == 3
            assert source in outcome.reason
            assert share in outcome.reason
            assert outcome.last == str(TODAY)
            assert {name: of(share, rows) for name, rows in after.items()} == {
                name: of(share, rows) for name, rows in before.items()
            }
        server.faults.clear()
        assert run(source, NEXT).exit_code == 0
        run(source, NEXT, tmp_path / "whole.db")
        assert contents(database) == contents(tmp_path / "whole.db")

    def test_a_share_that_nobody_knows_fails_alone(self, run, server, database, source) -> None:
        unknown = "sh601234" if source in ("tencent", "sina") else "NOSUCH"
        report = run(source, plan_options={"shares": (SHARES[source][0], unknown)})
        assert report.exit_code == 3
        assert [outcome.status for outcome in report.shares] == [Status.NEW, Status.FAILED]
        assert unknown in report.shares[1].reason
        assert_holds(database, source, server.market, TODAY, SHARES[source][:1])

    def test_nothing_at_all_is_exit_code_4(self, run, server, database, source) -> None:
        server.faults.add(Fault("500"))
        report = run(source)
        assert (report.exit_code, statuses(report)) == (4, {Status.FAILED})
        assert contents(database) == {"PRICE": [], "FEATURE": [], "EXTRACTION": []}

    @pytest.mark.parametrize("twice", [False, True])
    def test_the_bar_of_an_open_session_is_never_stored(self, run, server, database, source, twice) -> None:
        server.market = replace(server.market, live=True)
        noon = evening(TODAY).replace(hour=5 if source in ("tencent", "sina") else 17)
        if twice:
            server.faults.add(Fault("live"))
        report = run(source, now=noon)
        assert report.exit_code == 0
        days = server.market.listings[SHARES[source][0]].days
        assert {outcome.last for outcome in report.shares} == {days[days.index(str(TODAY)) - 1]}
        server.market = replace(server.market, live=False)
        server.faults.clear()
        assert {outcome.new for outcome in run(source).shares} == {1}
        assert_holds(database, source, server.market, TODAY)

    def test_at_most_two_connections_a_host(self, run, server, source) -> None:
        run(source)
        assert set(server.connections_at_once.values()) <= {1, 2}
        assert server.connections_at_once


# --- increments and their edges


def test_an_earlier_first_day_refetches(run: Run, server: ReplayServer, database: Path, tmp_path: Path) -> None:
    run("tencent", plan_options={"since": dt.date(2023, 1, 3)})
    report = run("tencent")
    assert statuses(report) == {Status.READJUSTED}
    assert {outcome.reason for outcome in report.shares} == {
        "fetched from the start: the first day was 2023-01-03 before"
    }
    assert_holds(database, "tencent", server.market, TODAY)
    run("tencent", db=tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


def test_a_later_first_day_loses_nothing(run: Run, database: Path) -> None:
    run("tencent")
    before = contents(database)
    assert statuses(run("tencent", plan_options={"since": dt.date(2023, 6, 1)})) == {Status.UNCHANGED}
    assert statuses(run("tencent", plan_options={"since": None})) == {Status.UNCHANGED}
    assert contents(database) == before


def test_a_last_day_is_kept_to_and_never_takes_back(run: Run, server: ReplayServer, database: Path) -> None:
    run("tencent", plan_options={"until": dt.date(2024, 2, 25)})
    assert_holds(database, "tencent", server.market, dt.date(2024, 2, 23))
    assert statuses(run("tencent", plan_options={"until": dt.date(2024, 1, 31)})) == {Status.UNCHANGED}
    run("tencent")
    assert_holds(database, "tencent", server.market, TODAY)


def test_without_shares_all_from_the_source_are_brought_up_to_date(
    run: Run, server: ReplayServer, database: Path
) -> None:
    run("tencent")
    run("tiingo")
    report = run("tencent", NEXT, plan_options={"shares": ()})
    assert [outcome.share_id for outcome in report.shares] == list(SHARES["tencent"])
    prices = [row for row in table(database, "PRICE") if row[0] in SHARES["tiingo"]]
    assert max(row[1] for row in prices) == str(TODAY)


def test_another_source_takes_the_place_of_the_first(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path
) -> None:
    run("tencent")
    report = run("sina", NEXT)
    assert statuses(report) == {Status.READJUSTED}
    assert {outcome.reason for outcome in report.shares} == {"fetched from the start: the source was 'tencent' before"}
    run("sina", NEXT, tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


def test_another_source_that_fails_leaves_the_first(run: Run, server: ReplayServer, database: Path) -> None:
    run("tencent")
    before = contents(database)
    server.faults.add(Fault("high-below-low", source="sina"))
    assert run("sina").exit_code == 4
    assert contents(database) == before


def test_a_corrected_close_of_the_past_refetches(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path
) -> None:
    run("tiingo")
    old = server.market.listings["IBM"]
    at = old.index(dt.date(2024, 3, 20))
    close = old.close.copy()
    close[at] = round(close[at] * 1.001, 2)
    corrected = replace(old, close=close, high=old.high * 1.01, cache={})
    server.market = server.market.with_listings(corrected)
    report = run("tiingo", NEXT)
    assert report.shares[0].status is Status.READJUSTED
    assert "2024-03-20" in report.shares[0].reason
    run("tiingo", NEXT, tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


def test_a_reply_that_leaves_out_stored_sessions_is_refused(run: Run, server: ReplayServer, database: Path) -> None:
    run("tiingo")
    before = contents(database)
    server.faults.add(Fault("missing", share="IBM", value=4))
    report = run("tiingo")
    assert report.shares[0].status is Status.FAILED
    assert "leaves out 4 stored sessions, the first of them 2024-03-25" in report.shares[0].reason
    assert "--refetch" in report.shares[0].reason
    assert contents(database) == before


def test_refetch_replaces_what_is_stored_by_what_the_source_gives(
    run: Run, server: ReplayServer, database: Path
) -> None:
    run("tiingo")
    server.faults.add(Fault("missing", share="IBM", value=4))
    report = run("tiingo", refetch=True)
    assert report.shares[0].status is Status.BEHIND
    last = {row[0]: row[1] for row in table(database, "PRICE")}
    assert last == {"IBM": "2024-03-22", "GE": str(TODAY)}


def test_gaps_are_reported_and_not_filled(run: Run, server: ReplayServer, database: Path) -> None:
    whole = server.market.listings["IBM"]
    kept = [day not in ("2022-03-01", "2023-08-10") for day in whole.days]
    arrays = {name: getattr(whole, name)[kept] for name in ("time", "open", "high", "low", "close", "volume")}
    server.market = server.market.with_listings(replace(whole, **arrays, cache={}))
    outcome = run("tiingo").shares[0]
    assert (outcome.status, outcome.gaps) == (Status.NEW, 2)
    assert outcome.first_gaps == ("2022-03-01", "2023-08-10")
    assert {row[1] for row in table(database, "PRICE") if row[0] == "IBM"} == set(
        whole.days[: whole.index(TODAY) + 1]
    ) - {
        "2022-03-01",
        "2023-08-10",
    }


def test_past_the_end_of_a_calendar_weekdays_count_and_the_user_is_warned(
    run: Run, server: ReplayServer, database: Path
) -> None:
    report = run("tencent", now=evening(dt.date(2031, 1, 3)))
    assert "the holidays of XSHG are known up to" in report.warnings[0]
    assert statuses(report) == {Status.BEHIND}


# --- how hosts are treated


def test_a_host_that_refuses_everybody_is_left_alone(run: Run, server: ReplayServer) -> None:
    server.faults.add(Fault("429"))
    shares = tuple(f"sh60{number:04d}" for number in range(40))
    report = run("tencent", plan_options={"shares": shares}, http=http_for(server, failures=3, attempts=2))
    assert report.exit_code == 4
    assert len(server.requests) <= 2 * (3 + 1)
    assert "not asked" in report.shares[-1].reason
    assert "429" in report.shares[-1].reason


_PAGES = {
    "captcha": (b"<html><body>Please prove that you are no robot</body></html>", "text/html"),
    "plain text": (b"please verify", "text/plain"),
    "an object of somebody in between": (b'{"ret":-1,"url":"https://captcha.example/"}', "application/json"),
    "a list": (b'["verify"]', "application/json"),
    "an image": (b"\x89PNG", "image/png"),
    "nothing": (b"", "text/html"),
}


@pytest.mark.parametrize("page", _PAGES)
@pytest.mark.parametrize("source", SOURCES)
def test_a_host_that_answers_everybody_with_something_else_is_left_alone(
    database: Path, monkeypatch: pytest.MonkeyPatch, source: str, page: str
) -> None:
    """Status 200 and no reply of the source: three, and no more are sent."""
    monkeypatch.setenv("TIINGO_API_KEY", "key")
    body, kind = _PAGES[page]
    if (source, page) == ("tiingo", "a list"):
        body = b'{"detail":"verify"}'
    names = [f"sh60{number:04d}" if source in ("tencent", "sina") else f"A{number}" for number in range(40)]
    with host_of(lambda handler, _: send(handler, 200, body, Content_Type=kind)) as host:
        plan = ExtractionPlan(source, tuple(names), since=dt.date(2024, 1, 2), best_effort=True)
        http = HttpSettings(base_url=host.url, rate=2000, backoff=0.001, attempts=2)
        report = extract(plan, database, http=http, now=evening(TODAY))
    assert report.exit_code == 4
    requests_a_share = 2 if source in ("tencent", "sina") else 1
    assert len(host.paths) <= requests_a_share * (3 + 1)
    assert "not asked" in report.shares[-1].reason


def test_a_share_of_its_own_kind_never_closes_the_way_to_the_others(run: Run, server: ReplayServer) -> None:
    """What is wrong with a share's data says nothing of the host."""
    server.faults.add(*(Fault("high-below-low", share=f"sh60000{number}") for number in range(6)))
    names = [*(f"sh60000{number}" for number in range(6)), "sh600519"]
    server.market = server.market.with_listings(*map(listing, names))
    report = run("sina", plan_options={"shares": tuple(names)}, http=http_for(server, failures=3))
    assert [outcome.status for outcome in report.shares] == [Status.FAILED] * 6 + [Status.NEW]


def test_a_key_reaches_no_log_no_error_and_no_file(
    run: Run,
    server: ReplayServer,
    database: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    run("tiingo", plan_options={"shares": ("IBM",)})
    server.faults.add(Fault("denied"))
    report = run("tiingo")
    assert report.exit_code == 4
    assert "TIINGO_API_KEY" in report.shares[0].reason
    everything = caplog.text + report.to_json() + "".join(request.target for request in server.requests)
    assert "a-very-secret-key" not in everything
    for file in database.parent.iterdir():
        assert b"a-very-secret-key" not in file.read_bytes()


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("tiingo", {}, "set TIINGO_API_KEY"),
        ("yahoo", {"best_effort": False}, "--best-effort"),
        ("tencent", {"shares": ()}, "name shares, such as --shares sh600519"),
        # Names that are none of the source.
        *[("tencent", {"shares": ("sh600519", "IBM")}, "IBM"), ("sina", {"shares": ("hk00700",)}, "hk00700")],
        *[("tiingo", {"shares": ("IBM", "sh600519")}, "sh600519"), ("yahoo", {"shares": ("IBM", "ÄÖ")}, "ÄÖ")],
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_done(
    run: Run,
    server: ReplayServer,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    options: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.delenv("TIINGO_API_KEY")
    with pytest.raises(ExtractionError, match=message):
        run(source, plan_options=options)
    assert server.requests == []
    assert list(database.parent.iterdir()) == []
