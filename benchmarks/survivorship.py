"""What leaving the dead out is worth: `python -m benchmarks.survivorship` judges one rule on a market with and without.

The market `survivors` is pure noise, and its shares that fall far are delisted: no rule can earn anything on it but by
the choice of the shares. The rule buys the fifth of the shares that has fallen most over 252 sessions, every day anew.
Both databases are written by the commands' own code, and labels, returns and membership are those of its examples.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import print_table, write_result
from components.backtest import backtest
from components.evidence.correlation import rank_ic
from components.evidence.words import low_to_high, number4
from components.feature_example_gen.look_ahead import FeatureRows
from components.feature_store import FeatureStore
from components.synthetic_market import Market, generate, write_market
from components.universe.universe import universe_of
from models.features import NEXT_SESSION

SHARES, SESSIONS, SEEDS = 200, 2900, 3
LOOK_BACK = 252
LOSERS = "losers"
_DAYS_A_YEAR = 252


def main() -> None:
    """Makes the markets, judges the rule on both and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shares", type=int, default=SHARES, help="of the whole market")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="markets")
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.seeds):
        whole = generate("survivors", shares=asked.shares, sessions=asked.sessions, seed=seed)
        for name, market in (("all", whole), ("without the dead", whole.survivors())):
            rows.append({"seed": seed, "shares": name} | judge(rows_of(market)))
    print_table("Buying what has fallen most over 252 sessions, on pure noise", rows)
    write_result("survivorship", {"shares": asked.shares, "sessions": asked.sessions, "rows": rows})


def rows_of(market: Market) -> pd.DataFrame:
    """A row a day of a member: time, share_id, next_return, and the rule's score; those before it has one left out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "market.db"
        write_market(market, path)
        parts = []
        with FeatureStore.open(path) as store:
            universe = universe_of(store, store.sessions())
            for series in store.price_series([one.share_id for one in store.shares()]):
                rows = FeatureRows(store.read_features([series.share_id]), universe=universe)
                ahead = rows.ahead(NEXT_SESSION, 0)
                score = pd.Series(series.level, index=series.time).diff(LOOK_BACK).reindex(rows.days)
                part = pd.DataFrame({"time": rows.days, "share_id": series.share_id, LOSERS: -score.to_numpy()})
                part["next_return"] = np.where(ahead.known, ahead.change, np.nan)
                parts.append(part[rows.member])
    return pd.concat(parts).dropna().reset_index(drop=True)


def judge(rows: pd.DataFrame) -> dict[str, Any]:
    """Figures of the rows, and of the rule on them; a year has 252 sessions."""
    ranks = rank_ic(rows[LOSERS].to_numpy(), rows["next_return"].to_numpy(), rows["time"].to_numpy())
    traded = backtest(rows, [LOSERS], costs=0)
    bought = traded.models[LOSERS].long_only.before_costs
    assert bought.difference is not None
    return {
        "mean return a year": round(float(rows["next_return"].mean()) * _DAYS_A_YEAR, 4),
        "up": round(float((rows["next_return"] > 0).mean()), 4),
        "rank IC": f"{number4(ranks.value)} ({low_to_high(ranks.low, ranks.high, number4)})",
        "bought less equal weight, a year": f"{number4(bought.difference.value)} "
        f"({low_to_high(bought.difference.low, bought.difference.high, number4)})",
    }


if __name__ == "__main__":
    main()
