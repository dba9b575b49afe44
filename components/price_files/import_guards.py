"""What is stored of a share judges what a file says of it: whether it is the same share, and whether events are lost.

A file without adjustments, or of another share under the same name, is not told from a right one by itself.
"""

from __future__ import annotations

import numpy as np

from components.feature_store.arrays import Days, Floats
from components.feature_store.windows import PriceBars

_STEP = 1e-4
# Money funds pay each day, and less than this.
_LEAST_EVENT, _MOST_EVENTS = 1e-3, 1 / 3
_ALIKE, _MOSTLY = 0.01, 0.5
_SHIFT, _SHIFT_OF_FEW, _FEWEST_DAYS, _SAME = 0.001, 0.02, 3, 0.3
_FEWEST_RETURNS, _LEAST_CORRELATION, _MOST_RETURN = 20, 0.3, 0.2


def no_adjustments(time: Days, factor: Floats, name: str) -> str:
    """Tells why a column cannot be one of adjustments; empty if it can.

    Splits and dividends are some days a year. What moves on its own from day to day is another quantity under that
    name (an index, a signal, the closes of something else), and returns made with it are none of the share's.

    Args:
        time: The file's days, datetime64[D], ascending, shape (n,).
        factor: The factors that it comes to, freed from rounding, shape (n,).
        name: The column, factor or adj_close.
    """
    if len(factor) <= _FEWEST_RETURNS:
        return ""
    with np.errstate(all="ignore"):
        moved = np.abs(np.diff(np.log(factor))) > _LEAST_EVENT
    if moved.mean() <= _MOST_EVENTS:
        return ""
    what = "adj_close / close" if name == "adj_close" else name
    return (
        f"{what} changes on {int(moved.sum())} of {len(moved)} days, the first on {time[int(np.argmax(moved)) + 1]}: "
        f"it holds no adjustments; correct it, or leave the column out with --column {name}="
    )


def lost_adjustments(
    share_id: str, time: Days, close: Floats, factor: Floats, has_adjustments: bool, stored: PriceBars
) -> str:
    """Tells why a file's bars would lose what is stored of a share's splits and dividends; empty if they do not.

    Args:
        share_id: The share, for advice.
        time: The file's days, datetime64[D], ascending, shape (n,).
        close: Its closes, shape (n,).
        factor: Its factors, up to one constant, shape (n,).
        has_adjustments: Whether it has a column of factors or adjusted closes.
        stored: The bars that are stored.
    """
    if (stored.factor == stored.factor[0]).all():
        return ""
    advice = f"give the factor or adj_close, or take the prices as they are with --accept {share_id}"
    if not has_adjustments and not np.isin(time, stored.time).all():
        return f"the file has no adjustments, and the stored prices of the share have some; {advice}"
    _, here, there = np.intersect1d(time, stored.time, assume_unique=True, return_indices=True)
    with np.errstate(all="ignore"):
        had = np.diff(np.log(stored.factor[there]))
        level = np.log(close[here] * factor[here]) - np.log(stored.close[there] * stored.factor[there])
        now = np.diff(np.log(factor[here]))
        lost = (np.abs(had) > _STEP) & (np.abs(now) < 0.5 * np.abs(had)) & (np.abs(np.diff(level)) > 0.5 * np.abs(had))
    if not lost.any():
        return ""
    at = int(np.argmax(lost))
    return (
        f"{int(lost.sum())} of {int((np.abs(had) > _STEP).sum())} stored adjustments are gone, the first on "
        f"{stored.time[there[at + 1]]}, where prices were adjusted by {np.exp(had[at]):.4g}; {advice}"
    )


def other_share(time: Days, close: Floats, stored: PriceBars) -> str:
    """Tells why closes cannot be those of the share that is stored; empty if they can.

    The closes of one share are alike but for corrections and a scale, and their returns go together whatever they are
    adjusted for. Of two shares neither holds.

    Args:
        time: The file's days, datetime64[D], ascending, shape (n,).
        close: Its closes, shape (n,).
        stored: The bars that are stored.
    """
    _, here, there = np.intersect1d(time, stored.time, assume_unique=True, return_indices=True)
    if len(here) <= _FEWEST_RETURNS:
        return ""
    with np.errstate(all="ignore"):
        one, two = (
            np.clip(np.diff(np.log(values)), -_MOST_RETURN, _MOST_RETURN)
            for values in (close[here], stored.close[there])
        )
        ratio = close[here] / stored.close[there]
        alike = np.abs(ratio / np.median(ratio) - 1) <= _ALIKE
        if (
            alike.mean() >= _MOSTLY
            or not one.std()
            or not two.std()
            or not np.corrcoef(one, two)[0, 1] < _LEAST_CORRELATION
        ):
            return ""
    at = int(np.argmax(np.abs(one - two))) + 1
    return (
        f"another share's prices are stored under this name, such as {stored.close[there[at]]:g} and not "
        f"{close[here[at]]:g} on {stored.time[there[at]]}; give this one another name, such as by --share"
    )


def shifted(time: Days, close: Floats, factor: Floats, stored: PriceBars) -> str:
    """Tells why a part of a history cannot be put into the stored one: its prices are on another scale; else empty.

    Where the part ends, a return would be false by that scale. A whole history may be on any.

    Args:
        time: The file's days, datetime64[D], ascending, shape (n,).
        close: Its closes, shape (n,).
        factor: Its factors as they would be stored, shape (n,).
        stored: The bars that are stored.
    """
    _, here, there = np.intersect1d(time, stored.time, assume_unique=True, return_indices=True)
    if not len(here) or len(here) == len(stored.time):
        return ""
    with np.errstate(all="ignore"):
        shift = np.log(close[here] * factor[here]) - np.log(stored.close[there] * stored.factor[there])
    if not np.isfinite(shift).all():
        return ""
    size = abs(float(np.median(shift)))
    # Few days may be corrections; many that are off by one and the same part are not.
    if size < (_SHIFT if len(here) >= _FEWEST_DAYS else _SHIFT_OF_FEW) or np.ptp(shift) > _SAME * size:
        return ""
    return (
        f"on all {len(here)} days that are stored already its adjusted closes are {np.exp(np.median(shift)):.4g} times "
        "the stored ones (another unit, a split, or another meaning of factor); import the whole history"
    )


def torn(time: Days, factor: Floats, rounding: Floats, stored: PriceBars) -> str:
    """Tells why a part of a history has other factors than the stored one where it ends; empty if it has not.

    The stored days beside it keep theirs, so that a step would stand there that neither of both has.

    Args:
        time: The file's days, datetime64[D], ascending, shape (n,).
        factor: Its factors as they would be stored, shape (n,).
        rounding: How far each of them may be off, as the log of a ratio, shape (n,).
        stored: The bars that are stored.
    """
    _, here, there = np.intersect1d(time, stored.time, assume_unique=True, return_indices=True)
    kept = np.ones(len(stored.time) + 2, dtype=bool)  # a day before the first and one behind the last
    kept[there + 1] = kept[0] = kept[-1] = False
    with np.errstate(all="ignore"):
        change = np.log(factor[here]) - np.log(stored.factor[there])
    torn_off = (np.abs(change) > _SHIFT + 2 * rounding[here]) & (kept[there] | kept[there + 2])
    if not torn_off.any():
        return ""
    at = int(np.argmax(torn_off))
    beside = stored.time[there[at] + (1 if kept[there[at] + 2] else -1)]
    return (
        f"its factor on {time[here[at]]} is {np.exp(change[at]):.4g} times the stored one, and the file does not have "
        f"{beside}, which is stored beside that day: a false return would stand between them; import the whole history"
    )
