"""Whether a live record that is looked at daily proves nothing of nothing, and soon what is true.

`python -m benchmarks.ledger` makes live records (benchmarks/live_records.py), judges them as `components.live_evidence`
does, and looks at all their days. Takes a few CPU minutes; what was judged is kept in benchmarks/.data, so that a
run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.live_records import judged, numbers_with_means, reversal, without_signal
from benchmarks.measure import print_table, write_result
from components.live_evidence import days_to_proof
from components.live_evidence.sequence import mean_so_far

MARKETS = ("plain", "fat tails", "market factor")
HORIZONS = (1, 20)
SESSIONS = 2500
SHARES, MANY_SHARES = 20, 100
SOON = 40
_FIRST_LOOK = 20
_LIVED = 250
_CHUNK = 50
_DATA = Path(__file__).parent / ".data" / "ledger.jsonl"

Found = dict[str, float]
"""What was found of one record."""


def main() -> int:
    """Prints the tables and writes benchmarks/results/ledger.json; 0 if every requirement holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1000, help="records of each kind; a fifth of them with a signal")
    arguments = parser.parse_args()
    tables = {
        "nothing": list(_nothing(arguments.records)),
        "signal": list(_signal(max(1, arguments.records // 5))),
        "held": list(_held(arguments.records)),
    }
    titles = {
        "nothing": f"Ever proved on markets without signal, {SHARES} shares, {SESSIONS} sessions",
        "signal": f"reversal, {MANY_SHARES} shares",
        "held": "The confidence sequence of means that change",
    }
    for name, rows in tables.items():
        print_table(titles[name], rows)
    write_result("ledger", {"records": arguments.records, "sessions": SESSIONS, **tables})
    return 1 if any(row["holds"] == "no" for rows in tables.values() for row in rows) else 0


def _nothing(records: int) -> Iterator[dict[str, Any]]:
    for market in MARKETS:
        found = _judged(f"nothing, {market}", records, partial(_of_nothing, market))
        for horizon in HORIZONS:
            of = {name: float(np.mean([one[f"{name} {horizon}"] for one in found])) for name in _LOOKS}
            yield {
                "market": market,
                "horizon": horizon,
                "records": records,
                **of,
                "asked": "<= 0.05, and >= 0.95",
                "holds": _yes(of["proved"] <= 0.05 and of["interval held 0"] >= 0.95),
            }


_LOOKS = ("proved", "rank IC", "log loss", "t test", "interval held 0")


def _of_nothing(market: str, seed: int) -> Found:
    found: Found = {}
    for horizon, days in without_signal(market, SHARES, SESSIONS, HORIZONS, seed).items():
        record = judged(days, horizon)
        course, threshold = record.course, record.parameters.log_threshold
        # What a test for one look says that is read daily: of every h-th session, whose labels do not overlap.
        apart = record.rank_ics[::horizon]
        count = np.arange(1, len(apart) + 1)
        mean = np.cumsum(apart) / count
        error = np.sqrt(np.maximum(np.cumsum(apart**2) / count - mean**2, 1e-12) / np.maximum(count - 1, 1))
        values = (
            course.proved is not None,
            np.any(course.rank_ic >= threshold),
            np.any(course.log_loss >= threshold),
            np.any((mean > 1.645 * error)[_FIRST_LOOK:]),
            np.all((course.low <= 0) & (course.high >= 0)),
        )
        found |= {f"{name} {horizon}": float(value) for name, value in zip(_LOOKS, values, strict=True)}
    return found


def _signal(records: int) -> Iterator[dict[str, Any]]:
    found = _judged("reversal", records, _of_reversal)
    took, whole, said = (np.array([one[name] for one in found]) for name in ("took", "whole", "said"))
    near = (took <= 2 * said) & (said <= 2 * took)
    for what, held, sessions, asked in (
        (f"proved within {SOON} sessions", took <= SOON, took, 0.8),
        ("days to proof right within a factor of 2", near, said, 0.8),
        (f"proved within {SOON} sessions if no day's rank IC is cut", whole <= SOON, whole, None),
    ):
        share = float(np.mean(held))
        yield {
            "what": what,
            "records": records,
            "share": share,
            "median sessions": float(np.median(sessions)),
            "asked": f">= {asked}" if asked else "",
            "holds": _yes(share >= asked) if asked else "",
        }


def _of_reversal(seed: int) -> Found:
    days = reversal(MANY_SHARES, _LIVED, seed)
    record, whole = judged(days, 1), judged(days, 1, bound=1.0)
    said = days_to_proof(record.claim, record.parameters, seed=seed).median
    took, longer = (
        float(10 * _LIVED if one is None else one + 1) for one in (record.course.proved, whole.course.proved)
    )
    return {"took": took, "whole": longer, "said": float(said or 0)}


def _held(records: int) -> Iterator[dict[str, Any]]:
    for horizon in HORIZONS:
        found = _judged(f"held, {horizon}", records, partial(_of_means, horizon))
        held = float(np.mean([one["held"] for one in found]))
        yield {
            "horizon": horizon,
            "records": records,
            "held at all times": held,
            "reach after a year": float(np.mean([one["year"] for one in found])),
            "at the end": float(np.mean([one["end"] for one in found])),
            "asked": ">= 0.95",
            "holds": _yes(held >= 0.95),
        }


def _of_means(horizon: int, seed: int) -> Found:
    numbers, means = numbers_with_means(SESSIONS, horizon, seed)
    found = mean_so_far(numbers, horizon, 0.05)
    truth = np.cumsum(means) / np.arange(1, SESSIONS + 1)
    reach = (found.high - found.low) / 2
    held = np.all((found.low <= truth) & (truth <= found.high))
    return {"held": float(held), "year": float(reach[251]), "end": float(reach[-1])}


def _judged(part: str, records: int, judge: Callable[[int], Found]) -> list[Found]:
    """What is found of so many records, from what was kept where it was judged by the very same code."""
    code = hashlib.sha256()
    here = Path(__file__)
    for path in (
        here,
        here.with_name("live_records.py"),
        *sorted(here.parents[1].glob("components/live_evidence/*.py")),
    ):
        code.update(path.read_bytes())
    kept = {}
    if _DATA.exists():
        lines = [json.loads(line) for line in _DATA.read_text().splitlines()]
        kept = {
            line["seed"]: line["found"] for line in lines if (line["part"], line["code"]) == (part, code.hexdigest())
        }
    _DATA.parent.mkdir(exist_ok=True)
    for first in range(0, records, _CHUNK):
        print(f"{part}: {first} of {records}", file=sys.stderr, flush=True)
        new = {seed: judge(seed) for seed in range(first, min(first + _CHUNK, records)) if seed not in kept}
        with _DATA.open("a") as file:
            for seed, found in new.items():
                file.write(json.dumps({"part": part, "code": code.hexdigest(), "seed": seed, "found": found}) + "\n")
        kept |= new
    return [kept[seed] for seed in range(records)]


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


if __name__ == "__main__":
    raise SystemExit(main())
