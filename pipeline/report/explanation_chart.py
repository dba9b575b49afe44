"""The chart of what a model looks at: bars with their intervals, by feature and, for a sequence, by lag."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.evidence.words import figure as told
from components.evidence.words import number4
from components.explanation.results import Importance, ModelExplanation
from pipeline.report.drawing import (
    INK,
    WIDTH,
    Chart,
    Place,
    Style,
    drawing,
    finish_columns,
    finish_rows,
    padded,
    svg_chart,
)

_FAINT = 0.3
"""Opacity of a bar whose interval contains 0."""
_LETTERS = 16
"""Of a feature's name in a line."""


def explanation_chart(place: int, name: str, found: ModelExplanation, style: Style) -> Chart:
    """Draws what a model loses, its features above, and below the lags of each feature that is a sequence.

    Args:
        place: the model's, which makes the chart's ids unique.
        name: of the model.
        found: its explanation.
        style: of `model_styles`.
    """
    sequences: dict[str, list[Importance]] = {}
    for one in found.parts:
        if one.part.lag is not None:
            sequences.setdefault(one.part.feature, []).append(one)
    names = [_wrapped(one.part.feature) for one in found.features]
    lines = 1 + max(name.count("\n") for name in names)
    heights = [0.5 + (0.11 + 0.16 * lines) * len(names), *[1.9] * len(sequences)]
    with drawing():
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
        panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        _draw_features(panels[0], names, found.features, style)
        for axes, (feature, lags) in zip(panels[1:], sequences.items(), strict=True):
            _draw_lags(axes, feature, lags, style)
        marks: list[Place] = [
            Place(panels[0], one.lost.value, at, _told(one, one.part.feature)) for at, one in enumerate(found.features)
        ]
        for axes, (feature, lags) in zip(panels[1:], sequences.items(), strict=True):
            marks += [
                Place(axes, at, one.lost.value, _told(one, f"lag {one.part.lag} of {feature}"))
                for at, one in enumerate(lags)
            ]
        return svg_chart(f"explained-{place}", f"What {name} looks at", _words(found, sequences), figure, marks=marks)


def _draw_features(axes: Any, names: Sequence[str], features: Sequence[Importance], style: Style) -> None:
    axes.axvline(0, color=INK, linewidth=1)
    for at, one in enumerate(features):
        axes.barh(at, one.lost.value, 0.62, color=style.colour, alpha=_opacity(one))
        axes.plot(_ends(one), [at, at], color=INK, linewidth=1.4)
    axes.set_yticks(range(len(features)), names)
    finish_rows(axes, len(features))
    axes.set_xlim(*_limits(features))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("AUC lost by permuting the feature")


def _draw_lags(axes: Any, feature: str, lags: Sequence[Importance], style: Style) -> None:
    axes.axhline(0, color=INK, linewidth=1)
    for at, one in enumerate(lags):
        axes.bar(at, one.lost.value, 0.72, color=style.colour, alpha=_opacity(one))
        axes.plot([at, at], _ends(one), color=INK, linewidth=min(1.4, 40 / len(lags)))
    finish_columns(axes, [str(one.part.lag) for one in lags])
    axes.set_ylim(*_limits(lags))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(f"lag of {feature.replace('_', ' ')}; 1: the latest")
    axes.set_ylabel("AUC lost")


def _told(one: Importance, name: str) -> str:
    return f"{name.replace('_', ' ')}: {told(one.lost, number4)}"


def _wrapped(name: str) -> str:
    """A name in lines: beside a long one nothing would be left of the axes."""
    return textwrap.fill(name.replace("_", " "), _LETTERS)


def _opacity(one: Importance) -> float:
    return _FAINT if one.lost.low <= 0 <= one.lost.high else 1.0


def _ends(one: Importance) -> list[float]:
    return [one.lost.low, one.lost.high]


def _limits(some: Sequence[Importance]) -> tuple[float, float]:
    ends = [0.0, *(end for one in some for end in (one.lost.value, one.lost.low, one.lost.high) if math.isfinite(end))]
    return padded(min(ends), max(ends), 0.06, least=0.004)


def _words(found: ModelExplanation, sequences: Mapping[str, Sequence[Importance]]) -> str:
    lost = "; ".join(f"{one.part} {number4(one.lost.value)}" for one in found.features)
    said = [f"AUC lost by permuting a feature: {lost}."]
    for feature, lags in sequences.items():
        most = max(lags, key=lambda one: one.lost.value)
        said.append(f"Of the lags of {feature} lag {most.part.lag} loses most, {number4(most.lost.value)}.")
    return " ".join(said)
