"""A live record for a terminal: the sentence, the evidence, who spoke, and whether the record is whole."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from components.evidence.words import low_to_high, number4
from models.labels import UP, words_of
from pipeline.report.ledger import origin_in_words
from pipeline.report.live_facts import LiveFacts
from pipeline.report.live_words import (
    drift_line,
    e_value,
    live_verdict,
    open_lines,
    profit_line,
    waiting_line,
)
from pipeline.report.summary import TONE_STYLES, titled_table
from pipeline.report.words import readable_time

_SHOWN = 5


def print_live(facts: LiveFacts, console: Console) -> None:
    """Prints all of it."""
    verdict = live_verdict(facts)
    style = TONE_STYLES[verdict.tone]
    console.print(Text(f"{verdict.label}. {verdict.sentence}", style=style), soft_wrap=True)
    for line in facts.trust.faults[1:_SHOWN] if facts.trust is not None else ():
        console.print(Text(line, style="bold red"), soft_wrap=True)
    if facts.evidence is not None and facts.evidence.days:
        table = titled_table(f"Evidence, the last sessions; {facts.evidence.threshold:g} is a proof", tight=True)
        for name in ("session", "evidence", "rank IC's", "log loss's", "mean rank IC", "band"):
            table.add_column(name, justify="left" if name == "session" else "right")
        for day in facts.evidence.days[-_SHOWN:][::-1]:
            values = (e_value(value) for value in (day.e_value, day.e_rank_ic, day.e_log_loss))
            table.add_row(day.session, *values, number4(day.mean), low_to_high(day.low, day.high, number4))
        console.print(table)
    lines = [waiting_line(facts), *open_lines(facts)]
    if facts.counted is not None and facts.label != UP:
        lines.insert(0, f"The probabilities are of {words_of(facts.label).event}.")
    if facts.profit is not None:
        lines.append(profit_line(facts.profit))
    if facts.versions:
        one = facts.versions[-1]
        since = f"{one.name} {one.digest[:8]} is {one.role} since {readable_time(one.since)}"
        beside = f"; it sees a share beside the {one.market:,} shares of its market" if one.market else ""
        lines.append(f"{since}; {origin_in_words(one.origin)}{beside}.")
        lines.append(drift_line(facts))
    for line in (*lines, *facts.notes):
        if line:
            console.print(Text(line), soft_wrap=True)
