"""Alarm: rings where the AUC of a model or a baseline is higher than an honest one can be.

On daily prices of modern large shares no honest AUC was above the default of `audit_plausible_auc` (the verdicts take
the run's own): above it is suspicious where the interval lies above 1/2, as what may be chance is never pushed; where
the interval reaches below the limit the sentence says that it may be luck: at 20 sessions ahead, where intervals are
wide, that is common. On a synthetic market the best possible AUC is known:
three standard errors above it are suspicious, five are a leak. Every model and baseline of the report is judged, and as
the highest of several lies farther out than a single one, more is asked of several: 3.5 and 5.5 errors of six. A
baseline sees what the models see: where one is above the limit beyond its interval, so that it is not luck, the rows or
the features leak, and the suspicion touches every model.
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


def alarm(
    models: Mapping[str, Interval], limits: Limits, baselines: Mapping[str, Interval] | None = None
) -> CheckResult:
    """Rings where an AUC is higher than an honest one can be.

    Args:
        models: AUCs on the test split with 95 % intervals, by name.
        limits: how high one may be.
        baselines: those of the baselines, which saw the same rows and features.

    Returns:
        What the audit and every verdict say of these AUCs; it touches the models that it rings for, and all of them
        where it rings for a baseline beyond luck.
    """
    baselines = baselines or {}
    aucs = {**models, **baselines}
    figures = tuple(Figure(f"AUC {name}", one.value, one.low, one.high, decimals=4) for name, one in aucs.items())
    among = len(aucs)
    judged = {name: limits.judge(one, among, None if name in baselines else len(models)) for name, one in aucs.items()}
    status = worst(Status.NOT_APPLICABLE, *judged.values())
    if status is Status.NOT_APPLICABLE:
        why = (
            "no model was evaluated"
            if not aucs
            else "it is not known how high an AUC may be, or there are too few days"
        )
        return CheckResult(NAME, status, f"No AUC was judged: {why}.", figures)
    if status is Status.PASSED:
        whose = "model's or baseline's" if baselines else "model's"
        beyond = f"is above {limits.words()}, beyond its standard errors"
        if not limits.market:
            beyond = f"is above chance beyond doubt and above {limits.words()}"
        return CheckResult(NAME, status, f"No {whose} AUC {beyond}.", figures)
    rings = [name for name, one in judged.items() if one.severity >= Status.SUSPICIOUS.severity]
    name = max((one for one in rings if judged[one] is status), key=lambda one: aucs[one].value)
    reach = figure(aucs[name], number4, "95 % interval ")
    beyond = limits.words()
    if status is Status.LEAKING and not limits.market and limits.impossible == IMPOSSIBLE_AUC:
        beyond = f"{IMPOSSIBLE_AUC}, four times the best that was ever published"
    luck = ""
    if status is Status.SUSPICIOUS and not limits.beyond_luck(aucs[name], among):
        all_of_them = f", that for all {among} judged," if aucs[name].low > limits.plausible else ""
        luck = f"; its interval{all_of_them} reaches below that, so it may be the luck of few days"
    others = ", ".join(one for one in rings if one != name)
    for_all = any(limits.beyond_luck(aucs[one], among) for one in rings if one in baselines)
    return CheckResult(
        NAME,
        status,
        f"The AUC of {name}, {reach}, is above {beyond}{luck}{f'; so is that of {others}' if others else ''}.",
        figures,
        _CAUSES,
        () if for_all else tuple(rings),
    )


CHECK = Check(
    NAME,
    lambda audited: alarm(audited.aucs, audited.config.limits, audited.baselines),
    passes="no model's or baseline's AUC is above what is plausible",
    leaks=f"on real prices the lower end of one's interval is above {IMPOSSIBLE_AUC:.2f}; on a synthetic market one is "
    "five standard errors above the best possible, more where several are judged",
    order=70,
)
