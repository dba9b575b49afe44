"""What can be known of given rows of a synthetic market: `python -m benchmarks.bayes`, beside the best possible AUC.

That AUC is an expectation. On the rows of one test split the Bayes classifier itself is above or below it, and where a
signal lasts, as the momentum of a year, by much: such a split holds few independent values of it. What a learner has of
what Bayes has on the same rows says how much of it the learner has found; what it has of the expectation says that and
the luck of the split. The command prints that luck: the skill of Bayes on the test splits of several seeds. No model is
trained, and a minute is enough.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import print_table, write_result
from components.evidence.auc import auc, skill
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.synthetic_market import SCENARIOS, generate, get_scenario


def bayes_auc(
    scenario: str,
    shares: int,
    sessions: int,
    seed: int,
    rows: tuple[NDArray[np.integer], NDArray[np.integer]],
    label: NDArray[Any],
) -> float:
    """The AUC of the Bayes classifier at horizon 1.

    Args:
        scenario: name of the market.
        shares: of the market.
        sessions: of the market.
        seed: that made it.
        rows: the places of the session and of the share of each row in the market.
        label: 1 where the next return is above 0, [rows].
    """
    one = get_scenario(scenario)
    returns, activity = one.traded(shares, sessions, np.random.default_rng(seed))
    return auc(label, one.bayes_score(returns, activity)[rows])


def main() -> None:
    """Prints the table and writes benchmarks/results/bayes.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--shares", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=2900)
    asked = parser.parse_args()
    size = asked.shares, asked.sessions
    rows = []
    for name, scenario in SCENARIOS.items():
        best = scenario.best_auc(1)
        if best is None or best == 0.5:
            continue
        found = [skill(_of_test(name, *size, seed), best) for seed in range(asked.seeds)]
        told = {"mean": float(np.mean(found)), "deviation": float(np.std(found, ddof=1))}
        rows.append({"market": name, "best auc": best, **told, "least": min(found), "most": max(found)})
    print_table(f"Skill of the Bayes classifier on the test splits of {asked.seeds} seeds", rows)
    write_result("bayes", {"shares": asked.shares, "sessions": asked.sessions, "seeds": asked.seeds, "markets": rows})


def _of_test(name: str, shares: int, sessions: int, seed: int) -> float:
    """The AUC of Bayes on the test split of a run with its default settings."""
    market = generate(name, shares=shares, sessions=sessions, seed=seed)
    plan = plan_splits(market.time, SplitSettings(horizons=(1,)))
    session = np.arange(plan.lookback, sessions - 1)
    split, _ = plan.assign(session, session - plan.lookback, session + 1)
    test = session[split == SPLITS.index("test")]
    label = market.close[test + 1] > market.close[test]
    rows = test.repeat(shares), np.tile(np.arange(shares), len(test))
    return bayes_auc(name, shares, sessions, seed, rows, label.reshape(-1).astype(int))


if __name__ == "__main__":
    main()
