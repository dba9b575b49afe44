"""A run's own predictions, written as CSV and judged, give the figures of its report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jobs import NAMES, succeeded

from components.trials.record import read_record, record_path

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


@pytest.fixture(scope="module")
def copied(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's database and its record, which judging adds to."""
    folder = tmp_path_factory.mktemp("judged")
    for path in (database, record_path(database)):
        shutil.copy(path, folder / path.name)
    return folder / database.name


def judged(copied: Path, predictions: pd.DataFrame, *models: str) -> Any:
    predictions[["time", "share_id", *models]].to_csv(copied.with_name("p.csv"), index=False)
    job = succeeded(copied.parent, "judge", "p.csv", "--db", copied.name, "--probability", ",".join(models), "--json")
    return json.loads(job.out)


def same(found: Any, expected: Any) -> None:
    """Two parts of a report: the same keys, and the same numbers to 1e-12."""
    if isinstance(expected, dict):
        assert set(found) == set(expected)
        for key in expected:
            same(found[key], expected[key])
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    else:
        assert found == expected


def test_the_figures_are_those_of_the_report(copied: Path, report: Any, predictions: pd.DataFrame) -> None:
    rivals = list(report["baselines"])
    found = judged(copied, predictions, *NAMES, *rivals)["report"]
    for name in NAMES:
        mine, its = found["models"][name], report["models"][name]
        for key in ("auc", "auc_low", "auc_high", "auc_standard_error", "accuracy", "majority", "rank_ic",
                    "rank_ic_low", "rank_ic_high", "rows", "by_year", "by_share", "scores"):  # fmt: skip
            same(mine[key], its[key])
        for rival in (*(other for other in NAMES if other != name), *rivals):
            same(mine["differences"][rival], its["differences"][rival])
    for rival in rivals:
        same(found["models"][rival]["scores"], report["baselines"][rival])
    test = report["splits"]["test"]
    assert {key: found["splits"]["test"][key] for key in ("first", "last", "rows")} == {
        key: test[key] for key in ("first", "last", "rows")
    }


def test_what_the_run_has_shown_is_no_new_try(copied: Path, report: Any, predictions: pd.DataFrame) -> None:
    record = copied.with_name("again.db")
    for path, copy in ((copied, record), (record_path(copied), record_path(record))):
        shutil.copy(path, copy)
    before = [one.id for one in read_record(record_path(record)).trials]
    tries = judged(record, predictions, *NAMES)["report"]["tries"]
    assert tries["own"] == report["tries"]["own"]
    assert [one.id for one in read_record(record_path(record)).trials] == before
    assert tries["own"] in before
