"""Extracts a whole market from the replay server: `python -m benchmarks.extraction`. Rows a second and memory.

The replay server answers as Tencent does, in a process of its own. Each extraction is measured in another one: the
first into an empty database, then the very same again, which asks for the last eleven sessions of each share and must
not write a row. A tenth of the shares goes before, as memory must not grow with their number. Two cores take about ten
minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import print_table, run_process, write_result
from components.feature_store import connection, store

SHARES, SESSIONS = 5000, 2500
EXCHANGE, DISTINCT = "XSHG", 20
GROWTH = 64
"""MiB that ten times the shares may take beyond what a tenth of them takes: each leaves a line of the report."""
_UNTIL = dt.date(2025, 6, 30)
_NOW = dt.datetime.combine(_UNTIL, dt.time(12), dt.UTC)
_A_YEAR = 243  # sessions
_DIVIDEND = 0.2
_RATE = 1e5  # no limit: the server is our own
_BYTES_PER_ROW = 500  # of disk; a row of PRICE and its one of FEATURE take about 300
_WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_COMMAND = (sys.executable, "-m", "benchmarks.extraction")


def main() -> int:
    """Prints the table and writes benchmarks/results/extraction.json.

    Returns:
        0 if all sessions were stored, the second runs wrote nothing and ten times the shares took at most GROWTH more
        memory, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", type=int, default=SHARES, help="at least 10 (default: %(default)s)")
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="of each share (default: %(default)s)")
    parser.add_argument("--extract", metavar="URL", help="only extract (what the measured process does)")
    parser.add_argument("--database", type=Path, help="of --extract")
    parser.add_argument("--count-writes", action="store_true", help="of --extract, which it slows down")
    parser.add_argument("--days", action="store_true", help="only print the sessions")
    options = parser.parse_args()
    if options.extract is not None:
        _extract(options.extract, options.database, options.shares, options.sessions, options.count_writes)
        return 0
    if options.days:
        print("\n".join(map(str, _days(options.sessions))))
        return 0
    if options.shares < 10 or options.sessions < 100:
        raise SystemExit("--shares is at least 10 and --sessions at least 100")
    _check_disk(options.shares * options.sessions)
    # Not in this process: what it takes up itself would count as the memory of those that it starts.
    days = run_process([*_COMMAND, "--days", "--sessions", str(options.sessions)]).output.split()
    table = []
    with _replay_server(options.shares, days) as url:
        for shares in (options.shares // 10, options.shares):
            table += _measured(url, shares, options.sessions)
    print_table(f"Extracting {options.sessions:,} sessions a share from the replay server", table)
    few, many = (max(row["peak MiB"] for row in rows) for rows in (table[:2], table[2:]))
    written = sum(row["rows written"] for row in table[1::2])
    print(f"Peak memory: {few:.0f} MiB for {table[0]['shares']:,} shares, {many:.0f} MiB for {options.shares:,}.")
    print(f"Rows that the second runs wrote, counted by statement: {written}.")
    write_result("extraction", {"sessions": options.sessions, "runs": table})
    whole = all(row["sessions stored"] == row["shares"] * options.sessions for row in table[::2])
    return 0 if whole and written == 0 and many - few <= GROWTH else 1


def _measured(url: str, shares: int, sessions: int) -> list[dict[str, Any]]:
    """The first extraction of so many shares and the second one, a row of the table each."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="extraction-") as folder:
        database = Path(folder) / "market.db"
        for run in ("first", "second"):
            sizes = ["--shares", str(shares), "--sessions", str(sessions)]
            count = ["--count-writes"] if run == "second" else []
            usage = run_process([*_COMMAND, "--extract", url, "--database", str(database), *sizes, *count])
            done = json.loads(usage.output)
            if done["counts"] != {"new" if run == "first" else "unchanged": shares}:
                raise SystemExit(f"the {run} extraction of {shares} shares ended with {done['counts']}")
            rows.append(
                {
                    "shares": shares,
                    "run": run,
                    "sessions stored": done["new"],
                    "rows written": done["writes"] if run == "second" else None,
                    "s": usage.wall,
                    "cpu s": usage.cpu,
                    "rows/s": done["new"] / usage.wall if run == "first" else None,
                    "shares/s": shares / usage.wall,
                    "peak MiB": usage.peak_rss,
                    "file MiB": database.stat().st_size / 1024**2,
                }
            )
    return rows


def _extract(url: str, database: Path, shares: int, sessions: int, count_writes: bool) -> None:
    """What the measured process does; prints what became of the shares."""
    from components.extractor import ExtractionPlan, HttpSettings, extract
    from components.extractor.replay import universe_names

    writes = _Writes() if count_writes else None
    plan = ExtractionPlan("tencent", tuple(universe_names(EXCHANGE, shares)), since=_days(sessions)[0])
    report = extract(plan, database, http=HttpSettings(base_url=url, rate=_RATE), now=_NOW)
    counts = {status: count for status, count in report.counts.items() if count}
    stored = sum(outcome.new for outcome in report.shares)
    print(json.dumps({"counts": counts, "new": stored, "writes": writes.count if writes else None}))


def _days(sessions: int) -> list[dt.date]:
    """The sessions that each share has."""
    from components.extractor.calendar import ExchangeCalendar

    days: list[dt.date] = ExchangeCalendar.of(EXCHANGE, _NOW).sessions(dt.date(1995, 1, 1), _UNTIL).tolist()
    if len(days) < sessions:
        raise SystemExit(f"--sessions {sessions}: the market has {len(days):,} up to {_UNTIL}")
    return days[-sessions:]


@contextlib.contextmanager
def _replay_server(shares: int, days: list[str]) -> Iterator[str]:
    """Runs the server while the block runs, and yields where it listens."""
    command = [sys.executable, "-m", "components.extractor.replay", "--port", "0", "--no-fixtures"]
    command += ["--exchange", EXCHANGE, "--universe", str(shares), "--distinct", str(DISTINCT)]
    command += ["--since", days[0], "--until", str(_UNTIL)]
    for day in days[_A_YEAR // 2 :: _A_YEAR]:
        command += ["--dividend", f"*:{day}:{_DIVIDEND}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            _, _, url = process.stdout.readline().strip().partition(": ")
            if not url:
                raise SystemExit("the replay server did not start")
            yield url
        finally:
            process.terminate()


class _Writes:
    """Counts the statements that write rows, as SQLite is given them from now on in this process."""

    def __init__(self) -> None:
        self.count = 0
        self._connect = connection.connect_to_write
        store.__dict__["connect_to_write"] = self._connected

    def _connected(self, file: Path) -> sqlite3.Connection:
        opened = self._connect(file)
        opened.set_trace_callback(self._note)
        return opened

    def _note(self, statement: str) -> None:
        self.count += statement.lstrip().upper().startswith(_WRITING)


def _check_disk(rows: int) -> None:
    folder = tempfile.gettempdir()
    needed, free = rows * _BYTES_PER_ROW, shutil.disk_usage(folder).free
    if free < needed:
        raise SystemExit(
            f"{folder} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed: "
            "free some, let TMPDIR name another folder, or take fewer --shares"
        )


if __name__ == "__main__":
    raise SystemExit(main())
