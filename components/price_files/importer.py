"""Takes prices from a CSV or Parquet file into the store, and reports what was taken and what was refused.

The file is read and checked whole before anything is written; then each share is written in a transaction of its own.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.errors import StoreError
from components.feature_store.decisions import Decision
from components.feature_store.rules import impossible
from components.feature_store.store import FeatureStore
from components.feature_store.windows import PriceBars
from components.price_files.adjusted_closes import ClosesBesideFactors
from components.price_files.factors import factors_from_adjusted, given_factors, join_factors
from components.price_files.forms import Forms
from components.price_files.import_guards import lost_adjustments, no_adjustments, other_share, shifted, torn
from components.price_files.layout import LayoutChoice
from components.price_files.raw_closes import closes_of, settle_closes, step_evidence_of
from components.price_files.rows import Found, Refusal, ShareRows, read_rows


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
class FailedFile:
    """A file of several that could not be taken.

    Attributes:
        path: The file.
        reason: Why.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        shares: One entry a share, in the order in which the file first names them.
        taken: Number of prices taken, whether they changed anything or not.
        refused: What was not taken, by row.
        ignored_columns: Columns of the file that have no meaning here.
        notes: What was understood of the file: its layout first, then what its header does not say.
        failed: Of several files, those that could not be taken.
        dates: A date of the file as it is written and as it was read.
    """

    shares: tuple[ShareImport, ...]
    taken: int
    refused: tuple[Refusal, ...]
    ignored_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failed: tuple[FailedFile, ...] = ()
    dates: str = ""


Progress = Callable[[int, int, str], None]


def import_prices(
    path: str | os.PathLike[str],
    store: FeatureStore | str | os.PathLike[str],
    *,
    source: str = "file",
    replace: bool = False,
    shares: Collection[str] | None = None,
    choice: LayoutChoice | None = None,
    forms: Forms = Forms(),  # noqa: B008  (it is frozen)
    today: dt.date | None = None,
    decisions: Iterable[Decision] = (),
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
        choice: What is said about the file's columns; what is not said, the file has to tell.
        forms: How the file's cells are written, as far as that is known.
        today: The date now, in UTC if None; rows of later days are refused.
        decisions: What a person says of the prices; kept before the first share is written.
        progress: Called after each share with the number of shares dealt with, of all shares, and the share.

    Returns:
        What was taken and what was refused.

    Raises:
        ImportFileError: The file cannot be read or its layout is not known; nothing was written.
        StoreError: The database cannot be used, or a share has another source and `replace` is off (nothing was
            written); or writing failed midway: the message says how many shares are in.
    """
    found = chosen_rows(Path(path), choice, shares, forms, today)
    with contextlib.nullcontext(store) if isinstance(store, FeatureStore) else FeatureStore.create(store) as opened:
        if decisions:
            opened.decide(decisions)
        return write_found(found, opened, source, replace, progress)


def chosen_rows(
    path: Path,
    choice: LayoutChoice | None,
    shares: Collection[str] | None,
    forms: Forms = Forms(),  # noqa: B008  (it is frozen)
    today: dt.date | None = None,
    closes: ClosesBesideFactors | None = None,
) -> Found:
    """Reads a file, of some shares only unless `shares` is None; arguments are those of `import_prices`.

    `closes` says what closes beside a factor are, of several files that were looked at before; if None, the file tells.

    Raises:
        ImportFileError: The file cannot be read, its layout is not known or its closes contradict one another.
    """
    found = read_rows(path, choice, forms, today)
    settle_closes(found, closes or closes_of(step_evidence_of(found), found, choice))
    if shares is not None:
        found.shares = [share for share in found.shares if share.share_id in shares]
        found.refused = [refusal for refusal in found.refused if not refusal.share_id or refusal.share_id in shares]
    return found


def check_sources(found: Found, store: FeatureStore, source: str, replace: bool) -> None:
    """Refuses a file with a share that came from another source.

    Raises:
        StoreError: It has one, and `replace` is off.
    """
    if not replace:
        for share in found.shares:
            if store.conflicting_source(share.share_id, source) is not None:
                raise StoreError(store.conflict_message(share.share_id, source))


def write_found(
    found: Found, store: FeatureStore, source: str, replace: bool, progress: Progress | None
) -> ImportReport:
    """Writes what a file holds, a transaction a share; arguments and errors are those of `import_prices`.

    Raises:
        StoreError: A share came from another source (nothing was written), or writing failed midway.
    """
    check_sources(found, store, source, replace)
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
    return ImportReport(tuple(done), taken, tuple(refused), found.layout.ignored, tuple(found.notes), dates=found.dates)


def _bars(share: ShareRows, store: FeatureStore, source: str, found: Found) -> PriceBars | None:
    """Returns a share's bars on the scale of the stored ones; None if nothing of it can be taken."""
    numbers = share.numbers
    close = numbers["close"]
    time = share.days.astype("datetime64[D]")
    if "adj_close" in numbers:
        estimate = factors_from_adjusted(close, numbers["adj_close"])
    else:
        estimate = given_factors(numbers.get("factor", np.ones_like(close)))
    for name in {"factor", "adj_close"} & set(numbers):
        if reason := no_adjustments(time, estimate.value, name):
            found.refuse_day(share, reason)
            return None
    stored = None if store.conflicting_source(share.share_id, source) else store.bars(share.share_id)
    if stored is not None and len(stored.time):
        reason = other_share(time, close, stored)
        if not reason and share.share_id not in store.decisions().unadjusted:
            given = bool({"factor", "adj_close"} & set(numbers))
            reason = lost_adjustments(share.share_id, time, close, estimate.value, given, stored)
        if reason:
            found.refuse_day(share, reason)
            return None
    none = np.empty(0)
    factor = join_factors(
        estimate,
        time,
        none.astype("datetime64[D]") if stored is None else stored.time,
        none if stored is None else stored.factor,
    )
    if factor is None:
        found.refuse_day(
            share,
            "the share's factors cannot be joined to those stored: no session is in both, or the file starts before "
            "the stored ones and does not cover them; import the whole history, or new days and a "
            "stored one before them",
        )
        return None
    if stored is not None:
        with np.errstate(all="ignore"):
            rounding = np.log(estimate.high / estimate.low)
        if reason := shifted(time, close, factor, stored) or torn(time, factor, rounding, stored):
            found.refuse_day(share, reason)
            return None
    with np.errstate(all="ignore"):
        bad = {"adjusted close": impossible("close", close * factor) | impossible("factor", factor)}
    # A factor may have made them raw.
    bad |= {name: impossible(name, numbers[name]) for name in ("open", "high", "low", "volume") if name in numbers}
    sound = ~np.logical_or.reduce(list(bad.values()))
    for at in np.flatnonzero(~sound).tolist():
        what = next(name for name, where in bad.items() if where[at])
        found.refuse_day(share, f"the {what} is out of range", at)
    if not sound.any():
        return None
    return PriceBars(
        time[sound],
        close[sound],
        factor[sound],
        *(numbers[name][sound] if name in numbers else None for name in ("open", "high", "low", "volume")),
    )
