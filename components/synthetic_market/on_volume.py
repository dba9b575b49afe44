"""A market in which the volume of the day tells what becomes of its return."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.synthetic_market.scenario import BURN_IN, NORMAL, Scenario, check_size

_PARTS = 500
"""Equally likely parts of the normal distribution that the limit is added up of: right to the sixth digit."""


@dataclass(frozen=True)
class VolumeReversal(Scenario):
    """Returns on high volume are in part taken back, and those on low volume go on, as much the one as the other.

    Campbell, Grossman and Wang (1993) found the first, and with the second, as Llorente, Michaely, Saar and Wang (2002)
    found it of shares in which many know more than others, returns alone tell nothing: over all days a return is as
    often taken back as it goes on. High and low is what a share trades beside its own usual volume and that of all.
    Whatever the volumes are, returns are normal, independent in pairs and of variance 1.

    Attributes:
        weight: of a return in the next one, for each deviation of the log volume; reversed above the usual volume.
        most: deviations beyond which more volume tells no more; ``weight * most`` is below 1.
    """

    weight: float = 0.15
    most: float = 2.0

    def carried(self, activity: NDArray[np.float64]) -> NDArray[np.float64]:
        """What part of a return the next one repeats, of the deviations of its log volume."""
        return -self.weight * np.clip(activity, -self.most, self.most)

    def traded(
        self, shares: int, sessions: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See `Scenario`."""
        check_size(shares, sessions)
        activity = rng.standard_normal((BURN_IN + sessions, shares))
        returns = rng.standard_normal((BURN_IN + sessions, shares))
        part = self.carried(activity)
        for t in range(1, len(returns)):
            returns[t] = part[t - 1] * returns[t - 1] + np.sqrt(1 - part[t - 1] ** 2) * returns[t]
        return returns[BURN_IN:], activity[BURN_IN:]

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self.traded(shares, sessions, rng)[0]

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        part = self.carried(activity)
        return part * returns / np.sqrt(1 - part**2)

    def _limit(self, horizon: int) -> float | None:
        # Given its volume, score and next return of a row are jointly normal, and its chance of a rise follows from
        # the score over the noise. Of a row that rose and one that fell, the two next returns and the difference of
        # the scores are normal, and the chance of an orthant of three is a sum of arcsines.
        return 0.5 + 2 / math.pi * float(np.arcsin(self._known()).mean()) if horizon == 1 else None

    def _rank_limit(self, horizon: int) -> float | None:
        # Of a row's score less another's and its next return less that of a third one, both are normal.
        return 6 / math.pi * float(np.arcsin(self._known() / math.sqrt(2)).mean()) if horizon == 1 else None

    def _known(self) -> NDArray[np.float64]:
        """Correlations of a row's next return and of its score less another's, of each volume of both."""
        quantiles = np.array([NORMAL.inv_cdf((at + 0.5) / _PARTS) for at in range(_PARTS)])
        rho = np.abs(self.carried(quantiles))
        score = rho / np.sqrt(1 - rho**2)
        found: NDArray[np.float64] = (score * rho)[:, np.newaxis] / np.sqrt(np.add.outer(score**2, score**2))
        return found
