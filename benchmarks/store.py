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
    build = parser.parse_args().build
    if build is not None:
        from components.synthetic_market import generate, write_market

        write_market(generate("null", shares=SHARES, sessions=SESSIONS), build)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "store.db"
        usage = run_process([sys.executable, "-m", "benchmarks.store", "--build", str(database)])
        size = database.stat().st_size / 1024**2
    rows = SHARES * (SESSIONS - 20)
    row = {"rows": rows, "cpu s": usage.cpu, "wall s": usage.wall, "peak MiB": usage.peak_rss, "file MiB": size}
    print_table("Building FEATURE", [row])
    write_result("store", {"build": row})
    return 0 if usage.wall < SECONDS and usage.peak_rss < MEBIBYTES else 1


if __name__ == "__main__":
    raise SystemExit(main())
