"""What day-wide columns cost a run: `python -m benchmarks.day_wide_cost`.

The main job with its defaults, leak audit included, on the same market (20 shares x 8,300 sessions without signal) once
with each formatter, one after the other, each in a process and a workspace of its own; figures are the operating
system's for the whole process. A formatter that reads further back has fewer rows: its figures stand beside those of
`window_returns` as they are, and a row as well. Takes an hour of one core.

With `--columns` it prints instead what the columns alone cost, in this process: made for a run of so many shares and
sessions, and looked for by the leak audit's prefix replay at one day of a cut.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import ProcessUsage, print_table, run_process, write_result

SHARES, SESSIONS = 20, 8320
PLAIN = "window_returns"
FORMATTERS = (PLAIN, "market_relative", "market_activity", "momentum")
MOST = 1.3
"""Times what `window_returns` takes."""


def main() -> int:
    """Prints all and writes benchmarks/results/day_wide_cost.json; 0 if none takes more than is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--formatters", nargs="+", default=FORMATTERS, help="beside window_returns")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--shares", type=int, default=SHARES)
    parser.add_argument("--models", help="as in awesome run; default is its own")
    parser.add_argument("--columns", action="store_true", help="the columns alone")
    arguments = parser.parse_args()
    if arguments.columns:
        return _columns(arguments.shares, arguments.sessions)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        database = Path(temporary) / "market.db"
        _write(database, arguments.shares, arguments.sessions)
        for formatter in dict.fromkeys((PLAIN, *arguments.formatters)):
            used, made = _run(Path(temporary) / formatter, database, formatter, arguments.models)
            first = rows[0] if rows else {"cpu s": used.cpu, "peak MiB": used.peak_rss}
            times = {"cpu": used.cpu / first["cpu s"], "memory": used.peak_rss / first["peak MiB"]}
            rows.append(
                {"formatter": formatter, "rows": made, "cpu s": used.cpu, "times": times["cpu"]}
                | {"peak MiB": used.peak_rss, "times the memory": times["memory"]}
                | {"asked": f"<= {MOST}", "holds": "yes" if max(times.values()) <= MOST else "no"}
            )
            print(rows[-1], file=sys.stderr, flush=True)
    print_table("Main job with its defaults, by formatter", rows)
    write_result("day_wide_cost", {"shares": arguments.shares, "sessions": arguments.sessions, "formatters": rows})
    return 0 if all(row["holds"] == "yes" for row in rows) else 1


def _write(database: Path, shares: int, sessions: int) -> None:
    from components.synthetic_market import generate, write_market

    write_market(generate("null", shares=shares, sessions=sessions), database)


def _run(folder: Path, database: Path, formatter: str, models: str | None) -> tuple[ProcessUsage, int]:
    """What the main job used, and how many examples it made."""
    folders = ["--output", str(folder / "run"), "--workspace", str(folder / "workspace")]
    command = [str(Path(sys.executable).with_name("awesome")), "run", "--db", str(database), "--formatter", formatter]
    used = run_process([*command, *folders, *(["--models", models] if models else [])])
    report = json.loads((folder / "run" / "report.json").read_text())
    return used, sum(split["rows"] for split in report["splits"].values())


def _columns(shares: int, sessions: int) -> int:
    from components.day_wide.reading import read_closes
    from components.feature_store import FeatureStore
    from components.leak_audit.reading.day_columns import DayColumns
    from components.universe.universe import EVERYBODY
    from models.formatters import get_formatter

    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        database = Path(temporary) / "market.db"
        _write(database, shares, sessions)
        with FeatureStore.open(database) as store:
            names = store.listings.share_ids()
            for formatter in FORMATTERS[1:]:
                columns = get_formatter(formatter).example_columns
                begun = time.process_time()
                closes = list(read_closes(store, names, columns=columns))
                read = time.process_time()
                day = DayColumns(closes, columns, EVERYBODY)
                made = len(day.whole.session)
                whole = time.process_time()
                assert day.difference(closes[0].days[-2]) is None
                cut = time.process_time()
                rows.append(
                    {"formatter": formatter, "rows": made, "read cpu s": read - begun, "made cpu s": whole - read}
                    | {"a cut cpu s": cut - whole}
                )
    print_table("Columns alone", rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
