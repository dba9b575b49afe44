"""What leaving the dead out is worth, on a small market of noise."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.survivorship import LOSERS, judge, rows_of
from components.synthetic_market import generate


def test_without_the_dead_shares_rise_and_the_fallen_recover() -> None:
    whole = generate("survivors", shares=50, sessions=2000, seed=1)
    all_rows, alive = rows_of(whole), rows_of(whole.survivors())
    dead = int(whole.ended.sum())
    # Those that died before the rule had a year of them are in no row.
    gone = set(np.array(whole.share_ids)[whole.ended]) & set(all_rows["share_id"])
    assert len(gone) > 10
    last = all_rows.groupby("share_id").tail(1)
    assert set(last["share_id"][last["next_return"] == np.float32(-0.3)]) == gone
    assert alive["share_id"].nunique() == 50 - dead
    of_the_living = all_rows[all_rows["share_id"].isin(alive["share_id"])].reset_index(drop=True)
    assert of_the_living.equals(alive)

    with_them, without = judge(all_rows), judge(alive)
    assert without["mean return a year"] > with_them["mean return a year"] + 0.04
    assert without["up"] > with_them["up"]

    def difference(rows: dict) -> float:
        return float(rows["bought less equal weight, a year"].split()[0])

    assert difference(without) > difference(with_them) + 0.05
    # On noise the daily mean of all is what its spread lets it be.
    mean, error = all_rows["next_return"].mean(), all_rows["next_return"].std() / len(all_rows) ** 0.5
    assert mean == pytest.approx(0.02**2 / 2 - 0.3 * len(gone) / len(all_rows), abs=4 * error)
    assert all_rows[LOSERS].notna().all()
