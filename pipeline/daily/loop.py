"""The loop: every part in its order, each by itself, so that one that fails takes nothing from the others."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from components.errors import UserError
from components.ledger.instants import stamp
from components.masking import masked
from models.errors import PluginError
from pipeline.daily.alerts import send_alerts
from pipeline.daily.challenging import challenge
from pipeline.daily.day import Day, Told
from pipeline.daily.drifting import measure_drift
from pipeline.daily.page import show
from pipeline.daily.predicting import predict, write_down
from pipeline.daily.prices import check_prices, extract_prices, look_at_prices, settle_outcomes
from pipeline.daily.proof import weigh
from pipeline.daily.pushing import push
from pipeline.daily.report import (
    Alert,
    AlertKind,
    DailyReport,
    PartReport,
    Status,
    daily_folder,
    read_daily,
    report_file,
    save_daily,
)
from pipeline.daily.retraining import retrain
from pipeline.daily.taking import take
from pipeline.job.workspace import check_writable, workspace_lock


class PartError(UserError):
    """There is no part of a name."""


@dataclass(frozen=True)
class Part:
    """A part of the loop.

    Attributes:
        name: as `--only` takes it.
        work: what it does; it raises what a user can fix, and says the rest.
        doing: what is shown while it lasts.
    """

    name: str
    work: Callable[[Day, Told], None]
    doing: str


REPORT = "report"
"""Of the part that there is only where the report could not be written."""

PREDICT = Part("predict", predict, "Predicting")
LEDGER = Part("ledger", write_down, "Writing the predictions down")

PARTS = (
    Part("extract", extract_prices, "Fetching prices"),
    Part("plausibility", look_at_prices, "Looking at the prices"),
    Part("take", take, "Looking into the storage"),
    Part("drift", measure_drift, "Comparing with training and backtest"),
    PREDICT,
    LEDGER,
    Part("outcomes", settle_outcomes, "Settling what has come due"),
    Part("evidence", weigh, "Weighing the evidence"),
    Part("challenger", challenge, "Comparing models"),
    Part("retrain", retrain, "Retraining, if that is due"),
    Part("push", push, "Pushing to the storage"),
    Part("page", show, "Writing the page"),
)
"""All of them, in their order. Audit, blessing and the push of a new champion belong to the retraining's run."""


def run_daily(day: Day, only: Sequence[str] = ()) -> tuple[DailyReport, Path]:
    """Goes through the parts; gives the report, and the file that it is written to.

    Args:
        day: what is done, and when.
        only: names of the parts that are done; none for all.

    Raises:
        PartError: there is no part of a name.
        OutputError: another loop is at work, or the workspace cannot be written.
        UserError: the prices are none that a loop can be about.
    """
    parts = chosen_parts(only)
    check_prices(day.plan)
    folder = daily_folder(day.plan)
    check_writable(folder)
    begun, clock = time.perf_counter(), day.clock.now()
    with workspace_lock(folder):
        done: list[PartReport] = []
        alerts: list[Alert] = []
        for part in parts:
            silent = day.silent
            _do(day, part, done, alerts)
            if silent and day.retrained is not None and part.work is retrain:
                # The first model there is: nobody has spoken today.
                _do(day, PREDICT, done, alerts)
                _do(day, LEDGER, done, alerts)
        report = DailyReport(
            session=day.last_session,
            started=stamp(clock),
            clock=str(day.clock),
            database=str(day.plan.database),
            ledger=str(day.ledger_file),
            name=day.plan.name,
            parts=tuple(done),
            alerts=tuple(alerts),
        )
        report = replace(report, seconds=round(time.perf_counter() - begun, 3))
        earlier = read_daily(folder, report.session) if only else None
        report = _saved(day, report, earlier)  # before anybody is told, which may take a minute
        if undelivered := send_alerts(report, day.plan.settings):
            report = replace(report, undelivered=undelivered)
            with contextlib.suppress(OSError):
                save_daily(_beside(earlier, report), folder)
        return report, report_file(folder, report.session)


def chosen_parts(only: Sequence[str]) -> tuple[Part, ...]:
    """The parts of these names in their order; all of them where none is named.

    Raises:
        PartError: there is no part of a name.
    """
    names = [part.name for part in PARTS]
    for name in only:
        if name not in names:
            raise PartError(f"--only {name}: there is no such part; there are {', '.join(names)}")
    return tuple(part for part in PARTS if not only or part.name in only)


def _saved(day: Day, report: DailyReport, earlier: DailyReport | None) -> DailyReport:
    """Writes the report; one that cannot be written, as the disk is full, is what somebody has to be told of."""
    try:
        save_daily(_beside(earlier, report), daily_folder(day.plan))
    except OSError as error:
        lost = PartReport(REPORT, Status.FAILED, wrong=(_line(error),))
        print_part(day, lost)
        alert = Alert(AlertKind.FAILURE, f"report: {lost.wrong[0]}")
        return replace(report, parts=(*report.parts, lost), alerts=(*report.alerts, alert))
    return report


def _beside(earlier: DailyReport | None, report: DailyReport) -> DailyReport:
    """A report of some parts, with what an earlier loop of the session said of the others."""
    if earlier is None:
        return report
    done = {one.name for one in report.parts}
    order = {part.name: at for at, part in enumerate(PARTS)}
    parts = [*(one for one in earlier.parts if one.name not in done), *report.parts]
    parts.sort(key=lambda one: order.get(one.name, len(order)))
    return replace(report, parts=tuple(parts), alerts=(*earlier.alerts, *report.alerts))


def _do(day: Day, part: Part, done: list[PartReport], alerts: list[Alert]) -> None:
    """Does a part, and adds what it did and said."""
    told, begin = Told(), time.perf_counter()
    failed = False
    try:
        with day.console.status(part.doing):
            part.work(day, told)
    except (UserError, PluginError, OSError) as error:
        failed = True
        told.wrong.append(_line(error))
    except Exception as error:  # a defect of ours: the other parts matter as much on this day as on any other
        failed = True
        told.wrong.append(f"{type(error).__name__}: {error}; this is a defect of the project, {_keep_traceback(day)}")
    report = PartReport(
        name=part.name,
        status=_status(told, failed or told.failed),
        said=tuple(told.said),
        wrong=tuple(map(masked, told.wrong)),
        numbers=dict(told.numbers),
        seconds=round(time.perf_counter() - begin, 3),
    )
    done.append(report)
    if report.status is Status.FAILED:
        told.alert(AlertKind.FAILURE, f"{part.name}: {'; '.join(report.wrong)}")
    alerts += told.alerts
    print_part(day, report)


def print_part(day: Day, report: PartReport) -> None:
    """A line for what a part did, and one for each thing that is wrong."""
    from rich.text import Text

    marks = {Status.DONE: ("✓", "green"), Status.PARTIAL: ("!", "yellow"), Status.FAILED: ("✗", "red")}
    mark, style = marks.get(report.status, ("·", "dim"))
    line = Text("  ").append(mark, style).append(f" {report.name:<13}{report.seconds:7.1f} s  ")
    day.console.print(line.append("; ".join(report.said)), soft_wrap=True, highlight=False)
    for text in report.wrong:
        day.console.print(
            Text(f"      {text}", style="red" if report.status is Status.FAILED else "yellow"), soft_wrap=True
        )


def _status(told: Told, failed: bool) -> Status:
    if failed:
        return Status.FAILED
    if told.left_out:
        return Status.LEFT_OUT
    if told.wrong:
        return Status.PARTIAL
    return Status.NOTHING if told.idle else Status.DONE


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, UserError):
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    return " ".join(str(error).splitlines())


def _keep_traceback(day: Day) -> str:
    """Adds it to a log; says where, or why not."""
    path = daily_folder(day.plan) / "defects.log"
    try:
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{stamp(dt.datetime.now(dt.UTC))}\n{traceback.format_exc()}\n")
    except OSError as error:
        return f"and its log cannot be written ({_line(error)})"
    return f"see {path}"
