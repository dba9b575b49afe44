"""Every training of an experiment is a try on the days that it answered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from needed import needed

from components.feature_store import FeatureStore, PriceBars
from components.trials.record import read_record, record_path
from pipeline.studies.experiments.answers import Answers
from pipeline.studies.experiments.panels import market_panel
from pipeline.studies.experiments.tries import Key, count_tries

needed("adbc_driver_sqlite")

DAYS = np.busday_offset("2024-01-01", np.arange(60), roll="forward")


def made(seed: int) -> Answers:
    rng = np.random.default_rng(seed)
    time = np.array([int(str(day).replace("-", "")) for day in DAYS])
    return Answers(
        time=np.repeat(time, 3),
        share_id=np.tile(["A", "B", "C"], len(time)),
        label=rng.integers(0, 2, 3 * len(time)),
        probability=rng.uniform(0.4, 0.6, 3 * len(time)),
        known=np.zeros(3 * len(time), np.int64),
        train_rows=7,
        global_step=11,
        seconds=0.5,
    )


def test_a_training_counts_once_and_where_its_prices_are(tmp_path: Path) -> None:
    panel = market_panel(tmp_path, 2, 60, 0)
    answers: dict[Key, Answers] = {
        ("market", 1, "shuffled", "linear"): made(0),
        ("market", 1, "dated", "linear"): made(1),
        ("shipped", 1, "dated", "linear"): made(2),
    }
    assert count_tries(None, [panel], answers, epochs=20, seed=3) == 2
    assert count_tries(None, [panel], answers, epochs=20, seed=3) == 0
    record = read_record(record_path(panel.store))
    assert record.complete
    assert [trial.asked["split"] for trial in record.trials] == ["shuffled", "dated"]
    for trial in record.trials:
        assert (trial.kind, trial.horizon, len(trial.days)) == ("experiment", 1, 60)
        assert trial.asked["experiment"] == "linear"
        [model] = trial.models
        assert model.influence.values.sum() == pytest.approx(model.auc - 0.5, abs=1e-6)


@pytest.mark.parametrize(("source", "counted"), [("file:prices.csv.gz", 1), ("tencent", 0)])
def test_what_was_tried_on_the_shipped_prices_counts_beside_a_database_of_them(
    tmp_path: Path, source: str, counted: int
) -> None:
    panel = market_panel(tmp_path, 2, 60, 0)
    shipped = type(panel)("shipped", "", "", panel.features, panel.sessions, None, panel.store)
    database = tmp_path / "awesome.db"
    with FeatureStore.create(database) as store:
        close = np.linspace(10, 11, 60)
        store.upsert("A", PriceBars(DAYS, close, np.ones(60)), source)
    count_tries(database, [shipped], {("shipped", 1, "dated", "linear"): made(2)}, epochs=20, seed=3)
    assert len(read_record(record_path(database)).trials) == counted
    assert len(read_record(record_path(panel.store)).trials) == 1
