"""Changes to ledgers, and which of them `awesome ledger verify` finds: `python -m benchmarks.tampering`.

A small record of some days, of a model that sees the other shares of the day as well, the head of each day kept
elsewhere, is changed at random, one change at a time: a value is edited, rows are taken out, put in, exchanged or
back-dated. Half of the changes are made by somebody who only turns the triggers off, half by somebody who makes every
later hash anew. A change is found where verify says anything, and named where what it says covers the row.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import math
import sqlite3
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks.measure import print_table, write_result
from components.feature_store import FeatureStore
from components.ledger.chain import GENESIS, Head, row_hash
from components.ledger.columns import Reads, keep_reads
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger, Row
from components.ledger.outcomes import settle
from components.ledger.predictions import Forecasts, write_predictions
from components.ledger.schema import CREATED, TABLES
from components.ledger.setting_up import LiveModel, declare, install
from components.ledger.verifying import Verification, verify
from components.synthetic_market import generate, write_market

KINDS = ("edit", "deletion", "insertion", "exchange", "back-dating")
_SHARES, _DAYS, _FIRST = 3, 12, 20
_COLUMN = "day_rank_1"
_EXCHANGE = "24/5"  # open on every weekday, as synthetic markets are
_UTC = dt.UTC


@dataclass(frozen=True)
class Tampered:
    """A ledger's rows after one change.

    Attributes:
        kind: of the change.
        rows: what the file holds then.
        touched: the numbers of the rows that are not what they were, or are not there.
    """

    kind: str
    rows: tuple[Row, ...]
    touched: frozenset[int]


def lived(folder: Path) -> tuple[Path, tuple[Head, ...], dt.datetime]:
    """A ledger of some days: its file, the head of each evening, and the last moment."""
    market = generate("null", shares=_SHARES, sessions=_FIRST + _DAYS + 1, seed=0)
    write_market(market, folder / "market.db")
    model, path, heads = LiveModel("a" * 64, "linear", "window_returns", 1), folder / "ledger", []
    generator = np.random.default_rng(0)
    now = dt.datetime.combine(market.time[_FIRST].item(), dt.time(1), _UTC)
    with FeatureStore.open(folder / "market.db") as store, Ledger.create(path, lambda: now) as ledger:
        declare(ledger, 1, {"alpha": 0.05})
        keep_reads(ledger, Reads(model.digest, {_COLUMN: 1}, tuple(market.share_ids)))
        install(ledger, model)
        for day in range(_FIRST, _FIRST + _DAYS):
            now = dt.datetime.combine(market.time[day].item(), dt.time(23), _UTC)
            names, sessions = market.share_ids, [str(market.time[day])] * _SHARES
            closes = np.ascontiguousarray(market.close[day - 20 : day + 1][::-1].T)
            seen = {_COLUMN: generator.random(_SHARES).astype(np.float32)}
            says = Forecasts(model.digest, 1, names, sessions, closes, generator.random(_SHARES), seen)
            write_predictions(ledger, says, dict.fromkeys(names, _EXCHANGE))
            settle(ledger, store)
            now += dt.timedelta(minutes=5)
            heads.append(dataclasses.replace(ledger.head, time=f"{now:%Y-%m-%dT%H:%M:%SZ}"))
    return path, tuple(heads), now


def tampered(rows: Sequence[Row], kind: str, anew: bool, generator: np.random.Generator) -> Tampered:
    """Changes rows at random.

    Args:
        rows: of a sound ledger.
        kind: one of KINDS.
        anew: whether every later hash is made anew; else only what changed is changed.
        generator: of the randomness.
    """
    place = int(generator.integers(len(rows)))
    row, content = rows[place], [*rows]
    if kind == "edit":
        content[place] = _edited(row, generator, hashes=not anew)
        touched = {row.seq}
    elif kind == "deletion":
        gone = rows[place : place + int(generator.integers(1, 4))]
        content = [one for one in rows if one not in gone]
        touched = {one.seq for one in gone}
    elif kind == "insertion":
        model = rows[int(generator.integers(len(rows)))]
        tables = [name for name in TABLES if name not in (model.table, row.table)]
        # Under the number of a row that is there, another table has room, or behind the last one.
        seq = row.seq if model.table in tables or anew else len(rows) + 2
        content.insert(place + 1, dataclasses.replace(_edited(model, generator, hashes=False), seq=seq))
        touched = {seq, row.seq, row.seq + 1, len(rows) + 1}
    elif kind == "exchange":
        of_table = [at for at, one in enumerate(rows) if one.table == row.table and one.values != row.values]
        other = int(generator.choice(of_table)) if of_table else place
        content[place] = dataclasses.replace(row, values=rows[other].values)
        content[other] = dataclasses.replace(rows[other], values=row.values)
        if other == place:
            content[place] = _edited(row, generator, hashes=False)
        touched = {row.seq, rows[other].seq}
    else:
        written = dt.datetime.strptime(row["written"], "%Y-%m-%dT%H:%M:%SZ")
        earlier = written - dt.timedelta(seconds=int(generator.integers(1, 5 * 86_400)))
        content[place] = dataclasses.replace(row, values=(*row.values[:-1], f"{earlier:%Y-%m-%dT%H:%M:%SZ}"))
        touched = {row.seq}
    return Tampered(kind, tuple(chained_anew(content)) if anew else tuple(content), frozenset(touched))


def _edited(row: Row, generator: np.random.Generator, hashes: bool) -> Row:
    """Another value in one column: often by the least that makes a difference."""
    at = int(generator.integers(len(row.values) + 2 * hashes))
    if at >= len(row.values):
        name = ("previous", "hash")[at - len(row.values)]
        return dataclasses.replace(row, **{name: _another(getattr(row, name), generator)})
    values = list(row.values)
    values[at] = _another(values[at], generator)
    return dataclasses.replace(row, values=tuple(values))


def _another(value: Any, generator: np.random.Generator) -> Any:
    if isinstance(value, float):
        return math.nextafter(value, math.inf) if generator.random() < 0.5 else value * 1.01
    if isinstance(value, int):
        return value + int(generator.choice([-1, 1, 2]))
    if not value:
        return "2000-01-03"
    place = int(generator.integers(len(value)))
    sign = "0123456789abcdef"[int(generator.integers(16))]
    return value[:place] + (sign if sign != value[place] else "g") + value[place + 1 :]


def chained_anew(rows: Sequence[Row]) -> list[Row]:
    """Numbers and hashes made anew, as somebody would who knows how they are made."""
    chained: list[Row] = []
    last = GENESIS
    for seq, row in enumerate(rows, 1):
        last_row = Row(row.table, seq, row.values, last, row_hash(row.table, seq, last, row.values))
        chained.append(last_row)
        last = last_row.hash
    return chained


def write_anyway(path: Path, rows: Sequence[Row]) -> None:
    """Puts rows in the place of all that a ledger holds, past its triggers and checks, which stay as they were."""
    triggers = {name: sql for name, sql in CREATED.items() if sql.startswith("CREATE TRIGGER")}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("BEGIN")
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for name in TABLES:
            connection.execute(f"DELETE FROM {name}")
        for row in rows:
            connection.execute(TABLES[row.table].insert, (row.seq, *row.values, row.previous, row.hash))
        for sql in triggers.values():
            connection.execute(sql)
        connection.execute("COMMIT")


def look(path: Path, heads: Sequence[Head], now: dt.datetime) -> Verification | None:
    """What verify finds; None where it refuses the file, as one of a newer format, which its first row says."""
    try:
        return verify(path, heads, now)
    except LedgerError:
        return None


def is_named(found: Verification | None, change: Tampered) -> bool:
    """Whether what verify says covers a row that was changed, or the row behind one."""
    if found is None:
        return 1 in change.touched
    near = {seq + step for seq in change.touched for step in (0, 1)}
    return any(fault.first <= seq <= fault.last for fault in found.faults for seq in near)


def main() -> int:
    """Prints the table and writes benchmarks/results/tampering.json; 0 if every change is found, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=10_000)
    arguments = parser.parse_args()
    generator = np.random.default_rng(1)
    made, found, named = Counter[Any](), Counter[Any](), Counter[Any]()
    with TemporaryDirectory() as folder:
        path, heads, now = lived(Path(folder))
        with Ledger.open(path) as ledger:
            rows = tuple(ledger.rows())
        for number in track(range(arguments.changes), "changes"):
            key = KINDS[number % len(KINDS)], number // len(KINDS) % 2 == 1
            change = tampered(rows, *key, generator)
            write_anyway(path, change.rows)
            looked = look(path, heads, now)
            made[key] += 1
            found[key] += looked is None or not looked.sound
            named[key] += is_named(looked, change)
        write_anyway(path, rows)
        clean = verify(path, heads, now).sound
    table = [
        {
            "change": kind,
            "hashes": "made anew" if anew else "left",
            "made": made[kind, anew],
            "found": found[kind, anew],
            "row named": named[kind, anew],
        }
        for kind in KINDS
        for anew in (False, True)
    ]
    print_table(f"Changes to a ledger of {len(rows)} rows; unchanged it is {'sound' if clean else 'NOT sound'}", table)
    write_result("tampering", {"changes": arguments.changes, "rows": table, "clean": clean})
    return 0 if clean and found == made else 1


if __name__ == "__main__":
    sys.exit(main())
