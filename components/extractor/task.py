"""What is to be fetched of one share, and the fetching."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from components.errors import HostError, NoReplyError, SourceError, UnknownShareError
from components.extractor.calendar import ExchangeCalendar
from components.extractor.http import Client
from components.extractor.past import Look
from components.extractor.sources.base import History, Source
from components.extractor.verify import select
from components.feature_store import LookBack, PriceBars

NOWHERE = LookBack()


@dataclass(frozen=True)
class Task:
    """One share, and what of it is being fetched.

    Attributes:
        share: its name.
        stored: its bars before, without those of days off; None if it is new or comes from another source.
        stored_off: whether bars of days off are stored, which have to go.
        since: the first day that its history is kept from.
        first: the first day that is fetched.
        last: the last session that it should have.
        whole: fetched from the start.
        reason: why it is fetched from the start again; empty where it is new or only an increment.
        calendar: of its exchange.
        looked: where its past was looked at before.
        look: where it is looked at beside an increment; None for nowhere.
        before: its bars from another source, which will be replaced; None if there are none.
    """

    share: str
    stored: PriceBars | None
    stored_off: bool
    since: dt.date
    first: dt.date
    last: dt.date
    whole: bool
    reason: str
    calendar: ExchangeCalendar
    looked: LookBack = NOWHERE
    look: Look | None = None
    before: PriceBars | None = None


@dataclass(frozen=True)
class Fetched:
    """What came of a share.

    Attributes:
        history: of the days of the task.
        past: of the window of the past; None if none was asked for, or it could not be read.
        remark: why it could not be read; empty if it could.
    """

    history: History
    past: History | None = None
    remark: str = ""


def fetch(source: Source, client: Client, task: Task) -> Fetched:
    """Asks for a share, in whichever thread.

    Raises:
        SourceError: the source does not answer, or not as it is known to.
    """
    # What has no range of days comes whole, so that it shows whether it reaches further back than what is stored.
    history = _fetch(source, client, task.share, task.since if source.reach else task.first, task.last)
    look = task.look
    if look is None:
        return Fetched(history)
    try:
        return Fetched(history, _fetch(source, client, task.share, look.first, look.last))
    except UnknownShareError:
        return Fetched(history, select(history, np.zeros(len(history), dtype=bool)))  # it is known by its later bars
    except (HostError, NoReplyError):
        raise
    except SourceError as error:
        return Fetched(history, remark=f"its past was not looked at: {error}")


def _fetch(source: Source, client: Client, share: str, first: dt.date, last: dt.date) -> History:
    days = (share, first, last)
    return client.ask(share, source.requests(*days), lambda replies: source.parse(*days, replies))
