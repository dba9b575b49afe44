"""Any sequence of runs, faults and kills ends in the same database as one clean run."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from replayed_market import SOURCES, contents, evening, http_for, levels, plan_for

from components.errors import ExtractionError
from components.extractor import ShareOutcome, extract
from components.extractor.progress import ExtractionListener
from components.extractor.replay import (
    DATA_FAULTS,
    HISTORY_FAULTS,
    HOST_FAULTS,
    Fault,
    Market,
    ReplayError,
    ReplayServer,
    RightsIssue,
    make_listing,
    sessions,
)

FIRST, LAST = dt.date(2023, 1, 3), dt.date(2023, 9, 29)
SHARES = {"XSHG": ("sh600000", "sz000002", "sh688001"), "XNYS": ("IBM", "GE", "BRK-B")}
BEGIN = 40
"""Sessions before the first extraction."""


@dataclass(frozen=True)
class Step:
    """One run of the extraction.

    Attributes:
        sessions: that pass before it.
        fault: that its server shows, and for which share of the three; None for none.
        share: number of the share at fault; None for all.
        after: requests that go well first.
        killed_after: shares after which it is killed; None for never.
        resume: whether it resumes what was left, if anything was.
        only: extract this share alone.
    """

    sessions: int
    fault: str | None
    share: int | None
    after: int
    killed_after: int | None
    resume: bool
    only: int | None


Happened = tuple[float, float, "RightsIssue | None"]
"""Cash, shares of one, and a rights issue of a session."""

# Seconds of waiting and a fault that only takes away sessions that exist prove nothing more here.
FAULTS = sorted({*HOST_FAULTS, *DATA_FAULTS, *HISTORY_FAULTS} - {"slow"})
# A share that nobody knows yet has nothing to be told from another by, and small splits from none.
OF_KNOWN_SHARES = {"other-share", "split-not-applied"}
VALUES = {"429-retry-after": 0.01, "missing": 2, "late-start": 20}

steps = st.builds(
    Step,
    sessions=st.integers(0, 25),
    fault=st.none() | st.sampled_from(FAULTS),
    share=st.none() | st.integers(0, 2),
    after=st.integers(0, 3),
    killed_after=st.none() | st.integers(1, 2),
    resume=st.booleans(),
    only=st.none() | st.integers(0, 2),
)
# Ex-dates by number of the session, close together as well, and small ones.
events = st.dictionaries(
    st.integers(1, 150),
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.3, 1.5]),
        st.sampled_from([1.0, 1.0, 2.0, 1.1, 0.5]),
        st.none() | st.none() | st.just(RightsIssue(0.3, 12.5)),
    ),
    max_size=8,
)


class _Killed(BaseException):
    """What a kill is to the extraction: it ends where it is."""


class _KillsAfter(ExtractionListener):
    def __init__(self, shares: int | None) -> None:
        self._left = shares

    def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise _Killed


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with pytest.MonkeyPatch.context() as patch, ReplayServer(Market({}, LAST)) as server:
        patch.setenv("TIINGO_API_KEY", "key")
        yield server


def possible(fault: str, db: Path, names: tuple[str, ...], earlier: list[str | None]) -> bool:
    """Whether the extraction can know of a fault, or learns of it from the next clean run."""
    if fault in OF_KNOWN_SHARES:
        return db.exists() and {row[0] for row in contents(db)["PRICE"]} == set(names)
    # Who says a second time that he has nothing is believed.
    return fault != "late-start" or fault not in earlier


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(steps, min_size=1, max_size=6), happened=st.lists(events, min_size=3, max_size=3))
def test_any_sequence_ends_as_one_clean_run(
    server: ReplayServer,
    source: str,
    plan: list[Step],
    happened: list[dict[int, tuple[float, float, RightsIssue | None]]],
) -> None:
    exchange = "XSHG" if source in ("tencent", "sina") else "XNYS"
    days = sessions(exchange, FIRST, LAST).tolist()
    names = SHARES[exchange]
    try:
        listings = {
            name: make_listing(
                name,
                exchange,
                FIRST,
                LAST,
                dividends={days[at]: cash for at, (cash, _, _) in mine.items() if cash},
                splits={days[at]: ratio for at, (_, ratio, _) in mine.items() if ratio != 1},
                # Other exchanges' sources have no word for them.
                rights={days[at]: issue for at, (_, _, issue) in mine.items() if issue} if exchange == "XSHG" else {},
            )
            for name, mine in zip(names, happened, strict=True)
        }
    except ReplayError:  # a dividend above the price, or splits down to nothing
        reject()
    server.market = Market(listings, days[BEGIN])
    today = BEGIN

    def run(db: Path, shares: tuple[str, ...], killed_after: int | None = None, resume: bool = False) -> None:
        server.market = replace(server.market, today=days[today])
        try:
            extract(
                plan_for(source, shares=shares, since=FIRST),
                db,
                http=http_for(server, attempts=1),
                now=evening(days[today]),
                resume=resume,
                listener=_KillsAfter(killed_after),
            )
        except _Killed:
            pass
        except ExtractionError:
            if not resume:  # where there is nothing to resume, nothing is done
                raise

    with tempfile.TemporaryDirectory() as folder:
        worn, clean = Path(folder) / "worn.db", Path(folder) / "clean.db"
        earlier: list[str | None] = []
        for step in plan:
            today = min(today + step.sessions, len(days) - 1)
            server.faults.clear()
            if step.fault is not None and possible(step.fault, worn, names, earlier):
                share = None if step.share is None else names[step.share]
                server.faults.add(Fault(step.fault, share=share, after=step.after, value=VALUES.get(step.fault)))
            earlier.append(step.fault)
            run(worn, names if step.only is None else (names[step.only],), step.killed_after, step.resume)
        server.faults.clear()
        run(worn, names)
        run(clean, names)
        assert contents(worn) == contents(clean)
        assert levels(worn) == levels(clean)
        assert sorted(path.name for path in Path(folder).iterdir()) == ["clean.db", "worn.db"]
