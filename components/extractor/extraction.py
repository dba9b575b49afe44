"""The run of an extraction: plan, fetch, verify, upsert, report.

Two threads fetch and parse, this one verifies and writes. Each share is one transaction, so whenever the run ends, by
itself or not, every share is as it was or as its source says.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from components.errors import ExtractionError, HostError, SourceError
from components.extractor.adjustment import (
    OVERLAP,
    HistoryChangedError,
    check_complete,
    check_joint,
    increment_bars,
    whole_bars,
)
from components.extractor.calendar import ExchangeCalendar
from components.extractor.events import contradicted_events
from components.extractor.guards import REPLACES, lost_events, other_share, refuse_doubts, unsettled
from components.extractor.http import Client, HttpSettings
from components.extractor.journal import Journal
from components.extractor.keys import key_of
from components.extractor.plan import SINCE, ExtractionPlan
from components.extractor.progress import ExtractionListener
from components.extractor.report import ALL_WELL, ExtractionReport, ShareOutcome, Status
from components.extractor.sources.base import History, Source
from components.extractor.sources.file import check_file, extract_file
from components.extractor.sources.registry import get_source
from components.extractor.verify import verify
from components.feature_store import Decision, FeatureStore, PriceBars
from components.feature_store.arrays import Days

_GAPS_SHOWN = 5
_NOT_REACHED = "not reached: the extraction was stopped; --resume goes on"


def extract(
    plan: ExtractionPlan | None,
    database: str | os.PathLike[str],
    *,
    http: HttpSettings | None = None,
    resume: bool = False,
    refetch: bool = False,
    decisions: Iterable[Decision] = (),
    listener: ExtractionListener | None = None,
    now: dt.datetime | None = None,
    stop: threading.Event | None = None,
) -> ExtractionReport:
    """Brings shares in the feature store up to date.

    Args:
        plan: the source, the shares, the days; None to resume whatever the journal tells of.
        database: the feature store; it is made if it is missing.
        http: how hosts are asked.
        resume: go on with the extraction that the journal tells of: shares that are current are left out. Its plan
            holds then; `plan` must have the same source.
        refetch: fetch every share from the start and replace what is stored by what the source gives now.
        decisions: what a person says of the prices; kept before the first share is asked for.
        listener: is told what happens.
        now: the present, with a zone; None for the clock.
        stop: once it is set, the shares in hand are finished and no other is begun.

    Returns:
        What became of each share. A share that failed is as it was before.

    Raises:
        ExtractionError: the source, a share's name, its key or the journal cannot be used; nothing was changed.
        StoreError: the database cannot be used; the shares that are done by then are stored.
    """
    path = Path(database)
    listener = listener or ExtractionListener()
    begun = now or dt.datetime.now(dt.timezone.utc)
    clock = time.monotonic()
    warnings: list[str] = []
    done: list[ShareOutcome] = []
    with Journal.of(path) as journal:
        if resume:
            plan, done = _resumed(journal, plan, path)
        if plan is None:
            raise ExtractionError("no source is named; `awesome sources` lists them")
        source = check_plan(plan, path)
        key = None if source is None else key_of(source)
        with FeatureStore.create(path) as store:
            if decisions:
                store.decide(decisions)
            if source is None:
                outcomes = extract_file(plan, store, listener)
            else:
                shares = plan.shares or tuple(store.shares_of(source.name))
                if not shares:
                    raise ExtractionError(
                        f"{path} holds no share from {source.name}; name some, such as --shares {source.share_example}"
                    )
                with Client(source, http or HttpSettings(), key, stop := stop or threading.Event()) as client:
                    run = _Run(plan, source, store, client, journal, listener, refetch, begun, stop)
                    outcomes = run.shares(tuple(dict.fromkeys(shares)), done)
                warnings = run.warnings
        report = ExtractionReport(
            source=plan.source,
            database=str(path),
            since=plan.since,
            started=begun.isoformat(timespec="seconds"),
            seconds=time.monotonic() - clock,
            shares=tuple(outcomes),
            warnings=tuple(warnings),
            resumed=len(done),
        )
        if source is not None and report.exit_code == ALL_WELL:  # a file has no journal, and clears none
            journal.clear()
    listener.ended(report)
    return report


def check_plan(plan: ExtractionPlan, database: Path) -> Source | None:
    """Refuses a plan that cannot be carried out, without asking anybody; the database may be there or not.

    Returns:
        Its source on the internet; None for a file.

    Raises:
        ExtractionError: the source, a share's name, the days or the key cannot be used, or there is no share.
        ImportFileError: the file is not there.
    """
    if plan.file is not None:
        check_file(plan.file)
        return None
    source = get_source(plan.source)
    if source.best_effort and not plan.best_effort:
        raise ExtractionError(
            f"{source.title} is best effort and off: it turns most programs away; --best-effort asks it all the same"
        )
    for share in plan.shares:
        source.exchange(share)
    since = plan.since or SINCE
    if plan.until is not None and plan.until < since:
        raise ExtractionError(f"--until {plan.until} is before the first day, {since}")
    key_of(source)
    if not plan.shares and not database.exists():
        raise ExtractionError(f"{database} does not exist; name shares, such as --shares {source.share_example}")
    return source


def _resumed(journal: Journal, plan: ExtractionPlan | None, path: Path) -> tuple[ExtractionPlan, list[ShareOutcome]]:
    found = journal.read()
    if found is None:
        raise ExtractionError(f"{path}: there is no extraction to resume; start it without --resume")
    before, outcomes = found
    if plan is not None and before.source != plan.source:
        raise ExtractionError(f"{path}: the extraction to resume is one from {before.source}, not {plan.source}")
    return before, [one for one in outcomes if one.status not in (Status.FAILED, Status.BEHIND)]


@dataclass(frozen=True)
class _Task:
    """One share, and what of it is being fetched.

    Attributes:
        share: its name.
        stored: its bars before; None if it is new or comes from another source.
        since: the first day that its history is kept from.
        first: the first day that is fetched.
        last: the last session that it should have.
        whole: fetched from the start.
        reason: why it is fetched from the start again; empty where it is new or only an increment.
        calendar: of its exchange.
    """

    share: str
    stored: PriceBars | None
    since: dt.date
    first: dt.date
    last: dt.date
    whole: bool
    reason: str
    calendar: ExchangeCalendar


@dataclass
class _Run:
    """The shares of one extraction from a source on the internet."""

    plan: ExtractionPlan
    source: Source
    store: FeatureStore
    client: Client
    journal: Journal
    listener: ExtractionListener
    refetch: bool
    now: dt.datetime
    stop: threading.Event
    warnings: list[str] = field(default_factory=list)

    def shares(self, shares: tuple[str, ...], done: Sequence[ShareOutcome]) -> list[ShareOutcome]:
        """Works through the shares; one outcome each, in their order."""
        outcomes: dict[str, ShareOutcome] = {}
        calendars = {share: self._calendar(share) for share in shares}
        for outcome in done:
            calendar = calendars.get(outcome.share_id)
            if calendar is not None and outcome.expected == str(self._last(calendar)):
                outcomes[outcome.share_id] = outcome
        self.listener.started(self.plan, len(shares))
        for text in self.warnings:
            self.listener.warned(text)
        self.journal.begin(replace(self.plan, shares=shares), list(outcomes.values()))
        waiting = deque(share for share in shares if share not in outcomes)
        running: dict[Future[History], _Task] = {}

        def end(outcome: ShareOutcome) -> None:
            outcomes[outcome.share_id] = outcome
            self.journal.enter(outcome)
            self.listener.ended_share(outcome, len(outcomes), len(shares))

        workers = self.source.connections
        with ThreadPoolExecutor(workers) as pool:

            def fetch(task: _Task) -> None:
                running[pool.submit(_fetch, self.source, self.client, task)] = task

            try:
                while running or (waiting and not self.stop.is_set()):
                    while waiting and len(running) < workers and not self.stop.is_set():
                        fetch(self._task(waiting.popleft(), calendars))
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        task = running.pop(future)
                        try:
                            end(self._store_share(task, future.result()))
                        except HistoryChangedError as changed:
                            if self.stop.is_set():
                                end(self._failed(task.share, task.last, _NOT_REACHED))
                            else:
                                fetch(replace(task, first=task.since, whole=True, reason=str(changed)))
                        except SourceError as error:
                            # A host that was not waited for, since the user wants an end, has not failed.
                            stopped = self.stop.is_set() and isinstance(error, HostError)
                            end(self._failed(task.share, task.last, _NOT_REACHED if stopped else str(error)))
            except BaseException:
                self.stop.set()  # or the pool would wait for back-offs and whole histories
                raise
        for share in waiting:
            end(self._failed(share, self._last(calendars[share]), _NOT_REACHED))
        return [outcomes[share] for share in shares]

    def _calendar(self, share: str) -> ExchangeCalendar:
        calendar = ExchangeCalendar.of(self.source.exchange(share), self.now)
        last = self._last(calendar)
        if last > calendar.end:
            text = (
                f"the holidays of {calendar.code} are known up to {calendar.end} only: every weekday after it counts "
                "as a session; upgrade exchange-calendars"
            )
            if text not in self.warnings:
                self.warnings.append(text)
        return calendar

    def _last(self, calendar: ExchangeCalendar) -> dt.date:
        """The last session that a share should have."""
        closed = calendar.last_closed(self.now, self.source.settle)
        if self.plan.until is None or self.plan.until >= closed:
            return closed
        sessions = calendar.sessions(self.plan.since or SINCE, self.plan.until)
        return sessions[-1].item() if len(sessions) else self.plan.until

    def _task(self, share: str, calendars: dict[str, ExchangeCalendar]) -> _Task:
        calendar = calendars[share]
        since, reason, stored = self.plan.since or SINCE, "", None
        other = self.store.conflicting_source(share, self.source.name)
        if other is not None:
            reason = f"the source was {other!r} before"
        else:
            stored = self.store.bars(share)
        last = self._last(calendar)
        whole = stored is None
        if stored is not None:
            known = self.store.extracted_since(share) or stored.time[0].item()
            last = max(last, stored.time[-1].item())
            if self.plan.since is not None and since < known:
                whole, reason = True, f"the first day was {known} before"
            since = min(self.plan.since or known, known)
            if self.refetch:
                whole, reason = True, "as was asked for"
        first = since if stored is None or whole else stored.time[max(0, len(stored) - 1 - OVERLAP)].item()
        return _Task(share, stored, since, first, last, whole, reason, calendar)

    def _store_share(self, task: _Task, fetched: History) -> ShareOutcome:
        """Verifies what came and writes it.

        Raises:
            HistoryChangedError: an increment shows that the past has changed.
            SourceError: what came cannot be accepted.
        """
        source, share, stored = self.source, task.share, task.stored
        history = verify(source.name, share, fetched, task.last)
        if stored is not None and not self.refetch:
            asked = stored.time[stored.time >= np.datetime64(task.first, "D")]
            check_complete(source.name, share, history, asked, source.reach)
        if not len(history):
            raise SourceError(
                f"{source.name}, share {share}: the source has no session from {task.first} to {task.last}"
            )
        decisions = self.store.decisions()
        refuse_doubts(source.name, share, unsettled(share, history.doubts, decisions))
        waits = ""
        try:
            if task.whole or stored is None:
                bars, waits = whole_bars(history)
            else:
                bars = increment_bars(history, stored)
        except ValueError as error:
            raise SourceError(f"{source.name}, share {share}: {error}; nothing was stored") from error
        doubts = contradicted_events(bars.time, bars.close, bars.factor)
        refuse_doubts(source.name, share, unsettled(share, doubts, decisions))
        if task.whole and stored is not None:
            found = other_share(bars, stored)
            if not found and share not in decisions.unadjusted:
                found = lost_events(bars, stored)
            if found and not self.refetch:
                raise SourceError(
                    f"{source.name}, share {share}: {found}; nothing was changed ({REPLACES}; --accept {share} takes "
                    "prices without adjustments)"
                )
            if found:
                task = replace(task, reason=f"{task.reason}; {found}")
        if waits and stored is not None and not self.refetch and stored.time[-1] > bars.time[-1]:
            raise SourceError(f"{source.name}, share {share}: {waits}; nothing was changed")
        if task.whole and stored is not None and not self.refetch:
            check_joint(source.name, share, bars, stored)
        if self.refetch:
            before = 0 if stored is None else len(stored)
            self.store.replace(share, bars, source.name, since=task.since)
            new, changed, time = max(0, len(bars) - before), min(before, len(bars)), bars.time
        else:
            counts = self.store.upsert(share, bars, source.name, replace=True, since=task.since)
            new, changed = counts.new, counts.changed
            time = bars.time if stored is None else np.union1d(stored.time, bars.time)
        return self._outcome(task, time, new, changed, waits)

    def _outcome(self, task: _Task, time: Days, new: int, changed: int, waits: str) -> ShareOutcome:
        expected = task.calendar.sessions(time[0].item(), time[-1].item())
        gaps = np.setdiff1d(expected, time)
        known = time <= np.datetime64(task.calendar.end, "D")
        late = task.calendar.sessions(time[-1].item() + dt.timedelta(days=1), task.last)
        reason = f"fetched from the start: {task.reason}" if task.whole and task.reason else ""
        status = Status.NEW if new or changed else Status.UNCHANGED
        if reason:
            status = Status.READJUSTED
        if len(late):
            status = Status.BEHIND
            count = "1 session" if len(late) == 1 else f"{len(late)} sessions"
            ends = f"{count} wait: {waits}" if waits else f"the source ends {count} before {task.last}"
            reason = ends + (f"; {reason}" if reason else "")
        return ShareOutcome(
            share_id=task.share,
            status=status,
            reason=reason,
            new=new,
            changed=changed,
            first=str(time[0]),
            last=str(time[-1]),
            expected=str(task.last),
            gaps=len(gaps),
            first_gaps=tuple(map(str, gaps[:_GAPS_SHOWN])),
            off_calendar=len(np.setdiff1d(time[known], expected)),
        )

    def _failed(self, share: str, expected: dt.date, reason: str) -> ShareOutcome:
        # Not the bars: after a signal, thousands of shares that were not reached must be told of at once.
        first, last = self.store.stored_range(share) or ("", "")
        return ShareOutcome(share, Status.FAILED, reason, first=str(first), last=str(last), expected=str(expected))


def _fetch(source: Source, client: Client, task: _Task) -> History:
    days = (task.share, task.first, task.last)
    return client.ask(task.share, source.requests(*days), lambda replies: source.parse(*days, replies))
