"""CPU and memory of each step as rows grow: `python -m benchmarks.growth --shares 100 500 1000 5000`.

Every share has 2,000 windows, so these are 0.2, 1, 2 and 10 million rows. Each step runs in a process of its own, one
after the other; the figures are the operating system's for that process, imports included. Slopes are between the
smallest and the largest size. A size needs some 600 bytes of disk a row while it runs; with `--panel`, prices come from
a panel, and it is some 200. `--last Transform` runs no step behind that.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import print_table, run_process, write_result

SESSIONS = 2020
"""20 of them are the first window's."""
SHARES = (100, 500, 1000)
MOST_GROWTH = 100.0
"""MiB a million rows that a step may grow by."""
_PLUMBING = ("ImportSchemaGen", "ExampleValidator", "Predecessor", "ModelSelector", "Pusher")
"""Steps that read no rows."""

_MODULE = [sys.executable, "-m"]


def main() -> int:
    """Prints the table and writes benchmarks/results/growth.json; 0 if no step grows by 100 MiB a million rows.

    One size shows no growth, so it ends with 2: nothing that was asked is known.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shares", type=int, nargs="+", default=SHARES, help="of each size")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--market", default="reversal", help="the scenario")
    parser.add_argument("--models", nargs="+", default=["linear", "dnn", "rnn"])
    parser.add_argument("--panel", action="store_true", help="prices from a panel")
    parser.add_argument("--last", help="the last step that is run")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it; what it holds is not made again")
    arguments = parser.parse_args()
    sizes: dict[int, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        for shares in sorted(set(arguments.shares)):
            rows = shares * (arguments.sessions - 20)
            asked = (shares, arguments.sessions, arguments.market, arguments.models, arguments.panel, arguments.last)
            sizes[rows] = run_size(work, *asked)
            _print_size(rows, sizes[rows])
    table = slopes(sizes)
    print_table("Growth", table)
    write_result("growth", {"models": arguments.models, "sizes": sizes, "slopes": table})
    if len(sizes) < 2:
        print("One size shows no growth: give at least two to --shares.", file=sys.stderr)
        return 2
    return 0 if all(row.get("MiB a million", 0) < MOST_GROWTH for row in table) else 1


def run_size(
    work: Path,
    shares: int,
    sessions: int,
    market: str,
    models: Sequence[str],
    panel: bool = False,
    last: str | None = None,
) -> dict[str, dict[str, float]]:
    """Makes a market and runs every step on it, up to the last one that is asked for.

    Returns:
        `{step: {cpu, wall, peak_rss}}`.

    Raises:
        SystemExit: a step failed; its message is above.
    """
    database = work / f"{shares}x{sessions}.{'panel' if panel else 'db'}"
    folder = work / f"{shares}x{sessions}{'-panel' if panel else ''}"  # a step that ended there is not run again
    folder.mkdir(parents=True, exist_ok=True)
    used: dict[str, dict[str, float]] = {}
    if not database.exists():
        options = ["--build", str(database), "--shares", str(shares), "--sessions", str(sessions), "--market", market]
        usage = run_process([*_MODULE, "benchmarks.large_panel" if panel else "benchmarks.store", *options])
        used["market"] = {"wall": usage.wall, "cpu": usage.cpu, "peak_rss": usage.peak_rss}
    known = ["--database", str(database), "--workspace", str(folder), "--run-id", "growth", "--models", *models]
    listed = run_process([*_MODULE, "benchmarks.growth_step", *known, "--list"])
    for name in json.loads(listed.output.strip().splitlines()[-1]):
        usage = run_process([*_MODULE, "benchmarks.growth_step", *known, "--step", name])
        if not name.startswith(_PLUMBING):
            used[name] = {"wall": usage.wall, "cpu": usage.cpu, "peak_rss": usage.peak_rss}
            print(f"{name}: {usage.cpu:.1f} CPU s, {usage.peak_rss:,.0f} MiB", file=sys.stderr, flush=True)
        if name == last:
            break
    return used


def slopes(sizes: dict[int, dict[str, dict[str, float]]]) -> list[dict[str, Any]]:
    """A row a step: CPU seconds and peak memory of each size, and the slopes between the smallest and the largest."""
    small, large = min(sizes), max(sizes)
    table = []
    for step in sizes[large]:
        row: dict[str, Any] = {"step": step}
        for rows, used in sizes.items():
            row[f"{rows / 1e6:g}M CPU s"] = used.get(step, {}).get("cpu")
            row[f"{rows / 1e6:g}M MiB"] = used.get(step, {}).get("peak_rss")
        if small < large and step in sizes[small]:
            millions = (large - small) / 1e6
            before, after = sizes[small][step], sizes[large][step]
            row["us a row"] = (after["cpu"] - before["cpu"]) / millions
            row["MiB a million"] = (after["peak_rss"] - before["peak_rss"]) / millions
        table.append(row)
    return table


def _print_size(rows: int, used: dict[str, dict[str, float]]) -> None:
    table: list[dict[str, Any]] = [{"step": name, **one} for name, one in used.items()]
    cpu, peak = (function(one[of] for one in used.values()) for function, of in ((sum, "cpu"), (max, "peak_rss")))
    table.append({"step": "all", "wall": None, "cpu": cpu, "peak_rss": peak})
    print_table(f"{rows:,} rows", table)


if __name__ == "__main__":
    raise SystemExit(main())
