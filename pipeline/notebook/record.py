"""A ledger beside a run's database, as tables and charts: what was said before the fact, and what came of it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from models.labels import words_of
from pipeline.notebook.run import Line, Shown
from pipeline.report import live_charts
from pipeline.report.ledger import origin_in_words
from pipeline.report.live_facts import LiveFacts
from pipeline.report.live_words import (
    live_verdict,
    open_lines,
    profit_line,
    sequence_line,
    trust_line,
    waiting_line,
)
from pipeline.runs.folder import FinishedRun

_SHOWN = 20


def settings_of(run: FinishedRun) -> dict[str, Any]:
    """What names the record of a run's database and model, for `awesome.live`."""
    settings = run.report.settings
    return {
        "db": run.database,
        "workspace": run.folder.resolve().parent,
        "horizon": settings["horizon"],
        "formatter": run.report.formatter,
        "label": run.report.label,
    }


def verdict(facts: LiveFacts) -> Line:
    """What is proved, in a sentence or two."""
    said = live_verdict(facts)
    return Line(f"{said.label}: {said.sentence} {waiting_line(facts)}".strip())


def trust(facts: LiveFacts) -> Line:
    """Whether the ledger is as it was written."""
    return Line(facts.nothing if facts.trust is None else trust_line(facts.trust))


def evidence(facts: LiveFacts) -> Shown | Line:
    """The evidence by session, and the mean rank IC with the interval that holds at all times."""
    if facts.evidence is None or not facts.evidence.days:
        return Line(facts.nothing or "no session is judged yet")
    return Shown(live_charts.evidence_chart(facts.evidence), live_charts.sequence_chart(facts.evidence))


def evidence_table(facts: LiveFacts) -> pd.DataFrame:
    """The last sessions that are judged: rank IC, gain, evidence, mean so far and its interval; a row a session."""
    days = () if facts.evidence is None else facts.evidence.days[-_SHOWN:]
    rows = [
        {
            "session": day.session,
            "rank IC": day.rank_ic,
            "gain": day.gain,
            "evidence": day.e_value,
            "mean rank IC": day.mean,
            "low": day.low,
            "high": day.high,
        }
        for day in days
    ]
    names = ["session", "rank IC", "gain", "evidence", "mean rank IC", "low", "high"]
    return pd.DataFrame(rows, columns=names).set_index("session")


def in_words(facts: LiveFacts) -> Line:
    """The mean rank IC so far, with its interval."""
    judged = facts.evidence is not None and facts.evidence.days
    return Line(sequence_line(facts.evidence) if judged and facts.evidence is not None else "no session is judged yet")


def calibration(facts: LiveFacts) -> Shown | Line:
    """What came of what was called how likely."""
    if not facts.calibration:
        return Line("no prediction that counts has an outcome yet")
    return Shown(live_charts.calibration_chart(facts.calibration, words_of(facts.label)))


def profit(facts: LiveFacts) -> Shown | Line:
    """What the predictions would have earned, after costs."""
    return Line("not known yet") if facts.profit is None else Shown(live_charts.profit_chart(facts.profit))


def profit_table(facts: LiveFacts) -> pd.DataFrame:
    """What each portfolio has grown to, a row each."""
    portfolios = () if facts.profit is None else facts.profit.portfolios
    rows = [(one.name, one.before[-1], one.after[-1], one.drawdown, one.turnover) for one in portfolios if one.after]
    names = ["portfolio", "before costs", "after costs", "drawdown", "turnover"]
    return pd.DataFrame(rows, columns=names).set_index("portfolio")


def profit_in_words(facts: LiveFacts) -> Line:
    """The same in a sentence."""
    return Line("not known yet" if facts.profit is None else profit_line(facts.profit))


def models_table(facts: LiveFacts) -> pd.DataFrame:
    """Which models spoke, since when, and who they are."""
    rows = [
        (one.since, one.name, one.digest[:8], one.role, one.predicted, one.late, origin_in_words(one.origin))
        for one in facts.versions
    ]
    return pd.DataFrame(rows, columns=["since", "model", "digest", "role", "predicted", "late", "origin"]).set_index(
        "since"
    )


def still_open(facts: LiveFacts) -> None:
    """Prints what is late, missing, overdue or not due yet, a line each."""
    for line in open_lines(facts) or ("nothing is open",):
        print(line)
