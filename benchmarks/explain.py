"""What `awesome explain` says where the answer is known: `python -m benchmarks.explain`.

Each market is made, split and trained on by the code of `awesome run`, and its models are explained by that of `awesome
explain`; the seed makes the market too. On `reversal` only the latest return tells something, on `xor` only the latest
two together, and on `null` nothing: there each interval should contain 0. Takes about half an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.measure import RESULTS, print_table, write_result
from components.explanation.results import Explanation, Importance, ModelExplanation

ATTRIBUTED, QUIET = 0.9, 0.95
"""What is asked of the parts that tell something, and of the intervals where nothing does.

The first is asked of both shares: of the one that is told, in which the noise of what tells nothing cancels, and of the
plain one of all losses above 0, in which it adds up. The latter needs rows: of twenty lags half are above 0 by chance.
"""


@dataclass(frozen=True)
class Asked:
    """A market, what is trained on it, and the lags that tell something there.

    Attributes:
        market: the scenario.
        models: that learn it.
        lags: of the returns.
        shares: of the market.
        sessions: of the market.
    """

    market: str
    models: tuple[str, ...]
    lags: tuple[int, ...]
    shares: int = 60
    sessions: int = 2000


MARKETS = (
    Asked("reversal", ("linear", "dnn", "custom_dnn", "rnn"), (1,), shares=180),
    Asked("xor", ("dnn",), (1, 2)),
    Asked("null", ("linear", "dnn"), (), shares=20, sessions=1000),
)


def main() -> int:
    """Prints the tables and writes benchmarks/results/explain.json; 0 if what is asked holds everywhere, else 1."""
    parser = argparse.ArgumentParser(prog="benchmarks.explain", description=__doc__)
    parser.add_argument("--markets", default=",".join(one.market for one in MARKETS), help="separated by commas")
    parser.add_argument("--seeds", type=int, default=1, help="of each market with a signal")
    parser.add_argument("--null-seeds", type=int, default=10)
    parser.add_argument("--workspace", type=Path, help="keeps the runs, so that a second try takes them from the cache")
    arguments = parser.parse_args()
    rows = _stored()
    for asked in (one for one in MARKETS if one.market in arguments.markets.split(",")):
        for seed in range(arguments.seeds if asked.lags else arguments.null_seeds):
            print(f"{asked.market}, seed {seed}", file=sys.stderr, flush=True)
            found = _explained(asked, seed, arguments.workspace)
            rows = [row for row in rows if (row["market"], row["seed"]) != (asked.market, seed)]
            for name, model in found.models.items():
                row = {"market": asked.market, "seed": seed, "model": name, "rows": found.rows, "auc": model.auc}
                rows.append(row | (signal_row(model, asked.lags) if asked.lags else null_row(model, found.days)))
            write_result("explain", {"rows": rows})
    told, quiet = ([row for row in rows if ("cases" in row) is there] for there in (False, True))
    summary = null_summary(quiet) if quiet else []
    print_table("Where some lags tell something", told)
    print_table("Where nothing does", quiet)
    print_table("Intervals on the market without signal", summary)
    write_result("explain", {"rows": rows, "summary": summary})
    return 0 if all(row["holds"] != "no" for row in (*told, *summary)) else 1


def _stored() -> list[dict[str, Any]]:
    """What was measured of other markets and seeds stays."""
    path = RESULTS / "explain.json"
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []


def signal_row(model: ModelExplanation, lags: Sequence[int]) -> dict[str, Any]:
    """What a model's explanation attributes to the lags that tell something, and whether it names them alone."""
    right = [one for one in model.parts if one.part.lag in lags]
    attributed = sum(one.attributed for one in right)
    positive = sum(max(one.lost.value, 0.0) for one in model.parts)
    named = sorted(one.part.lag or 0 for one in model.helpful) == sorted(lags)
    of_positive = sum(one.lost.value for one in right) / positive
    row = {
        "lags": " and ".join(map(str, lags)),
        "least AUC lost": min(one.lost.value for one in right),
        "attributed": attributed,
        "of what is above 0": of_positive,
        "no other is sure": "yes" if named else "no",
        "only together": None,
    }
    paired = True
    if len(lags) > 1:
        first = next(iter(model.pairs), None)  # of a model that has found nothing there is none
        paired = (
            first is not None and sorted(part.lag or 0 for part in first.parts) == sorted(lags) and first.shared.low > 0
        )
        row["only together"] = first.shared.value / first.lost.value if first is not None and paired else 0.0
    # A part that is sure and tells nothing has to be seldom, not impossible: its column says it, and the share judges.
    return row | {"holds": "yes" if min(attributed, of_positive) >= ATTRIBUTED and paired else "no"}


def null_row(model: ModelExplanation, days: int) -> dict[str, Any]:
    """How many intervals of a model's features and parts contain 0: those for all together, and each by itself."""
    from scipy.special import stdtrit

    from components.evidence.resampling import default_block

    cases = _cases(model)
    reach = float(stdtrit(1.5 * days / default_block(1, days), 0.975))
    alone = sum(abs(one.lost.value) <= reach * one.lost.standard_error for one in cases)
    together = sum(one.lost.low <= 0 <= one.lost.high for one in cases)
    return {"cases": len(cases), "contain 0": together, "contain 0 alone": alone}


def null_summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The share of cases whose interval contains 0, and of models of which all do."""
    cases = sum(row["cases"] for row in rows)

    def line(what: str, share: float, asked: float | None) -> dict[str, Any]:
        holds = "" if asked is None else "yes" if share >= asked else "no"
        return {"what": what, "share": share, "asked": asked, "holds": holds}

    return [
        line("intervals that contain 0", sum(row["contain 0"] for row in rows) / cases, QUIET),
        line("by intervals of 95 % each", sum(row["contain 0 alone"] for row in rows) / cases, None),
        # Of as many models as run in half an hour, 95 % are as likely as not to be one more or one less.
        line("models all of whose do", sum(row["contain 0"] == row["cases"] for row in rows) / len(rows), None),
    ]


def _cases(model: ModelExplanation) -> list[Importance]:
    return list({one.part: one for one in (*model.features, *model.parts)}.values())


def _explained(asked: Asked, seed: int, workspace: Path | None) -> Explanation:
    from pipeline.job.run import run
    from pipeline.plan import load_plan
    from pipeline.uses.explain import explain_run

    with nullcontext(workspace) if workspace else tempfile.TemporaryDirectory() as folder:
        plan = load_plan(
            {
                "market": asked.market,
                "market_shares": asked.shares,
                "market_sessions": asked.sessions,
                "models": asked.models,
                "seed": seed,
                "audit": False,
                "workspace": Path(folder),
            }
        )
        run(plan, Console(stderr=True))
        return explain_run(Path(folder) / "latest").explanation


if __name__ == "__main__":
    raise SystemExit(main())
