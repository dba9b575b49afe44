"""A search in the folder of the first run: what it trains is what the pipeline trains, and it reads no test split."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobs import SESSIONS, SHARES, Job
from rich.console import Console
from sklearn.metrics import log_loss, roc_auc_score

from components.trials.record import read_record, record_path

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

FLAGS = {"models": "linear", "market": "reversal_easy", "market_shares": SHARES, "market_sessions": SESSIONS}


def searched(console: Console | None = None, **flags: Any) -> Any:
    """A search in this process, whose folder is the job's; its report and folder."""
    from pipeline.plan import load_plan
    from pipeline.studies.search.running import search

    return search(load_plan(FLAGS | flags), console or Console(file=io.StringIO(), width=160))


@contextmanager
def gone(folder: Path) -> Iterator[None]:
    """A folder is not where it was meanwhile."""
    away = folder.with_name(f"{folder.name}-away")
    folder.rename(away)
    try:
        yield
    finally:
        away.rename(folder)


@pytest.fixture
def in_folder(job: Job, report: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the first run, as the current one."""
    assert report
    monkeypatch.chdir(job.folder)
    monkeypatch.setenv("COLUMNS", "160")
    return job.folder


def eval_answers(report: Any) -> tuple[Any, Any]:
    """Labels of the eval split, and what the linear model of the first run answers to them."""
    from components.evidence.predictions import split_pattern
    from models.data import load_rows, record_batches
    from models.formatters import get_formatter

    import tensorflow as tf  # isort: skip

    examples = report["artifacts"]["examples"]
    rows = load_rows(split_pattern(examples, "eval"), 1, get_formatter("window_returns"))
    folder = Path(report["models"]["linear"]["model_uri"]) / "Format-Serving"
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    batches = record_batches(split_pattern(examples, "eval"))
    return rows, np.concatenate([signature(batch)["probability"].numpy()[:, 0] for batch in batches])


def test_the_first_trial_is_the_model_of_the_pipeline_and_the_test_split_is_not_read(
    in_folder: Path, report: Any, database: Path
) -> None:
    before = len(read_record(record_path(database)).trials)
    console = Console(file=io.StringIO(), width=160, record=True)
    with gone(Path(report["artifacts"]["examples"]) / "Split-test"):
        found, folder = searched(console, search_trials=3)
    assert console.export_text().count("from the cache") == 5

    rows, probability = eval_answers(report)
    assert found.trials[0].values == {"category_l2": 0.003}
    assert found.trials[0].figure.value == pytest.approx(roc_auc_score(rows.label, probability), abs=1e-6)
    assert (found.rows, found.days) == (len(rows.label), len(np.unique(rows.time)))
    assert (found.first, found.last) == (rows.time.min(), rows.time.max())
    assert found.fixed == {}

    made = [one for one in read_record(record_path(database)).trials if one.kind == "search"]
    assert len(made) == len(read_record(record_path(database)).trials) - before == 3
    test = report["splits"]["test"]
    for one, trial in zip(made, found.trials, strict=True):
        assert set(one.days) == {int(day) for day in np.unique(rows.time)}
        assert max(one.days) < int(test["first"].replace("-", ""))
        assert one.compared_for == tuple(int(test[end].replace("-", "")) for end in ("first", "last"))
        assert one.models[0].auc == pytest.approx(trial.figure.value)
        # What each day added sums up to the AUC: later tries on these days can be told from copies.
        assert one.models[0].influence.values.sum() == pytest.approx(trial.figure.value - 0.5, abs=1e-5)
    assert json.loads((folder / "best.json").read_text())["linear"].keys() <= {"category_l2"}
    assert found.command.startswith(f"awesome run --models linear --hyperparameters {folder}/best.json --market")


def test_a_killed_search_goes_on_and_counts_nothing_twice(
    in_folder: Path, report: Any, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.studies.search import trying
    from pipeline.studies.search.study import Study

    flags = {"search_metric": "loss_above_base_rate"}
    first, folder = searched(search_trials=1, **flags)
    rows, probability = eval_answers(report)
    base = np.full(len(rows.label), rows.label.mean())
    expected = log_loss(rows.label, probability.astype(float)) - log_loss(rows.label, base)
    assert first.trials[0].figure.value == pytest.approx(expected, abs=1e-6)

    told = Study.tell
    monkeypatch.setattr(Study, "tell", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):  # trained and counted, and killed before it was kept
        searched(search_trials=4, **flags)
    monkeypatch.setattr(Study, "tell", told)
    trained = Counter[str]()
    make = trying.Trier.make
    monkeypatch.setattr(
        trying.Trier, "make", lambda self, said, values: (trained.update([said]), make(self, said, values))[1]
    )
    second, again = searched(search_trials=4, **flags)
    assert again == folder
    assert list(trained) == ["trial 2/4", "trial 3/4", "trial 4/4"]
    assert second.trials[0] == first.trials[0]
    third, _ = searched(search_trials=4, **flags)
    assert third.trials == second.trials
    assert len(trained) == 3

    answers = [one.models[0].answers for one in read_record(record_path(database)).trials if one.kind == "search"]
    assert len(answers) == len(set(answers))


OWN = """
from dataclasses import dataclass

from models.architecture import Architecture, Hyperparameters
from models.search_space import OneOf


@dataclass(frozen=True)
class Mine(Hyperparameters):
    units: int = 4


def build(inputs, hyperparameters):
    import keras

    flat, declared = inputs.flat_input()
    hidden = keras.layers.Dense(hyperparameters.units, activation="relu")(flat)
    return keras.Model(declared, keras.layers.Dense(1)(hidden))


only = {name: OneOf((value,)) for name, value in (("learning_rate", 0.01), ("epochs", 1), ("category_l2", 0.003))}
ARCHITECTURE = Architecture(
    "mine", "mine", {1: build}, 1, Mine(learning_rate=0.01, epochs=1), search={"units": OneOf((2, 4)), **only}
)
"""


def test_a_model_of_ones_own_is_searched_in_what_it_declares(in_folder: Path, database: Path) -> None:
    (in_folder / "mine.py").write_text(OWN)
    found, folder = searched(models="mine", plugins=["mine.py"], search_trials=6, search_seeds=2)
    # There are two things to try: what comes again is not trained again, nor counted.
    assert {one.values["units"] for one in found.trials} == {2, 4}
    assert len({one.figure.value for one in found.trials}) == 2
    mine = [one for one in read_record(record_path(database)).trials if one.asked["models"] == "mine"]
    tried = sorted((re.findall(r"units \d", one.asked["with"])[0], one.asked["seed"]) for one in mine)
    assert tried == [("units 2", "0"), ("units 2", "1"), ("units 4", "0"), ("units 4", "1")]
    for trial in found.trials:
        units = f"units {trial.values['units']}"
        aucs = [one.models[0].auc for one in mine if units in one.asked["with"]]
        assert trial.figure.value == pytest.approx(sum(aucs) / 2)
    assert all(one.asked["parts"].startswith("mine.py (") for one in mine)
    assert "--plugin mine.py" in found.command
    assert json.loads((folder / "best.json").read_text())["mine"]["units"] in (2, 4)
