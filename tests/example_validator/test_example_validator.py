"""The validator behind TFX's launcher, on statistics of examples that are good or spoilt in one way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfx_runs import run_components

from components.errors import AnomalyError
from models.schema import schema_for

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

Columns = dict[str, list[list[Any]]]
SPLITS = ("train", "eval", "test")


def good(rows: int = 60, seed: int = 0) -> Columns:
    """Examples as FeatureExampleGen writes them: a list of values a row, none of a label that is missing."""
    rng = np.random.default_rng(seed)
    days = np.busday_offset("2000-01-03", np.arange(rows)).astype(str)
    ahead = rng.normal(0, 0.02, rows)
    return {
        "share_id": [["AAA"]] * rows,
        "time": [[int(day.replace("-", ""))] for day in days],
        "year": [[int(day[:4])] for day in days],
        "session": [[i] for i in range(rows)],
        "closes": [rng.uniform(50, 60, 21).tolist() for _ in range(rows)],
        "label_1": [[int(value > 0)] for value in ahead],
        "forward_return_1": [[float(value)] for value in ahead],
        # Of the last rows the longer horizon is not known.
        "label_20": [[int(value > 0)] if i < rows - 20 else [] for i, value in enumerate(ahead)],
        "forward_return_20": [[float(value)] if i < rows - 20 else [] for i, value in enumerate(ahead)],
    }


@dataclass(frozen=True)
class Outcome:
    """The steps that ended well, and what the anomalies artifact says of each split (1: good) or what ended the run."""

    ended: list[str]
    blessed: dict[str, int] | None = None
    error: AnomalyError | None = None

    def rows(self) -> list[str]:
        """The rows of the table of anomalies, without its head."""
        assert self.error is not None
        return str(self.error).splitlines()[2:]


Validate = Callable[[dict[str, Columns]], Outcome]


@pytest.fixture
def validate(tmp_path: Path) -> Validate:
    """Runs importer, schema, validator and a step behind it."""
    import pyarrow as pa
    from google.protobuf import text_format
    from tensorflow_data_validation.statistics import stats_impl, stats_options
    from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
    from tfx.dsl.components.common.importer import Importer
    from tfx.types import standard_artifacts

    from components.example_validator.component import StoppingExampleValidator
    from pipeline.job.step import StepListener

    class Recorder(StepListener):
        def __init__(self) -> None:
            self.names: list[str] = []

        def ended(self, step: Any) -> None:
            self.names.append(step.name)

    def run(splits: dict[str, Columns]) -> Outcome:
        schema = schema_for((1, 20), trained=1)
        for split in SPLITS:
            batch = pa.RecordBatch.from_pydict(splits.get(split, good()))
            with np.errstate(invalid="ignore"):  # of an infinite close
                statistics = stats_impl.generate_statistics_in_memory(batch, stats_options.StatsOptions())
            folder = tmp_path / "statistics" / f"Split-{split}"
            folder.mkdir(parents=True)
            (folder / "FeatureStats.pb").write_bytes(statistics.SerializeToString())
        (tmp_path / "schema.pbtxt").write_text(text_format.MessageToString(schema))
        importer = Importer(
            source_uri=str(tmp_path / "statistics"),
            artifact_type=standard_artifacts.ExampleStatistics,
            properties={"split_names": '["train", "eval", "test"]', "span": 0},
        ).with_id("Statistics")
        schema_gen = ImportSchemaGen(schema_file=str(tmp_path / "schema.pbtxt"))
        validator = StoppingExampleValidator(statistics=importer.outputs["result"], schema=schema_gen.outputs["schema"])
        # Any step will do; this one reads nothing that the validator writes, so only the order holds it back.
        follower = ImportSchemaGen(schema_file=str(tmp_path / "schema.pbtxt")).with_id("Follower")
        follower.add_upstream_node(validator)
        recorder = Recorder()
        try:
            steps = run_components(tmp_path, [importer, schema_gen, validator, follower], recorder)
        except AnomalyError as error:
            return Outcome(recorder.names, error=error)
        [anomalies] = steps["StoppingExampleValidator"].outputs["anomalies"]
        return Outcome(recorder.names, anomalies.get_json_value_custom_property("blessed"))

    return run


def test_good_data_passes_and_what_follows_runs(validate: Validate, tmp_path: Path) -> None:
    outcome = validate({"train": good(200, seed=1), "eval": good(80, seed=2), "test": good(90, seed=3)})
    assert outcome.error is None
    assert outcome.ended[2:] == ["StoppingExampleValidator", "Follower"]
    assert outcome.blessed == {"train": 1, "eval": 1, "test": 1}
    assert list((tmp_path / "root" / "Follower").rglob("schema.pbtxt"))


def without(columns: Columns, name: str) -> Columns:
    return {key: values for key, values in columns.items() if key != name}


def with_value(columns: Columns, name: str, row: int, value: list[Any]) -> Columns:
    values = list(columns[name])
    values[row] = value
    return {**columns, name: values}


BELOW, ABOVE = "Unexpectedly (small|low) value", "Unexpectedly (large|high) value"
REST = [50.0] * 20
SPOILT: dict[str, tuple[Columns, str, str]] = {
    "a share without a name": (with_value(good(), "share_id", 5, []), "share_id", "not always present"),
    "no closes at all": (without(good(), "closes"), "closes", "missing|dropped"),
    "a close of zero": (with_value(good(), "closes", 3, [0.0, *REST]), "closes", BELOW),
    "a close that is no number": (with_value(good(), "closes", 3, [float("nan"), *REST]), "closes", "NaN"),
    "an infinite close": (with_value(good(), "closes", 3, [float("inf"), *REST]), "closes", "[Ii]nf"),
    "a window of 20": (with_value(good(), "closes", 3, REST), "closes", "shape"),
    "a label of 2": (with_value(good(), "label_1", 3, [2]), "label_1", ABOVE),
    "an unlabelled row": (with_value(good(), "label_1", 3, []), "label_1", "fraction|shape"),
    "two labels": (with_value(good(), "label_20", 3, [0, 1]), "label_20", "values"),
    "a close ten-millionfold": (with_value(good(), "forward_return_1", 9, [1e7]), "forward_return_1", ABOVE),
    "a day that is none": (with_value(good(), "time", 9, [20000]), "time", BELOW),
    "text where a number belongs": ({**good(), "label_1": [["up"]] * 60}, "label_1", "type"),
    "a column nobody knows": ({**good(), "volume": [[1]] * 60}, "volume", "[Nn]ew column"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_data_that_breaks_the_schema_ends_the_run(case: str, validate: Validate, tmp_path: Path) -> None:
    columns, feature, wrong = SPOILT[case]
    outcome = validate({"eval": columns})
    head, titles = str(outcome.error).splitlines()[:2]
    assert "models/schema.pbtxt" in head
    assert "awesome schema update" in head
    assert titles.split() == ["split", "feature", "what", "is", "wrong"]
    # One row of the table: only this split and this feature are at fault.
    [row] = outcome.rows()
    assert row.split()[:2] == ["eval", feature]
    assert re.search(wrong, row), row
    assert row.index(feature) == titles.index("feature")
    assert sorted(outcome.ended) == ["ImportSchemaGen", "Statistics"]
    assert not (tmp_path / "root" / "Follower").exists()


def test_every_fault_of_every_split_is_told_at_once(validate: Validate) -> None:
    outcome = validate(
        {
            "train": with_value(without(good(), "closes"), "label_1", 3, [2]),
            "test": with_value(good(), "forward_return_20", 3, [float("nan")]),
        }
    )
    rows = [row.split()[:2] for row in outcome.rows()]
    assert rows == [["train", "closes"], ["train", "label_1"], ["test", "forward_return_20"]]
