"""Sees to the prices before the first step: a synthetic market, the shipped prices, or a database that must suffice."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.errors import AnomalyError, ExchangeError, StoreError, install_extras
from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.prices import find_suspects
from components.feature_example_gen.splits import plan_splits
from components.feature_store import FeatureStore, read_decisions
from components.feature_store.decisions import Choice
from components.missing_sessions.finding import find_missing
from components.missing_sessions.found import MissingSessions
from components.plausibility.record import name_some, what_to_do
from components.plausibility.search import suspects_among
from components.price_panel.opening import open_prices, open_to_decide
from components.trials.record import begun_with
from components.universe.survivorship import summarise
from components.whole_files import clear_left, whole_file
from pipeline.job.console import Clock
from pipeline.job.panel import say_fetched
from pipeline.plan import Plan
from pipeline.report.missing import print_missing
from pipeline.report.universe import print_universe
from pipeline.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from components.feature_store import Decision
    from components.plausibility import SuspectRecord
    from components.price_files import ImportReport

SHIPPED_PRICES = Path(__file__).resolve().parents[2] / "data" / "prices.csv.gz"

SHIPPED_SOURCE = "file:prices.csv.gz"
"""What the store calls their origin."""


def prepare_prices(plan: Plan, console: Console, clock: Clock | None = None) -> None:
    """Sees to the prices before a run, whatever runs the steps.

    A synthetic market is made; the shipped prices are imported where no database was named and none is there. With a
    source the first step sees to the prices, and only what it would refuse is refused here.

    Raises:
        StoreError: the store is missing, or does not hold what was asked for.
        SplitError: its sessions do not suffice for the splits.
        ExtractionError: the source, a share's name or the key cannot be used.
    """
    if plan.extraction is not None:
        from components.extractor import check_plan

        check_plan(plan.extraction.plan, plan.database)
        plan.database.parent.mkdir(parents=True, exist_ok=True)
        with begun_with(plan.database):
            keep_decisions(plan)
        return
    ensure_prices(plan, console, clock)
    with open_prices(plan.database) as store:
        shares = plan.select(store)
        plan_splits(store.sessions(shares), plan.splits)
        chosen = frozenset(shares)
        there = summarise(store, [one for one in store.shares() if one.share_id in chosen])
        say_idle(plan, store, shares, console)
        say_suspects(plan, suspects_of(plan, store), console)
        missing = find_missing(store).of(shares)
    print_missing(missing.summary(), console)
    print_universe(there, console)


def keep_decisions(plan: Plan) -> None:
    """Writes what a person has decided with this command into its database, which is made where it is missing.

    Raises:
        StoreError: the database cannot be written.
    """
    if plan.decisions:
        with open_to_decide(plan.database) as store:
            store.decide(plan.decisions)


def say_idle(plan: Plan, store: FeatureStore, shares: Sequence[str], console: Console) -> None:
    """Says which decisions of this command change nothing; arguments and errors are those of `idle_decisions`."""
    from pipeline.report.suspects import print_plain

    for line in idle_decisions(plan, store, shares):
        print_plain(console, f"warning: {line}", "yellow")


def idle_decisions(plan: Plan, store: FeatureStore, shares: Sequence[str]) -> list[str]:
    """The plan's decisions that change nothing, a line each with why: a slip of the pen, or prices yet to come.

    Args:
        plan: the decisions, and what the database is called.
        store: the database, once the decisions are in it.
        shares: those that are judged together.

    Raises:
        StoreError: the database cannot be read.
    """
    if not plan.decisions:
        return []
    excluded = store.decisions().excluded
    named = {one.share_id for one in plan.decisions if one.choice is Choice.ACCEPT}
    found = suspects_among(store, shares, named, plan.bounds) if named else ()
    suspected = {(one.share_id, day) for one in found for day in (one.day, one.partner)}
    still_open = {one.share_id: one.name for one in reversed(found) if not one.accepted}

    def why(one: Decision) -> str:
        series = next(iter(store.price_series([one.share_id])), None)
        if series is None:
            return f"{plan.database} has no such share"
        if one.choice is Choice.EXCLUDE:
            return ""
        if one.share_id in excluded:
            return "the share is excluded, so nothing of it is looked at"
        if one.day is None:
            name = still_open.get(one.share_id)
            return f"names no day and accepts no return, such as {name}" if name else ""
        if not np.any(series.time == np.datetime64(one.day, "D")):
            return "the share has no price on that day"
        if (one.share_id, str(one.day)) not in suspected:
            return "the return of that day is no suspect, so there is nothing to accept"
        return ""

    return [f"{one}: {reason}" for one in plan.decisions if (reason := why(one))]


def say_suspects(plan: Plan, record: SuspectRecord, console: Console) -> None:
    """Says what looks wrong in the prices of a run, and what a person has left out of it."""
    from pipeline.report.suspects import print_excluded, print_suspects

    print_suspects(record, console, database=plan.database)
    print_excluded(record, console)


def suspects_of(plan: Plan, store: FeatureStore) -> SuspectRecord:
    """What looks wrong in the prices that a run is made of.

    Raises:
        StoreError: the store cannot be read, or lacks a share.
        SplitError: its sessions do not suffice for the splits.
    """
    return find_suspects(
        ExampleGenConfig(str(plan.database), plan.settings.shares, plan.splits, bounds=plan.bounds), store
    )


def ensure_prices(plan: Plan, console: Console, clock: Clock | None = None) -> None:
    """Makes the synthetic market, or imports the shipped prices where no database was named and none is there.

    Raises:
        StoreError: the database that was named does not exist.
    """
    clock = clock or Clock(console)
    settings, path = plan.settings, plan.database
    clear_left(path.parent)
    if settings.panel is not None:
        say_fetched(plan, console)
    elif settings.market is not None:
        from components.synthetic_market import generate, get_scenario, write_market

        with clock.measured("market", f"Making the market {settings.market}") as notes:
            notes.append(str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            market = generate(
                get_scenario(settings.market),
                shares=settings.market_shares,
                sessions=settings.market_sessions,
                seed=settings.seed,
            )
            with begun_with(path):
                write_market(market, path)
    elif not path.exists():
        if path != Settings.model_fields["db"].default:
            raise StoreError(f"--db {path} does not exist; import prices first: awesome prices import FILE --db {path}")
        with clock.measured("prices", "Importing the shipped prices") as notes:
            imported = import_shipped_prices(path)
            shares = len(imported.shares)
            notes.append(f"{imported.taken} prices of {shares} shares from {SHIPPED_PRICES.name} into {path}")
    keep_decisions(plan)


def check_exchange(code: str) -> str:
    """Returns the time zone of an exchange, and refuses one whose sessions cannot be had.

    Raises:
        ExchangeError: there is none of that name, or its calendar fails.
    """
    try:
        from components.extractor.calendar import ExchangeCalendar
    except ImportError:
        raise ExchangeError(f"{code}: its sessions need the extra `extract`: {install_extras('extract')}") from None
    return ExchangeCalendar.of(code, dt.datetime.now(dt.UTC)).zone


def missing_of_import(path: Path, report: ImportReport, exchange: str | None) -> MissingSessions:
    """What the shares of an import lack, once it is done; keeps their exchange, where it was named and fits."""
    shares = [share.share_id for share in report.shares]
    named = {} if exchange is None else dict.fromkeys(shares, exchange)
    with FeatureStore.create(path) as store:
        found = find_missing(store, suggest=shares, exchanges=named).of(shares)
        if exchange is not None:
            store.listings.put([share for share in shares if share not in found.listed], exchange)
    return found


def import_shipped_prices(path: Path) -> ImportReport:
    """Imports the prices that come with the project into a store that is not there yet.

    Raises:
        StoreError: it cannot be written.
    """
    from components.price_files import import_prices

    # Half of the prices under the database's name would be taken for all of them by the next run.
    with begun_with(path), whole_file(path) as partial, FeatureStore.create(partial) as store:
        store.decide(known_decisions([SHIPPED_PRICES]))
        return import_prices(SHIPPED_PRICES, store, source=SHIPPED_SOURCE)


def known_decisions(files: Sequence[str | os.PathLike[str]]) -> tuple[Decision, ...]:
    """What is known of the returns of files of prices: of the shipped one alone, whose README says why."""
    shipped = any(Path(file).exists() and Path(file).samefile(SHIPPED_PRICES) for file in files)
    return read_decisions(accept=["AAPL:2000-09-29"]) if shipped else ()


@contextmanager
def prices_named(plan: Plan) -> Iterator[None]:
    """A refusal of the data by its schema names no share and no day: the wrong prices that are likely behind it do."""
    try:
        yield
    except AnomalyError as error:
        with open_prices(plan.database) as store:
            wrong = suspects_of(plan, store).stopping
        if not wrong:
            raise
        raise AnomalyError(
            f"{error}\nLook at the prices first: {name_some(wrong)}; {what_to_do(wrong, plan.database)}."
        ) from None
