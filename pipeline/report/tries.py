"""What was tried on a test stretch, for people: sentences, and the lines of a table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from components.evidence.words import number
from components.trials.found import FALSE_ALARMS, Overfitting
from pipeline.report.words import interval, percent, readable_time
from pipeline.runs.tries import Tries, Try, iso

SURE = 0.95
"""The deflated Sharpe ratio that its authors ask for."""

RUN = "run"
"""What a report's own try is, if nothing else is said."""

MOST_SHOWN = 200
"""Tries listed on a page; report.json has them all."""


@dataclass(frozen=True)
class TryRow:
    """A try in words: `part` is empty where it looked at just these days, `blessed` where nothing was."""

    when: str
    kind: str
    asked: str
    first: str
    last: str
    part: str
    best: str
    auc: str
    interval: str
    blessed: str


@dataclass(frozen=True)
class TriesSection:
    """What a page says of the tries.

    Attributes:
        headline: how many there are.
        bound: why their number is a lower bound; empty where it is none.
        consequences: what follows from them.
        rows: the last `MOST_SHOWN` lines of the table.
        left_out: earlier lines.
    """

    headline: str
    bound: str
    consequences: tuple[str, ...]
    rows: tuple[TryRow, ...]
    left_out: int


def tries_section(tries: Tries, own: str = RUN) -> TriesSection:
    """What a page says of the tries; `own` as in `headline`."""
    lines = rows(tries)
    shown = tuple(lines[-MOST_SHOWN:])
    said = headline(tries, own), lower_bound(tries), tuple(consequences(tries, own))
    return TriesSection(*said, shown, len(lines) - len(shown))


def headline(tries: Tries, own: str = RUN) -> str:
    """How many tries looked at the test days, in a sentence; `own` is what the try of the report itself is."""
    count = len(tries.tries)
    if not tries.days:
        return "No try is known."
    stretch = f"{tries.days:,} test day{'' if tries.days == 1 else 's'}"
    where = f"these {stretch} ({tries.first} to {tries.last})" if tries.days != 1 else f"this {stretch}"
    if not count:
        return f"{'No try' if tries.complete else 'No known try'} has looked at {where}."
    among = f", this {own} among them" if tries.own and count > 1 else ""
    if tries.own and count == 1:
        first = f"This {own} is the first" if tries.complete else f"No try before this {own} is known"
        return f"{first} to look at {where}."
    many = f"{count:,} {'try' if count == 1 else 'tries'}"
    unseen = sum(not one.shared for one in tries.tries)
    if unseen:
        among += f"; {unseen:,} of them {'was a candidate' if unseen == 1 else 'were candidates'} for them"
        among += ", compared on the eval split, and never saw one"
    does = "looked at" if not unseen else "counts on" if count == 1 else "count on"
    return f"{many if tries.complete else f'At least {many}'} {does} {where}{among}."


def lower_bound(tries: Tries) -> str:
    """Why the number is a lower bound, in a sentence; empty where it is none."""
    if tries.complete:
        return ""
    return f"Their number is a lower bound: {'; '.join(tries.gaps) or 'tries may be missing'}."


def consequences(tries: Tries, own: str = RUN) -> list[str]:
    """What the tries make a model show, what is left of the stretch, and what would renew it; `own` as above."""
    hurdle = tries.hurdle
    if hurdle is None:
        return []
    said = []
    if hurdle.runs:
        judged = f"This {own} was judged after" if tries.own else "A next try is judged after"
        runs = f"{hurdle.runs:,} earlier {'try' if hurdle.runs == 1 else 'tries'}"
        models = f"{hurdle.tries:,} different {'model' if hurdle.tries == 1 else 'models'}"
        amount = "With its own candidates they amount" if tries.own else "They amount"
        said.append(
            f"{judged} {runs} of {models}. {amount} to {_about(hurdle.independent)} that are independent of one "
            f"another: an AUC has to lie {hurdle.needed:.2f} standard errors above 1/2 to be blessed, where "
            f"{hurdle.first:.2f} were enough on days that nobody had looked at."
        )
    else:
        said.append(f"An AUC has to lie {hurdle.first:.2f} standard errors above 1/2 to be blessed.")
    said.append(
        f"{percent(tries.left)} of the test stretch is left: of the {100 * FALSE_ALARMS:.0f} % chance that anything "
        f"is ever blessed on it without signal, {100 * hurdle.spent:.1f} points are used up."
    )
    if hurdle.seen_until:
        # This run's own days are seen by now.
        seen = max([iso(hurdle.seen_until), *(one.last for one in tries.tries if one.id == tries.own)])
        nobody = "nobody" if tries.complete else "no try that is known"
        said.append(f"New days renew it: a test split that begins after {seen} has been seen by {nobody}.")
    if tries.overfitting is not None:
        when = next((one.time for one in tries.tries if one.id == tries.own), "")
        said.append(best_portfolio(tries.overfitting, when, own))
    return said


def best_portfolio(found: Overfitting, when: str = "", own: str = RUN) -> str:
    """What the portfolio of the best of all tried models is worth, in a sentence.

    It is long the best fifth of each day's shares and short the worst, to the next session, before costs.

    Args:
        found: of the tries.
        when: the report's own try was; empty where there is none.
        own: what that is.
    """
    from components.backtest.results import DAYS_A_YEAR

    name, _, time = found.best.partition(" of ")
    best = f"this {own}'s {name}" if time == when else f"{name} of {readable_time(time)}"
    sure = "is more than the best of as many coins" if found.deflated >= SURE else "may be the best of as many coins"
    return (
        f"Of the long-short portfolios of {found.tries:,} tried models on {found.days:,} common days, before costs, "
        f"that of {best} is the best: its Sharpe ratio of {found.sharpe * math.sqrt(DAYS_A_YEAR):.2f} a year {sure} "
        f"(deflated Sharpe ratio {or_unknown(found.deflated)}, {SURE} would be needed), the probability of backtest "
        f"overfitting is {or_unknown(found.probability)}, and Hansen's test that none earns anything has a p-value of "
        f"{or_unknown(found.spa)}."
    )


def or_unknown(value: float) -> str:
    """A probability to three digits, or that it is not known."""
    return "n/a" if math.isnan(value) else f"{value:.3f}"


def _about(count: float) -> str:
    return f"{count:.1f}" if count < 10 else f"{count:,.0f}"


def asked_in_words(one: Try) -> str:
    """What a try asked, in a few words.

    >>> asked_in_words(Try("", "", "run", {"models": "linear", "formatter": "closes", "seed": "3"}, 5, *[""] * 2,
    ...                    0, 0, "", 0.5, 0.5, 0.5, ()))
    'linear, closes, horizon 5, seed 3'
    """
    asked = dict(one.asked)
    first = [asked.pop(name) for name in ("experiment", "models", "formatter") if name in asked]
    for name in ("pipeline", "evidence"):
        asked.pop(name, None)
    return ", ".join([*first, f"horizon {one.horizon}", *(f"{name} {value}" for name, value in asked.items())])


def rows(tries: Tries) -> list[TryRow]:
    """The lines of a table."""
    return [
        TryRow(
            when=readable_time(one.time),
            kind=one.kind + (" (this run)" if one.id == tries.own else ""),
            asked=asked_in_words(one),
            first=one.first,
            last=one.last,
            part=_part(one, tries.days),
            best=one.best,
            auc=number(one.auc),
            interval=interval(one.auc_low, one.auc_high),
            blessed=", ".join(one.blessed),
        )
        for one in tries.tries
    ]


def _part(one: Try, days: int) -> str:
    if not one.shared:
        return "eval split; a candidate for these days"
    if one.shared == one.days:
        return "" if one.days == days else f"{one.days:,} of these {days:,}"
    return f"{one.shared:,} of its {one.days:,} are here"
