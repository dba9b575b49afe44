"""How high an AUC may be before it is a reason to look for a leak."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from components.evidence.blessing import CHANCE
from components.evidence.interval import Interval, error_of_ends
from components.leak_audit.results import Status

PLAUSIBLE_AUC = 0.53
"""On daily prices of modern large shares no honest split has given more."""

IMPOSSIBLE_AUC = 0.60
"""An information coefficient of about 0.2, four times the best published on this kind of data."""

SUSPICIOUS_ERRORS, LEAKING_ERRORS = 3.0, 5.0
"""Standard errors above the best AUC possible on a synthetic market: one in 700 honest models, one in three million."""


@dataclass(frozen=True)
class Limits:
    """How high an AUC may be.

    Attributes:
        plausible: an AUC above it on real prices is suspicious.
        market: whether the prices are made.
        best: the best possible AUC of the synthetic market; None where it is not known.
    """

    plausible: float
    market: bool = False
    best: float | None = None

    @property
    def known(self) -> bool:
        """Whether anything is known of how high an AUC may be."""
        return not self.market or (self.best is not None and math.isfinite(self.best))

    @property
    def impossible(self) -> float:
        """The AUC on real prices that none reaches honestly; whoever calls a higher one plausible is believed."""
        return max(IMPOSSIBLE_AUC, self.plausible)

    def judge(self, interval: Interval, among: int = 1, candidates: int | None = None) -> Status:
        """Whether an AUC on the test split can be honest.

        On real prices: suspicious above what is plausible, where the interval lies above 1/2; leaking where even the
        lower end of the interval is above `impossible`. On a synthetic market: suspicious SUSPICIOUS_ERRORS above the
        best possible AUC, leaking LEAKING_ERRORS above it. The errors are those of the interval, wider where there are
        few days.

        Args:
            interval: the AUC with its 95 % interval.
            among: how many are judged together: their interval is that of 95 % for all of them, and so many pass
                the errors as rarely as a single one does.
            candidates: models among them, for one of these; None for a baseline, which nobody pushes.
        """
        if not self.known or math.isnan(interval.value):
            return Status.NOT_APPLICABLE
        if not self.market:
            if math.isnan(interval.low):  # too few days to tell; it is never blessed
                return Status.NOT_APPLICABLE
            if _low(interval, among) > self.impossible:
                return Status.LEAKING
            # What may be chance is never blessed: there is nothing to hold back, and short splits ring by luck alone.
            # A blessing asks this of the models alone: a baseline more must not hide one that is blessed.
            may_be_chance = _low(interval, among if candidates is None else candidates) <= CHANCE
            return Status.SUSPICIOUS if interval.value > self.plausible and not may_be_chance else Status.PASSED
        assert self.best is not None
        error = error_of_ends(interval.low, interval.high)
        above, reach = interval.value - self.best, errors_of_one(among)
        if above > (reach + LEAKING_ERRORS - SUSPICIOUS_ERRORS) * error:
            return Status.LEAKING
        if math.isnan(error):  # too few days to tell
            return Status.NOT_APPLICABLE
        return Status.SUSPICIOUS if above > reach * error else Status.PASSED

    def beyond_luck(self, interval: Interval, among: int = 1) -> bool:
        """Whether an AUC that is not plausible is so beyond its interval, that of 95 % for all that are judged."""
        return self.market or _low(interval, among) > self.plausible

    def words(self) -> str:
        """What the limit is, in words."""
        if not self.market:
            return f"{self.plausible:.4g}, what is plausible on real prices"
        return f"{self.best:.4f}, the best possible on this market" if self.best is not None else "an unknown best"


def errors_of_one(among: int) -> float:
    """Standard errors that the largest of so many passes as rarely as a single one passes SUSPICIOUS_ERRORS.

    >>> errors_of_one(1), round(errors_of_one(6), 2)
    (3.0, 3.51)
    """
    normal = NormalDist()
    return SUSPICIOUS_ERRORS if among <= 1 else -normal.inv_cdf(normal.cdf(-SUSPICIOUS_ERRORS) / among)


def _low(interval: Interval, among: int) -> float:
    """Lower end of the interval that covers 95 % for all that are judged together (Bonferroni)."""
    normal = NormalDist()
    wider = normal.inv_cdf(1 - 0.025 / max(among, 1)) - normal.inv_cdf(0.975)
    return interval.low if among <= 1 else interval.low - wider * error_of_ends(interval.low, interval.high)
