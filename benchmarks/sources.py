"""Whether each source's prices end in the true returns, event by event: `python -m benchmarks.sources`.

The replay server answers as the sources do, from a share that was made with one kind of event; the truth is the
exchanges' rule, by which a factor steps on the ex-date alone, by the close before over the reference price. Each share
is extracted once with the event in it, then session by session. A minute on two cores.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import print_table, write_result
from components.extractor import ExtractionPlan, HttpSettings, Status, extract
from components.extractor.replay import Listing, Market, ReplayServer, RightsIssue, make_listing, sessions
from components.feature_store import FeatureStore

FIRST, LAST = dt.date(2022, 1, 4), dt.date(2024, 12, 31)
DAYS = 12
"""Increments after the first extraction."""
AFTER = 3
"""Sessions between the last event and the first extraction."""
EXACT, FOUND = 1e-7, 1e-3
"""Largest error of a daily return: of an event that the source tells, and of one that its prices tell alone."""
REQUESTS = 2
"""Of an increment without an event."""
SHARES = {"tencent": "sh600519", "sina": "sh600519", "tiingo": "IBM", "yahoo": "IBM"}
CHINESE = ("tencent", "sina")


@dataclass(frozen=True)
class Kind:
    """A kind of event.

    Attributes:
        name: for the table.
        events: of each of two ex-dates, as `make_listing` takes them: dividends, splits, rights.
        sources: that have such events.
        told: whether the source names it.
        special: what the prices have to be like, beside: `small first price` or `below 0`.
    """

    name: str
    events: Mapping[str, tuple[Any, Any]]
    sources: tuple[str, ...] = tuple(SHARES)
    told: bool = True
    special: str = field(default="")


_RIGHTS = RightsIssue(0.2, 8.0)
KINDS = (
    Kind("none", {}),
    Kind("cash", {"dividends": (0.6, 0.9)}),
    Kind("bonus shares or split", {"splits": (1.8, 2.0)}),
    Kind("both on a day", {"dividends": (0.25, 0.5), "splits": (1.5, 1.2)}),
    Kind("rights issue", {"rights": (RightsIssue(0.3, 12.5), RightsIssue(0.1, 9.0))}, CHINESE),
    Kind(
        "all on a day", {"dividends": (0.3, 0.2), "splits": (1.2, 1.1), "rights": (RightsIssue(0.2, 8.0),) * 2}, CHINESE
    ),
    Kind("merger of shares", {"splits": (0.1, 0.5)}),
    Kind("dividend above the first price", {"dividends": (0.1, 1.05)}, special="small first price"),
    Kind("adjusted price below 0", {"rights": (RightsIssue(20.0, 200.0), None)}, ("tencent",), special="below 0"),
    Kind("cash that no row names", {"dividends": (1.5, 2.5)}, ("tencent",), told=False),
    Kind("split that no row names", {"splits": (1.5, 2.0)}, ("tencent",), told=False),
)


def main() -> int:
    """Prints the table and writes benchmarks/results/sources.json.

    Returns:
        0 if all is right, 1 otherwise.
    """
    argparse.ArgumentParser(description=__doc__).parse_args()
    os.environ.setdefault("TIINGO_API_KEY", "any")
    table = [_measured(source, kind) for source in SHARES for kind in KINDS if source in kind.sources]
    print_table("Factors found behind each source's prices", table)
    wrong = [row for row in table if row["right"] != "yes"]
    print(f"{len(table) - len(wrong)} of {len(table)} are right.")
    write_result("sources", {"rows": table})
    return 1 if wrong else 0


def _measured(source: str, kind: Kind) -> dict[str, Any]:
    """One share with one kind of event, from one source."""
    listing = _listing(SHARES[source], "XSHG" if source in CHINESE else "XNYS", kind)
    last = max(listing.events, default=len(listing) // 2)
    # An event that no row names has to be told by more sessions before it is stored.
    begin = last + (AFTER if kind.told else 15)
    days = listing.time.tolist()
    with (
        tempfile.TemporaryDirectory(prefix="sources-") as folder,
        ReplayServer(Market({listing.share: listing}, LAST)) as server,
    ):
        database = Path(folder) / "prices.db"
        requests = []
        for day in days[begin : begin + DAYS + 1]:
            server.market = replace(server.market, today=day)
            server.forget()
            plan = ExtractionPlan(source, (listing.share,), since=FIRST, best_effort=True)
            now = dt.datetime.combine(day, dt.time(23), dt.UTC)
            report = extract(plan, database, http=HttpSettings(base_url=server.url, rate=2000), now=now)
            if report.shares[0].status is not Status.NEW:
                raise SystemExit(
                    f"{source}, {kind.name}, {day}: {report.shares[0].status.value}: {report.shares[0].reason}"
                )
            requests.append(len(server.requests))
        with FeatureStore.open(database) as store:
            bars = store.bars(listing.share)
        assert bars is not None, "what is new is stored"
    size = begin + DAYS + 1
    true = (listing.close * listing.factor)[:size]
    error = np.abs(np.diff(np.log(bars.adjusted_close)) - np.diff(np.log(true))).max()
    ex_dates = np.flatnonzero(np.diff(bars.factor)) + 1
    told = "yes" if kind.told else "no"
    right = (
        ex_dates.tolist() == [at for at in listing.events if at < size]
        and error <= (EXACT if kind.told else FOUND)
        and max(requests[1:]) <= REQUESTS
    )
    return {
        "source": source,
        "event": kind.name,
        "named": told if listing.events else None,
        "factors": len(np.unique(bars.factor)),
        "true": len(np.unique(listing.factor[:size])),
        "largest error of a return": float(f"{error:.2g}"),
        "requests an increment": max(requests[1:]),
        "right": "yes" if right else "no",
    }


def _listing(share: str, exchange: str, kind: Kind) -> Listing:
    """A share with two events of a kind; the first seed whose prices are as they have to be."""
    days = sessions(exchange, FIRST, LAST).tolist()
    at = (days[200], days[450])
    for seed in _seeds(kind):
        events = {
            name: {day: one for day, one in zip(at, pair, strict=True) if one} for name, pair in kind.events.items()
        }
        if kind.special == "small first price":
            first = make_listing(share, exchange, FIRST, days[1], seed).close[0]
            events["dividends"] = {day: round(part * first, 2) for day, part in events["dividends"].items()}
            if make_listing(share, exchange, FIRST, LAST, seed).close[449] < 1.4 * first:
                continue
        listing = replace(make_listing(share, exchange, FIRST, LAST, seed, **events), told=kind.told)
        slope, offset = listing.level
        if kind.special != "below 0" or (slope * listing.close + offset)[:450].min() < 0:
            return listing
    raise SystemExit(f"no seed makes a share with {kind.name}")


def _seeds(kind: Kind) -> Iterator[int]:
    yield from range(100 if kind.special else 1)


if __name__ == "__main__":
    raise SystemExit(main())
