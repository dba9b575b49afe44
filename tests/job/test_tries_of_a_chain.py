"""Runs through the pipeline, one after another: what benchmarks.many_runs says without a pipeline is what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from jobs import Job, awesome

from benchmarks.tried_models import GOOD, Try
from components.evidence.resampling import DayBlocks
from components.trials.hurdle import allowance, errors, hurdle, normal_scale
from components.trials.influence import day_influence
from components.trials.record import Record, Trial, read_record, record_path

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

FORMATTERS = ("window_returns", "closes")
SETTINGS = """
market = "null"
market_shares = 8
market_sessions = 660
models = ["linear"]
audit = false
train_steps = 30
"""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Job]]:
    folder = tmp_path_factory.mktemp("chain")
    (folder / "awesome.toml").write_text(SETTINGS)
    runs = [awesome(folder, "run", "--formatter", name, "--output", name) for name in FORMATTERS]
    assert [run.code for run in runs] == [0] * len(runs), "".join(run.out + run.err for run in runs)
    return folder, runs


def answered(folder: Path) -> tuple[Try, Trial]:
    """A run's predictions alone, made a try as the benchmark makes one."""
    rows = pd.read_parquet(folder / "predictions.parquet")
    days = rows["time"].dt.strftime("%Y%m%d").astype(int).to_numpy()
    blocks = DayBlocks(days, horizon=1, seed=0)
    labels, probability = rows["label"].to_numpy(), rows["linear"].to_numpy()
    one = Try(GOOD, labels, probability, 0, blocks, day_influence(labels, probability, blocks.index))
    return one, replace(one.trial, days=tuple(int(day) for day in blocks.unique))


def test_predictions_alone_give_the_same_aucs_errors_and_hurdles(chain: tuple[Path, list[Job]]) -> None:
    folder, runs = chain
    database = folder / runs[0].report(FORMATTERS[0])["data"]["database"]
    recorded = read_record(record_path(database)).trials
    assert len(recorded) == len(FORMATTERS)
    before: list[Trial] = []
    for name, run, kept in zip(FORMATTERS, runs, recorded, strict=True):
        one, trial = answered(folder / name)
        [model] = kept.models
        assert kept.days == trial.days
        assert model.auc == pytest.approx(0.5 + one.influence.sum(), abs=1e-9)
        assert normal_scale(model.auc, model.error, one.blocks.degrees) == pytest.approx(one.errors(), abs=1e-9)
        assert one.quick == pytest.approx(one.errors(), abs=0.05)
        found = hurdle(Record(True, tuple(before)), trial)
        assert model.needed == pytest.approx(found.needed, abs=1e-9)
        assert model.blessed == (one.errors() > found.needed)
        said = run.report(name)["tries"]["hurdle"]
        assert (said["runs"], said["tries"], said["epoch"]) == (len(before), len(before), found.epoch)
        assert [said["needed"], said["independent"]] == pytest.approx([found.needed, found.independent], abs=1e-9)
        before.append(trial)
    assert recorded[0].models[0].needed == pytest.approx(errors(0.025))
    assert recorded[-1].models[0].needed >= allowance(1)[1]


def test_a_run_from_the_cache_is_no_new_try(chain: tuple[Path, list[Job]]) -> None:
    folder, runs = chain
    record = record_path(folder / runs[0].report(FORMATTERS[0])["data"]["database"])
    before = record.read_bytes()
    again = awesome(folder, "run", "--formatter", FORMATTERS[0], "--output", "again")
    assert again.code == 0
    assert "Evidence" in again.report("again")["cached"]
    assert record.read_bytes() == before


def test_a_later_run_says_after_how_many_it_was_judged(chain: tuple[Path, list[Job]]) -> None:
    _, runs = chain
    reasons = [run.report(name)["models"]["linear"]["reason"] for name, run in zip(FORMATTERS, runs, strict=True)]
    aucs = [run.report(name)["models"]["linear"]["auc"] for name, run in zip(FORMATTERS, runs, strict=True)]
    assert "earlier run" not in reasons[0]
    for number, (reason, auc) in enumerate(zip(reasons, aucs, strict=True)):
        if number and auc > 0.5:
            assert f"after {number} earlier run{'s' if number > 1 else ''} on these test days" in reason
    assert np.isfinite(aucs).all()
