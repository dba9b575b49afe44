"""Replays sixty days of `awesome daily` through the installed command: `python -m benchmarks.daily`.

The replay server answers as Tencent does; each evening the command runs in a process of its own, with a made clock. The
first one finds no model and trains it. Among the days are a split, holidays, a bar that comes on the next morning, one
that comes too late, a restated price, and loops that are killed, doubled or missed. At the end the ledger must verify,
hold each session of each share once, and be late where it has to be, nowhere else. Two cores take a few minutes.

With `--before COMMIT` one more evening and the page are then run beside an earlier build, on the same folder and in
turn; with `--long`, the parts that look at the whole ledger on ledgers of 100 shares that have become long
(benchmarks/daily_cost.py).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.daily_cost import Command, beside_earlier, long_ledgers
from benchmarks.measure import print_table, write_result
from components.extractor.calendar import ExchangeCalendar
from components.extractor.replay import Fault, ReplayServer, from_synthetic, universe_names
from components.ledger.verifying import verify

DAYS, SHARES = 60, 12
_SINCE, _START = dt.date(2021, 1, 4), dt.date(2024, 8, 26)
_LONG_SHARES = 100
_UTC = dt.UTC
_AWESOME = Path(sys.executable).with_name("awesome")
_LATE_SOON, _LATE_TOO_LONG, _RESTATED, _MISSED = 10, 16, 30, (40, 41, 42)
"""Sessions, counted from the first loop, of which a bar comes late or is restated, and on which nobody looks."""
_KILLED = range(3, 60, 5)
_DOUBLED = range(4, 60, 7)
_SPLIT = 20


@dataclass
class Replay:
    """The days as they are replayed.

    Attributes:
        server: whose market goes on day by day.
        folder: the loop works in.
        arguments: of the command, but for the clock.
        cpu: CPU seconds of each loop that was not killed, by what it was.
        codes: how often each exit code came.
    """

    server: ReplayServer
    folder: Path
    arguments: tuple[str, ...]
    cpu: dict[str, list[float]] = field(default_factory=dict)
    codes: Counter[int] = field(default_factory=Counter)

    def loop(self, moment: dt.datetime, kind: str, kill_after: float | None = None) -> dict[str, Any]:
        """One loop in a process of its own; the report, empty where it was killed."""
        command = [str(_AWESOME), "daily", *self.arguments, "--clock", moment.isoformat(), "--json"]
        code, cpu, text = self._run(command, {}, kill_after)
        if kill_after is not None:
            return {}
        self.codes[code] += 1
        self.cpu.setdefault(kind, []).append(cpu)
        report: dict[str, Any] = json.loads(text)
        return report

    def at(self, moment: dt.datetime) -> Command:
        """Runs commands at a moment: `daily` with what it is given each evening, `live` with the database alone."""

        def run(command: Sequence[str], variables: dict[str, str]) -> float:
            arguments = self.arguments if command[-1] == "daily" else self.arguments[:2]
            return self._run([*command, *arguments, "--clock", moment.isoformat()], variables)[1]

        return run

    def _run(
        self, command: Sequence[str], variables: dict[str, str], kill_after: float | None = None
    ) -> tuple[int, float, bytes]:
        """The exit code of a command, its CPU seconds, and what it printed."""
        left_out = ("AWESOME_", "PYTHONDONTWRITEBYTECODE")  # without bytecode imports would be most of the time
        environment = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        # Much can be known of this market; the audit takes that for a leak, as it believes the prices to be real.
        environment |= {"AWESOME_SOURCES_URL": self.server.url, "AWESOME_SOURCES_RATE": "1000"}
        environment |= {"AWESOME_ACCEPT_SUSPICION": "alarm"} | variables
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.DEVNULL, env=environment, cwd=self.folder
            )
            if kill_after is not None:
                time.sleep(kill_after)
                # Not process.kill(), which waits for one that has ended by itself, and leaves nothing to wait for.
                os.kill(process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            text = output.read()
        if kill_after is None and process.returncode not in (0, 3):
            raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
        return process.returncode, usage.ru_utime + usage.ru_stime, text


def main() -> int:
    """Prints the table and writes benchmarks/results/daily.json.

    Returns:
        0 if the ledger verifies and holds what it has to, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS, help="sessions that are replayed (default: %(default)s)")
    parser.add_argument("--shares", type=int, default=SHARES, help="of Shanghai (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="to work in and keep, figures too (default: a scratch one)")
    parser.add_argument("--before", metavar="COMMIT", help="measure an evening beside this earlier build, too")
    parser.add_argument("--times", type=int, default=3, help="that each command is run (default: %(default)s)")
    parser.add_argument(
        "--long",
        type=int,
        nargs="*",
        default=[],
        metavar="SESSIONS",
        help="measure what an evening takes of ledgers of so many sessions, too",
    )
    options = parser.parse_args()
    calendar = ExchangeCalendar.of("XSHG", dt.datetime(2026, 1, 1, tzinfo=_UTC))
    days = calendar.sessions(_START, dt.date(2025, 12, 31)).tolist()[: options.days + 1]
    shares = tuple(universe_names("XSHG", options.shares))
    splits = {shares[0]: {days[_SPLIT]: 2.0}} if len(days) > _SPLIT else {}
    market = from_synthetic("reversal", shares, _SINCE, days[-1], 0, splits=splits)
    arguments = (
        *("--db", "prices.db", "--source", "tencent", "--shares", ",".join(shares), "--since", str(_SINCE)),
        *("--models", "linear"),
    )
    with tempfile.TemporaryDirectory() as scratch, ReplayServer(market) as server:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        replay = Replay(server, folder, arguments)
        last = _replay(replay, days, shares)
        found = _check(folder / "prices.db.ledger", days[:-1], shares)
        server.market = replace(server.market, today=days[-1])
        run = replay.at(dt.datetime.combine(days[-1], dt.time(10), _UTC))
        beside = (
            beside_earlier(run, folder, Path(scratch), [str(_AWESOME)], options.before, options.times)
            if options.before
            else []
        )
        long = long_ledgers(Path(scratch), _LONG_SHARES, options.long)
    rows = [
        {"loop": kind, "loops": len(cpu), "CPU s, median": float(np.median(cpu)), "CPU s, most": max(cpu)}
        for kind, cpu in replay.cpu.items()
    ]
    print_table(f"{len(days) - 1} sessions of {len(shares)} shares, {found['rows']} rows of the ledger", rows)
    print(f"exit codes {dict(replay.codes)}; {found['late']} late; {'; '.join(found['wrong']) or 'nothing is wrong'}")
    for line in last:
        print(line)
    if beside:
        print_table(f"one more evening, beside {options.before}", beside)
    if long:
        print_table(f"CPU s of the parts that look at the whole ledger, {_LONG_SHARES} shares", long)
    payload = {"before": options.before, "beside": beside, "long": long}
    payload |= {"loops": rows, "ledger": found, "evidence": last, "exit_codes": dict(replay.codes)}
    write_result("daily", payload, options.folder)
    return int(bool(found["wrong"]))


def _replay(replay: Replay, days: list[dt.date], shares: tuple[str, ...]) -> list[str]:
    """Goes through the days; what the last loop says of the evidence."""
    rng, report = random.Random(0), {}
    known, server = set(days), replay.server
    day = days[0]
    while day < days[-1]:
        at = days.index(day) if day in known else None
        server.market = replace(server.market, today=day)
        evening = dt.datetime.combine(day, dt.time(10), _UTC)
        if at in (_LATE_SOON, _LATE_TOO_LONG):
            server.faults.add(Fault("missing", share=shares[at % len(shares)], value=1))
        if at == _RESTATED:
            _restate(replay, shares[1], days[at - 2])
        if at is not None and at in _KILLED:
            replay.loop(evening, "killed", kill_after=rng.uniform(0.2, 1.2))
        if at not in _MISSED and day.weekday() < 5:
            kind = "first, with a training" if at == 0 else "evening" if at is not None else "holiday"
            report = replay.loop(evening, kind)
        if at is not None and at in _DOUBLED:
            replay.loop(evening + dt.timedelta(hours=2), "second of a day")
        server.faults.clear()
        if at == _LATE_SOON:  # half an hour before the next session opens
            replay.loop(dt.datetime.combine(days[at + 1], dt.time(1), _UTC), "morning")
        day += dt.timedelta(days=1)
    return [line for part in report["parts"] if part["name"] == "evidence" for line in part["said"]]


def _restate(replay: Replay, share: str, day: dt.date) -> None:
    """From now on the source gives another close of a past day."""
    listing = replay.server.market.listings[share]
    close, at = listing.close.copy(), listing.index(day)
    close[at] = listing.low[at] if listing.low[at] != close[at] else listing.high[at]
    replay.server.market = replay.server.market.with_listings(replace(listing, close=close, cache={}))


def _check(ledger: Path, days: list[dt.date], shares: tuple[str, ...]) -> dict[str, Any]:
    """What the ledger holds, and what of it is not as it has to be."""
    verified = verify(ledger)
    wrong = [str(fault) for fault in verified.faults]
    with closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute("SELECT share_id, session, late FROM PREDICTION").fetchall()
        [(restated,)] = connection.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM OUTCOME GROUP BY prediction HAVING COUNT(*) > 1)"
        ).fetchall()
    expected = Counter((share, str(day)) for share in shares for day in days)
    if (held := Counter((share, session) for share, session, _ in rows)) != expected:
        wrong.append(f"{len(expected - held)} predictions are missing and {len(held - expected)} are too many")
    late = {(share, session) for share, session, was_late in rows if was_late}
    missed = {(share, str(days[at])) for at in _MISSED if at < len(days) for share in shares}
    if len(days) > _LATE_TOO_LONG:
        missed.add((shares[_LATE_TOO_LONG % len(shares)], str(days[_LATE_TOO_LONG])))
    if late != missed:
        wrong.append(f"late are {sorted(late ^ missed)[:3]}, or not")
    if len(days) > _RESTATED and not restated:
        wrong.append("a restated price made no second outcome")
    return {
        "rows": verified.rows,
        "predictions": verified.predictions,
        "late": verified.late,
        "outcomes": verified.outcomes,
        "restated": restated,
        "wrong": wrong,
    }


if __name__ == "__main__":
    sys.exit(main())
