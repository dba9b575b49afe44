"""How high an AUC may be before it is a reason to look for a leak, and the alarm that says so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.evidence.interval import Interval
from components.leak_audit.results import CheckResult, Figure, Status, worst

NAME = "alarm"

PLAUSIBLE_AUC = 0.53
"""On daily prices of modern large shares no honest split has given more."""

IMPOSSIBLE_AUC = 0.60
"""An information coefficient of about 0.2, four times the best published on this kind of data."""

SUSPICIOUS_ERRORS, LEAKING_ERRORS = 3.0, 5.0
"""Standard errors above the best possible AUC of a made market: once in 700 honest models, once in three million."""

_WIDTH_IN_ERRORS = 2 * 1.959964

CAUSES = (
    "check the split (rows of one day or overlapping windows on both sides), the features (is one made of a later "
    "close?), the labels, and how the prices were adjusted"
)


@dataclass(frozen=True)
class Limits:
    """How high an AUC may be.

    Attributes:
        plausible: an AUC above it on real prices is suspicious.
        market: whether the prices are made.
        best: the best possible AUC of the made market; None where it is not known.
    """

    plausible: float
    market: bool = False
    best: float | None = None

    @property
    def known(self) -> bool:
        """Whether anything is known of how high an AUC may be."""
        return not self.market or (self.best is not None and math.isfinite(self.best))

    def judge(self, interval: Interval) -> Status:
        """Whether an AUC on the test split can be honest.

        On real prices: suspicious above what is plausible; leaking where even the lower end of the 95 % interval is
        above IMPOSSIBLE_AUC. On a made market: suspicious SUSPICIOUS_ERRORS above the best possible AUC, leaking
        LEAKING_ERRORS above it. The errors are those of the interval, wider where there are few days.

        Args:
            interval: the AUC with its 95 % interval.
        """
        if not self.known or math.isnan(interval.value):
            return Status.NOT_APPLICABLE
        if not self.market:
            if interval.low > IMPOSSIBLE_AUC:
                return Status.LEAKING
            return Status.SUSPICIOUS if interval.value > self.plausible else Status.PASSED
        assert self.best is not None
        error = (interval.high - interval.low) / _WIDTH_IN_ERRORS
        above = interval.value - self.best
        if above > LEAKING_ERRORS * error:
            return Status.LEAKING
        if math.isnan(error):  # too few days to tell
            return Status.NOT_APPLICABLE
        return Status.SUSPICIOUS if above > SUSPICIOUS_ERRORS * error else Status.PASSED

    def words(self) -> str:
        """What the limit is, in words."""
        if not self.market:
            return f"{self.plausible:.4g}, what is plausible on real prices"
        return f"{self.best:.4f}, the best possible on this market" if self.best is not None else "an unknown best"


def alarm(aucs: Mapping[str, Interval], limits: Limits) -> CheckResult:
    """Rings where a model's AUC on the test split is higher than an honest one can be.

    Args:
        aucs: by model, with 95 % intervals.
        limits: how high they may be.

    Returns:
        The check.
    """
    figures = tuple(Figure(f"AUC {name}", one.value, one.low, one.high, decimals=4) for name, one in aucs.items())
    judged = {name: limits.judge(one) for name, one in aucs.items()}
    status = worst(Status.NOT_APPLICABLE, *judged.values())
    if status is Status.NOT_APPLICABLE:
        why = (
            "no model was evaluated"
            if not aucs
            else "it is not known how high an AUC may be, or there are too few days"
        )
        return CheckResult(NAME, status, f"No AUC was judged: {why}.", figures)
    if status is Status.PASSED:
        return CheckResult(NAME, status, f"No model's AUC is above {limits.words()}.", figures)
    name = max((one for one in judged if judged[one] is status), key=lambda one: aucs[one].value)
    reach = f"{aucs[name].value:.4f} (95 % interval {aucs[name].low:.4f} to {aucs[name].high:.4f})"
    beyond = limits.words()
    if status is Status.LEAKING and not limits.market:
        beyond = f"{IMPOSSIBLE_AUC}, four times the best that was ever published"
    luck = ""
    if status is Status.SUSPICIOUS and not limits.market and aucs[name].low <= limits.plausible:
        luck = "; its interval reaches below that, so it may be the luck of few days"
    return CheckResult(NAME, status, f"The AUC of {name}, {reach}, is above {beyond}{luck}.", figures, CAUSES)
