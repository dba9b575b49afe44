"""The shorter forms of tables and pages: an interval without a blank, per cent, ratios, costs, times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial


def interval(low: float, high: float) -> str:
    """Writes an interval without a blank, so that it never wraps: "(0.502-0.512)"; "(n/a)" where an end is NaN."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "(n/a)"
    return f"({low:.3f}-{high:.3f})"


def percent(value: float | None) -> str:
    """Writes a share of one as whole per cent, such as "82%"; "n/a" for None and NaN."""
    if value is None or not math.isfinite(value):
        return "n/a"
    return f"{value * 100:.0f}%"


def ratio(value: float) -> str:
    """Writes a Sharpe ratio, such as "+0.42"; "n/a" for NaN."""
    if not math.isfinite(value):
        return "n/a"
    rounded = round(value, 2) + 0.0
    if abs(rounded) >= 10:
        return f"{rounded:+.1f}"
    return f"{rounded:+.2f}" if rounded else "0.00"


def points(value: float, decimals: int = 1) -> str:
    """Writes a gain or loss, a share of one, with its sign; no decimals from 100 % on; "n/a" for NaN.

    >>> points(0.042), points(-0.523), points(12.34)
    ('+4.2%', '-52.3%', '+1,234%')
    """
    if not math.isfinite(value):
        return "n/a"
    if abs(round(100 * value, 1)) >= 100:
        decimals = 0
    rounded = round(100 * value, decimals) + 0.0
    return f"{rounded:+,.{decimals}f}%" if rounded else f"{0:.{decimals}f}%"


def points_of_one_precision(values: Iterable[float]) -> Callable[[float], str]:
    """What writes all values of a column: with the decimal of `points`, or none where one of them has no room for it.

    >>> write = points_of_one_precision([-0.576, -1.03])
    >>> write(-0.576), write(-1.03)
    ('-58%', '-103%')
    """
    large = any(abs(round(100 * value, 1)) >= 100 for value in values if math.isfinite(value))
    return partial(points, decimals=0 if large else 1)


def share_percent(value: float) -> str:
    """Writes a share of one without a sign, such as "20%" or "0.4%"; "n/a" for NaN."""
    return f"{round(100 * value, 1):g}%" if math.isfinite(value) else "n/a"


def rate(value: float) -> str:
    """Writes a share of one in a column of such, with one decimal always: "25.0%"; "n/a" for NaN."""
    return f"{100 * value:.1f}%" if math.isfinite(value) else "n/a"


def basis_points(costs: float) -> str:
    """Writes costs, such as "10 basis points"."""
    return f"{costs:g} basis point{'' if costs == 1 else 's'}"


def duration(seconds: float) -> str:
    """Writes a time.

    >>> duration(12.5), duration(150), duration(3900)
    ('12.5 s', '2 min 30 s', '1 h 05 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min {rest:02d} s"


def readable_time(created: str) -> str:
    """Writes an ISO 8601 time as a person does; anything else as it stands.

    >>> readable_time("2024-05-06T09:08:01+02:00")
    '2024-05-06 07:08 UTC'
    """
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return created
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC"
