"""What features and labels are worth on real panels: `python -m benchmarks.levers`.

Each panel (benchmarks/panel_data.py) is walked through, next day, over all years but the first few, once for each pair
of formatter and label, with the linear model (benchmarks/lever_walks.py). The first folds are there to choose on: the
pair with the highest daily rank IC there, both panels together. All other figures are of the folds after them, and
LightGBM learns from the same rows and features there.

Rank ICs of all labels are against the same two orders of the shares on a day: by their return, and by their residual,
the return less beta times the market's, with beta of the sessions before. Both models of a difference are judged by the
same order; in the residual is less of what no one can foresee. Where panels have days in common a day counts once, with
the mean of the panels' rank ICs.

What is asked: the linear model of the chosen pair is above that of `window_returns` with `up`, paired by days, and
above 0, and is not below LightGBM of the same pair; by each order, each beyond its 95 % interval, both panels together.
Takes some five minutes of CPU time.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from benchmarks.lever_walks import LIGHTGBM, LINEAR, Grid, PanelPrices, fold_sessions, walk
from benchmarks.measure import print_table, write_result
from benchmarks.panel_data import PANELS, fetch, read_closes
from components.errors import UserError
from components.evidence.correlation import daily_rank_ic
from components.evidence.interval import Interval
from components.evidence.metric import mean_of_days
from components.evidence.resampling import DayBlocks
from components.evidence.words import low_to_high, number4
from models.formatters import get_formatter

DATA = Path(__file__).parent / ".data"

Pair: TypeAlias = tuple[str, str]
"""A formatter and a label."""

TODAY: Pair = ("window_returns", "up")
PAIRS: tuple[Pair, ...] = (
    TODAY,
    ("window_returns", "outperform"),
    ("market_relative", "outperform"),
    ("momentum", "outperform"),
    ("day_ranks", "outperform"),
    ("momentum_ranks", "outperform"),
    ("momentum_ranks", "up"),
)
BOTH = "both"
CHOSEN_ON = 2
"""Folds, of each panel."""

RETURN, RESIDUAL, SKIPPED = "return", "residual", "return a day later"
"""Orders: by the return to the next session, by its residual, by the return from the next session to that after it."""


@dataclass(frozen=True, eq=False)
class Daily:
    """The daily rank ICs of one walk, by day; a column an order.

    Attributes:
        first: of the folds that are chosen on.
        later: of the others.
    """

    first: pd.DataFrame
    later: pd.DataFrame


Found: TypeAlias = Mapping[tuple[str, Pair, str], Daily]
"""By panel, pair and model."""


def main() -> int:
    """Prints all and writes benchmarks/results/levers.json; 0 if what is asked holds, 2 where a panel cannot be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the panels")
    parser.add_argument("--keep", type=Path, help="keep the scores in this folder, and take those that lie there")
    arguments = parser.parse_args()
    try:
        panels = [PanelPrices.of(panel, read_closes(panel, fetch(panel, arguments.data))) for panel in PANELS]
    except UserError as error:
        print(f"benchmarks.levers: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        kept = arguments.keep or Path(temporary)
        kept.mkdir(parents=True, exist_ok=True)
        found = {
            (prices.name, pair, LINEAR): _daily(prices, _scores(kept, prices, pair, LINEAR))
            for prices, pair in itertools.product(panels, PAIRS)
        }
        chosen = max(PAIRS, key=lambda pair: _part(found, BOTH, pair, LINEAR, RESIDUAL, "first").mean())
        for prices, pair in itertools.product(panels, dict.fromkeys((TODAY, chosen))):
            found[prices.name, pair, LIGHTGBM] = _daily(prices, _scores(kept, prices, pair, LIGHTGBM))
    return _say(found, chosen)


def _say(found: Found, chosen: Pair) -> int:
    """Prints the tables and writes them."""
    places = [*(panel.name for panel in PANELS), BOTH]
    both = list(dict.fromkeys((TODAY, chosen)))
    walked = [(pair, model) for pair in PAIRS for model in (LINEAR, LIGHTGBM) if (places[0], pair, model) in found]
    first = [_choice_row(place, found, pair) for place, pair in itertools.product(places, PAIRS)]
    by_return, by_residual = (
        [_row(place, found, *one, order) for place, one in itertools.product(places, walked)]
        for order in (RETURN, RESIDUAL)
    )
    skipped = [_skipped(place, found, pair) for place, pair in itertools.product(places, both)]
    asked = [row for order in (RETURN, RESIDUAL) for row in _asked(found, chosen, order)]
    print_table(f"Linear on the first {CHOSEN_ON} folds, to choose on", first)
    print_table("Daily rank IC of the folds after them, by the return", by_return)
    print_table("The same by the residual", by_residual)
    print_table("Linear, a day later: by the return from the next session to that after it", skipped)
    print_table(f"Chosen: {chosen[0]} with {chosen[1]}, linear, both panels", asked)
    tables = {
        "first_folds": first,
        "by_return": by_return,
        "by_residual": by_residual,
        "skipped": skipped,
        "asked": asked,
    }
    write_result("levers", {"chosen": list(chosen), **tables})
    return 0 if all(row["holds"] == "yes" for row in asked) else 1


def _scores(kept: Path, prices: PanelPrices, pair: Pair, model: str) -> Grid:
    file = kept / f"{prices.name}-{pair[0]}-{pair[1]}-{model}.npy"
    if not file.exists():
        np.save(file, walk(prices, *pair, model))
    scores: Grid = np.load(file)
    return scores


def _daily(prices: PanelPrices, scores: Grid) -> Daily:
    begins = prices.days[fold_sessions(prices, get_formatter(TODAY[0]))[CHOSEN_ON]["test"][0]]
    ahead = prices.ahead
    after = np.vstack([ahead[1:], np.full((1, ahead.shape[1]), np.nan)])
    tested = np.flatnonzero(np.isfinite(scores).all(axis=1))
    columns = {}
    for order, returns in ((RETURN, ahead), (RESIDUAL, prices.residual), (SKIPPED, after)):
        known = tested[np.isfinite(returns[tested]).all(axis=1)]
        day = np.repeat(prices.days[known], ahead.shape[1])
        days, daily = daily_rank_ic(scores[known].ravel(), returns[known].ravel(), day)
        columns[order] = pd.Series(daily, pd.DatetimeIndex(days))
    frame = pd.DataFrame(columns)
    return Daily(frame[frame.index < begins], frame[frame.index >= begins])


def _part(found: Found, place: str, pair: Pair, model: str, order: str, part: str = "later") -> pd.Series[float]:
    """Daily rank ICs of one panel, or of both: the mean of those that have the day."""
    panels = [panel.name for panel in PANELS] if place == BOTH else [place]
    series = [getattr(found[panel, pair, model], part)[order].dropna() for panel in panels]
    return pd.concat(series).groupby(level=0).mean()


def _mean(series: pd.Series[float]) -> Interval:
    """The mean over days, with the interval of the product's own rank IC."""
    blocks = DayBlocks(series.index.to_numpy())
    measured = mean_of_days(blocks, np.asarray(series))
    return blocks.summarise(measured.value, measured.drawn)


def _figure(name: str, found: Interval) -> dict[str, Any]:
    return {name: round(found.value, 4) + 0.0, f"{name} 95 %": low_to_high(found.low, found.high, number4)}


def _choice_row(place: str, found: Found, pair: Pair) -> dict[str, Any]:
    row: dict[str, Any] = {"panel": place, "formatter": pair[0], "label": pair[1]}
    for order in (RETURN, RESIDUAL):
        series = _part(found, place, pair, LINEAR, order, "first")
        row |= {"days": len(series)} | _figure(f"by {order}", _mean(series))
    return row


def _row(place: str, found: Found, pair: Pair, model: str, order: str) -> dict[str, Any]:
    series = _part(found, place, pair, model, order)
    row = {"panel": place, "formatter": pair[0], "label": pair[1], "model": model, "days": len(series)}
    row |= _figure("rank ic", _mean(series))
    if pair == TODAY:
        return row | {"more than today": "", "more than today 95 %": ""}
    return row | _figure("more than today", _mean(series - _part(found, place, TODAY, model, order)))


def _skipped(place: str, found: Found, pair: Pair) -> dict[str, Any]:
    series = _part(found, place, pair, LINEAR, SKIPPED)
    row = {"panel": place, "formatter": pair[0], "label": pair[1], "days": len(series)}
    return row | _figure("rank ic", _mean(series))


def _asked(found: Found, chosen: Pair, order: str) -> Sequence[dict[str, Any]]:
    best = _part(found, BOTH, chosen, LINEAR, order)
    today, trees = (_part(found, BOTH, pair, model, order) for pair, model in ((TODAY, LINEAR), (chosen, LIGHTGBM)))
    asked: tuple[tuple[str, pd.Series[float], Callable[[Interval], bool]], ...] = (
        ("above window_returns with up", best - today, lambda one: one.low > 0),
        ("above 0", best, lambda one: one.low > 0),
        ("not below LightGBM", best - trees, lambda one: one.high >= 0),
    )
    rows = []
    for what, series, holds in asked:
        mean = _mean(series)
        row: dict[str, Any] = {"by the": order, "asked": what, "days": len(series)} | _figure("found", mean)
        rows.append(row | {"holds": "yes" if holds(mean) else "no", "days needed": _days_needed(mean, len(series))})
    return rows


def _days_needed(mean: Interval, days: int) -> int | None:
    """Days on which the interval of such a mean would just leave 0; None where it does not lie above."""
    if not mean.value > 0:
        return None
    return int(np.ceil(days * ((mean.high - mean.low) / 2 / mean.value) ** 2))


if __name__ == "__main__":
    sys.exit(main())
