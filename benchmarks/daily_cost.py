"""What an evening costs, for `benchmarks.daily`: beside an earlier build, and of a ledger that has become long."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import check_out
from components.feature_store import FeatureStore, PriceBars
from components.ledger.chain import GENESIS, row_hash, window_digest
from components.ledger.deadlines import Deadlines, calendars_in_use
from components.ledger.file import Ledger, Row
from components.ledger.outcomes import direction_of, find_due
from components.ledger.predictions import CALENDARS
from components.ledger.schema import FORMAT, LEDGER, MODEL, NOTE, OUTCOME, PREDICTION, SETUP
from components.ledger.setting_up import canonical
from components.ledger.verifying import verify
from components.live_evidence import Parameters
from components.live_record import judge
from models.features import WINDOW

_EXCHANGE, _MODEL = "XSHG", "a" * 64
_SINCE = dt.date(2014, 1, 1)
_NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
_MOVED = ("prices.db*", "runs/daily")
"""Of the folder that the loop works in, what an evening without a training writes to."""

Command = Callable[[Sequence[str], dict[str, str]], float]
"""Runs a command as it is, or as PYTHONPATH says, on the last evening, and gives its CPU seconds."""


def beside_earlier(
    run: Command, folder: Path, scratch: Path, installed: Sequence[str], before: str, times: int
) -> list[dict[str, Any]]:
    """Runs one evening, and then the page, with both builds in turn on the same folder; the cheaper run of each counts.

    Args:
        run: with what to run, `daily` or `live`, as the last argument.
        folder: that the loop has worked in; it is afterwards as it was.
        scratch: where the earlier build and a copy of what an evening writes go.
        installed: the installed command.
        before: commit of the earlier build.
        times: that each command is run.
    """
    earlier = check_out(before, scratch / "earlier")
    code = "from pipeline.cli import main; main()"
    builds: dict[str, tuple[Sequence[str], dict[str, str]]] = {
        "before": ([sys.executable, "-c", code], {"PYTHONPATH": str(earlier)}),
        "now": (installed, {}),
    }
    kept = scratch / "kept"
    _copy(folder, kept)
    cpu: dict[str, dict[str, list[float]]] = {"daily": {}, "live": {}}
    for _ in range(times):
        for build, (command, variables) in builds.items():
            for what, found in cpu.items():
                found.setdefault(build, []).append(run([*command, what], variables))
            _copy(kept, folder)
    return [
        {
            "command": f"awesome {what}",
            "before cpu s": min(found["before"]),
            "cpu s": min(found["now"]),
            "times less": min(found["before"]) / min(found["now"]),
        }
        for what, found in cpu.items()
    ]


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for pattern in _MOVED:
        for path in target.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in source.glob(pattern):
            to = target / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, to) if path.is_dir() else shutil.copy2(path, to)


def long_ledgers(folder: Path, shares: int, sessions: Sequence[int]) -> list[dict[str, Any]]:
    """What the parts of an evening that look at the whole ledger take, by how many sessions it holds."""
    rows = []
    for count in sessions:
        path = folder / f"long{count}.db.ledger"
        database = folder / f"long{count}.db"
        _make(path, database, shares, count)
        whole, seconds = _timed(verify, path, now=_NOW)
        further, seconds_further = _timed(verify, path, now=_NOW, since=whole.looked_at)
        if not whole.sound or (further.rows, further.after) != (whole.rows, whole.rows):
            raise SystemExit(f"{path}: {[str(fault) for fault in whole.faults[:3]]}")
        with Ledger.open(path) as ledger, FeatureStore.open(database) as store:
            ledger.clock = lambda: _NOW
            judge(ledger, 1)  # what it imports is none of the ledger's length
            _, seconds_judge = _timed(judge, ledger, 1)
            _, seconds_due = _timed(find_due, ledger, store)
        rows.append(
            {
                "predictions": whole.predictions,
                "rows": whole.rows,
                "all rows": seconds,
                "going on": seconds_further,
                "outcomes": seconds_due,
                "evidence": seconds_judge,
                "a million rows": seconds / whole.rows * 1e6,
            }
        )
    return rows


def _timed(work: Callable[..., Any], *given: Any, **named: Any) -> tuple[Any, float]:
    begin = time.process_time()
    found = work(*given, **named)
    return found, time.process_time() - begin


def _make(path: Path, database: Path, shares: int, sessions: int) -> None:
    """A ledger of so many evenings, all predictions on time and but the last ones settled, and its prices."""
    days = _days(sessions + WINDOW)
    steps = np.random.default_rng(0).normal(0, 0.01, (shares, len(days)))
    closes = np.round(50 * np.exp(np.cumsum(steps, axis=1)), 2)
    names = [f"sh6{number:05d}" for number in range(shares)]
    Ledger.restore(path, _chained(_contents(names, days, closes)))
    with FeatureStore.create(database) as store:
        for name, close in zip(names, closes, strict=True):
            bars = PriceBars(np.array(days, "datetime64[D]")[:-1], close[:-1], np.ones(len(days) - 1))
            store.upsert(name, bars, "tencent")
        store.listings.put(names, _EXCHANGE)


def _days(count: int) -> list[str]:
    from components.extractor.calendar import ExchangeCalendar

    calendar = ExchangeCalendar.of(_EXCHANGE, _NOW)
    return [str(day) for day in calendar.sessions(_SINCE, _NOW.date() - dt.timedelta(days=1))[-count:]]


def _contents(names: Sequence[str], days: Sequence[str], closes: np.ndarray) -> Iterator[tuple[str, tuple[Any, ...]]]:
    deadlines = Deadlines(_NOW)
    begun = f"{days[WINDOW - 1]}T09:00:00Z"
    yield LEDGER.name, (FORMAT, "0" * 16, begun)
    yield SETUP.name, (1, canonical(Parameters(horizon=1)), begun)
    yield MODEL.name, (_MODEL, "linear", "window_returns", 1, "", "", "champion", begun)
    yield NOTE.name, (CALENDARS, calendars_in_use(), begun)
    seq, before = 4, 0
    for at in range(WINDOW - 1, len(days) - 1):
        written, deadline = f"{days[at]}T10:00:00Z", deadlines.deadline(_EXCHANGE, days[at])
        for share, name in enumerate(names):
            window = closes[share, at - WINDOW + 1 : at + 1][::-1].tolist()
            stated = 0.5 + 0.05 * np.sin(share * 7 + at)
            own = (name, days[at], 1, float(stated), _MODEL, *window, window_digest(window))
            yield PREDICTION.name, (*own, _EXCHANGE, deadline, 0, written)
        for share in range(len(names) if before else 0):
            close, due = closes[share, at - 1 : at + 1].tolist()
            yield OUTCOME.name, (before + share, days[at], close, due, 1.0, direction_of(close, due, 1.0), written)
        before, seq = seq + 1, seq + len(names) * (2 if before else 1)


def _chained(contents: Iterator[tuple[str, tuple[Any, ...]]]) -> Iterator[Row]:
    previous = GENESIS
    for seq, (table, values) in enumerate(contents, 1):
        own = row_hash(table, seq, previous, values)
        yield Row(table, seq, values, previous, own)
        previous = own
