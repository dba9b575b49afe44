"""A forecast for a terminal: `awesome predict`."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from components.evidence.words import low_to_high, number4
from models.labels import words_of
from pipeline.given_flags import again, given_flags
from pipeline.plan import Plan
from pipeline.report.universe import in_short
from pipeline.uses.forecast import Forecast

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.uses.past import PastForecasts

_FRESH = 4
"""Days: a weekend and a holiday lie between two sessions. Older prices may lack a session."""

_BRING = (("extract", "--source", "NAME"), ("prices", "import", "FILE"))


def print_forecast(forecast: Forecast, console: Console, plan: Plan, today: dt.date | None = None) -> None:
    """Prints a table of the shares, and under it what the model is worth.

    Args:
        forecast: what it says.
        console: where to.
        plan: of the command, for those that go on from here.
        today: says how old the prices are; None where they are of no time.
    """
    from rich.table import Table
    from rich.text import Text

    ahead = "1 session" if forecast.horizon == 1 else f"{forecast.horizon} sessions"
    event = words_of(forecast.label).event
    table = Table("share", "last session", f"probability of {event} after {ahead}", box=None, pad_edge=False)
    wrong: dict[str, list[str]] = {}
    for one in forecast.suspects:
        if one.stops:
            wrong.setdefault(one.share_id, []).append(one.day)
    if wrong:
        table.add_column("wrong prices in its window", style="bold red")
    for share in forecast.shares:
        days = [", ".join(wrong.get(share.share_id, ()))] if wrong else []
        session = Text(share.session, style="yellow" if share.session != forecast.session else "")
        table.add_row(Text(share.share_id), session, f"{share.probability:.4f}", *days)  # no markup in a name
    console.print(table)
    for line in (*_age(forecast, today, plan), *_not_alike(forecast)):
        console.print(Text(line, style="yellow"), soft_wrap=True)
    for name, count in forecast.left_out.items():
        line = f"{name} is left out: its last window reaches across {count} missing sessions"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if forecast.left_out:
        line = f"allow more: {again(plan, '--max-missing-sessions', str(max(forecast.left_out.values())))}"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if forecast.short:
        line = f"left out, as they have too few sessions for the model's formatter: {', '.join(forecast.short)}"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if forecast.absent:
        console.print(Text(other_market(forecast.absent), style="yellow"), soft_wrap=True)
    if forecast.excluded:
        line = f"excluded shares, left out: {', '.join(forecast.excluded)}"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if forecast.outside:
        line = f"no members of the universe today, left out: {in_short(forecast.outside)}"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    console.print(f"\n{worth_of(forecast)}", highlight=False)


def worth_of(found: Forecast | PastForecasts) -> str:
    """What the model that was asked is worth, in a line."""
    mark = "" if found.blessed else " NOT BLESSED: it did not beat chance or its predecessor on the test split;"
    if found.held_back:
        mark += f" HELD BACK: the leak audit does not believe its figures ({', '.join(found.held_back)});"
    return (
        f"{found.model}:{mark} AUC on the test split {found.auc:.4f} "
        f"(95 % interval over blocks of days {low_to_high(found.auc_low, found.auc_high, number4)})"
    )


def other_market(absent: Sequence[str]) -> str:
    """That the shares that a day's are compared with are not those of the model's run."""
    few = ", ".join(absent[:10]) + (", ..." if len(absent) > 10 else "")
    return f"the market that the model knows lacks {len(absent)} shares here, so it is another one: {few}"


def _age(forecast: Forecast, today: dt.date | None, plan: Plan) -> Iterator[str]:
    """That the prices are old, where they are."""
    try:
        days = 0 if today is None else (today - dt.date.fromisoformat(forecast.session)).days
    except ValueError:  # a market of its own time
        return
    if days > _FRESH:
        yield (
            f"the prices end on {forecast.session}, {days:,} days ago: this is a forecast for the session after that "
            f"day; {_how_to_mend(plan)}"
        )


def _how_to_mend(plan: Plan) -> str:
    if plan.settings.panel is not None:
        return f"add newer ones: awesome panel write {shlex.quote(plan.settings.panel)} FILE"
    own = [shlex.join(["awesome", *words, *given_flags(plan, lambda name: name == "db")]) for words in _BRING]
    return f"bring them up to date with `{own[0]}` or `{own[1]}`"


def _not_alike(forecast: Forecast) -> Iterator[str]:
    """Which shares cannot be set beside the others."""
    if behind := forecast.behind:
        yield f"of an earlier session than the others, so of another day: {in_short(behind)}"
    if forecast.untrained:
        yield f"never trained on, so answered as an unknown share: {in_short(forecast.untrained)}"
