"""What a model should be asked: `python -m benchmarks.labels` trains ridge regression on three targets.

Each panel (see benchmarks/panel_data.py, fetched into --data) is walked through in six folds, train before test with
the horizon and an embargo of 21 sessions between them. The learner sees what `window_returns` shows of a window, and
learns the sign of one of three returns over the horizon: the close's own (`up`), that less the day's median
(`outperform`), and that less beta times the mean of the day (`residual`), beta from the 252 sessions up to the day.
The folds' rank ICs are measured against the last two returns: of one day, `up` and the median rank alike. Where two
targets are compared it is day by day on the same rows; intervals are from blocks of 21 sessions, or of two horizons.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.measure import print_table, write_result
from benchmarks.panel_data import PANELS, fetch, read_closes

DATA = Path(__file__).parent / ".data"
WINDOW, EMBARGO, BETA_SESSIONS, LEAST_BETA = 20, 21, 252, 60
FOLDS, FIRST_TEST = 6, 0.4
UP, OUTPERFORM, RESIDUAL = "up", "outperform", "residual"

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Targets:
    """Returns over a horizon, [sessions, shares], nan where not known; and the rows that can be learned from."""

    returns: Mapping[str, Floats]
    usable: NDArray[np.bool_]


def make_targets(closes: pd.DataFrame, horizon: int) -> Targets:
    """The three targets of a panel, a row a session and a column a share."""
    daily = closes.pct_change(fill_method=None)
    ahead = (closes.shift(-horizon) / closes - 1).astype(float)
    excess = ahead.sub(ahead.median(axis=1), axis=0)
    residual = ahead - betas(daily).mul(ahead.mean(axis=1), axis=0)
    returns = {UP: ahead.to_numpy(), OUTPERFORM: excess.to_numpy(), RESIDUAL: residual.to_numpy()}
    known = np.isfinite(np.stack(list(returns.values()))).all(axis=0)
    return Targets(returns, known)


def betas(daily: pd.DataFrame) -> pd.DataFrame:
    """The slope of each share's returns on the mean of all, over the sessions up to each day; daily simple returns."""
    market = daily.mean(axis=1)
    together = daily.rolling(BETA_SESSIONS, min_periods=LEAST_BETA).cov(market)
    return together.div(market.rolling(BETA_SESSIONS, min_periods=LEAST_BETA).var(), axis=0)


def features(closes: pd.DataFrame) -> Floats:
    """What `window_returns` shows of each window, and a constant, [sessions, shares, 22]."""
    moves = np.log(closes.to_numpy(float))
    moves = np.diff(moves, axis=0, prepend=np.nan)
    window = np.stack([np.roll(moves, lag, axis=0) for lag in range(WINDOW)], axis=2)
    window[:WINDOW] = np.nan
    volatility = window.std(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([window / volatility, np.log(volatility), np.ones_like(volatility)], axis=2)


def walk(seen: Floats, target: Floats, usable: NDArray[np.bool_], horizon: int) -> Floats:
    """Scores of the tested sessions, [sessions, shares], nan elsewhere: ridge regression of the target's sign."""
    scores = np.full(target.shape, np.nan)
    borders = np.linspace(round(FIRST_TEST * len(target)), len(target), FOLDS + 1).astype(int)
    for begin, end in pairwise(borders):
        train = usable.copy()
        train[max(begin - horizon - EMBARGO, 0) :] = False
        rows = seen[train]
        normal = rows.T @ rows + np.eye(rows.shape[1])
        scores[begin:end] = seen[begin:end] @ np.linalg.solve(normal, rows.T @ np.sign(target[train]))
    return np.where(usable, scores, np.nan)


def daily_ic(scores: Floats, returns: Floats) -> Floats:
    """Spearman's correlation of each day, [sessions]; nan for a day with fewer than three shares."""
    both = [pd.DataFrame(np.where(np.isfinite(scores), values, np.nan)).rank(axis=1) for values in (scores, returns)]
    return np.asarray(both[0].corrwith(both[1], axis=1).where(both[0].count(axis=1) > 2), float)


def interval(daily: Floats, horizon: int) -> str:
    """A mean over days with its 95 % interval, in words."""
    known = daily[np.isfinite(daily)]
    block = max(21, 2 * horizon)
    means = known[: len(known) // block * block].reshape(-1, block).mean(axis=1)
    return f"{known.mean():+.4f} ± {1.96 * means.std(ddof=1) / np.sqrt(len(means)):.4f}"


def compare(closes: pd.DataFrame, horizon: int) -> list[dict[str, Any]]:
    """A row a target that is learned: its rank ICs, and how they differ from those of `outperform`."""
    targets = make_targets(closes, horizon)
    seen = features(closes)
    usable = targets.usable & np.isfinite(seen).all(axis=2)
    against = {
        (name, other): daily_ic(walk(seen, target, usable, horizon), targets.returns[other])
        for name, target in targets.returns.items()
        for other in (OUTPERFORM, RESIDUAL)
    }
    rows = []
    for name in targets.returns:
        row: dict[str, Any] = {"learned": name}
        for other in (OUTPERFORM, RESIDUAL):
            row[f"against {other}"] = interval(against[name, other], horizon)
            paired = against[name, other] - against[OUTPERFORM, other]
            row[f"{other}: less outperform's"] = "" if name == OUTPERFORM else interval(paired, horizon)
        rows.append(row)
    return rows


def main() -> None:
    """Prints the table and writes benchmarks/results/labels.json."""
    parser = argparse.ArgumentParser(prog="benchmarks.labels", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the panels")
    parser.add_argument("--horizons", default="1,5,20", help="sessions ahead, separated by commas")
    asked = parser.parse_args()
    rows = []
    for panel in PANELS:
        closes = read_closes(panel, fetch(panel, asked.data))
        for horizon in map(int, asked.horizons.split(",")):
            rows += [{"panel": panel.name, "horizon": horizon} | row for row in compare(closes, horizon)]
    print_table("Rank IC by what ridge regression learned, 95 % intervals over blocks of days", rows)
    write_result("labels", {"rows": rows})


if __name__ == "__main__":
    main()
