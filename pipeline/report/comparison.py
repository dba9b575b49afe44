"""A comparison of formatters and labels for people: sentences, and the chart of a page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.comparison.results import Combination, Comparison
from components.evidence.words import figure as told
from components.evidence.words import signed

if TYPE_CHECKING:
    from pipeline.report.drawing import Chart

_CHOSEN, _OTHER = "chosen", "not chosen"


@dataclass(frozen=True)
class ComparedSection:
    """What a page says of a comparison: sentences, the combinations, the best first, and their chart."""

    sentences: tuple[str, ...]
    ranked: tuple[Combination, ...]
    chart: Chart


def compared_section(found: Comparison) -> ComparedSection:
    """What a page says of a comparison."""
    return ComparedSection(tuple(sentences(found)), tuple(ranked(found)), comparison_chart(found))


def sentences(found: Comparison) -> list[str]:
    """What a comparison says, and what it does not."""
    winner = found.winner
    others = [one for one in found.combinations if one is not winner]
    beaten = sum(one.clearly_behind for one in others)
    said = [
        f"Chosen on the eval split: {winner.name}. Its best model there is {winner.best}, with a rank IC of "
        f"{told(winner.rank_ic, signed)}.",
    ]
    if beaten == len(others):
        said.append("Every other combination is behind it by more than its interval.")
    else:
        close, among = len(others) - beaten, len(others)
        many = "The other one is" if among == 1 else f"All {among} others are" if close == among else ""
        said.append(
            f"{many or f'{close} of the {among} others are'} within the interval of the difference: "
            "on these days nobody can tell which is better."
        )
    if winner.baseline and winner.baseline_rank_ic.value > winner.rank_ic.value:
        said.append(f"A baseline on the same features, {plain(winner.baseline)}, ranks the shares better than it.")
    said.append(
        "Networks stop training by these days and the best of several was taken, so these figures flatter; each "
        "combination counts as a try, and the test split was looked at for the chosen one alone."
    )
    return said


def ranked(found: Comparison) -> list[Combination]:
    """The combinations, the best first; one without a rank IC last."""
    return sorted(
        found.combinations,
        key=lambda one: (one is not found.winner, math.isnan(one.rank_ic.value), -one.rank_ic.value),
    )


def comparison_chart(found: Comparison) -> Chart:
    """Draws the rank IC of every combination's best model with its interval beside none."""
    from pipeline.report.drawing import model_styles
    from pipeline.report.rows_chart import Row, rows_chart

    styles = model_styles([_CHOSEN, _OTHER])
    rows = []
    for one in ranked(found):
        kind = _CHOSEN if one is found.winner else _OTHER
        label = f"{one.formatter}\n{one.label}: {one.best or 'none'}"
        rows.append(Row(label, [(one.rank_ic, styles[kind])], [kind], filled=one is found.winner))
    words = "; ".join(f"{one.name}: {one.best} {told(one.rank_ic, signed)}" for one in ranked(found))
    return rows_chart(
        "comparison",
        "The combinations on the eval split",
        f"Rank IC: {words}.",
        rows,
        label="rank IC, 95 % interval",
        rules=[(0.0, "", False)],
        height=0.52,
        size=9,
        write=signed,
    )


def plain(name: str) -> str:
    """A baseline's name in words."""
    return name.replace("_", " ")
