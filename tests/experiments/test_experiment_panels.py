"""The two ways to cut the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from needed import needed

from components.errors import SplitError
from components.evidence.auc import auc
from components.feature_example_gen.splits import SPLITS
from components.synthetic_market import get_scenario
from models.features import TIME
from pipeline.studies.experiments.panels import market_panel, panel_rows, rows_of

needed("adbc_driver_sqlite")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory):
    return market_panel(tmp_path_factory.mktemp("stores"), 8, 800, 1)


@pytest.mark.parametrize("horizon", [1, 20])
def test_shuffled_rows_are_all_rows_in_the_fractions_and_dated_ones_follow_in_time(panel, horizon: int) -> None:
    rows = panel_rows(panel, horizon, 0)
    total = len(rows.label)
    assert total == 8 * (800 - 20 - horizon)
    sizes = [len(rows_of(rows, "shuffled", part)) for part in SPLITS]
    assert sum(sizes) == total
    assert np.allclose(sizes, [0.7 * total, 0.1 * total, 0.2 * total], atol=1)
    train, _, test = (rows.raw[TIME][rows_of(rows, "shuffled", part)] for part in SPLITS)
    assert np.isin(test, train).mean() > 0.99
    train, held_out, test = (rows.raw[TIME][rows_of(rows, "dated", part)] for part in SPLITS)
    assert train.max() < held_out.min() <= held_out.max() < test.min()
    # Three standard errors of one pair; returns over h sessions have only 1/h as many independent values.
    noise = 3 * (1 - 0.52**2) / np.sqrt(800 / horizon)
    assert rows.correlation == pytest.approx(0.52, abs=noise)


def test_the_seed_decides_the_shuffling(panel) -> None:
    first, again, other = (panel_rows(panel, 1, seed).splits["shuffled"] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_too_few_sessions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="too short"):
        panel_rows(market_panel(tmp_path, 3, 200, 0), 20, 0)


def test_a_level_is_above_chance_on_later_days_of_a_market_without_signal_and_nothing_has_leaked() -> None:
    """Why a dated AUC of these experiments is not centred on 0.5: here nothing is trained and nothing is split."""
    areas = []
    for seed in range(100):
        returns = 0.02 * get_scenario("market_factor").simulate(30, 700, np.random.default_rng(seed))
        level = np.cumsum(returns, axis=0)[560:]
        areas.append(auc((np.diff(level, axis=0) > 0).astype(int).ravel(), -level[:-1].ravel()))
    error = np.std(areas, ddof=1) / np.sqrt(len(areas))
    assert np.mean(areas) - 0.5 > 4 * error
    assert np.mean(areas) == pytest.approx(0.51, abs=0.005)
