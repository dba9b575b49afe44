"""Some of the rows, with what a model sees of them: around the borders, or dealt out at random."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.leak_audit.reading.rows import EVAL, TEST, TRAIN, AuditRows

if TYPE_CHECKING:
    from components.leak_audit.reading.features import AuditFeatures


def around_borders(rows: AuditRows, features: AuditFeatures, most: int) -> tuple[AuditRows, AuditFeatures]:
    """The rows around the borders, whole days, so that about `most` are left, in their order.

    Of train and eval the last days, of test the first ones: days stay whole, so what shares have in common on a day is
    still there to be learned.
    """
    if len(rows) <= most:
        return rows, features
    return take(rows, features, near_borders(rows, rows.split, most))


def near_borders(rows: AuditRows, split: NDArray[np.integer], most: int) -> NDArray[np.int64]:
    """Places of the rows of `around_borders`, ascending, by the split of each; those with one below 0 are left out."""
    kept = []
    count_of_all = int(np.count_nonzero(split >= 0))
    if count_of_all <= most:
        return np.flatnonzero(split >= 0)
    for one in (TRAIN, EVAL, TEST):
        places = np.flatnonzero(split == one)
        wanted = max(1, int(len(places) * most / count_of_all))
        days, count = np.unique(rows.time[places], return_counts=True)
        order = slice(None) if one == TEST else slice(None, None, -1)
        enough = int(np.searchsorted(np.cumsum(count[order]), wanted)) + 1
        kept.append(places[np.isin(rows.time[places], days[order][:enough])])
    return np.sort(np.concatenate(kept))


def take(rows: AuditRows, features: AuditFeatures, places: NDArray[np.int64]) -> tuple[AuditRows, AuditFeatures]:
    """The rows at some places, ascending, by themselves, and what a model sees of them."""
    return rows_at(rows, places), replace(
        features, values={name: values[places] for name, values in features.values.items()}
    )


def rows_at(rows: AuditRows, places: NDArray[np.int64] | slice) -> AuditRows:
    """The rows at some places, in their order, in memory."""
    return replace(
        rows,
        share=rows.share[places].astype(np.int64),
        time=rows.time[places].astype(np.int64),
        session=rows.session[places].astype(np.int64),
        closes=rows.closes[places],
        split=rows.split[places].astype(np.int64),
        labels={h: values[places].astype(np.int64) for h, values in rows.labels.items()},
        returns={h: values[places] for h, values in rows.returns.items()},
        excess={h: values[places] for h, values in rows.excess.items()},
        raw={name: values[places] for name, values in rows.raw.items()},
    )


def shuffled(split: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The numbers of the rows' splits, [rows], dealt out anew at random: what no pipeline should do."""
    return np.random.default_rng(seed).permutation(split)
