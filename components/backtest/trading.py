"""Weights held against what prices did: daily returns before costs, and how much is traded to hold the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BASIS_POINTS = 10_000


@dataclass(frozen=True, eq=False)
class Trading:
    """A portfolio day by day, in units of its value on the day.

    Attributes:
        gross_returns: array [days], return from the day's close to the next session's, before costs.
        traded: array [days], bought plus sold at the day's close to come from what the weights of the day before have
            drifted to, to the weights of the day. The first day buys everything; the last does not sell it.
        target_turnover: array [days], half the sum of the absolute changes of the weights: what is traded because the
            scores ask for other shares, without what is traded against drift.
        unpriced: share of what is held whose return is not known; it counts as unchanged.
    """

    gross_returns: NDArray[np.float64]
    traded: NDArray[np.float64]
    target_turnover: NDArray[np.float64]
    unpriced: float

    @property
    def turnover(self) -> NDArray[np.float64]:
        """Array [days], the one-way turnover: half of what is traded."""
        return self.traded / 2

    def net_returns(self, costs: float) -> NDArray[np.float64]:
        """Returns after costs.

        A loss of more than everything, which shorts can bring, is a loss of everything.

        Args:
            costs: basis points (hundredths of a per cent) of what is bought or sold.

        Returns:
            Array [days], the return before costs less ``costs`` x what was traded.
        """
        return np.maximum(self.gross_returns - costs / _BASIS_POINTS * self.traded, -1.0)


def trade(weights: NDArray[Any], returns: NDArray[Any]) -> Trading:
    """Holds weights from each day's close to the next session's.

    Between two closes a share's weight drifts to w (1 + r) / (1 + R), R being the return of the portfolio before costs.
    What is not in shares, as the whole capital of a dollar-neutral portfolio, bears no interest.

    Args:
        weights: array [days, shares], in units of the portfolio's value.
        returns: array [days, shares], to the share's next session; nan where not known.

    Returns:
        The portfolio's days.

    >>> trade(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([[0.1, -0.1], [0.0, 0.02]])).net_returns(10)
    array([-0.001 ,  0.0099])
    """
    known = ~np.isnan(returns)
    moves = np.where(known, returns, 0.0)
    gross_returns = np.sum(weights * moves, axis=1)
    value = (1 + gross_returns)[:, None]
    # A portfolio that is worth nothing has no weights to drift.
    drifted = np.divide(weights * (1 + moves), value, out=np.zeros_like(moves), where=value > 0)
    before = np.vstack([np.zeros((1, weights.shape[1])), drifted[:-1]])
    held = np.abs(weights)
    invested = float(held.sum())
    return Trading(
        gross_returns=gross_returns,
        traded=np.abs(weights - before).sum(axis=1),
        target_turnover=np.abs(np.diff(weights, axis=0, prepend=0)).sum(axis=1) / 2,
        unpriced=float(held[~known].sum()) / invested if invested > 0 else 0.0,
    )
