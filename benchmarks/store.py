"""A million rows of FEATURE: `python -m benchmarks.store`. Their CPU, time and memory, in a process of its own."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import print_table, run_process, write_result

SHARES, SESSIONS = 100, 10_020
SECONDS, MEBIBYTES = 40, 1024


def main() -> int:
    """Prints the table and writes benchmarks/results/store.json; 0 if it took under 40 s and 1 GiB, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, help="only build, into this file (what the measured process does)")
    parser.add_argument("--shares", type=int, default=SHARES)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--market", default="null", help="the scenario")
    arguments = parser.parse_args()
    shares, sessions = arguments.shares, arguments.sessions
    if arguments.build is not None:
        from components.synthetic_market import generate, write_market

        write_market(generate(arguments.market, shares=shares, sessions=sessions), arguments.build)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "store.db"
        usage = run_process([sys.executable, "-m", "benchmarks.store", "--build", str(database), *sys.argv[1:]])
        size = database.stat().st_size / 1024**2
    rows = shares * (sessions - 20)
    row = {"rows": rows, "cpu s": usage.cpu, "wall s": usage.wall, "peak MiB": usage.peak_rss, "file MiB": size}
    print_table("Building FEATURE", [row])
    write_result("store", {"build": row})
    return 0 if usage.wall < SECONDS and usage.peak_rss < MEBIBYTES else 1


if __name__ == "__main__":
    raise SystemExit(main())
