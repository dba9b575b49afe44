"""How often the rank IC's 95 % interval holds the truth: `python -m benchmarks.coverage`.

On markets whose shares move together and on which nothing can be known, any model's true rank IC is 0. Each case is a
market of its own, cut into train and test by date as a run does. Three models answer: one fitted by least squares on
the 20 latest returns of the train rows, one that only knows each share's mean return there, and the latest 20-day
return itself. A share of held cases comes with its standard error, and all hold if 95 % is within three of them.
"""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.measure import print_table, write_result
from components.evidence.correlation import rank_ic
from components.synthetic_market import generate

TRAIN_DAYS, SHARES, WINDOW = 250, 40, 20
MODELS = ("least squares", "share's mean", "latest 20 days")
_ERRORS = 3


def main() -> int:
    """Prints the table and writes benchmarks/results/coverage.json; 0 if every row holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000, help="markets for each horizon and number of days")
    parser.add_argument("--market", default="market_factor")
    arguments = parser.parse_args()
    rows = []
    for horizon, days in ((1, 580), (20, 580), (1, 120), (20, 240)):
        held = np.zeros(len(MODELS))
        for seed in track(range(arguments.cases), f"horizon {horizon}, {days} days"):
            held += _held(arguments.market, horizon, days, seed)
        rows += [_row(model, horizon, days, held[i] / arguments.cases, arguments) for i, model in enumerate(MODELS)]
    print_table(f"95 % intervals of the rank IC on {arguments.market}", rows)
    write_result("coverage", {"cases": arguments.cases, "market": arguments.market, "rows": rows})
    return 0 if all(row["holds"] == "yes" for row in rows) else 1


def _row(model: str, horizon: int, days: int, share: float, arguments: argparse.Namespace) -> dict[str, Any]:
    error = math.sqrt(0.95 * 0.05 / arguments.cases)
    return {
        "model": model,
        "horizon": horizon,
        "test days": days,
        "held 0": share,
        "standard error": error,
        "holds": "yes" if abs(share - 0.95) <= _ERRORS * error else "no",
    }


def _held(market: str, horizon: int, days: int, seed: int) -> NDArray[np.float64]:
    """Whether each model's interval holds 0, 1 or 0, [models]."""
    sessions = WINDOW + TRAIN_DAYS + 2 * horizon + WINDOW + days
    logs = np.log(generate(market, shares=SHARES, sessions=sessions, seed=seed).close)
    returns = np.diff(logs, axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(returns, WINDOW, axis=0)  # [sessions - 20, shares, 20]
    now = np.arange(WINDOW, len(logs) - horizon)
    forward = logs[now + horizon] - logs[now]
    seen = windows[now - WINDOW]
    # Purged and with an embargo: no session of a train label or window is in the test part.
    train, test = slice(0, TRAIN_DAYS), slice(len(now) - days, len(now))
    known, target = seen[train].reshape(-1, WINDOW), forward[train].reshape(-1)
    weights, *_ = np.linalg.lstsq(known, target, rcond=None)
    answers = (
        seen[test] @ weights,
        np.broadcast_to(forward[train].mean(axis=0), (days, SHARES)),
        seen[test].sum(axis=2),
    )
    day = np.repeat(np.arange(days), SHARES)
    found = [
        rank_ic(answer.ravel(), forward[test].ravel(), day, horizon=horizon, seed=seed, resamples=500)
        for answer in answers
    ]
    return np.array([one.low <= 0 <= one.high for one in found], np.float64)


if __name__ == "__main__":
    sys.exit(main())
