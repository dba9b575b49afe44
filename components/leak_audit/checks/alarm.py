"""Alarm: rings where a model's AUC is higher than an honest one can be.

On daily prices of modern large shares no honest AUC was above the default of `audit_plausible_auc` (the verdicts take
the run's own): above it is suspicious, and where the interval reaches below it the sentence says that it may be luck:
at 20 sessions ahead, where intervals are wide, that is common. On a synthetic market the best possible AUC is known:
three standard errors above it are suspicious, five are a leak.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.evidence.interval import Interval
from components.evidence.words import figure, number4
from components.leak_audit.check import Check
from components.leak_audit.limits import IMPOSSIBLE_AUC, Limits
from components.leak_audit.results import CheckResult, Figure, Status, worst

NAME = "alarm"
_CAUSES = (
    "check the split (rows of one day or overlapping windows on both sides), the features (is one made of a later "
    "close?), the labels, and how the prices were adjusted"
)


def alarm(aucs: Mapping[str, Interval], limits: Limits) -> CheckResult:
    """Rings where the AUC of a model (by name, with its 95 % interval) is higher than an honest one can be."""
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
    reach = figure(aucs[name], number4, "95 % interval ")
    beyond = limits.words()
    if status is Status.LEAKING and not limits.market:
        beyond = f"{IMPOSSIBLE_AUC}, four times the best that was ever published"
    luck = ""
    if status is Status.SUSPICIOUS and not limits.market and aucs[name].low <= limits.plausible:
        luck = "; its interval reaches below that, so it may be the luck of few days"
    return CheckResult(NAME, status, f"The AUC of {name}, {reach}, is above {beyond}{luck}.", figures, _CAUSES)


CHECK = Check(
    NAME,
    lambda audited: alarm(audited.aucs, audited.config.limits),
    passes="no model's AUC is above what is plausible",
    leaks=f"on real prices the lower end of one's interval is above {IMPOSSIBLE_AUC:.2f}; on a synthetic market one is "
    "five standard errors above the best possible",
    order=70,
)
