"""Whether what needs the whole day is found where the signal lies in it: `python -m benchmarks.day_wide_skill`.

Markets whose signal a window of closes does not show, each of several seeds, split and transformed as in a run and
learned in memory (benchmarks/made_rows.py), through the formatter that sees it and through `window_returns`.

Skill is (AUC - 1/2) / (best possible AUC - 1/2), and the best possible AUC is an expectation. *Of bayes* is what a
learner has of what the Bayes classifier has on the very rows (benchmarks/bayes.py).

What is asked of the best model, in the mean over the seeds: 0.9 of what Bayes has on the rows, and a skill whose
interval of the mean over the seeds (95 %) does not end below 0.9. Of `window_returns` on `volume_reversal`: an AUC not
above 1/2 beyond such an interval. Takes half an hour of one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import stats

from benchmarks.measure import print_table, write_result

LEAST = 0.9
TREES = "lightgbm"


@dataclass(frozen=True)
class Target:
    """A market through a formatter, and whether that hides the signal."""

    market: str
    formatter: str
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    blind: bool = False


TARGETS = (
    Target("residual_reversal", "market_relative"),
    Target("volume_reversal", "market_activity"),
    Target("volume_reversal", "window_returns", blind=True),
    Target("momentum_year", "momentum", (0.6, 0.2, 0.2)),
)


def main() -> int:
    """Prints the tables and writes benchmarks/results/day_wide_skill.json; 0 if all that is asked holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=("linear", "dnn"), help="as in awesome run --models")
    parser.add_argument("--markets", nargs="+", choices=sorted({one.market for one in TARGETS}))
    parser.add_argument("--members", type=int, help="networks a model; default is each model's own number")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--shares", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=2900)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    summary: list[dict[str, Any]] = []
    for target in TARGETS:
        if arguments.markets and target.market not in arguments.markets:
            continue
        for seed in range(arguments.seeds):
            rows += _measure(target, seed, arguments)
            print(*rows[-len(arguments.models) - 1 :], sep="\n", file=sys.stderr, flush=True)
        asked = [row for row in rows if (row["market"], row["formatter"]) == (target.market, target.formatter)]
        summary.append(_summary(target, asked))
    print_table("Learners", rows)
    print_table("The best model, mean over the seeds", summary)
    write_result("day_wide_skill", {"learners": rows, "summary": summary})
    return 1 if any(row["holds"] == "no" for row in summary) else 0


def _measure(target: Target, seed: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row a learner."""
    from benchmarks.made_rows import make_rows
    from components.evidence.auc import auc, skill
    from components.evidence.baselines import fit_lightgbm, table_of
    from models.formatters import get_formatter
    from models.registry import get_architecture
    from models.training import train

    size = arguments.shares, arguments.sessions
    made = make_rows(target.market, *size, seed, get_formatter(target.formatter), target.fractions)
    test, best, bayes = made.rows["test"], made.best, made.bayes
    assert best is not None
    areas = {}
    for name in arguments.models:
        declared = get_architecture(name)
        own = declared.hyperparameters.updated({} if arguments.members is None else {"members": arguments.members})
        trained = train(name, declared.default_version, own, made.inputs, made.rows["train"], made.rows["eval"], seed)
        features = {tensor.name: test.features[tensor.name] for tensor in trained.model.inputs}
        areas[name] = auc(test.label, trained.model.predict(features, batch_size=8192, verbose=0)[:, 0].astype(float))
    tables = {part: table_of(made.inputs.formatter, [rows]) for part, rows in made.rows.items()}
    areas[TREES] = auc(test.label, fit_lightgbm(tables["train"], tables["eval"], seed)(tables["test"]))
    return [
        {"market": target.market, "formatter": target.formatter, "seed": seed, "learner": name, "rows": len(test.label)}
        | {"auc": area, "best": best, "bayes": bayes, "skill": skill(area, best), "of bayes": skill(area, bayes)}
        for name, area in areas.items()
    ]


def _summary(target: Target, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    frame = pd.DataFrame(rows)
    found: dict[str, Any] = {"market": target.market, "formatter": target.formatter}
    means = frame.groupby("learner", sort=False)["skill"].mean()
    best = means.drop(TREES).idxmax()
    mine = frame[frame["learner"] == best]
    reach = float(stats.t.ppf(0.975, len(mine) - 1)) * float(mine["skill"].sem()) if len(mine) > 1 else float("inf")
    found |= {
        "best model": best,
        "skill": round(float(means[best]), 3),
        "95 %": round(reach, 3) if len(mine) > 1 else None,
    }
    found |= {TREES: round(float(means[TREES]), 3), "of bayes": round(float(mine["of bayes"].mean()), 3)}
    if target.blind:
        holds, asked = means[best] - reach <= 0, "not above 0"
    else:
        holds, asked = found["of bayes"] >= LEAST and means[best] + reach >= LEAST, f">= {LEAST} of Bayes"
    return found | {"asked": asked, "holds": "yes" if holds else "no"}


if __name__ == "__main__":
    raise SystemExit(main())
