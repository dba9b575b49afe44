"""What the plausibility check raises on real prices, and what it finds there: `python -m benchmarks.suspects`.

Real prices are the shipped ones and the two panels of benchmarks/panel_data.py; whether a wrong return is rightly
called so was looked up by hand. What is found is counted by putting events that the factors lack into shares of the
wide panel, each at a random session of a random share: their noise is that of real prices. Synthetic markets must raise
nothing. CPU time is that of 5,000 shares of 2,500 sessions, from arrays.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measure import print_table, write_result
from benchmarks.panel_data import PANELS, prepare
from components.feature_store import FeatureStore
from components.feature_store.series import PriceSeries
from components.plausibility import Grade, SuspectRecord
from components.plausibility.market import Market, market_of
from components.plausibility.returns import find_suspects
from components.plausibility.search import search
from components.synthetic_market import SCENARIOS, generate, write_market
from pipeline.job.prices import SHIPPED_PRICES, import_shipped_prices

DATA = Path(__file__).parent / ".data"
SHARES, SESSIONS = 5000, 2500
RATIOS = (2.0, 3.0, 4.0, 5.0, 10.0, 100.0, 1.5, 1.3, 1 / 2, 1 / 3, 1 / 5, 1 / 10, 1 / 100)
TRIES = 400

RIGHTLY = {
    "AAPL:2000-09-29": "no: a warning of lower profits halved it; highs and lows, where they are known, tell",
    "RRC:1990-04-10": "not known: a share under a dollar that rarely trades, back within six weeks",
    "EXPE:2011-12-21": "yes: TripAdvisor was spun off and two shares became one; the return has neither",
}


def raised(name: str, database: Path) -> tuple[dict[str, object], list[dict[str, object]]]:
    """What is raised on a database: the counts, and each wrong return."""
    with FeatureStore.open(database) as store:
        record: SuspectRecord = search(store, [share.share_id for share in store.shares()])
    grades = Counter("accepted" if one.accepted else one.grade.value for one in record.suspects)
    counts: dict[str, object] = {"prices": name, "shares": record.shares, "returns": record.returns}
    counts |= {grade: grades[grade] for grade in ("wrong", "large", "accepted")}
    wrong: list[dict[str, object]] = [
        {
            "prices": name,
            "return": one.name,
            "change": one.percent,
            "cause": one.cause,
            "rightly": RIGHTLY.get(one.name, "not looked up"),
        }
        for one in record.stopping
    ]
    return counts, wrong


def found(series: list[PriceSeries], market: Market) -> list[dict[str, object]]:
    """How often an event that the factors lack is found, by its ratio."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, object]] = []
    for ratio in RATIOS:
        grades: Counter[str] = Counter()
        for _ in range(TRIES):
            share = series[rng.integers(len(series))]
            at = int(rng.integers(10, len(share) - 1))
            close = share.close.copy()
            close[at:] /= ratio
            day = str(share.time[at])
            here = [one.grade.value for one in find_suspects(replace(share, close=close), market) if one.day == day]
            grades.update(here or ["not raised"])
        row: dict[str, object] = {"old over new price": round(ratio, 3)}
        rows.append(row | {grade: grades[grade] / TRIES for grade in (*(one.value for one in Grade), "not raised")})
    return rows


def main() -> int:
    """Prints the tables and writes benchmarks/results/suspects.json; 1 if a synthetic market raises anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the panels")
    folder = parser.parse_args().data
    counts, wrong = [], []
    with tempfile.TemporaryDirectory() as made:
        shipped = Path(made) / SHIPPED_PRICES.stem
        import_shipped_prices(shipped)
        databases = {"shipped": shipped}
        for name in SCENARIOS:
            databases[f"market {name}"] = Path(made) / f"{name}.db"
            write_market(generate(name, shares=50, sessions=1500), databases[f"market {name}"])
        files = {panel.name: prepare(panel, folder) for panel in PANELS}
        databases |= {name: one.database for name, one in files.items()}
        for name, database in databases.items():
            row, some = raised(name, database)
            counts.append(row)
            wrong += some
    with FeatureStore.open(files["us431"].database) as store:
        series = list(store.price_series([share.share_id for share in store.shares()]))
    market = market_of([(share.time, share.level) for share in series[:300]])
    tried = found(series, market)
    begin = time.process_time()
    days = np.datetime64("2015-01-01", "D") + np.arange(SESSIONS)
    close = 50 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.02, SESSIONS)))
    many = [PriceSeries("A", days, close, np.ones(SESSIONS))] * SHARES
    known = market_of([(share.time, share.level) for share in many[:300]])
    for share in many:
        find_suspects(share, known)
    seconds = time.process_time() - begin
    print_table("Raised", counts)
    print_table("Wrong, and whether rightly", wrong)
    print_table(f"Events put into us431, {TRIES} of each", tried)
    speed = [{"shares": SHARES, "sessions": SESSIONS, "cpu s": seconds}]
    print_table("Time", speed)
    write_result("suspects", {"raised": counts, "wrong": wrong, "found": tried, "time": speed})
    return int(any(row["wrong"] or row["large"] for row in counts if str(row["prices"]).startswith("market")))


if __name__ == "__main__":
    raise SystemExit(main())
