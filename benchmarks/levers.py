"""What features and labels are worth on real panels: `python -m benchmarks.levers`.

Each panel (benchmarks/panel_data.py) is walked through, next day, once for each pair of formatter and label, with the
linear model; the main job's own LightGBM learns from the same rows and features. The first fold's test stretch is there
to choose on: the pair with the highest daily rank IC there, both panels together. All figures are of the folds after
it. Rank ICs of all labels are against the same order of the shares on a day: what `outperform` takes off a return is
the same for all of them. Where panels have days in common a day counts once, with the mean of the panels' rank ICs.

What is asked: the linear model of the chosen pair is above that of `window_returns` with `up`, paired by days, and
above 0, and is not below LightGBM of the same pair; each beyond its 95 % interval, both panels together. Takes some
twenty minutes on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from benchmarks.measure import print_table, run_process, write_result
from benchmarks.panel_data import PANELS, prepare
from components.evidence.correlation import daily_rank_ic
from components.evidence.findings import PREDICTIONS_FILE
from components.evidence.interval import Interval
from components.evidence.metric import mean_of_days
from components.evidence.resampling import DayBlocks
from components.evidence.words import low_to_high, number4

DATA = Path(__file__).parent / ".data"
AWESOME = str(Path(sys.executable).with_name("awesome"))
TODAY = ("window_returns", "up")
# Not `momentum`: its windows of a year, and an embargo as long, leave no five folds of ten years.
PAIRS = (TODAY, ("window_returns", "outperform"), ("market_relative", "outperform"))
LINEAR, LIGHTGBM = "linear", "lightgbm"
BOTH = "both"
FOLDS = 5

Series: TypeAlias = "pd.Series[float]"
"""Of daily rank ICs, by day."""


def main() -> int:
    """Prints all and writes benchmarks/results/levers.json; 0 if what is asked holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the panels")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it, with walks that lie there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        walked = {
            panel.name: {pair: _walk(work, prepare(panel, arguments.data).database, *pair) for pair in PAIRS}
            for panel in PANELS
        }
    chosen = max(PAIRS, key=lambda pair: _pooled(walked, pair, LINEAR, first=True).mean())
    places = (*walked, BOTH)
    rows = [
        _row(place, walked, pair, model) for place, pair, model in itertools.product(places, PAIRS, (LINEAR, LIGHTGBM))
    ]
    print_table("Daily rank IC of the folds after the first", rows)
    today, best = _pooled(walked, TODAY, LINEAR), _pooled(walked, chosen, LINEAR)
    trees = _pooled(walked, chosen, LIGHTGBM)
    asked = [
        _asked("above window_returns with up", _mean((best - today).dropna()), lambda one: one.low > 0),
        _asked("above 0", _mean(best), lambda one: one.low > 0),
        _asked("not below LightGBM", _mean((best - trees).dropna()), lambda one: one.high > 0),
    ]
    print_table(f"Chosen on the first fold: {chosen[0]} with {chosen[1]}, linear, both panels", asked)
    write_result("levers", {"folds": FOLDS, "chosen": list(chosen), "rank_ic": rows, "asked": asked})
    return 0 if all(row["holds"] == "yes" for row in asked) else 1


def _walk(work: Path, database: Path, formatter: str, label: str) -> Mapping[str, Mapping[str, Series]]:
    """The daily rank ICs of a walk, by model and `first` or `later` folds."""
    folder = work / f"{database.stem}-{formatter}-{label}"
    if not (folder / "walkforward.json").exists():
        command = [AWESOME, "walkforward", "--db", str(database), "--formatter", formatter, "--label", label]
        command += ["--models", LINEAR, "--horizons", "1", "--folds", str(FOLDS), "--no-audit"]
        run_process([*command, "--workspace", str(work / "runs"), "--output", str(folder)])
    runs = json.loads((folder / "walkforward.json").read_text())["runs"]
    frames = {run["fold"]: pd.read_parquet(folder / run["folder"] / PREDICTIONS_FILE) for run in runs}
    first = min(frames)
    return {
        model: {
            "first": _daily(frames[first], model),
            "later": pd.concat([_daily(frame, model) for fold, frame in sorted(frames.items()) if fold != first]),
        }
        for model in (LINEAR, LIGHTGBM)
    }


def _daily(frame: pd.DataFrame, model: str) -> Series:
    columns = (frame[name].to_numpy() for name in (model, "forward_return", "time"))
    days, found = daily_rank_ic(*columns)
    return pd.Series(found, pd.DatetimeIndex(days)).dropna()


def _pooled(daily: Mapping[Any, Any], pair: tuple[str, str], model: str, first: bool = False) -> Series:
    part = "first" if first else "later"
    series = [daily[panel.name][pair][model][part] for panel in PANELS]
    return pd.concat(series).groupby(level=0).mean()


def _mean(series: Series) -> Interval:
    """The mean over days, with the interval of the product's own rank IC."""
    blocks = DayBlocks(series.index.to_numpy())
    measured = mean_of_days(blocks, np.asarray(series))
    return blocks.summarise(measured.value, measured.drawn)


def _row(name: str, daily: Mapping[Any, Any], pair: tuple[str, str], model: str) -> dict[str, Any]:
    pooled = name == BOTH
    series = _pooled(daily, pair, model) if pooled else daily[name][pair][model]["later"]
    today = _pooled(daily, TODAY, model) if pooled else daily[name][TODAY][model]["later"]
    found, change = _mean(series), _mean((series - today).dropna())
    return {
        "panel": name,
        "formatter": pair[0],
        "label": pair[1],
        "model": model,
        "days": len(series),
        "rank ic": round(found.value, 4),
        "rank ic 95 %": _ends(found),
        "more than today": "" if pair == TODAY else round(change.value, 4),
        "more 95 %": "" if pair == TODAY else _ends(change),
    }


def _asked(what: str, found: Interval, holds: Any) -> dict[str, Any]:
    holding = "yes" if holds(found) else "no"
    return {"asked": what, "found": round(found.value, 4), "95 %": _ends(found), "holds": holding}


def _ends(found: Interval) -> str:
    return low_to_high(found.low, found.high, number4)


if __name__ == "__main__":
    sys.exit(main())
