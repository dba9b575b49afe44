"""What a run's models look at, for people: a table on a terminal, a section of the run's page, a sentence a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.interval import Interval
from components.evidence.words import low_to_high, number, number4
from components.explanation.results import Explanation, Importance, ModelExplanation, PairImportance
from pipeline.report.summary import titled_table
from pipeline.report.words import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.report.palette import Chart, Style

_PARTS_SHOWN = 5
_PAIRS_SHOWN = 2
_NAMED = 4


@dataclass(frozen=True)
class ExplanationRow:
    """A feature, a part or a pair, every figure as it is written."""

    name: str
    lost: str
    ends: str
    attributed: str


@dataclass(frozen=True)
class ExplainedModel:
    """What a page shows of a model."""

    name: str
    sentence: str
    chart: Chart
    features: tuple[ExplanationRow, ...]
    lags: tuple[ExplanationRow, ...]
    pairs: tuple[ExplanationRow, ...]


@dataclass(frozen=True)
class ExplanationSection:
    """What a run's page shows of an explanation: what it is of, the models, and those that were left out and why."""

    how: str
    models: tuple[ExplainedModel, ...]
    left_out: tuple[str, ...]


def explanation_section(explanation: Explanation, styles: Mapping[str, Style]) -> ExplanationSection:
    """Makes the section of a run's page; `styles` are those of its models."""
    from pipeline.report.explanation_chart import explanation_chart

    models = tuple(
        ExplainedModel(
            name=name,
            sentence=sentence(name, found),
            chart=explanation_chart(place, name, found, styles[name]),
            features=tuple(map(_row, found.features)),
            lags=tuple(map(_row, _lags(found))),
            pairs=tuple(map(_pair_row, found.pairs)),
        )
        for place, (name, found) in enumerate(explanation.models.items())
    )
    return ExplanationSection(_how(explanation), models, tuple(_left_out(explanation)))


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Prints a table for each model with the sentence under it; readable from 80 columns on."""
    console.print(Text(_how(explanation)))
    for name, found in explanation.models.items():
        console.print()
        console.print(_table(name, found))
        console.print(Text(sentence(name, found), style="bold"))
    for line in _left_out(explanation):
        console.print(Text(line, style="yellow"))


def sentence(name: str, found: ModelExplanation) -> str:
    """Says what a model owes its AUC to, and no more than the intervals show."""
    said = []
    if found.helpful:
        most = [f"{one.part} ({percent(one.attributed)})" for one in found.helpful[:_NAMED]]
        more = f" and {len(found.helpful) - _NAMED} more" if len(found.helpful) > _NAMED else ""
        ends = "whose interval lies" if len(found.helpful) == 1 else "whose intervals lie"
        said.append(f"{name} owes its AUC to {'; '.join(most)}{more}, {ends} above 0.")
    else:
        said.append(f"Nothing that {name} sees is shown to help it: no interval lies above 0.")
    said += [
        f"{_only_together(pair)} of what {_pair_name(pair)} tell it they tell only together."
        for pair in found.pairs[:_PAIRS_SHOWN]
        if _only_together(pair)
    ]
    if found.harmful:
        said.append(f"It does better without {'; '.join(str(one.part) for one in found.harmful[:_NAMED])}.")
    return " ".join(said)


def _how(explanation: Explanation) -> str:
    counts = sorted({one.repeats or explanation.repeats for one in explanation.models.values()})
    times = "once" if counts == [1] else f"{' or '.join(map(str, counts))} times"
    return (
        f"What a model's AUC loses when a part of what it sees is permuted among the {explanation.rows:,} rows of the "
        f"test split ({explanation.days:,} days), {times}; 95 % intervals for all parts together."
    )


def _left_out(explanation: Explanation) -> list[str]:
    return [f"{name} is left out, as it has no twin: {reason}" for name, reason in explanation.left_out.items()]


def _table(name: str, found: ModelExplanation) -> Table:
    table = titled_table(f"{name}: AUC {number(found.auc)}")
    table.add_column("permuted", min_width=24, overflow="fold")
    table.add_column("AUC lost", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("of all", justify="right", no_wrap=True)
    lags = _lags(found)
    most = sorted(lags, key=lambda one: -one.lost.value)[:_PARTS_SHOWN]
    for row in map(_row, found.features):
        _add(table, row)
    if most:
        table.add_section()
        for one in most:
            _add(table, _row(one), "bold" if one.lost.low > 0 else "")
        if left := len(lags) - len(most):
            table.add_row(Text(f"{left} more in explain.json", style="dim"))
    if found.pairs:
        table.add_section()
        for pair in found.pairs[:_PAIRS_SHOWN]:
            row = _pair_row(pair)
            table.add_row(Text(row.name), row.lost, row.ends, "")
    return table


def _lags(found: ModelExplanation) -> list[Importance]:
    """The parts that do not stand among the features already."""
    return [one for one in found.parts if one.part.lag is not None]


def _add(table: Table, row: ExplanationRow, style: str = "") -> None:
    table.add_row(Text(row.name), row.lost, row.ends, row.attributed, style=style)


def _row(one: Importance) -> ExplanationRow:
    # The shares of what may be nothing are noise, however large.
    return ExplanationRow(str(one.part), *_figures(one.lost), percent(one.attributed) if one.lost.low > 0 else "")


def _pair_row(pair: PairImportance) -> ExplanationRow:
    """A pair; in the place of its share stands what part of its loss the two have only together."""
    return ExplanationRow(_pair_name(pair), *_figures(pair.lost), _only_together(pair))


def _only_together(pair: PairImportance) -> str:
    """What part of a pair's loss its two parts do not have one by one; empty where that may be nothing."""
    sure = pair.shared.low > 0 and pair.lost.low > 0
    return percent(pair.shared.value / pair.lost.value) if sure else ""


def _pair_name(pair: PairImportance) -> str:
    first, second = pair.parts
    if first.feature == second.feature and first.lag is not None and second.lag is not None:
        low, high = sorted((first.lag, second.lag))
        return f"{first.feature}, lags {low} and {high}"
    return f"{first} and {second}"


def _figures(lost: Interval) -> tuple[str, str]:
    return number4(lost.value, signed=True), low_to_high(lost.low, lost.high, _signed4)


def _signed4(value: float) -> str:
    return number4(value, signed=True)
