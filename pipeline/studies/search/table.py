"""A search on a terminal: the best trials beside the settings' own hyperparameters, and what it comes to."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.words import low_to_high, number4
from models.search_space import in_words
from pipeline.report.summary import TONE_STYLES, titled_table
from pipeline.runs.tries import iso
from pipeline.studies.search.results import SearchReport, TrialResult

_SHOWN = 10
"""Of the trials; the page has all."""


def print_search(report: SearchReport, console: Console) -> None:
    """Prints the table and the verdict."""
    missing = [one for one in report.trials if one.why]
    if report.ranked:
        console.print()
        console.print(search_table(report))
    if report.ranked and missing:
        many = "1 trial has" if len(missing) == 1 else f"{len(missing)} trials have"
        console.print(Text(f"{many} no figure: {missing[0].why}.", style="yellow"))
    verdict = report.verdict
    console.print(Text(verdict.sentence, style=TONE_STYLES[verdict.tone]))


def search_table(report: SearchReport) -> Table:
    """Builds the table, the best trial first; readable from 80 columns on."""
    ranked = report.ranked
    shown = [one for place, one in enumerate(ranked) if place < _SHOWN or one.number == 1]
    count = len(ranked)
    title = (
        f"{report.model}:{report.version}, horizon {report.horizon}, eval split {iso(report.first)} to "
        f"{iso(report.last)}: {report.rows:,} rows, {report.days:,} sessions"
    )
    if len(shown) < count:
        title += f"\nThe best {_SHOWN} of {count} trials"
    table = titled_table(title, tight=True)
    table.add_column("trial", justify="right", min_width=5)
    # The widths are those of the longest piece without a blank.
    table.add_column(f"{report.metric_title}\n(95 %)", min_width=16)
    table.add_column("better than\nthe settings by", min_width=18)
    table.add_column("hyperparameters", min_width=20)
    for one in shown:
        table.add_row(
            str(one.number),
            f"{number4(one.figure.value)}\n{low_to_high(one.figure.low, one.figure.high, number4)}",
            "the settings' own" if one.number == 1 else _gain(one),
            Text(in_words(one.values), style="bold" if one is report.best else ""),
        )
    return table


def _gain(one: TrialResult) -> str:
    return f"{number4(one.gain.value, signed=True)}\n{low_to_high(one.gain.low, one.gain.high, number4)}"
