"""Level test: whether the level of a price tells its future, and whether a model can see it.

Prices adjusted from the last day back are divided by splits and dividends yet to come, so a low level tells a rise,
however the rows are split. The score is minus the log of the oldest close of the window (the newest also holds what may
honestly be known, where prices revert: what an adjustment knows of the future is in every close of the window alike),
and its rank IC decides: it compares shares within a day, so that on honest prices its mean is 0 whatever the shares do.
The AUC beside it is biased above 1/2 for any level that wanders, and decides nothing. The store's factors give the same
prices adjusted from the last day, for comparison; without factors, closes that all end at the same price illustrate it.
Where no feature sees a level both are for information, of the 12,000 rows around the borders at the most.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.evidence.auc import auc_interval
from components.evidence.correlation import rank_ic
from components.evidence.interval import Interval
from components.leak_audit.check import Audited, Check
from components.leak_audit.config import AuditConfig
from components.leak_audit.reading.learners import ILLUSTRATED_ROWS
from components.leak_audit.reading.rows import AuditRows
from components.leak_audit.reading.subsets import around_borders
from components.leak_audit.results import CheckResult, Figure, Status

NAME = "level test"
_LEVEL = 0.99
"""Of the interval that decides: an honest level rings once in 200 runs."""

_RESAMPLES = 400


def level_test(audited: Audited) -> CheckResult:
    """Scores rows by minus the log of their level: of the oldest close of their window."""
    rows, config, seeing_level = audited.rows, audited.config, audited.features.seeing_level
    if not seeing_level:  # the comparison is for information then
        rows, _ = around_borders(rows, audited.features, ILLUSTRATED_ROWS)
    own = np.empty(len(rows))
    for block in rows.blocks():
        own[block] = -np.log(rows.closes[block][:, -1].astype(np.float64))
    ic, own_figures = _figures("prices as the run has them", rows, own, config)
    factors = _last_factors(rows, config.database)
    if factors is None:
        name, other = "illustration: closes rescaled to end at the same price", own - _last_level(rows, own)
    else:
        name, other = "the same prices adjusted from the last day", own + np.log(factors)[rows.share]
    other_ic, other_figures = _figures(name, rows, other, config)
    figures = (*own_figures, *other_figures)
    which = f" on the {len(rows):,} rows around the borders" if len(rows) < len(audited.rows) else ""
    compared = f" (rank IC of minus its log{which} {ic.value:+.4f}; adjusted from the last day "
    compared += "not applicable, no factors are known)." if factors is None else f"{other_ic.value:+.4f})."
    if not seeing_level:
        return CheckResult(NAME, Status.PASSED, f"No feature sees the level of its window's prices{compared}", figures)
    seen = f"The level of prices is seen by {', '.join(seeing_level)}"
    if ic.low > 0:
        return CheckResult(
            NAME,
            Status.LEAKING,
            f"{seen}, and a low level tells a rise to come{compared}",
            figures,
            "adjust prices from the first day on, or use a formatter whose features are relative to their window",
        )
    what = "cannot be judged, as no day has three shares" if math.isnan(ic.low) else "does not tell the future here"
    return CheckResult(
        NAME,
        Status.SUSPICIOUS,
        f"{seen}; it {what}{compared}",
        figures,
        "use a formatter whose features are relative to their window: a level also tells the day",
    )


def _figures(
    name: str, rows: AuditRows, score: NDArray[np.float64], config: AuditConfig
) -> tuple[Interval, list[Figure]]:
    """Rank IC and AUC of a score, the first with the interval that decides."""
    ahead, label = rows.returns[config.horizon], rows.labels[config.horizon]
    known = np.flatnonzero(~np.isnan(ahead) & (label >= 0))
    day, seed, horizon = rows.time[known], config.seed, config.horizon
    forward = ahead[known].astype(np.float64)
    ic = rank_ic(score[known], forward, day, horizon=horizon, resamples=_RESAMPLES, seed=seed, level=_LEVEL)
    area = auc_interval(label[known], score[known], day, horizon=horizon, resamples=_RESAMPLES, seed=seed, level=_LEVEL)
    return ic, [
        Figure(f"rank IC of minus log level, {name}", ic.value, ic.low, ic.high, 4, _LEVEL),
        Figure(f"AUC of minus log level, {name}", area.value, area.low, area.high, 4, _LEVEL),
    ]


def _last_level(rows: AuditRows, level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The level of each row's share in its last row, [rows]; rows are sorted by share and session."""
    last = np.searchsorted(rows.share, np.arange(len(rows.shares)), side="right") - 1
    return level[last][rows.share]


def _last_factors(rows: AuditRows, database: str) -> NDArray[np.float64] | None:
    """Factor of each share's last day over that of its first, [shares]; None where there are none to be had."""
    from components.errors import StoreError
    from components.price_panel.opening import open_prices

    if not database or not Path(database).exists():
        return None
    try:
        with open_prices(database) as store:
            grown = {one.share_id: one.factor[-1] / one.factor[0] for one in store.price_series(rows.shares)}
    except StoreError:
        return None
    if any(share not in grown for share in rows.shares):
        return None
    factors = np.array([grown[share] for share in rows.shares])
    return None if np.all(factors == 1) else factors


CHECK = Check(
    NAME,
    level_test,
    passes="no feature changes when all closes of a window are multiplied by a constant",
    leaks="a feature does, and a low level tells a rise to come beyond its 99 % interval; one that tells nothing is "
    "suspicious",
    order=40,
)
