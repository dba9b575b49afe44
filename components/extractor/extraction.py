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
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from components.errors import ExtractionError, HostError, SourceError
from components.extractor.adjustment import OVERLAP, HistoryChangedError
from components.extractor.calendar import ExchangeCalendar
from components.extractor.closures import Standing, judge_together
from components.extractor.days_off import DaysOff, doubtful_calendar, is_off
from components.extractor.http import Client, HttpSettings
from components.extractor.journal import Journal
from components.extractor.judging import Judged, judge_share
from components.extractor.keys import key_of
from components.extractor.past import next_look
from components.extractor.plan import SINCE, ExtractionPlan
from components.extractor.progress import ExtractionListener
from components.extractor.report import ALL_WELL, ExtractionReport, ShareOutcome, Status
from components.extractor.sources.base import Source
from components.extractor.sources.registry import get_source
from components.extractor.task import Fetched, Task, fetch
from components.feature_store import Decision, Decisions, FeatureStore, PriceBars
from components.feature_store.arrays import Days

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
            holds then, and that it was to replace what is stored; `plan` must have the same source.
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
    begun = now or dt.datetime.now(dt.UTC)
    clock = time.monotonic()
    warnings: list[str] = []
    done: list[ShareOutcome] = []
    with Journal.of(path) as journal:
        if resume:
            plan, done = _resumed(journal, plan, path)
            refetch = refetch or journal.refetches()
        if plan is None:
            raise ExtractionError("no source is named; `awesome sources` lists them")
        source = check_plan(plan, path)
        key = None if source is None else key_of(source)
        with FeatureStore.create(path) as store:
            if decisions:
                store.decide(decisions)
            if source is None:
                from components.extractor.sources.file import extract_file

                outcomes = extract_file(plan, store, listener)
            else:
                shares = plan.shares or tuple(store.shares_of(source.name))
                if not shares:
                    raise ExtractionError(
                        f"{path} holds no share from {source.name}; name some, such as --shares {source.share_example}"
                    )
                with Client(source, http or HttpSettings(), key, stop := stop or threading.Event()) as client:
                    run = _Run(plan, source, store, client, journal, listener, refetch, begun, stop, store.decisions())
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
        from components.extractor.sources.file import check_file  # Arrow takes a while to be imported

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
    decisions: Decisions
    warnings: list[str] = field(default_factory=list)
    days_off: dict[str, list[DaysOff]] = field(default_factory=dict)

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
        self.journal.begin(replace(self.plan, shares=shares), list(outcomes.values()), self.refetch)
        waiting = deque(share for share in shares if share not in outcomes)
        running: dict[Future[Fetched], Task] = {}
        standings: list[Standing] = []
        done_before = list(outcomes.values())

        def end(outcome: ShareOutcome) -> None:
            outcomes[outcome.share_id] = outcome
            self.journal.enter(outcome)
            self.listener.ended_share(outcome, len(outcomes), len(shares))

        workers = self.source.connections
        with ThreadPoolExecutor(workers) as pool:

            def begin(task: Task) -> None:
                running[pool.submit(fetch, self.source, self.client, task)] = task

            try:
                while running or (waiting and not self.stop.is_set()):
                    while waiting and len(running) < workers and not self.stop.is_set():
                        begin(self._task(waiting.popleft(), calendars))
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        task = running.pop(future)
                        try:
                            standing = self._store_share(task, future.result())
                            standings.append(standing)
                            if not len(standing.late):  # else the others have to tell whether it is behind
                                end(standing.judged())
                        except HistoryChangedError as changed:
                            if self.stop.is_set():
                                end(self._failed(task.share, task.last, _NOT_REACHED))
                            else:
                                whole = replace(task, first=task.since, whole=True, reason=str(changed), look=None)
                                begin(whole)
                        except SourceError as error:
                            # A host that was not waited for, since the user wants an end, has not failed.
                            stopped = self.stop.is_set() and isinstance(error, HostError)
                            end(self._failed(task.share, task.last, _NOT_REACHED if stopped else str(error)))
            except BaseException:
                self.stop.set()  # or the pool would wait for back-offs and whole histories
                raise
        for outcome in self._together(standings, done_before, calendars):
            if outcome.share_id in outcomes:
                outcomes[outcome.share_id] = outcome  # told already; some of its gaps may be none
            else:
                end(outcome)
        for share in waiting:
            end(self._failed(share, self._last(calendars[share]), _NOT_REACHED))
        return [outcomes[share] for share in shares]

    def _together(
        self, standings: Sequence[Standing], done: Sequence[ShareOutcome], calendars: Mapping[str, ExchangeCalendar]
    ) -> list[ShareOutcome]:
        """What all shares of an exchange tell of it: days on which it may have been closed, or open."""
        groups: dict[str, list[ShareOutcome]] = {}
        for outcome in done:
            groups.setdefault(calendars[outcome.share_id].code, []).append(outcome)
        outcomes, said = judge_together(standings, groups)
        for code, days_off in self.days_off.items():
            shares = sum(one.calendar.code == code for one in standings)
            said += filter(None, [doubtful_calendar(code, days_off, shares)])
        for text in said:
            self.warnings.append(text)
            self.listener.warned(text)
        return outcomes

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

    def _task(self, share: str, calendars: dict[str, ExchangeCalendar]) -> Task:
        calendar = calendars[share]
        since, reason, stored = self.plan.since or SINCE, "", None
        other = self.store.conflicting_source(share, self.source.name)
        before = self.store.bars(share)
        if other is not None:
            reason = f"the source was {other!r} before"
        else:
            stored = before
        last = self._last(calendar)
        if stored is None:
            return Task(share, None, False, since, since, last, True, reason, calendar, before=before)
        known = self.store.extracted_since(share) or stored.time[0].item()
        last = max(last, stored.time[-1].item())
        whole = False
        if self.plan.since is not None and since < known:
            whole, reason = True, f"the first day was {known} before"
        since = min(self.plan.since or known, known)
        off = is_off(calendar, stored.time)
        if off.any() and not off.all():
            whole, reason = True, f"a bar of a day off is stored, {stored.time[off][0]}"
            stored = PriceBars(**{name: value[~off] for name, value in vars(stored).items() if value is not None})
        if self.refetch:
            whole, reason = True, "as was asked for"
        first = since if whole else stored.time[max(0, len(stored) - 1 - OVERLAP)].item()
        looked = self.store.look_back(share)
        look = None if whole else next_look(self.source, looked, stored, since, first, calendar)
        return Task(share, stored, bool(off.any()), since, first, last, whole, reason, calendar, looked, look)

    def _store_share(self, task: Task, fetched: Fetched) -> Standing:
        """Judges what came and writes it.

        Raises:
            HistoryChangedError: an increment shows that the past has changed.
            SourceError: what came cannot be accepted.
        """
        share, stored, name = task.share, task.stored, self.source.name
        judged = judge_share(self.source, task, fetched, self.decisions, self.refetch)
        bars = judged.bars
        if self.refetch or task.stored_off:
            before = 0 if stored is None else len(stored)
            self.store.replace(share, bars, name, since=task.since, look_back=judged.looked)
            new, changed, time = max(0, len(bars) - before), min(before, len(bars)), bars.time
        else:
            looked = None if stored is not None and judged.looked == task.looked else judged.looked
            counts = self.store.upsert(share, bars, name, replace=True, since=task.since, look_back=looked)
            new, changed = counts.new, counts.changed
            time = bars.time if stored is None else np.union1d(stored.time, bars.time)
        if len(judged.off.days):
            self.days_off.setdefault(task.calendar.code, []).append(judged.off)
        return self._standing(task, judged, time, new, changed)

    def _standing(self, task: Task, judged: Judged, time: Days, new: int, changed: int) -> Standing:
        expected = task.calendar.sessions(time[0].item(), time[-1].item())
        status = Status.NEW if new or changed else Status.UNCHANGED
        reasons = [*judged.remarks, *filter(None, [str(judged.off)])]
        if task.whole and judged.reason:
            status = Status.READJUSTED
            reasons.insert(0, f"fetched from the start: {judged.reason}")
        return Standing(
            ShareOutcome(
                share_id=task.share,
                status=status,
                reason="; ".join(reasons),
                new=new,
                changed=changed,
                first=str(time[0]),
                last=str(time[-1]),
                expected=str(task.last),
                off_calendar=len(judged.off.days),
            ),
            task.calendar,
            gaps=np.setdiff1d(expected, time),
            late=task.calendar.sessions(time[-1].item() + dt.timedelta(days=1), task.last),
            waits=judged.waits,
        )

    def _failed(self, share: str, expected: dt.date, reason: str) -> ShareOutcome:
        # Not the bars: after a signal, thousands of shares that were not reached must be told of at once.
        first, last = self.store.stored_range(share) or ("", "")
        return ShareOutcome(share, Status.FAILED, reason, first=str(first), last=str(last), expected=str(expected))
