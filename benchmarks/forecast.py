"""CPU of `awesome predict` beside that of an earlier build: `python -m benchmarks.forecast`.

A small run trains two models, which go to object storage in a folder and come back, so that both builds are handed the
same ones. Both then predict all shares of two databases of a market without signal; each command is a process of its
own, run twice, of which the cheaper counts, as the first one may write bytecode. The earlier build is checked out of
git and runs with the same Python and packages; it answers through the SavedModel, so that the answers of TensorFlow and
of the twin are compared as well. Takes ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import ProcessUsage, check_out, print_table, run_process, write_result

BEFORE = "b23eaf5"
"""The last commit whose `predict` imported TensorFlow."""

TARGETS: Mapping[int, float] = {100: 1.0, 5000: 3.0}
"""CPU seconds at the most, by shares."""

MODELS = ("linear", "dnn")
SESSIONS = 2500
_LEAST_TIMES = 10
_AWESOME = [str(Path(sys.executable).with_name("awesome"))]


def main() -> int:
    """Prints all and writes benchmarks/results/forecast.json; 0 if every target is met at a tenth of the CPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="of each share")
    parser.add_argument("--models", default=",".join(MODELS), help="of the run, separated by commas")
    parser.add_argument("--times", type=int, default=2, help="that each command is run")
    parser.add_argument("--before", default=BEFORE, help="commit of the earlier build")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = (arguments.keep or Path(temporary)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        earlier = check_out(arguments.before, work / "earlier")
        models = _train(work, arguments.models.split(","))
        databases = {shares: _market(work / f"market{shares}.db", shares, arguments.sessions) for shares in TARGETS}
        rows = [
            _compare(name, folder, shares, database, earlier, arguments.times)
            for shares, database in databases.items()
            for name, folder in models.items()
        ]
    print_table(f"awesome predict, {arguments.sessions:,} sessions a share", rows)
    write_result("forecast", {"sessions": arguments.sessions, "before": arguments.before, "rows": rows})
    met = all(row["cpu s"] <= row["target"] and row["times less"] >= _LEAST_TIMES for row in rows)
    return 0 if met else 1


def _train(work: Path, names: Sequence[str]) -> dict[str, Path]:
    """The models by name, as `awesome model pull` brings them."""
    storage = str(work / "storage")
    folders = {name: work / name for name in names}
    if not all(folder.is_dir() for folder in folders.values()):
        market = ["--market", "reversal_easy", "--market-shares", "20", "--market-sessions", "800"]
        where = ["--workspace", str(work / "workspace"), "--output", str(work / "run")]
        run_process([*_AWESOME, "run", *market, *where, "--no-audit", "--models", ",".join(names)])
        run_process([*_AWESOME, "model", "push", storage, str(work / "run")])
        for name, folder in folders.items():
            run_process([*_AWESOME, "model", "pull", storage, "--model", name, "--to", str(folder)])
    return folders


def _market(database: Path, shares: int, sessions: int) -> Path:
    from components.synthetic_market import generate, write_market

    if not database.is_file():
        write_market(generate("null", shares=shares, sessions=sessions), database)
    return database


def _compare(name: str, folder: Path, shares: int, database: Path, earlier: Path, times: int) -> dict[str, Any]:
    arguments = ["predict", "--model", str(folder), "--db", str(database), "--json"]
    # In place of the current folder, which Python would look into first.
    code = f"import sys; sys.path[0] = {str(earlier)!r}; from pipeline.cli import main; main()"
    before = _cheaper([sys.executable, "-c", code, *arguments], {}, times)
    if "without_twin" in json.loads(before.output):
        raise SystemExit(f"{earlier}: is not the build that was run")
    now = _cheaper([*_AWESOME, *arguments], {}, times)
    answers = [
        {one["share_id"]: one["probability"] for one in json.loads(usage.output)["shares"]} for usage in (before, now)
    ]
    if answers[0].keys() != answers[1].keys() or len(answers[0]) != shares:
        raise SystemExit(f"{name}: the two builds answer for other shares")
    if without := json.loads(now.output)["without_twin"]:
        raise SystemExit(f"{name}: has no twin: {without}")
    return {
        "shares": shares,
        "model": name,
        "before cpu s": before.cpu,
        "cpu s": now.cpu,
        "target": TARGETS[shares],
        "times less": before.cpu / now.cpu,
        "wall s": now.wall,
        "peak MiB": now.peak_rss,
        "largest difference": max(abs(answers[0][share] - answers[1][share]) for share in answers[0]),
    }


def _cheaper(command: Sequence[str], variables: Mapping[str, str], times: int) -> ProcessUsage:
    return min((run_process(command, variables) for _ in range(times)), key=lambda usage: usage.cpu)


if __name__ == "__main__":
    sys.exit(main())
