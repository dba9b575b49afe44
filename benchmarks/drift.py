"""How often drift rings for nothing, and what it finds: `python -m benchmarks.drift`.

The project's detectors (docs/drift.md) on markets without drift and on what can happen to them; beside them other
measures of drift, each with a limit that is made in the same way, so that only the measure differs. Takes about three
CPU minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.drift_losses import loss_tables
from benchmarks.drift_markets import CASES, MARKETS, MEASURES, Array, Case, Measure, window_features
from benchmarks.measure import Steps, measured, print_table, write_result
from components.drift.distances import (
    YEAR,
    largest_by_group,
    make_yardstick,
    mean_profile,
    stretch_means,
    training_distances,
)
from components.drift.features import feature_drift
from components.drift.reference import STRETCHES, Reference, make_reference
from components.drift.sessions import Session, summarise
from components.synthetic_market import WINDOW_RETURNS

SHARES = 30
TRAININGS = (1000, 500)
FOUND_WITHIN = 20
ALLOWED = 0.1
"""Of years without drift, over all markets: one false alarm in 2,500 sessions; 5 % are aimed at."""
OURS, FAULTS = "awesome", "a fault"


def main() -> int:
    """Prints the tables and writes benchmarks/results/drift.json; 0 if every requirement holds, else 1."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20, help="markets of each kind")
    parser.add_argument("--compared", type=int, default=6, help="those on which other measures are compared")
    parser.add_argument("--backtests", type=int, default=20, help="backtests of each kind")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(2, initializer=threadpool_limits, initargs=(1,)) as pool:
        sizes = arguments.repeats, arguments.compared
        watched = {market: pool.submit(_features, market, *sizes) for market in MARKETS}
        lost = [pool.submit(loss_tables, market, arguments.backtests) for market in MARKETS]
        shipped = pool.submit(_shipped)
        tables = {
            "false alarms": _false_alarms({market: one.result()[0] for market, one in watched.items()}),
            "power": [
                {"market": market, "what happens": case, **{name: _part([rang], name) for name in (OURS, *MEASURES)}}
                for market, one in watched.items()
                for case, rang in one.result()[1].items()
            ],
            "shipped prices": shipped.result(),
        }
        for name in ("losses without change", "losses that rise"):
            tables[name] = [row for one in lost for row in one.result()[name]]
        tables["losses without change"].append(_all_losses(tables["losses without change"]))
    tables["cost"] = _cost()
    titles = {
        "false alarms": f"Rang within {YEAR} sessions without drift",
        "power": f"Rang within {FOUND_WITHIN} sessions, {TRAININGS[0]} sessions of training",
        "shipped prices": f"Shipped prices: the {YEAR} sessions after {TRAININGS[0]} of training",
        "losses without change": f"Rang within {YEAR} live days that are as in the backtest",
        "losses that rise": f"Rang within {YEAR} live days of a log loss that rises by so many deviations of a day",
        "cost": "CPU milliseconds for 5,000 shares and 21 columns",
    }
    for name, rows in tables.items():
        print_table(titles[name], rows)
    write_result("drift", {"shares": SHARES, "year": YEAR, **vars(arguments), **tables})
    return 1 if any(row.get("holds") == "no" for rows in tables.values() for row in rows) else 0


@dataclass(frozen=True)
class _Trained:
    """A market's training, as each detector sees it."""

    sessions: list[Session]
    reference: Reference
    others: dict[str, _OtherLimit]


class _OtherLimit:
    """Another measure with the project's yardstick."""

    def __init__(self, measure: Measure, training: Array) -> None:
        self._measure = measure
        self._edges = measure.edges(training.reshape(-1, training.shape[2]))
        self._parts = measure.parts(training, self._edges)
        self._groups = np.array([0] * WINDOW_RETURNS + [1])
        found = np.full((len(training), 2, len(STRETCHES)), np.nan)
        for at, length in enumerate(STRETCHES):
            by_column = training_distances(self._parts, length, measure.distance)
            found[length - 1 :, :, at] = largest_by_group(by_column, self._groups)
        self._limits = make_yardstick(found.reshape(len(found), -1)).limits.reshape(2, -1)

    def rings(self, live: Array) -> bool:
        """Whether any live session, [sessions, shares, columns], is beyond the limit."""
        parts = self._measure.parts(live, self._edges)
        held, before = mean_profile(self._parts), self._parts[len(self._parts) - STRETCHES[-1] + 1 :]
        for at, length in enumerate(STRETCHES):
            joined = np.concatenate([before[len(before) - length + 1 :], parts])
            by_column = self._measure.distance(stretch_means(joined, length), held)
            if (largest_by_group(by_column, self._groups) > self._limits[:, at]).any():
                return True
        return False


Rang = dict[str, list[bool]]
"""By detector, whether it rang in each repeat that it was asked in."""


def _features(market: str, repeats: int, compared: int) -> tuple[dict[int, Rang], dict[str, Rang]]:
    """What rings on a market without drift, by length of training, and in each case, after the first length."""
    years: dict[int, Rang] = {training: {} for training in TRAININGS}
    cases: dict[str, Rang] = {case.name: {} for case in CASES}
    for training in TRAININGS:
        first = training == TRAININGS[0]
        for seed in range(repeats):
            if seed % 5 == 0:
                print(f"{market}, {training} sessions: {seed} of {repeats}", file=sys.stderr, flush=True)
            rng = np.random.default_rng(seed)
            returns = MARKETS[market](SHARES, training + WINDOW_RETURNS - 1 + YEAR, rng)
            trained = _train(returns[:-YEAR], tuple(MEASURES) if first and seed < compared else ())
            _add(years[training], _rings(trained, returns, YEAR, None, rng))
            for case in CASES if first else ():
                _add(cases[case.name], _rings(trained, returns, FOUND_WITHIN, case, rng))
    return years, cases


def _add(rang: Rang, found: dict[str, bool]) -> None:
    for name, rings in found.items():
        rang.setdefault(name, []).append(rings)


def _part(rang: Sequence[Rang], name: str) -> float | None:
    found = [rings for one in rang for rings in one.get(name, ())]
    return float(np.mean(found)) if found else None


def _false_alarms(watched: dict[str, dict[int, Rang]]) -> list[dict[str, Any]]:
    """By market and length of training, and over all of them, of which something is asked."""
    kinds = {(market, str(training)): [rang] for market, of in watched.items() for training, rang in of.items()}
    kinds["all", "all"] = [rang for of in watched.values() for rang in of.values()]
    rows = []
    for (market, training), rang in kinds.items():
        row = {name: _part(rang, name) for name in (OURS, FAULTS, *MEASURES)}
        years = sum(len(one[OURS]) for one in rang)
        asked = {"asked": "", "holds": ""}
        if market == "all":
            asked = {"asked": f"{OURS} <= {ALLOWED}", "holds": "yes" if (row[OURS] or 0) <= ALLOWED else "no"}
        rows.append({"market": market, "training": training, "years": years, **row, **asked})
    return rows


def _all_losses(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The mean of all rows, of which something is asked."""
    known = [name for name, value in rows[0].items() if isinstance(value, float)]
    mean = {name: float(np.mean([row[name] for row in rows])) for name in known}
    worst = max(mean["log loss"], mean["rank IC"])
    asked = {"asked": f"both <= {ALLOWED}", "holds": "yes" if worst <= ALLOWED else "no"}
    return {"market": "all", "horizon": None, "backtest": None, **mean, **asked}


def _train(returns: Array, measures: Sequence[str]) -> _Trained:
    features = window_features(returns)
    sessions = _summaries(features, range(len(features["share"])))
    numbers = _numbers(features)
    others = {name: _OtherLimit(MEASURES[name], numbers) for name in measures}
    return _Trained(sessions, make_reference(sessions), others)


def _rings(
    trained: _Trained, returns: Array, sessions: int, case: Case | None, rng: np.random.Generator
) -> dict[str, bool]:
    """Whether each detector rings within so many live sessions, and whether ours takes it for a fault."""
    first = len(trained.sessions)
    live = returns[first : first + WINDOW_RETURNS - 1 + sessions].copy()
    if case is not None and case.returns is not None:
        live[WINDOW_RETURNS - 1 :] = case.returns(live[WINDOW_RETURNS - 1 :], rng)
    features = window_features(live)
    by_session = [{name: values[at] for name, values in features.items()} for at in range(sessions)]
    if case is not None and case.features is not None:
        by_session = [case.features(one) for one in by_session]
    known = [*trained.sessions, *(summarise(_day(first + at), one) for at, one in enumerate(by_session))]
    looks = [
        feature_drift(trained.reference, known[end - STRETCHES[-1] : end]) for end in range(first + 1, len(known) + 1)
    ]
    numbers = _numbers({name: np.stack([one[name] for one in by_session]) for name in features})
    rang = {name: other.rings(numbers) for name, other in trained.others.items()}
    return {OURS: any(one.alarms for one in looks), FAULTS: any(one.faults for one in looks), **rang}


def _numbers(features: dict[str, Any]) -> Array:
    """All columns of numbers, [sessions, shares, columns]."""
    return np.concatenate([features["returns"], features["log_volatility"]], axis=2)


def _summaries(features: dict[str, Any], places: Sequence[int]) -> list[Session]:
    return [summarise(_day(at), {name: values[at] for name, values in features.items()}) for at in places]


def _day(at: int) -> np.datetime64:
    day: np.datetime64 = np.busday_offset("2000-01-03", at)
    return day


def _shipped() -> list[dict[str, Any]]:
    """What rings on five real shares, year after year, without anything being wrong with the data."""
    import pandas as pd

    prices = pd.read_csv(Path(__file__).parents[1] / "data" / "prices.csv.gz", parse_dates=["time"])
    closes = prices.pivot(index="time", columns="share_id", values="adj_close")
    logs = np.log(closes.to_numpy())
    features = window_features(np.diff(logs, axis=0))
    days = closes.index[WINDOW_RETURNS:].to_numpy().astype("datetime64[D]")
    sessions = []
    for at, day in enumerate(days):
        listed = np.isfinite(features["log_volatility"][at, :, 0])
        sessions.append(summarise(day, {name: values[at, listed] for name, values in features.items()}))
    rows = []
    for first in range(TRAININGS[0], len(sessions) - YEAR + 1, YEAR):
        reference = make_reference(sessions[first - TRAININGS[0] : first])
        ends = range(first + 1, first + YEAR + 1)
        looks = [feature_drift(reference, sessions[end - STRETCHES[-1] : end]) for end in ends]
        rung = [one for one in looks if one.alarms]
        rows.append(
            {
                "from": sessions[first].day,
                "to": sessions[first + YEAR - 1].day,
                "sessions that rang": len(rung),
                "first": rung[0].day if rung else "",
                "why": rung[0].alarms[0].words if rung else "",
            }
        )
    return rows


def _cost() -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    features = {
        "returns": rng.standard_normal((5000, 20)).astype(np.float32),
        "log_volatility": rng.standard_normal((5000, 1)).astype(np.float32),
        "share": np.arange(5000)[:, None],
    }
    reference = make_reference(summarise(_day(at), features) for at in range(YEAR))
    times = 50
    steps: Steps = {}
    with measured(steps, "summary of a session"):
        for at in range(times):
            today = summarise(_day(YEAR + at), features)
    with measured(steps, "comparison with training"):
        for _ in range(times):
            feature_drift(reference, [today] * STRETCHES[-1])
    cost = {name: 1000 * used["cpu"] / times for name, used in steps.items()}
    holds = "yes" if sum(cost.values()) < 50 else "no"
    return [{"what": name, "cpu ms": value, "asked": "< 50 together", "holds": holds} for name, value in cost.items()]


if __name__ == "__main__":
    sys.exit(main())
