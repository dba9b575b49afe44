"""Predictions as a table of days and shares: what was known on a day, and what the share did until its next session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

NEXT_RETURN = "next_return"


class BacktestError(UserError):
    """Predictions that cannot be traded, or a way to trade that does not exist."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Predictions of several models, a row a day and a column a share.

    Attributes:
        days: datetime64[D] array [days], ascending.
        share_ids: the shares, in the order of the columns.
        returns: float array [days, shares]: close of the share's next session / close of the day - 1; nan where the
            share has no row on that day, or no next session is known.
        present: bool array [days, shares], whether the share has a row on that day and so can be held.
        scores: by model, float array [days, shares], larger where "up" is thought likelier; nan where not present.
    """

    days: NDArray[np.datetime64]
    share_ids: tuple[str, ...]
    returns: NDArray[np.float64]
    present: NDArray[np.bool_]
    scores: Mapping[str, NDArray[np.float64]]


def read_panel(predictions: pd.DataFrame, models: Sequence[str], horizon: int = 1) -> Panel:
    """Arranges a run's predictions by day and share.

    A row whose label is not known (its close unchanged over the horizon) is not among the predictions, so such a share
    is not held that day. At horizon 1 this leaves out shares that would have returned exactly 0.

    Args:
        predictions: a row for each labelled row of the test split: time, share_id, a column of probabilities for each
            model, and next_return, the simple return to the share's next session. Predictions of older runs have
            forward_return alone, the return over the horizon, which is the same at horizon 1.
        models: columns to take as scores.
        horizon: sessions ahead that the models look.

    Returns:
        The panel.

    Raises:
        BacktestError: fewer than two shares or days, returns or probabilities that are missing.
        ValueError: a share has two rows on one day.
    """
    source = NEXT_RETURN
    if NEXT_RETURN not in predictions.columns:
        if horizon > 1:
            raise BacktestError(
                f"the predictions have no column {NEXT_RETURN}, the return to the next session, which a backtest at "
                f"horizon {horizon} needs: run `awesome run` again"
            )
        source = "forward_return"
    missing = [name for name in ("time", "share_id", source, *models) if name not in predictions.columns]
    if missing:
        raise BacktestError(f"the predictions have no column {', '.join(missing)}: run `awesome run` again")
    return make_panel(
        predictions["time"].to_numpy(),
        predictions["share_id"].to_numpy(dtype=str),
        predictions[source].to_numpy(dtype=np.float64),
        {name: predictions[name].to_numpy(dtype=np.float64) for name in models},
    )


def make_panel(
    time: NDArray[Any], share_ids: NDArray[Any], returns: NDArray[Any], scores: Mapping[str, NDArray[np.float64]]
) -> Panel:
    """Arranges rows by day and share.

    Args:
        time: datetime64 array [rows].
        share_ids: array of texts [rows].
        returns: float array [rows], the simple return to the share's next session; nan where none is known.
        scores: by model, float array [rows].

    Raises:
        BacktestError: fewer than two shares or days, or scores that are missing.
        ValueError: a share has two rows on one day.
    """
    days, day = np.unique(np.asarray(time).astype("datetime64[D]"), return_inverse=True)
    shares, share = np.unique(share_ids, return_inverse=True)
    for count, what in ((len(shares), "shares"), (len(days), "days")):
        if count < 2:
            there = "is one" if count else "are none"
            raise BacktestError(f"a backtest needs at least two {what} of predictions, and here {there}")
    if len(np.unique(day * len(shares) + share)) < len(day):
        raise ValueError("a share has two rows on one day")

    def table(column: NDArray[Any]) -> NDArray[np.float64]:
        values = np.full((len(days), len(shares)), np.nan)
        values[day, share] = column
        return values

    for name, column in scores.items():
        silent = int(np.isnan(column).sum())
        if silent:
            raise BacktestError(f"model {name} has no probability for {silent:,} rows: train it again")
    present = np.zeros((len(days), len(shares)), dtype=bool)
    present[day, share] = True
    by_model = {name: table(column) for name, column in scores.items()}
    return Panel(days, tuple(shares.tolist()), table(returns), present, by_model)
