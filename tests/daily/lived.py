"""A small market that goes on day by day, a model that predicts it, and the loop with the clock in the test's hand."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import io
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import judged_runs
import numpy as np
import pandas as pd
from rich.console import Console

from components.evidence.findings import PREDICTIONS_FILE
from components.extractor.calendar import ExchangeCalendar
from components.extractor.replay import Market, ReplayServer, make_listing
from components.feature_store import FeatureStore, PriceBars
from components.ledger.file import Batch
from components.ledger.schema import TABLES
from components.model_selector.files import EVIDENCE_FILE, Evidence
from models.card import CARD_FILE, EXTRA_FOLDER, ModelCard
from models.day_wide.columns import width_of
from models.formatters import get_formatter
from models.labels import UP
from models.twin.features import described, moment_arrays
from models.twin.files import StepRecord, TwinRecord, twin_files
from models.twin.forecasting import Twin, load_twin
from models.twin.proof import Proof
from pipeline.daily import loop
from pipeline.daily.clock import LoopClock
from pipeline.daily.day import Day, Told
from pipeline.daily.loop import Part, run_daily
from pipeline.daily.report import DailyReport
from pipeline.plan import Plan, load_plan
from pipeline.runs.folder import REPORT_JSON, save_report
from pipeline.runs.results import DataSummary, SplitResult

UTC = dt.UTC
SHARES = ("sh600000", "sh600519", "sz000001", "sz000002", "sh601318")
FIRST, LAST = dt.date(2024, 1, 2), dt.date(2024, 12, 31)
SHANGHAI = ExchangeCalendar.of("XSHG", dt.datetime(2026, 1, 1, tzinfo=UTC)).sessions(FIRST, LAST).tolist()
START = SHANGHAI.index(dt.date(2024, 9, 2))
"""The session of the first loop; the Chinese holidays of September and October follow."""

SPLIT, DIVIDEND = dt.date(2024, 9, 12), dt.date(2024, 9, 24)


@functools.cache
def market() -> Market:
    """Five shares of Shanghai, with a split and a dividend in the days that are lived."""
    listings = [
        make_listing(
            share,
            "XSHG",
            FIRST,
            LAST,
            splits={SPLIT: 2.0} if share == SHARES[0] else {},
            dividends={DIVIDEND: 0.5} if share == SHARES[1] else {},
        )
        for share in SHARES
    ]
    return Market({one.share: one for one in listings}, LAST)


def evening(session: dt.date, hour: int = 10) -> dt.datetime:
    """An hour of a day in UTC; Shanghai closes at 7."""
    return dt.datetime.combine(session, dt.time(hour), UTC)


def write_model(
    saved_model: Path, seed: int = 0, horizon: int = 1, label: str = UP, formatter_name: str = "window_returns"
) -> Path:
    """A model as an export leaves it, whose probability depends on the latest returns; TensorFlow never saw it."""
    formatter = get_formatter(formatter_name)
    seen = [feature.name for feature in formatter.features if feature.name != "share"]
    size = sum(feature.steps for feature in formatter.features if feature.name != "share")
    rng = np.random.default_rng(seed)
    # Twenty returns; the share's own volatility has no say; and what else there is, as ranks within the day.
    weights = np.concatenate([rng.normal(0, 0.05, 20), [0.0], rng.normal(0, 0.05, size - 21)])
    weights = weights.astype(np.float32)[:, None]
    arrays = {
        "logit/0": weights,
        "logit/1": np.zeros(1, np.float32),
        "share/vocabulary": np.array([share.encode() for share in SHARES]),
    }
    for feature in formatter.features:
        arrays |= dict(zip(moment_arrays(feature), (np.zeros(feature.steps), np.ones(feature.steps)), strict=True))
    steps = (
        StepRecord("Concatenate", "seen", tuple(seen), {"axis": -1}),
        StepRecord("Dense", "logit", ("seen",), {"activation": "linear", "use_bias": True}, 2),
    )
    features = tuple(described(feature) for feature in formatter.features)
    record = TwinRecord(formatter.name, features, steps, "logit", arrays)
    shares = np.array([SHARES[0].encode()] * 3)
    closes = np.exp(np.random.default_rng(1).normal(0, 0.02, (3, 21)).cumsum(axis=1)).astype(np.float32) * 50
    day = {
        name: rng.normal(0, 0.01, (3, width) if (width := width_of(name)) > 1 else 3).astype(np.float32)
        for name in formatter.day_columns
    }
    answer = Twin(record, "").forecast([share.decode() for share in shares], closes, day=day)
    arrays |= {"example/share_id": shares, "example/closes": closes, "example/probability": answer}
    arrays |= {f"example/{name}": values for name, values in day.items()}
    extra = saved_model / EXTRA_FOLDER
    extra.mkdir(parents=True)
    (saved_model / "saved_model.pb").write_bytes(weights.tobytes())
    market = SHARES if formatter.day_columns else ()
    card = ModelCard("linear", 1, formatter.name, horizon, seed, 100, "code", label=label, market=market)
    (extra / CARD_FILE).write_text(card.to_json())
    for name, content in twin_files(replace(record, arrays=arrays)).items():
        (extra / name).write_bytes(content)
    (extra / EVIDENCE_FILE).write_text(Evidence({}, twin=Proof(load_twin(saved_model).digest, 500, 0.0)).to_json())
    return saved_model


def write_run(
    plan: Plan, name: str = "2024-08-30T12-00-00", seed: int = 0, pushed: bool = False, **changes: Any
) -> Path:
    """A finished run of one model, which is pushed or not."""
    folder = plan.workspace / name
    uri = plan.workspace / "tfx" / name / "model"
    asked = seed, plan.horizon, plan.label.name, plan.formatter.name
    write_model(uri / "Format-Serving", *asked)
    rng = np.random.default_rng(seed)
    days = np.repeat(np.array(SHANGHAI[:120], "datetime64[D]"), len(SHARES))
    ahead = rng.normal(0, 0.01, len(days))
    rows = {
        "time": days.astype("datetime64[ns]"),
        "share_id": np.tile(SHARES, 120),
        "label": (ahead > 0).astype(int),
        "forward_return": ahead,
        "linear": 0.5 + ahead + rng.normal(0, 0.01, len(days)),
    }
    folder.mkdir(parents=True)
    pd.DataFrame(rows).to_parquet(folder / PREDICTIONS_FILE)
    version = plan.serving / name.replace("-", "").replace("T", "")
    proof = Proof(load_twin(uri / "Format-Serving").digest, 500, 0.0)
    if pushed:
        write_model(version, *asked)
    made = judged_runs.report(
        {"linear": judged_runs.model(0.52, blessed=pushed, model_uri=str(uri), twin=proof)},
        champion="linear" if pushed else None,
        created=f"{name[:10]}T12:00:00+00:00",
        pushed=str(version) if pushed else None,
        splits={
            "train": SplitResult("2024-01-02", "2024-05-31", 500, 0, 0, 100),
            "test": SplitResult("2024-06-03", "2024-08-30", 320, 0, 0, 64),
        },
        settings={
            "formatter": plan.formatter.name,
            "label": plan.label.name,
            "horizon": plan.horizon,
            "seed": 0,
            "models": "linear",
        },
        data=DataSummary(5, 160, "d", str(FIRST), "2024-08-30", SHARES, str(plan.database)),
    )
    save_report(replace(made, **changes), folder / REPORT_JSON)
    return folder


class Killed(BaseException):
    """What a loop that is killed cannot catch."""


@contextlib.contextmanager
def killed_at(row: int) -> Iterator[None]:
    """A loop that dies when it writes its so-many-th row, before that row's transaction ends; it may not come to it."""
    add, count = Batch.add, 0

    def dying(self: Batch, table: str, values: Sequence[Any]) -> int:
        nonlocal count
        count += 1
        if count == row:
            raise Killed
        return add(self, table, values)

    Batch.add = dying  # type: ignore[method-assign]
    try:
        with contextlib.suppress(Killed):
            yield
    finally:
        Batch.add = add  # type: ignore[method-assign]


@contextlib.contextmanager
def killed_after(name: str) -> Iterator[None]:
    """A loop that dies when a part has ended."""

    def dying(part: Part) -> Part:
        def work(day: Day, told: Told) -> None:
            part.work(day, told)
            raise Killed

        return replace(part, work=work) if part.name == name else part

    parts = loop.PARTS
    loop.PARTS = tuple(map(dying, parts))
    try:
        with contextlib.suppress(Killed):
            yield
    finally:
        loop.PARTS = parts


@dataclass
class World:
    """What lives from day to day: the market's server, a folder, and the settings."""

    folder: Path
    server: ReplayServer | None
    flags: dict[str, Any] = field(default_factory=dict)

    def plan(self, **flags: Any) -> Plan:
        return load_plan(
            {
                "db": str(self.folder / "prices.db"),
                "workspace": str(self.folder / "runs"),
                "source": None if self.server is None else "tencent",
                "shares": ",".join(SHARES),
                "since": str(FIRST),
                **self.flags,
                **flags,
            }
        )

    def see(self, session: dt.date) -> None:
        """The market's source shows the bars up to a day."""
        assert self.server is not None
        self.server.market = replace(self.server.market, today=session)

    def loop(
        self, now: dt.datetime, *only: str, see: dt.date | None = None, retrain: bool | None = False, **flags: Any
    ) -> DailyReport:
        """One loop at a made moment; the source shows the bars up to that day, or to another one."""
        if self.server is not None:
            self.see(see or now.date())
        plan = self.plan(**flags)
        day = Day(plan, LoopClock(now), Console(file=io.StringIO(), width=200), plan.settings.trial, retrain)
        return run_daily(day, only)[0]

    def bars(self, until: dt.date, missing: Collection[str] = (), restated: Mapping[str, float] | None = None) -> None:
        """Puts the bars up to a day into the database, as an extraction would; of some shares the last one is missing.

        `restated` says by share what its close of the fourth session is from now on.
        """
        with FeatureStore.create(self.folder / "prices.db") as store:
            for share, listing in market().listings.items():
                end = listing.index(until + dt.timedelta(days=1)) - (share in missing)
                close = listing.close[:end].copy()
                if restated and share in restated:
                    close[START + 3] = restated[share]
                store.upsert(share, PriceBars(listing.time[:end], close, listing.factor[:end]), "tencent")

    def rows(self) -> list[tuple[str, tuple[Any, ...]]]:
        """The ledger without what a later or a repeated writing changes: times, hashes, and the ledger's own name."""
        return ledger_rows(self.folder / "prices.db.ledger")


def ledger_rows(path: Path) -> list[tuple[str, tuple[Any, ...]]]:
    found = []
    with closing(sqlite3.connect(path)) as connection:
        for name, table in TABLES.items():
            names = ["seq", *(column for column, _ in table.columns if column != "identity")]
            found += [(name, row) for row in connection.execute(f"SELECT {', '.join(names)} FROM {name}")]
    return sorted(found, key=lambda one: one[1][0])


def predictions(path: Path) -> list[tuple[str, str, int]]:
    """Share, session and whether it was late, of each prediction."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT share_id, session, late FROM PREDICTION ORDER BY 2, 1").fetchall()
