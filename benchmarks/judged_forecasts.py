"""What `awesome judge` needs for a million forecasts: `python -m benchmarks.judged_forecasts`.

500 shares of a made market, 2,000 sessions of forecasts, as CSV and as Parquet; each is judged by a process of its own,
and the figures are the operating system's. With `--before CHECKOUT` another checkout of the project judges the same
files, in turns, and the largest difference of all figures is printed, too. Takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import ProcessUsage, print_table, run_process, write_result

SHARES, SESSIONS, FORECAST = 500, 2300, 2000
_HERE = Path(__file__).parents[1]
_JUDGE = "from pipeline.cli import main\nmain()\n"


def main() -> int:
    """Prints a line a file and writes benchmarks/results/judged_forecasts.json; 1 if figures differ by over 1e-12."""
    parser = argparse.ArgumentParser(prog="benchmarks.judged_forecasts", description=__doc__)
    parser.add_argument("--sessions", type=int, default=FORECAST, help="of which there are forecasts")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another checkout, to be measured in turns")
    given = parser.parse_args()
    table: list[dict[str, Any]] = []
    difference = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        rows = _make(Path(temporary), given.sessions)
        for name in ("p.csv", "p.parquet"):
            now = _judge(_HERE, Path(temporary), name)
            row: dict[str, Any] = {"file": name.removeprefix("p."), "forecasts": rows}
            if given.before is not None:
                before = _judge(given.before.resolve(), Path(temporary), name)
                one, other = (dict(_figures(json.loads(used.output)["report"]["models"])) for used in (now, before))
                difference = max(difference, *(abs(one[key] - value) for key, value in other.items()))
                row |= {"before cpu s": before.cpu, "before MiB": before.peak_rss}
            table.append(row | {"cpu s": now.cpu, "peak MiB": now.peak_rss})
    print_table("Judging", table)
    payload: dict[str, Any] = {"shares": SHARES, "sessions": given.sessions, "files": table}
    if given.before is not None:
        print(f"largest difference of the model's figures: {difference:.2g}")
        payload["largest_difference"] = difference
    write_result("judged_forecasts", payload)
    return 0 if difference <= 1e-12 else 1


def _make(folder: Path, sessions: int) -> int:
    """Makes the market and both files; returns how many forecasts each has."""
    import numpy as np

    from components.feature_store import FeatureStore
    from components.synthetic_market import generate, write_market

    write_market(generate("reversal", shares=SHARES, sessions=SESSIONS), folder / "m.db")
    with FeatureStore.open(folder / "m.db") as store:
        windows = store.read_features([one.share_id for one in store.shares()]).to_pandas()
    windows = windows[windows["time"].isin(sorted(windows["time"].unique())[-sessions:])]
    noise = 0.01 * np.random.default_rng(0).standard_normal(len(windows))
    chance = 0.5 + 0.5 * (windows["close1"] / windows["close0"] - 1) + noise
    forecasts = windows[["time", "share_id"]].assign(probability=chance.clip(0, 1))
    forecasts.to_csv(folder / "p.csv", index=False)
    forecasts.to_parquet(folder / "p.parquet", index=False)
    return len(forecasts)


def _judge(checkout: Path, folder: Path, name: str) -> ProcessUsage:
    """Judges a file with the packages of a checkout of the project."""
    # A file of its own, since Python looks for packages beside what it runs first.
    program = folder / "awesome.py"
    program.write_text(_JUDGE, encoding="utf-8")
    path = os.pathsep.join([str(checkout), str(checkout / "kubeflow")])
    command = [sys.executable, str(program), "judge", str(folder / name), "--db", str(folder / "m.db"), "--json"]
    return run_process(command, {"PYTHONPATH": path})


def _figures(tree: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """All numbers of the models in judgement.json by their place, but those that compare with baselines."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key != "differences":
                yield from _figures(value, f"{place}/{key}")
    elif isinstance(tree, float) and math.isfinite(tree):
        yield place, tree


if __name__ == "__main__":
    sys.exit(main())
