"""Takes prices from a CSV or Parquet file into the store, and reports what was taken and what was refused.

Two layouts are known, told apart by their headers (upper or lower case alike):

    long    time (or date), share_id (or symbol, ticker), close, and optionally open, high, low, volume and either
            factor or adj_close; further columns are ignored
    wide    time (or date) and one column a share, holding adjusted closes

The file is read and checked whole before anything is written; then each share is written in a transaction of its own.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from components.errors import ImportFileError, StoreError
from components.feature_store.arrays import Booleans, Floats, Integers
from components.feature_store.factors import FactorEstimate, factors_from_adjusted, given_factors, join_factors
from components.feature_store.files import NO_DAY, Numbers, PriceFile, days_of, names_of, numbers_of, open_price_file
from components.feature_store.store import FeatureStore, is_usable_name
from components.feature_store.windows import PriceBars, outside_range

_TIME = ("time", "date")
_SHARE = ("share_id", "symbol", "ticker")
_ADJUSTED = ("adj_close", "adjclose", "adjusted_close")
_NUMBERS = {
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume",),
    "factor": ("factor",),
    "adj_close": _ADJUSTED,
}
_REQUIRED = ("close", "factor", "adj_close")
_HELP = (
    "known layouts are long (time, share_id, close, optionally open, high, low, volume, factor or adj_close) "
    "and wide (time and one column a share)"
)


@dataclass(frozen=True)
class Refusal:
    """A row, or one share's cell of a wide row, that was not taken.

    Attributes:
        row: Line of a CSV file (the header is line 1), or row of a Parquet file (from 1).
        share_id: The share; empty where the whole row is refused and names none.
        time: The date as YYYY-MM-DD, or as it stands in the file if it is no date.
        reason: Why.
    """

    row: int
    share_id: str
    time: str
    reason: str


@dataclass(frozen=True)
class ShareImport:
    """What was taken for one share.

    Attributes:
        share_id: The share.
        new: Sessions that were not stored before.
        changed: Sessions that were stored and differ.
        unchanged: Sessions that were stored already.
        first: The first session that the file gives.
        last: The last one.
    """

    share_id: str
    new: int
    changed: int
    unchanged: int
    first: dt.date
    last: dt.date


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        shares: One entry a share, in the order in which the file first names them.
        taken: Number of prices taken, whether they changed anything or not.
        refused: What was not taken, by row.
        ignored_columns: Columns of the file that have no meaning here.
    """

    shares: tuple[ShareImport, ...]
    taken: int
    refused: tuple[Refusal, ...]
    ignored_columns: tuple[str, ...] = ()


Progress = Callable[[int, int, str], None]


def import_prices(
    path: str | os.PathLike[str],
    store: FeatureStore | str | os.PathLike[str],
    *,
    source: str = "file",
    replace: bool = False,
    shares: Collection[str] | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Imports a file of daily prices.

    Bad rows are refused and reported, the others are taken. With adj_close the factor is adj_close / close, freed from
    the rounding of adj_close; factors are divided by that of the share's first day. Where the share is stored already,
    the file's factors are joined to the stored ones at a session that both have.

    Args:
        path: A CSV file (UTF-8, also gzip) or a Parquet file.
        store: A store opened with `FeatureStore.create`, or the path of one, which is made if it is missing.
        source: What to call the origin of the prices.
        replace: Whether a share that came from another source is deleted first.
        shares: The shares to take; None for all that the file holds.
        progress: Called after each share with the number of shares dealt with, of all shares, and the share.

    Returns:
        What was taken and what was refused.

    Raises:
        ImportFileError: The file cannot be read or its layout is not known; nothing was written.
        StoreError: The database cannot be used, or a share has another source and `replace` is off (nothing was
            written); or writing failed midway: the message says how many shares are in.
    """
    file = Path(path)
    found = _read(file)
    if shares is not None:
        found.shares = [share for share in found.shares if share.share_id in shares]
        found.refused = [refusal for refusal in found.refused if not refusal.share_id or refusal.share_id in shares]
    if isinstance(store, FeatureStore):
        return _write(found, store, source, replace, progress)
    with FeatureStore.create(store) as opened:
        return _write(found, opened, source, replace, progress)


# --- layout


@dataclass(frozen=True)
class _Layout:
    """Where a file's columns stand.

    Attributes:
        time: Position of the dates.
        share: Position of the share; None in a wide file.
        numbers: Position of each field (long), or of each share (wide).
        ignored: Names of the columns left out.
    """

    time: int
    share: int | None
    numbers: dict[str, int]
    ignored: tuple[str, ...] = ()


def _layout(header: tuple[str, ...], path: Path) -> _Layout:
    names = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]

    def only(accepted: tuple[str, ...]) -> int | None:
        found = [index for index, name in enumerate(names) if name in accepted]
        if len(found) > 1:
            twice = " and ".join(header[index].strip() for index in found)
            raise ImportFileError(f"{path}, line 1: the columns {twice} mean the same; keep one of them")
        return found[0] if found else None

    def unknown(what: str) -> ImportFileError:
        columns = ", ".join(repr(name.strip()) for name in header[:12]) + (", ..." if len(header) > 12 else "")
        return ImportFileError(f"{path}, line 1: {what}; the columns are {columns}; {_HELP}")

    time, share = only(_TIME), only(_SHARE)
    if time is None:
        raise unknown("there is no column time or date")
    if share is None:
        if "close" in names or any(name in _ADJUSTED for name in names):
            raise unknown("there is a close but no column share_id, symbol or ticker")
        return _wide_layout(header, time, unknown)
    numbers = {field_: at for field_, accepted in _NUMBERS.items() if (at := only(accepted)) is not None}
    if "close" not in numbers:
        raise unknown("there is no column close")
    if "factor" in numbers and "adj_close" in numbers:
        raise ImportFileError(f"{path}, line 1: both factor and adj_close are given; keep one of them")
    used = {time, share, *numbers.values()}
    ignored = tuple(name.strip() for index, name in enumerate(header) if index not in used)
    return _Layout(time, share, numbers, ignored)


def _wide_layout(header: tuple[str, ...], time: int, unknown: Callable[[str], ImportFileError]) -> _Layout:
    shares: dict[str, int] = {}
    for index, name in enumerate(header):
        share_id = name.strip()
        if index == time:
            continue
        if not is_usable_name(share_id):
            raise unknown(f"column {index + 1} has no usable name")
        if share_id in shares:
            raise unknown(f"the column {share_id} is there twice")
        shares[share_id] = index
    if not {name.lower() for name in shares} - set(_NUMBERS):
        raise unknown("there is no column of closes")
    return _Layout(time, None, shares)


# --- reading


@dataclass
class _Share:
    """The good rows of one share in the file's order; fields are None where the file has no such column."""

    share_id: str
    rows: Integers
    days: Integers
    numbers: dict[str, Floats]


@dataclass
class _Found:
    """What a file holds, and what was refused so far."""

    path: Path
    shares: list[_Share] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    ignored: tuple[str, ...] = ()

    def refuse(self, row: int, share_id: str, time: str, reason: str) -> None:
        self.refused.append(Refusal(int(row), share_id, time, reason))


def _read(path: Path) -> _Found:
    with open_price_file(path) as file:
        layout = _layout(file.header, path)
        found = _Found(path, ignored=layout.ignored)
        if layout.share is None:
            _read_wide(file, layout, found)
        else:
            _read_long(file, layout, layout.share, found)
    return found


def _read_long(file: PriceFile, layout: _Layout, share: int, found: _Found) -> None:
    codes: dict[str, int] = {}
    day_cache: dict[str, int] = {}
    row_parts: list[Integers] = []
    code_parts: list[Integers] = []
    day_parts: list[Integers] = []
    number_parts: dict[str, list[Floats]] = {name: [] for name in layout.numbers}
    for chunk in file.chunks:
        code = names_of(chunk.columns[share], file.header[share], found.path, codes)
        days, odd_days = days_of(chunk.columns[layout.time], file.header[layout.time], found.path, day_cache)
        reasons: dict[int, str] = {}
        names = list(codes)
        unusable = [index for index, name in enumerate(names) if not is_usable_name(name)]
        for at in np.flatnonzero(np.isin(code, unusable)).tolist():
            name = names[code[at]]
            reasons[at] = "share_id is empty" if not name else f"share_id {name!r} is not a usable name"
        for at, text in odd_days.items():
            reasons.setdefault(at, _odd_day(text))
        columns: dict[str, Floats] = {}
        for name, index in layout.numbers.items():
            numbers = numbers_of(chunk.columns[index], file.header[index], found.path)
            _check_numbers(name, numbers, reasons)
            columns[name] = numbers.values
        _check_range(columns, reasons)
        for at, reason in reasons.items():
            found.refuse(chunk.rows[at], names[code[at]], _day_text(days[at], odd_days.get(at, "")), reason)
        good = np.ones(len(days), dtype=bool)
        good[list(reasons)] = False
        row_parts.append(chunk.rows[good])
        code_parts.append(code[good])
        day_parts.append(days[good])
        for name, values in columns.items():
            number_parts[name].append(values[good])
    if not row_parts:
        raise ImportFileError(f"{found.path} has a header but no prices")
    rows, code, days = np.concatenate(row_parts), np.concatenate(code_parts), np.concatenate(day_parts)
    numbers_by_name = {name: np.concatenate(parts) for name, parts in number_parts.items()}
    # A stable sort keeps the file's order within each share.
    order = np.argsort(code, kind="stable")
    names = list(codes)
    for group in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        if len(group) == 0:
            continue
        share_id = names[code[group[0]]]
        group = group[_ascending(found, rows[group], days[group], share_id)]
        kept = {name: values[group] for name, values in numbers_by_name.items()}
        found.shares.append(_Share(share_id, rows[group], days[group], kept))


def _read_wide(file: PriceFile, layout: _Layout, found: _Found) -> None:
    day_cache: dict[str, int] = {}
    all_rows, all_days = [], []
    closes: dict[str, list[Floats]] = {share_id: [] for share_id in layout.numbers}
    bad_cells: dict[str, dict[int, str]] = {share_id: {} for share_id in layout.numbers}
    done = 0
    for chunk in file.chunks:
        days, odd_days = days_of(chunk.columns[layout.time], file.header[layout.time], found.path, day_cache)
        for at, text in odd_days.items():
            found.refuse(chunk.rows[at], "", text, _odd_day(text))
        for share_id, index in layout.numbers.items():
            numbers = numbers_of(chunk.columns[index], file.header[index], found.path)
            reasons: dict[int, str] = {}
            _check_numbers("close", numbers, reasons, may_be_missing=True)
            bad_cells[share_id].update({done + at: reason for at, reason in reasons.items()})
            closes[share_id].append(numbers.values)
        all_rows.append(chunk.rows)
        all_days.append(days)
        done += len(days)
    if not done:
        raise ImportFileError(f"{found.path} has a header but no prices")
    rows, days = np.concatenate(all_rows), np.concatenate(all_days)
    dated = np.flatnonzero(days != NO_DAY)
    kept = dated[_ascending(found, rows[dated], days[dated], "")]
    for share_id, parts in closes.items():
        close = np.concatenate(parts)
        bad = bad_cells[share_id]
        wrong = np.zeros(len(close), dtype=bool)
        wrong[list(bad)] = True
        listed = kept[~np.isnan(close[kept]) & ~wrong[kept]]
        if len(listed):
            # Blank before the first price and after the last one: the share was not listed.
            between = kept[(kept > listed[0]) & (kept < listed[-1])]
            for at in between[np.isnan(close[between]) & ~wrong[between]].tolist():
                bad[at] = "close is missing"
        in_order = set(kept.tolist()) if bad else set()
        for at, reason in bad.items():
            if at in in_order:  # else its whole row is refused already
                found.refuse(rows[at], share_id, _day_text(days[at]), reason)
        if len(listed):
            found.shares.append(_Share(share_id, rows[listed], days[listed], {"close": close[listed]}))


def _check_numbers(name: str, numbers: Numbers, reasons: dict[int, str], may_be_missing: bool = False) -> None:
    """Adds the reason to each position whose number cannot be taken and that has none yet."""
    values = numbers.values
    for at, text in numbers.odd.items():
        reasons.setdefault(at, f"{name} {text.strip()[:40]!r} is not a number")
    bad = np.isinf(values) | ((values < 0) if name == "volume" else (values <= 0))
    for at in np.flatnonzero(bad).tolist():
        what = "is infinite" if np.isinf(values[at]) else "is below 0" if values[at] < 0 else "is zero"
        reasons.setdefault(at, f"{name} {what}")
    if name in _REQUIRED and not may_be_missing:
        for at in np.flatnonzero(np.isnan(values)).tolist():
            reasons.setdefault(at, f"{name} is missing")


def _check_range(columns: dict[str, Floats], reasons: dict[int, str]) -> None:
    close = columns["close"]
    unknown = np.full(len(close), np.nan)
    low, high = columns.get("low", unknown), columns.get("high", unknown)
    for at in np.flatnonzero(low > high).tolist():
        reasons.setdefault(at, f"low {low[at]:g} is above high {high[at]:g}")
    with np.errstate(all="ignore"):
        outside = outside_range(close, low, high)
    for at in np.flatnonzero(outside).tolist():
        reasons.setdefault(at, f"close {close[at]:g} is outside [low {low[at]:g}, high {high[at]:g}]")


def _ascending(found: _Found, rows: Integers, days: Integers, share_id: str) -> Booleans:
    """Tells which rows come later than all rows before them; refuses the others."""
    latest = np.maximum.accumulate(days)
    good = np.append(True, days[1:] > latest[:-1])[: len(days)]
    if good.all():
        return good
    _, first, which = np.unique(days, return_index=True, return_inverse=True)
    for at in np.flatnonzero(~good).tolist():
        late = f"the date is out of order: it comes after {_day_text(latest[at - 1])}"
        found.refuse(rows[at], share_id, _day_text(days[at]), "the date comes twice" if first[which[at]] < at else late)
    return good


def _odd_day(text: str) -> str:
    return "the date is missing" if not text.strip() else "the date is unreadable; write it as 2024-01-31"


def _day_text(day: int, text: str = "") -> str:
    return text if day == NO_DAY else str(np.datetime64(int(day), "D"))


# --- writing


def _write(found: _Found, store: FeatureStore, source: str, replace: bool, progress: Progress | None) -> ImportReport:
    if not replace:
        for share in found.shares:
            if store.conflicting_source(share.share_id, source) is not None:
                raise StoreError(store.conflict_message(share.share_id, source))
    done: list[ShareImport] = []
    for number, share in enumerate(found.shares, start=1):
        try:
            bars = _bars(share, store, source, found)
            if bars is not None:
                counts = store.upsert(share.share_id, bars, source, replace=replace)
                first, last = bars.time[[0, -1]].tolist()
                done.append(ShareImport(share.share_id, counts.new, counts.changed, counts.unchanged, first, last))
        except StoreError as error:
            raise StoreError(f"{error} ({len(done)} of {len(found.shares)} shares are in)") from error
        if progress is not None:
            progress(number, len(found.shares), share.share_id)
    taken = sum(share.new + share.changed + share.unchanged for share in done)
    refused = sorted(found.refused, key=lambda refusal: (refusal.row, refusal.share_id))
    return ImportReport(tuple(done), taken, tuple(refused), found.ignored)


def _bars(share: _Share, store: FeatureStore, source: str, found: _Found) -> PriceBars | None:
    """Returns a share's bars on the scale of the stored ones; None if nothing of it can be taken."""
    numbers = share.numbers
    close = numbers["close"]
    time = share.days.astype("datetime64[D]")
    estimate = _estimate(numbers)
    stored = None if store.conflicting_source(share.share_id, source) else store.bars(share.share_id)
    none = np.empty(0)
    factor = join_factors(
        estimate,
        time,
        none.astype("datetime64[D]") if stored is None else stored.time,
        none if stored is None else stored.factor,
    )
    if factor is None:
        found.refuse(
            share.rows[0],
            share.share_id,
            str(time[0]),
            "the share's factors cannot be joined to those stored: no session is in both, or the file starts before "
            "the stored ones and does not cover them; import the whole history",
        )
        return None
    with np.errstate(all="ignore"):
        adjusted = close * factor
    sound = np.isfinite(adjusted) & (adjusted > 0) & np.isfinite(factor) & (factor > 0)
    for at in np.flatnonzero(~sound).tolist():
        found.refuse(share.rows[at], share.share_id, str(time[at]), "the adjusted close is out of range")
    if not sound.any():
        return None
    return PriceBars(
        time[sound],
        close[sound],
        factor[sound],
        *(numbers[name][sound] if name in numbers else None for name in ("open", "high", "low", "volume")),
    )


def _estimate(numbers: dict[str, Floats]) -> FactorEstimate:
    if "adj_close" in numbers:
        return factors_from_adjusted(numbers["close"], numbers["adj_close"])
    return given_factors(numbers.get("factor", np.ones_like(numbers["close"])))
