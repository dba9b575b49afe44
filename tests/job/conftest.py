"""One run that many tests look at; those that run again in its folder stand in the last file, test_later_runs.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jobs import MARKET, NAMES, SETTINGS, Job, awesome


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A first run of two models on a market with signal; the other tests only look at what it left."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "awesome.toml").write_text(SETTINGS)
    return awesome(folder, "run", *MARKET, "--models", ",".join(NAMES), "--output", "out")


@pytest.fixture(scope="session")
def report(job: Job) -> Any:
    assert job.code == 0, job.out + job.err
    return job.report()


@pytest.fixture(scope="session")
def predictions(job: Job, report: Any) -> pd.DataFrame:
    return pd.read_parquet(job.folder / "out" / "predictions.parquet")


@pytest.fixture(scope="session")
def database(job: Job, report: Any) -> Path:
    return job.folder / report["data"]["database"]
