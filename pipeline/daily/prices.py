"""Extract, look at the prices, and settle what has come due."""

from __future__ import annotations

from collections.abc import Iterable

from components.extractor import ShareOutcome, Status
from components.extractor.report import NOTHING
from components.feature_store import FeatureStore
from components.ledger.outcomes import settle
from components.plausibility.record import name_some, what_to_do
from components.trials.record import begun_with
from pipeline.daily.day import Day, Told
from pipeline.daily.report import AlertKind
from pipeline.job.prices import keep_decisions
from pipeline.plan import Plan
from pipeline.settings import SettingsError
from pipeline.uses.suspects import look_at_extracted, look_at_windows

_SHOWN = 5
_MANY_RESTATED = 5
"""Outcomes restated at once, from where on half of all is no correction of a source."""


def check_prices(plan: Plan) -> None:
    """Refuses prices that no part of a loop can do anything with; a source may still make the database.

    Raises:
        SettingsError: they are those of a synthetic market.
        StoreError: the database cannot be read, or is missing and no source is named.
    """
    if plan.settings.market is not None:
        origin = plan.origins.get("market", "settings")
        raise SettingsError(f"market (from {origin}): a made market has no future to prove; a loop takes a database")
    if plan.extraction is None or (plan.database.exists() and (plan.database.is_dir() or plan.database.stat().st_size)):
        FeatureStore.open(plan.database).close()


def extract_prices(day: Day, told: Told) -> None:
    """Brings the database up to date from the source; without one it is taken as it is.

    Raises:
        UserError: the extraction cannot start.
    """
    plan = day.plan
    if plan.extraction is None:
        keep_decisions(plan)
        told.left_out = True
        told.said.append("no source is named (--source): the prices are taken as they are")
        return
    from components.extractor import extract

    plan.database.parent.mkdir(parents=True, exist_ok=True)
    with begun_with(plan.database):
        report = extract(
            plan.extraction.plan,
            plan.database,
            http=plan.extraction.http,
            decisions=plan.decisions,
            now=day.clock.now(),
        )
    day.extracted = report
    new, changed = (sum(getattr(one, name) for one in report.shares) for name in ("new", "changed"))
    told.numbers |= {"shares": len(report.shares), "new": new, "changed": changed} | report.counts
    told.idle = not (new or changed)
    told.said.append(
        f"{new:,} new bars and {changed:,} restated ones of {len(report.shares):,} shares from {report.source}"
    )
    told.said += report.warnings
    for status, what in ((Status.BEHIND, "behind"), (Status.FAILED, "failed")):
        if found := [one for one in report.shares if one.status is status]:
            told.wrong.append(f"{len(found):,} of {len(report.shares):,} shares {what}: {_some(found)}")
    if report.exit_code == NOTHING:
        told.failed = True


def look_at_prices(day: Day, told: Told) -> None:
    """Judges what was extracted just now; else the returns of the last window of every share.

    Raises:
        StoreError: the database cannot be read.
    """
    plan = day.plan
    if day.extracted is not None:
        record = look_at_extracted(plan, day.extracted, day.console)
    else:
        with FeatureStore.open(plan.database) as store:
            record = look_at_windows(plan, store, store.listings.last_windows(plan.select(store)))
    told.numbers |= {"returns": record.returns, "suspects": len(record.open), "wrong": len(record.stopping)}
    told.said.append(record.headline)
    told.idle = not record.returns
    if record.open:
        told.alert(AlertKind.SUSPECTS, f"{record.headline}: {name_some(record.open)}")
    if record.stopping:
        told.wrong.append(f"{name_some(record.stopping)}: {what_to_do(record.stopping, plan.database)}")


def settle_outcomes(day: Day, told: Told) -> None:
    """Writes what came of predictions: a row once the prices say so, another one beside it when they are restated.

    Raises:
        StoreError: the prices cannot be read.
        LedgerError: the ledger cannot be written.
    """
    if not day.ledger_file.is_file():
        told.idle = True
        told.said.append("there is no prediction yet")
        return
    with day.ledger() as ledger, FeatureStore.open(day.plan.database) as store:
        settled = settle(ledger, store, day.plan.settings.max_missing_sessions, compared=day.plan.select(store))
        [(known,)] = ledger.select("SELECT COUNT(DISTINCT prediction) FROM OUTCOME")
    told.numbers |= {"new": settled.new, "restated": settled.restated, "pending": settled.pending}
    told.numbers["overdue"] = len(settled.overdue)
    told.idle = not settled.due and not settled.levels
    told.said.append(f"{settled.new:,} new, {settled.restated:,} of restated prices; {settled.pending:,} to come")
    if settled.levels or settled.waiting:
        count = len(settled.levels)
        told.said.append(f"{count:,} new level{'' if count == 1 else 's'} of a day; {settled.waiting:,} to come")
    if settled.restated >= _MANY_RESTATED and 2 * settled.restated > known:
        text = (
            f"{settled.restated:,} of {known:,} outcomes are of restated prices: look whether {day.ledger_file} is the "
            f"ledger of {day.plan.database}, and whether its prices come from where they came from"
        )
        told.wrong.append(text)
        told.alert(AlertKind.SUSPECTS, text)
    if settled.overdue:
        first = settled.overdue[0]
        told.said.append(
            f"{len(settled.overdue):,} overdue, such as {first.share_id} after {first.session}: {first.reason}"
        )


def _some(outcomes: Iterable[ShareOutcome]) -> str:
    named = [f"{one.share_id}{f' ({one.reason})' if one.reason else ''}" for one in outcomes]
    more = len(named) - _SHOWN
    return ", ".join(named[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
