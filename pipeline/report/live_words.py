"""What a live record means, in words that stay true however often they are read.

A sentence about evidence names the chance that it ever says so of nothing, which is bounded over all looks together; it
never gives a probability that the model is right. Paper profit is described and never called evidence.
"""

from __future__ import annotations

import math
from collections import Counter

from components.evidence.words import low_to_high, number4
from components.missing_sessions.found import sessions
from pipeline.report.live_facts import LiveEvidence, LiveFacts, PaperProfit, Trust
from pipeline.report.verdict import Verdict
from pipeline.report.words import basis_points, points, readable_time, share_percent

_HUGE = 1e6
_NAMED = 5
"""Sessions that a sentence names."""


def e_value(value: float) -> str:
    """Writes an e-value.

    >>> e_value(0.0312), e_value(1), e_value(19.96), e_value(1234.5), e_value(3e9)
    ('0.031', '1.00', '19.96', '1,234', 'over a million')
    """
    if not math.isfinite(value):
        return "n/a"
    if value >= _HUGE:
        return "over a million"
    if value >= 100:
        return f"{math.floor(value):,}"
    # Cut and not rounded: 19.999 is no 20.
    return f"{math.floor(value * 100) / 100:.2f}" if value >= 0.1 else f"{value:.2g}"


def live_verdict(facts: LiveFacts) -> Verdict:
    """Whether the model has proved anything since it went live."""
    trust = facts.trust
    if trust is not None and not trust.sound:
        more = f" and {trust.total - 1:,} more" if trust.total > 1 else ""
        return Verdict(
            "warning",
            "These figures cannot be trusted",
            f"The ledger does not verify: {trust.faults[0]}{more}. So nothing on this page is evidence of "
            "anything, whatever it says.",
        )
    if facts.nothing:
        return Verdict("plain", "Nothing to judge yet", f"Nothing is proved: {facts.nothing}.")
    evidence, counted = facts.evidence, facts.counted
    if evidence is None or counted is None:
        return Verdict("plain", "Nothing to judge yet", "Nothing is proved: no prediction is being judged.")
    if not evidence.days:
        verdict = Verdict("plain", "Nothing to judge yet", _no_day(facts))
    elif evidence.proved_after:
        verdict = Verdict("good", "Proved to be worth something", _proved(evidence))
    else:
        verdict = Verdict("plain", "Nothing is proved", _not_proved(evidence))
    if evidence.refuted and evidence.claim is not None:
        refuted = (
            f" Refuted is what the backtest claims, a daily rank IC of {number4(evidence.claim.mean)}: the mean so far "
            "has been below it with its whole confidence sequence, which ever happens to a true claim with a chance of "
            f"at most {share_percent(evidence.alpha)}."
        )
        verdict = Verdict("warning", f"{verdict.label}; the backtest's claim is refuted", verdict.sentence + refuted)
    if facts.replay:
        return Verdict(
            "warning",
            f"A replay: {verdict.label[0].lower()}{verdict.label[1:]}",
            f"The times of this ledger are made, so nothing here says anything of the future. {verdict.sentence}",
        )
    return verdict


def _no_day(facts: LiveFacts) -> str:
    counted, evidence = facts.counted, facts.evidence
    if counted is None or evidence is None:
        return ""
    said = f"Nothing is proved: of {_predictions(counted.predicted)} written down since {counted.first}, "
    if counted.late == counted.predicted:
        return f"{said}all came too late to be evidence."
    if not counted.due:
        return f"{said}none has an outcome yet; the first ones come due {sessions(facts.horizon)} after their own."
    return f"{said}{counted.due:,} have an outcome, and no session is complete yet."


def _proved(evidence: LiveEvidence) -> str:
    return (
        f"With the outcomes of {evidence.proved_after} the evidence reached {evidence.threshold:g}, and a proof stays "
        f"one: predictions that are worth nothing ever get there, at any of all looks, with a chance of at most "
        f"{share_percent(evidence.alpha)}. It says that the probabilities know something, and nothing of profit."
    )


def _not_proved(evidence: LiveEvidence) -> str:
    day = evidence.days[-1]
    return (
        f"After {sessions(len(evidence.days))}, {_span(evidence.days[0].session, day.session)}, the evidence is "
        f"{e_value(day.e_value)}, and {evidence.threshold:g} is a proof: predictions that are worth nothing ever get "
        f"there, at any of all looks, with a chance of at most {share_percent(evidence.alpha)}. That it is not there "
        "does not say that they are worth nothing."
    )


def waiting_line(facts: LiveFacts) -> str:
    """How long a proof takes, if the backtest is right."""
    evidence = facts.evidence
    if evidence is None or evidence.proved_after:
        return ""
    if evidence.claim is None:
        return "How long a proof takes is not known: the backtest of the model that predicts claims nothing here."
    from_now = " from now on" if evidence.days else ""
    return (
        f"Days to proof{from_now}, if the backtest's daily rank IC of {number4(evidence.claim.mean)} is true: "
        f"{evidence.needed}."
    )


def sequence_line(evidence: LiveEvidence) -> str:
    """The mean rank IC and its confidence sequence, today."""
    day = evidence.days[-1]
    if not math.isfinite(day.mean):
        return (
            "No session has a rank IC yet, as one share or equal probabilities cannot be ranked: the evidence is that "
            "of the log loss alone."
        )
    return (
        f"The mean daily rank IC so far is {number4(day.mean)}; with a chance of at least "
        f"{share_percent(1 - evidence.alpha)} the true mean has been within its band on every session "
        f"(today {low_to_high(day.low, day.high, number4)})."
    )


def open_lines(facts: LiveFacts) -> tuple[str, ...]:
    """What was late, missing, overdue, pending or restated, a sentence each."""
    counted = facts.counted
    if counted is None or not counted.predicted:
        return ()
    lines = [
        f"{_predictions(counted.predicted)} of {counted.shares:,} share{'' if counted.shares == 1 else 's'}, "
        f"{_span(counted.first, counted.last)}; {counted.due:,} of them with an outcome."
    ]
    lines.append(_late(facts, counted.late))
    if facts.missing is not None:
        lines.append(_missing(facts))
    if facts.pending is not None:
        overdue = ""
        if facts.overdue_total:
            overdue = f": {'; '.join(facts.overdue[:3])}{'; ...' if facts.overdue_total > 3 else ''}"
        lines.append(f"Pending: {facts.pending:,}, not due or not settled yet.")
        lines.append(f"Overdue: {facts.overdue_total or 'none'}{overdue}.")
    lines.append(
        f"Restated: {counted.restated:,} outcome{'' if counted.restated == 1 else 's'}, as prices were restated; the "
        "latest one counts, and the first one stays in the ledger."
        if counted.restated
        else "Restated: none."
    )
    if facts.evidence is not None and facts.evidence.waiting:
        lines.append(f"Not judged yet: {sessions(facts.evidence.waiting)}, as not all has come due.")
    return tuple(lines)


def _late(facts: LiveFacts, total: int) -> str:
    if not total:
        return "Late: none."
    found: Counter[str] = Counter()
    for day in facts.days:
        found[day.session] += day.late
    shown = sorted(session for session, count in found.items() if count)[::-1][:_NAMED]
    named = ", ".join(f"{found[session]:,} after {session}" for session in shown)
    more = ", ..." if sum(found[session] for session in shown) < total else ""
    which = f" ({named}{more})" if named else ""
    return f"Late: {total:,}, written after the next session had opened{which}. They are kept, and are no evidence."


def _missing(facts: LiveFacts) -> str:
    found = facts.missing
    if found is None or not (found.sessions or found.single or found.ended):
        return "Missing: none."
    parts = []
    if found.sessions:
        more = ", ..." if len(found.sessions) > _NAMED else ""
        named = ", ".join(found.sessions[:_NAMED])
        parts.append(f"{sessions(len(found.sessions))} without any prediction ({named}{more})")
    if found.single:
        parts.append(f"{_predictions(found.single)} of single shares on other sessions")
    if found.ended:
        shares = f"{found.ended:,} share{'' if found.ended == 1 else 's'}"
        parts.append(f"{shares} that the last session brought no prediction of")
    return f"Missing: {' and '.join(parts)}."


def profit_line(profit: PaperProfit) -> str:
    """What the predictions would have earned, and that this is no evidence."""
    model, equal = profit.portfolios[0], profit.portfolios[-1]
    return (
        f"Over {sessions(len(profit.sessions))} long-short would have made {points(model.after[-1] - 1)} after costs "
        f"of {basis_points(profit.costs)} ({points(model.before[-1] - 1)} before), all shares alike "
        f"{points(equal.after[-1] - 1)}. That is what was, and no evidence: looked at daily, profit looks good on some "
        "day of nearly any record."
    )


def drift_line(facts: LiveFacts) -> str:
    """Whether drift rings by the latest loop that measured it."""
    if not facts.drift:
        return "No loop has measured drift in this workspace: it needs the run that trained the model."
    day = facts.drift[-1]
    parts = [
        f"{what} at {share_percent(value)} of the limit"
        for what, value in (("features", day.features), ("losses", day.losses))
        if math.isfinite(value)
    ]
    rings = f"{day.alarms} alarm{'' if day.alarms == 1 else 's'}" if day.alarms else "nothing rings"
    return f"After {day.session} {rings}: {', '.join(parts) or 'nothing could be compared'}."


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _predictions(count: int) -> str:
    return f"{count:,} prediction{'' if count == 1 else 's'}"


def trust_line(trust: Trust) -> str:
    """Which rows of a sound ledger were looked at, and what they were held against."""
    if not trust.after:
        return f"Every one of {trust.rows:,} rows is as it was written; {trust.held}."
    return (
        f"The {trust.rows - trust.after:,} rows behind row {trust.after:,} are as they were written; those up to it "
        f"were last looked at on {readable_time(trust.whole)} (awesome ledger verify looks at all of them); "
        f"{trust.held}."
    )
