"""Leaks planted in small runs, and clean ones: what the audit says of each. `python -m benchmarks.audit`.

Every leak of benchmarks/planted_leaks is planted at two strengths on the shipped prices and two synthetic markets. One
that lifts the AUC of logistic regression or LightGBM by more than two standard errors has to be leaking, or to keep the
model that it lifts from being pushed; at most 1 % of the clean runs may be accused. What no check can see is said to be
out of sight, with the reason. What was measured by the same code is not measured again, so that parts may be run one
after another: the whole takes more than an hour of CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.audited_runs import MARKETS, CleanCase, Runs, clean_cases
from benchmarks.measure import RESULTS, print_table, write_result
from benchmarks.planted_leaks.known import LEAKS

CLEAN = 300
MOST_ACCUSED = 0.01
_SECONDS = 5
_CODE = (
    "components/evidence",
    "components/feature_example_gen",
    "components/leak_audit",
    "models",
    "benchmarks/planted_leaks",
    "benchmarks/audited_runs.py",
)
Row = dict[str, Any]


def main() -> int:
    """Prints the tables and writes benchmarks/results/audit.json; 0 if all was measured and holds, else 1."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from pipeline.code_digest import code_digest

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaks", action="store_true", help="the planted leaks alone")
    parser.add_argument("--clean", type=int, metavar="N", help="the first N clean runs alone, or beside --leaks")
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help="leaks of these kinds, in their order")
    parser.add_argument("--markets", nargs="+", choices=MARKETS, default=MARKETS, help="that leaks are planted on")
    parser.add_argument("--strengths", nargs="+", choices=("weak", "strong"), default=("strong", "weak"))
    parser.add_argument("--missing", action="store_true", help="only what no code has measured yet")
    arguments = parser.parse_args()
    unknown = set(arguments.kinds or ()) - {leak.kind for leak in LEAKS}
    if unknown:
        parser.error(f"there is no kind {min(unknown)!r}: choose of {', '.join(sorted({one.kind for one in LEAKS}))}")
    part = arguments.leaks or arguments.kinds is not None or arguments.clean is not None
    leaks = list(LEAKS)
    if arguments.kinds is not None:
        leaks = [one for kind in dict.fromkeys(arguments.kinds) for one in LEAKS if one.kind == kind]
    if part and not (arguments.leaks or arguments.kinds):
        leaks = []
    cases = clean_cases(arguments.clean if arguments.clean is not None else 0 if part else CLEAN)
    code = code_digest(_CODE)
    # Rows are few: more threads would wait for each other.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    with TemporaryDirectory() as folder, threadpool_limits(1):
        runs = Runs(Path(folder), code)
        done = _Done(code, arguments.missing)
        for strength in arguments.strengths:
            for leak in leaks:
                for market in arguments.markets:
                    key = (leak.kind, leak.name, strength, market)
                    done.measure("leaks", key, lambda: runs.leak(leak, strength, market))  # noqa: B023 (called at once)
        for case in cases:
            done.measure("clean", _case_key(case), lambda: runs.clean(case))  # noqa: B023
        done.write()
    _print(done)
    return 0 if done.whole and not _faults(done) else 1


class _Done:
    """What was measured, in this run or by an earlier one; written every few seconds."""

    def __init__(self, code: str, keep: bool) -> None:
        """Takes the digest of this code, and whether rows that other code has measured are kept."""
        path = RESULTS / "audit.json"
        old = json.loads(path.read_text()) if path.exists() else {}
        self._code, self._keep = code, keep
        self._written = time.monotonic()
        self.leaks: dict[tuple[Any, ...], Row] = {_leak_key(row): row for row in old.get("leaks", [])}
        self.clean: dict[tuple[Any, ...], Row] = {_clean_key(row): row for row in old.get("clean", [])}

    def measure(self, table: str, key: tuple[Any, ...], make: Callable[[], Row]) -> None:
        """Measures a row unless the same code has done so, or any where rows are kept."""
        rows = self.leaks if table == "leaks" else self.clean
        if key in rows and (self._keep or rows[key]["code"] == self._code):
            return
        rows[key] = row = make()
        print(f"{table}: {', '.join(map(str, key))}: {row['verdict']}", file=sys.stderr, flush=True)
        if time.monotonic() > self._written + _SECONDS:
            self.write()

    def write(self) -> None:
        """Writes all rows."""
        write_result("audit", {"leaks": list(self.leaks.values()), "clean": list(self.clean.values())})
        self._written = time.monotonic()

    @property
    def whole(self) -> bool:
        """Whether this code has measured all that there is."""
        wanted = {(one.kind, one.name, s, m) for one in LEAKS for s in one.strengths for m in MARKETS}
        cases = {_case_key(case) for case in clean_cases(CLEAN)}
        known = [{key for key, row in rows.items() if row["code"] == self._code} for rows in (self.leaks, self.clean)]
        return wanted <= known[0] and cases <= known[1]


def _leak_key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("kind", "leak", "strength", "market"))


def _clean_key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("market", "seed", "horizon", "features"))


def _case_key(case: CleanCase) -> tuple[Any, ...]:
    return case.market, case.seed, case.horizon, case.features


def _holds(row: Row) -> str:
    """Whether a planted leak is where it has to be."""
    if row["stopped"]:
        return "yes"
    if row["out of sight"]:
        return "out of sight"
    return "no" if row["lifted"] else "no lift"


def _faults(done: _Done) -> list[str]:
    """What does not hold."""
    slipped = [", ".join(map(str, key)) for key, row in done.leaks.items() if _holds(row) == "no"]
    accused = [row for row in done.clean.values() if row["accused"]]
    if len(accused) > MOST_ACCUSED * len(done.clean):
        slipped.append(f"{len(accused)} of {len(done.clean)} clean runs are accused")
    return slipped


def _print(done: _Done) -> None:
    leaks = list(done.leaks.values())
    print_table("Planted leaks by kind and strength", _by_kind(leaks))
    print_table("Leaks that are not stopped", [_short(row) for row in leaks if _holds(row) != "yes"])
    print_table("What each check says", _by_check(leaks, list(done.clean.values())))
    print_table("Clean runs", _by_market(list(done.clean.values())))
    for fault in _faults(done):
        print(f"does not hold: {fault}")
    if not done.whole:
        print("Not all was measured by this code: `python -m benchmarks.audit` measures the rest.")


def _by_kind(leaks: Sequence[Row]) -> list[Row]:
    table = []
    for kind, strength in dict.fromkeys((row["kind"], row["strength"]) for row in leaks):
        rows = [row for row in leaks if (row["kind"], row["strength"]) == (kind, strength)]
        lifted = [row for row in rows if row["lifted"]]
        most = max(rows, key=lambda row: row.get("lift", 0.0))
        said = Counter(check for row in rows for check in row["by"])
        table.append(
            {
                "kind": kind,
                "strength": strength,
                "runs": len(rows),
                "lifted": len(lifted),
                "most": most.get("lift"),
                "error": most.get("error"),
                "stopped": sum(row["stopped"] for row in rows),
                "lifted, stopped": sum(row["stopped"] for row in lifted),
                "leaking": sum(row["verdict"] == "leaking" for row in rows),
                "by": ", ".join(f"{check} {count}" for check, count in said.most_common()),
            }
        )
    return table


def _short(row: Row) -> Row:
    found = {name: row[name] for name in ("kind", "leak", "strength", "of", "market")}
    found |= {name: row.get(name) for name in ("model", "auc", "lift", "error")}
    return found | {"verdict": row["verdict"], "holds": _holds(row)}


def _by_check(leaks: Sequence[Row], clean: Sequence[Row]) -> list[Row]:
    checks = dict.fromkeys(check for row in (*leaks, *clean) for check in row["by"])
    return [
        {
            "check": check,
            **{
                f"{strength}: {word}": sum(
                    row["strength"] == strength and row["by"].get(check, "").startswith(word) for row in leaks
                )
                for strength in ("weak", "strong")
                for word in ("leaking", "suspicious")
            },
            "alone": sum(list(row["by"]) == [check] for row in leaks),
            "clean accused": sum(check in row["by"] for row in clean),
        }
        for check in checks
    ]


def _by_market(clean: Sequence[Row]) -> list[Row]:
    table = []
    for market, horizon in dict.fromkeys((row["market"], row["horizon"]) for row in clean):
        rows = [row for row in clean if (row["market"], row["horizon"]) == (market, horizon)]
        said = Counter(check for row in rows for check in row["by"])
        by = ", ".join(f"{check} {count}" for check, count in said.most_common())
        accused = sum(row["accused"] for row in rows)
        table.append({"market": market, "horizon": horizon, "runs": len(rows), "accused": accused, "by": by})
    return table


if __name__ == "__main__":
    sys.exit(main())
