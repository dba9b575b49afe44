"""What makes a page answer: its scripts, the policy that lets in these alone, and the numbers behind its charts.

The library (third_party/) and page.js stand in the page itself, each allowed by its digest, so that a page is one file
that opens without a network and no other script can run in it.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.report.palette import DARK, Chart, Plot, Rows, Series, Style

_FOLDER = Path(__file__).parent
_THIRD_PARTY = _FOLDER / "third_party"
_DIGITS = 5
"""Of a number of a chart; no screen shows more."""


@functools.cache
def scripts() -> tuple[str, ...]:
    """The scripts of every page, in their order: the library with its licence, and ours."""
    library = _read(_THIRD_PARTY / "uPlot.iife.min.js").strip()
    return f"/*\n{_read(_THIRD_PARTY / 'LICENSE').strip()}\n*/\n{library}\n", _read(_FOLDER / "page.js")


@functools.cache
def third_party_style() -> str:
    """The library's style sheet."""
    return _read(_THIRD_PARTY / "uPlot.min.css")


@functools.cache
def policy() -> str:
    """The content security policy of a page: nothing from elsewhere, and no script but ours."""
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts())
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def colours(dark: bool) -> str:
    """The variables of the charts' colours, as declarations."""
    return " ".join(f"--chart-{name}: {night if dark else day};" for day, (name, night) in DARK.items())


def answers(chart: Chart) -> str:
    """What a chart answers from, as JSON that can stand in a script element; empty where it only can be looked at."""
    plots = [_plot(plot) for plot in chart.plots if len(plot.x)]
    if not (plots or chart.rows or chart.marks):
        return ""
    content = {
        "plots": plots,
        "rows": None if chart.rows is None else _rows(chart.rows),
        "marks": [[round(mark.x, 1), round(mark.y, 1), mark.text, mark.name] for mark in chart.marks],
        "parts": [_style(part.style) | {"name": part.name, "element": part.element} for part in chart.parts],
    }
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Whatever a name holds, it ends no element and begins no comment.
    for letter in "<>&\u2028\u2029":
        written = written.replace(letter, f"\\u{ord(letter):04x}")
    return written


def _plot(plot: Plot) -> dict[str, Any]:
    x: Sequence[Any] = plot.x
    kind = "number"
    if plot.days:
        kind, first = "day", dt.date(1970, 1, 1)
        x = [(dt.date.fromisoformat(str(day)) - first).days for day in plot.x]
    elif any(isinstance(place, str) for place in plot.x):
        kind = "name"
    else:
        x = _numbers(plot.x)  # type: ignore[arg-type]
    return {
        "kind": kind,
        "x": list(x),
        "label": plot.label,
        "xLabel": plot.x_label,
        "rules": [list(rule) for rule in plot.rules],
        "percent": plot.percent,
        "decimals": plot.decimals,
        "log": plot.logarithmic,
        "height": plot.height,
        "series": [_series(one, plot.logarithmic) for one in plot.series],
    }


def _series(one: Series, logarithmic: bool) -> dict[str, Any]:
    return {
        "name": one.name,
        "colour": f"--chart-{DARK[one.colour][0]}",
        "dash": [] if isinstance(one.dash, str) else [length * one.width for length in one.dash[1]],
        "width": one.width,
        "points": one.points,
        "marker": one.marker,
        "values": _numbers(value if value > 0 or not logarithmic else math.nan for value in one.values),
        "low": _numbers(one.low),
        "high": _numbers(one.high),
    }


def _rows(rows: Rows) -> dict[str, Any]:
    return {
        "label": rows.label,
        "rules": [list(rule) for rule in rows.rules],
        "rows": [
            {
                "label": row.label,
                "colour": f"--chart-{DARK[row.colour][0]}",
                "filled": row.filled,
                "expected": _numbers([row.expected])[0],
                "note": row.note,
                "estimates": [
                    _style(one.style)
                    | dict(zip(("value", "low", "high"), _numbers((one.value, one.low, one.high)), strict=True))
                    | {"name": one.name, "text": one.text}
                    for one in row.estimates
                ],
            }
            for row in rows.rows
        ],
    }


def _style(style: Style) -> dict[str, Any]:
    return {"colour": f"--chart-{DARK[style.colour][0]}", "marker": style.marker, "points": True}


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in values]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
