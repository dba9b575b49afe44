"""outperform: whether a share does better than the day's median."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.labels import Label, Words

if TYPE_CHECKING:
    from models.labels import Returns


def _median(returns: Returns) -> float:
    import numpy as np

    return float(np.median(returns))


LABEL = Label(
    name="outperform",
    description=(
        "1 where the return over `horizon` sessions is above the median of all shares of the run on that day, 0 where "
        "it is below. The market's own move is taken off, so both answers are equally frequent on every day, and what "
        "is left to know is which shares do better. The share that is the median itself (of an odd number) has no "
        "label, nor has any share of a day on which fewer than two returns are known."
    ),
    words=Words(
        "a return above the day's median",
        "Above the day's median",
        "rows above the median",
        "rows below it",
        "above",
        "came above the median",
    ),
    level=_median,
    order=20,
)
