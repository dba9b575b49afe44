"""Reads a file of forecasts, CSV or Parquet, with the readers of files of prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from components.feature_store.arrays import Booleans, Floats, Integers
from components.judging.forecast_columns import ColumnChoice, find_columns
from components.judging.forecasts import Forecasts, JudgingError, Sieve
from components.price_files.date_column import MISSING_DATE, DateColumn, names_of
from components.price_files.files import NotUtf8Error, PriceFile, guess_encoding, open_price_file
from components.price_files.forms import Forms
from components.price_files.number_cells import NumberStyle, OtherStyleError, StyleEvidence, numbers_of
from components.price_files.stamps import NO_DAY, Stamp

_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_PICKLED = (".pkl", ".pickle", ".pkl.gz", ".joblib")


def read_forecasts(
    path: Path,
    choice: ColumnChoice | None = None,
    forms: Forms = Forms(),  # noqa: B008  (it is frozen)
    reserved: Collection[str] = (),
    today: dt.date | None = None,
) -> Sieve:
    """Reads all rows of a file.

    Args:
        path: The file.
        choice: What the user says about its columns.
        forms: What the user says of how its cells are written.
        reserved: Names that no model may have.
        today: The date now, in UTC if None.

    Returns:
        The forecasts; those whose cells cannot be taken are left out already.

    Raises:
        JudgingError: It is a pickle, or empty, or its probabilities are none.
        ImportFileError: It cannot be read, its columns are not known, or it can be read in two ways.
    """
    today = today or dt.datetime.now(dt.UTC).date()
    choice = choice or ColumnChoice()
    _check(path)
    try:
        return _read_in_style(path, choice, forms, reserved, today)
    except NotUtf8Error:
        encoding = guess_encoding(path)
        if encoding in (None, "cp1252"):  # western encodings differ in letters, and a letter is a share's name
            raise
        return _read_in_style(path, choice, replace(forms, encoding=encoding), reserved, today)


def _check(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise JudgingError(f"{path} {what}; name a CSV or Parquet file of forecasts")
    with path.open("rb") as stream:
        start = stream.read(2)
    if not start:
        raise JudgingError(f"{path} is empty; it needs a header and forecasts")
    if start in _PICKLES or path.name.lower().endswith(_PICKLED):
        raise JudgingError(
            f"{path} is a pickle, which runs whatever its maker put into it when it is read; write it as Parquet where "
            "it was made (`pred.to_parquet('pred.parquet')`), or as CSV"
        )


def _read_in_style(path: Path, choice: ColumnChoice, forms: Forms, reserved: Collection[str], today: dt.date) -> Sieve:
    style = None if forms.decimal is None else NumberStyle(forms.decimal)
    try:
        with open_price_file(path, forms) as file:
            return _read(path, file, choice, forms, reserved, today, style)
    except OtherStyleError:
        style = _style(path, choice, forms)
        with open_price_file(path, forms) as file:
            return _read(path, file, choice, forms, reserved, today, style)


def _style(path: Path, choice: ColumnChoice, forms: Forms) -> NumberStyle:
    """Finds out how the file writes its numbers, from all of them."""
    evidence = StyleEvidence()
    with open_price_file(path, forms) as file:
        positions = find_columns(file.header, path, file.head, choice).models
        for chunk in file.chunks(list(positions.values())):
            for name, at in positions.items():
                evidence.add(chunk.columns[at], name, path)
        return evidence.style(path, file.separator)


def _read(
    path: Path,
    file: PriceFile,
    choice: ColumnChoice,
    forms: Forms,
    reserved: Collection[str],
    today: dt.date,
    style: NumberStyle | None,
) -> Sieve:
    columns = find_columns(file.header, path, file.head, choice, reserved)
    dates = DateColumn(file.header[columns.time].strip(), path)
    written = None if columns.written is None else DateColumn(file.header[columns.written].strip(), path)
    codes: dict[str, int] = {columns.share: 0} if isinstance(columns.share, str) else {}
    parts: list[tuple[Integers, Integers, Integers, Integers]] = []
    values: dict[str, list[Floats]] = {name: [] for name in columns.models}
    unread: dict[str, dict[int, str]] = {name: {} for name in columns.models}
    done = 0
    wanted = {columns.time, columns.share, columns.written, *columns.models.values()}
    for chunk in file.chunks(sorted(at for at in wanted if isinstance(at, int))):
        count = len(chunk.rows)
        share = np.zeros(count, dtype=np.int64)
        if isinstance(columns.share, int):
            share = names_of(chunk.columns[columns.share], file.header[columns.share], path, codes)
        made = share if written is None else written.add(chunk.columns[columns.written])  # type: ignore[index]
        parts.append((chunk.rows, share, dates.add(chunk.columns[columns.time]), made))
        for name, at in columns.models.items():
            numbers = numbers_of(chunk.columns[at], name, path, style)
            values[name].append(numbers.values)
            unread[name].update({done + place: text for place, text in numbers.unread.items()})
        done += count
    if not done:
        raise JudgingError(f"{path} has a header but no forecasts")
    rows, share, stamp, made = (np.concatenate(part) for part in zip(*parts, strict=True))
    table = dates.read(forms, today, list(codes))
    notes = (*columns.notes, *file.notes, *table.notes, *([] if style is None else [str(style)]))
    forecasts = Forecasts(
        path=path,
        rows=rows,
        names=tuple(codes),
        share=share,
        days=table.days[stamp],
        values={name: np.concatenate(each) for name, each in values.items()},
        scores=columns.scores,
        written=None if written is None else _days(written.read_stamps(forms, today))[made],
        notes=notes,
    )
    sieve = Sieve(forecasts)
    reasons = np.array(table.reasons, dtype=object)[stamp]
    for reason in dict.fromkeys(filter(None, table.reasons)):
        text = "; write the session it was made after" if reason == MISSING_DATE else ""
        sieve.leave_out(reasons == reason, "time", f"{reason}{text}", detail=lambda at: table.text(int(stamp[at])))
    nameless = [at for at, name in enumerate(forecasts.names) if not name]
    sieve.leave_out(np.isin(share, nameless), "share", "the share is missing; name it as the database does")
    _check_values(sieve, unread)
    return sieve


def _days(stamps: list[Stamp | None]) -> Integers:
    return np.array([NO_DAY if stamp is None else stamp.day for stamp in stamps], dtype=np.int64)


def _check_values(sieve: Sieve, unread: dict[str, dict[int, str]]) -> None:
    """Leaves out forecasts that are no numbers, or no probabilities where they should be."""
    forecasts = sieve.forecasts
    for name, values in forecasts.values.items():
        texts = unread[name]
        sieve.leave_out(
            np.array(list(texts), dtype=np.int64),
            "no number",
            f"{name} is not a number; write one, such as 0.5132",
            detail=lambda at, texts=texts: repr(texts[at].strip()[:40]),  # type: ignore[misc]
        )
        sieve.leave_out(np.isnan(values), "missing", f"{name} is missing (NaN); leave the row out of the file")
        sieve.leave_out(np.isinf(values), "infinite", f"{name} is infinite; write a number")
        if name in forecasts.scores:
            continue
        outside: Booleans = (values < 0) | (values > 1)
        count, there = int(np.count_nonzero(outside)), int(np.count_nonzero(~np.isnan(values)))
        if 2 * count > there:
            raise JudgingError(
                f"{forecasts.path}: {count:,} of {there:,} values of the column {name} are outside [0, 1], so it holds "
                f"no probabilities: say --score {name} where they are scores, or divide them by 100 where they are per "
                "cent"
            )
        sieve.leave_out(
            outside,
            "no probability",
            f"{name} is outside [0, 1]; write a probability, or say --score {name}",
            detail=lambda at, values=values: f"{values[at]:.6g}",  # type: ignore[misc]
        )
