"""Who was there, for a terminal and a page: the universe of a run, its dead, and what their absence does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from components.universe.summary import UniverseSummary
    from pipeline.runs.results import RunReport

_IMPORT = "awesome members import, docs/survivorship.md"
_SHOWN = 10


def universe_in_words(there: UniverseSummary) -> tuple[str, ...]:
    """What is to be known of the universe, a sentence each, without warnings; none where all shares belong always."""
    said = []
    if there.members:
        shares = "share is a member" if there.members == 1 else "shares are members"
        said.append(
            f"Universe: {there.members:,} {shares} for a time; rows of other days are no examples, no predictions and "
            "no part of what a day's shares are compared by."
        )
    return tuple(said)


def warnings_of(there: UniverseSummary) -> tuple[str, ...]:
    """What makes the figures of a run better than they would have been, a sentence each."""
    said = []
    if there.survivors_only:
        none = "the only share never ended" if there.shares == 1 else f"none of {there.shares:,} shares ever ended"
        said.append(
            f"Survivorship: {none}. If they were chosen because they are still there, those that fell and were delisted"
            " are missing, and whatever buys fallen shares looks better than it was: import the dead with their prices,"
            f" and who was there when ({_IMPORT})."
        )
    if there.without_prices:
        members = there.members + there.without_prices
        said.append(
            f"Survivorship: the database has no prices of {there.without_prices:,} of {members:,} members; import them "
            "(awesome prices import)."
        )
    unknown = there.ended - there.delisted
    if unknown:
        of = f"{unknown:,} of {there.ended:,} shares that ended" if there.ended > 1 else "the share that ended"
        said.append(
            f"Delistings: of {of} the return after the last price is not known, so the last rows have no label and a"
            f" portfolio keeps the last price; give it as delisting_return ({_IMPORT})."
        )
    return tuple(said)


def outside_in_words(report: RunReport) -> str:
    """How many rows a run left out for its universe, a sentence; empty where it left out none."""
    outside = sum(split.outside for split in report.splits.values())
    return f"Left out: {outside:,} rows of shares that were no members on their day." if outside else ""


def print_universe(there: UniverseSummary, console: Console, soft_wrap: bool = True) -> None:
    """Prints what is to be known of the universe, and what it makes too good; the terminal wraps, or the console."""
    from rich.text import Text

    for sentence in universe_in_words(there):
        console.print(Text(sentence), soft_wrap=soft_wrap)
    for sentence in warnings_of(there):
        console.print(Text(sentence, style="yellow"), soft_wrap=soft_wrap)


def in_short(shares: tuple[str, ...]) -> str:
    """The first few names, and how many more there are."""
    more = len(shares) - _SHOWN
    return ", ".join(shares[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
