"""`awesome extract` as a user types it, against a replay server: what it fetches and prints."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replayed_prices import (
    SHARES,
    TABLES,
    Awesome,
    all_days,
    command,
    contents,
    days,
    events,
    files,
    first,
    last_closed,
    listing,
    stored_days,
    table,
    until,
)

from components.extractor.replay import Fault, ReplayServer

# --- what is fetched


def test_a_first_extraction_ends_with_the_last_closed_session(awesome: Awesome, server: ReplayServer) -> None:
    possible = [last_closed()]
    outcome = awesome(*command(*SHARES[:2]))
    possible.append(last_closed())
    assert outcome.code == 0
    [last] = {held[-1] for held in stored_days().values()}
    assert last in map(str, possible)
    assert stored_days() == dict.fromkeys(sorted(SHARES[:2]), all_days(dt.date.fromisoformat(last)))
    count = str(len(all_days(dt.date.fromisoformat(last))))
    assert table(outcome.out) == [[share, "new", count, "0", str(days()[0]), last, "0"] for share in SHARES[:2]]
    assert re.fullmatch(r"awesome\.db: 2 shares from tencent in \d+\.\d s: 2 new", outcome.out.splitlines()[-1]), (
        outcome.out
    )
    assert files() == ["awesome.db"]


@pytest.mark.parametrize("setting", ['market = "null"', 'panel = "prices.panel"'])
@pytest.mark.parametrize("db", [None, "mine.db"])
def test_what_a_run_reads_by_the_settings_is_not_what_is_extracted_into(
    awesome: Awesome, server: ReplayServer, setting: str, db: str | None
) -> None:
    Path("awesome.toml").write_text(setting + "\n")
    assert awesome(*command(SHARES[0], db=db, last=until())).code == 0
    assert list(stored_days(db or "awesome.db")) == [SHARES[0]]
    assert files() == sorted([db or "awesome.db", "awesome.toml"])


def test_the_same_command_later_fetches_only_what_is_new(awesome: Awesome, server: ReplayServer) -> None:
    assert awesome(*command(*SHARES[:2], last=until())).code == 0
    assert stored_days() == dict.fromkeys(sorted(SHARES[:2]), all_days(until()))
    server.forget()
    possible = [last_closed()]
    outcome = awesome(*command(*SHARES[:2]))
    possible.append(last_closed())
    assert outcome.code == 0
    last = dt.date.fromisoformat(stored_days()[SHARES[0]][-1])
    assert last in possible
    new = [day for day in days() if until() < day <= last]
    assert len(new) in (14, 15)
    expected = [str(len(new)), "0", str(days()[0]), str(last), "0"]
    assert table(outcome.out) == [[share, "new", *expected] for share in SHARES[:2]]
    # From ten sessions before the last stored one.
    assert {request.target.split(",")[2] for request in server.requests} == {str(days()[-16 - 10])}
    before = contents("awesome.db")
    again = awesome("extract", "--source", "tencent")
    assert (again.code, [row[1] for row in table(again.out)]) == (0, ["unchanged"] * 2)
    assert contents("awesome.db") == before


def test_settings_come_from_the_file_and_flags_go_before_them(awesome: Awesome, server: ReplayServer) -> None:
    Path("awesome.toml").write_text(
        f'source = "tencent"\nshares = ["{SHARES[0]}", "{SHARES[1]}"]\nsince = {days()[50]}\nuntil = "{until()}"\n'
    )
    assert awesome("extract").code == 0
    held = stored_days()
    assert {share: len(found) for share, found in held.items()} == dict.fromkeys(
        sorted(SHARES[:2]), len(all_days(until())) - 50
    )
    assert held[SHARES[0]][0] == str(days()[50])
    assert awesome("extract", "--shares", SHARES[2], "--since", str(days()[60]), "--db", "other.db").code == 0
    assert list(stored_days("other.db")) == [SHARES[2]]
    assert stored_days("other.db")[SHARES[2]][0] == str(days()[60])


def test_shares_come_from_a_file(awesome: Awesome, server: ReplayServer) -> None:
    Path("mine.txt").write_text(f"# what I hold\n{SHARES[3]}\n\n  {SHARES[1]}  # much of it\n{SHARES[3]}\n")
    outcome = awesome("extract", "--source", "tencent", "--shares", "@mine.txt", "--until", str(until()))
    assert outcome.code == 0
    assert [row[0] for row in table(outcome.out)] == [SHARES[3], SHARES[1]]
    assert set(stored_days()) == {SHARES[3], SHARES[1]}


def test_refetch_replaces_what_is_stored(awesome: Awesome, server: ReplayServer) -> None:
    awesome(*command(SHARES[0], last=until()))
    before = contents("awesome.db")
    with closing(sqlite3.connect("awesome.db")) as connection:
        # Before the days that an increment looks at.
        connection.execute("UPDATE PRICE SET open = open * 2 WHERE time < ?", (str(days()[-60]),))
        connection.commit()
    assert table(awesome(*command(SHARES[0], last=until())).out)[0][1] == "unchanged"
    assert contents("awesome.db") != before
    outcome = awesome(*command(SHARES[0], last=until()), "--refetch")
    assert (outcome.code, table(outcome.out)[0][1]) == (0, "readjusted")
    assert contents("awesome.db") == before


def test_a_file_of_prices_is_a_source_too(awesome: Awesome, server: ReplayServer) -> None:
    lines = [f"2024-01-{day:02d},{share},{day}" for share in ("sh600000", "sz000001") for day in range(1, 29)]
    Path("prices.csv").write_text("\n".join(["time,share_id,close", *lines]))
    outcome = awesome("extract", "--source", "file:prices.csv", "--db", "own.db")
    assert (outcome.code, len(table(outcome.out))) == (0, 2)
    assert {share: len(found) for share, found in stored_days("own.db").items()} == {"sh600000": 28, "sz000001": 28}
    outcome = awesome("extract", "--source", "file:prices.csv", "--db", "own.db", "--shares", "sz000001,IBM")
    assert outcome.code == 3
    assert "prices.csv: it holds no such share" in outcome.out
    assert server.requests == []


# --- how it ends, and what is printed


def test_what_needs_a_look_is_printed_first_and_the_exit_code_is_3(awesome: Awesome, server: ReplayServer) -> None:
    unchanged, new, readjusted, behind, failed = SHARES[:5]
    assert awesome(*command(unchanged)).code == 0
    assert awesome(*command(readjusted, last=until())).code == 0
    events = {"dividends": {days()[100]: 0.5}, "splits": {days()[200]: 2.0, days()[-5]: 3.0}}
    server.market = server.market.with_listings(listing(readjusted, **events))
    server.faults.add(Fault("missing", share=behind, value=6), Fault("500", share=failed))
    outcome = awesome(*command(unchanged, new, readjusted, behind, failed))
    assert outcome.code == 3
    assert [(row[0], row[1]) for row in table(outcome.out)] == [
        (failed, "failed"),
        (behind, "behind"),
        (readjusted, "readjusted"),
        (new, "new"),
        (unchanged, "unchanged"),
    ]
    told = {row[0]: row for row in table(outcome.out)}
    assert "answered 500" in told[failed][-1]
    assert "the source ends" in told[behind][-1]
    assert "fetched from the start" in told[readjusted][-1]
    assert outcome.out.splitlines()[-1].endswith("s: 1 new, 1 unchanged, 1 readjusted, 1 behind, 1 failed")
    assert "Traceback" not in outcome.out + outcome.err
    assert failed not in stored_days()


def test_gaps_are_counted_and_the_first_are_named(awesome: Awesome, server: ReplayServer) -> None:
    whole = server.market.listings[SHARES[0]]
    absent = set(range(30, 37))
    kept = [at for at in range(len(whole)) if at not in absent]
    arrays = {name: getattr(whole, name)[kept] for name in ("time", "open", "high", "low", "close", "volume")}
    server.market = server.market.with_listings(replace(whole, **arrays, cache={}))
    outcome = awesome(*command(SHARES[0], last=until()))
    assert outcome.code == 0
    assert f"7 ({', '.join(str(day) for day in days()[30:35])}, ...)" in " ".join(outcome.out.split())


def test_nothing_is_exit_code_4(awesome: Awesome, server: ReplayServer) -> None:
    server.faults.add(Fault("503"))
    outcome = awesome(*command(*SHARES[:3]))
    assert outcome.code == 4
    assert [row[1] for row in table(outcome.out)] == ["failed"] * 3
    assert outcome.out.splitlines()[-1].endswith("s: 3 failed")
    assert "Traceback" not in outcome.out + outcome.err
    assert contents("awesome.db") == {name: [] for name in TABLES}


def test_of_very_many_shares_the_first_are_printed_and_all_are_counted(awesome: Awesome, server: ReplayServer) -> None:
    names = [f"sh60{number:04d}" for number in range(70)]
    server.faults.add(Fault("unknown"))
    outcome = awesome("extract", "--source", "tencent", "--shares", ",".join(names), "--since", str(first()))
    assert outcome.code == 4
    assert sum(line.startswith("sh60") for line in outcome.out.splitlines()) == 60
    assert "... and 10 more; --json lists all" in outcome.out
    assert outcome.out.splitlines()[-1].endswith("s: 70 failed")


def test_without_a_terminal_the_output_is_json_lines_alone(
    awesome: Awesome, server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.cli.common.prints_on_terminal", lambda: False)
    server.faults.add(Fault("html", share=SHARES[0]))
    outcome = awesome(*command(*SHARES[:3], last=until()))
    assert (outcome.code, outcome.err) == (3, "")
    first, *shares, last = events(outcome.out)
    assert (first["event"], first["source"], first["shares"]) == ("started", "tencent", 3)
    assert {one["share_id"]: one["status"] for one in shares} == dict(
        zip(SHARES[:3], ("failed", "new", "new"), strict=True)
    )
    assert {one["event"] for one in shares} == {"share"}
    assert (last["event"], last["counts"]["new"], last["exit_code"]) == ("ended", 2, 3)


def test_json_is_all_that_is_printed_if_it_is_asked_for(awesome: Awesome, server: ReplayServer) -> None:
    server.faults.add(Fault("html", share=SHARES[0]))
    outcome = awesome(*command(*SHARES[:3], last=until()), "--json")
    report = json.loads(outcome.out)
    assert outcome.code == report["exit_code"] == 3
    assert [(one["share_id"], one["status"]) for one in report["shares"]] == [
        (SHARES[0], "failed"),
        (SHARES[1], "new"),
        (SHARES[2], "new"),
    ]
    assert report["counts"] == {"new": 2, "unchanged": 0, "readjusted": 0, "behind": 0, "failed": 1}
    assert (report["source"], report["database"], report["since"]) == ("tencent", "awesome.db", str(first()))
    whole = report["shares"][1]
    assert (whole["new"], whole["gaps"]) == (len(all_days(until())), 0)
    assert whole["last"] == whole["expected"] == str(until())
    assert report["shares"][0]["reason"].startswith(f"tencent, share {SHARES[0]}: ")


def test_where_there_is_no_terminal_each_share_is_a_line_of_json(awesome: Awesome, server: ReplayServer) -> None:
    server.faults.add(Fault("truncated", share=SHARES[1]))
    told = events(awesome(*command(*SHARES[:3], last=until())).err)
    assert [event["event"] for event in told] == ["started", "share", "share", "share", "ended"]
    assert (told[0]["source"], told[0]["shares"], told[0]["since"]) == ("tencent", 3, str(first()))
    shares = {event["share_id"]: event for event in told if event["event"] == "share"}
    assert {share: event["status"] for share, event in shares.items()} == {
        SHARES[0]: "new",
        SHARES[1]: "failed",
        SHARES[2]: "new",
    }
    assert [event["done"] for event in told[1:4]] == [1, 2, 3]
    assert (told[-1]["exit_code"], told[-1]["counts"]["failed"]) == (3, 1)


def test_what_failed_is_tried_again_by_resume(awesome: Awesome, server: ReplayServer, clean: Any) -> None:
    fault = Fault("reset-midway", share=SHARES[2])
    server.faults.add(fault)
    assert awesome(*command(last=until())).code == 3
    assert files() == ["awesome.db", "awesome.db.extraction.jsonl"]
    server.faults.clear()
    server.forget()
    outcome = awesome("extract", "--resume")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].endswith(f"{len(SHARES)} new, {len(SHARES) - 1} of them done before")
    assert {request.share for request in server.requests} == {SHARES[2]}
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


def test_a_market_of_the_settings_is_none_to_extract_into(
    awesome: Awesome, market_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert awesome("panel", "write", "one", "--db", str(market_db)).code == 0
    [prices] = Path("one").rglob("*.parquet")
    monkeypatch.setenv("AWESOME_MARKET", "null")
    monkeypatch.setenv("AWESOME_SOURCE", f"file:{prices}")
    monkeypatch.setenv("AWESOME_DB", "own.db")
    outcome = awesome("extract", "--suspect-return", "0.9")
    assert outcome.code == 0
    assert stored_days(Path("own.db")).keys() == stored_days(market_db).keys()
    assert not Path("runs").exists()
