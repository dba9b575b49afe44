"""The whole pipeline on a real Flink with two TaskManagers, one of which is killed on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flink_runs import Runs

from benchmarks.local_flink import LocalFlink

pytestmark = [pytest.mark.slow, pytest.mark.host]


def artifact(folder: Path, step: str, output: str) -> Path:
    return max(folder.glob(f"runs/tfx/*/{step}/{output}/*"), key=lambda path: int(path.name))


def rows(folder: Path, split: str) -> list[bytes]:
    import tensorflow as tf

    files = sorted(
        str(path) for path in (artifact(folder, "FeatureExampleGen", "examples") / f"Split-{split}").iterdir()
    )
    records = [record.numpy() for record in tf.data.TFRecordDataset(files)]
    return sorted(tf.train.Example.FromString(one).SerializeToString(deterministic=True) for one in records)


def statistics(folder: Path) -> dict[str, tuple[int, float, float]]:
    import tensorflow_data_validation as tfdv

    [path] = (artifact(folder, "StatisticsGen", "statistics") / "Split-train").iterdir()
    [dataset] = tfdv.load_stats_binary(str(path)).datasets
    numeric = [one for one in dataset.features if one.HasField("num_stats")]
    return {
        one.path.step[0]: (one.num_stats.common_stats.num_non_missing, one.num_stats.mean, one.num_stats.std_dev)
        for one in numeric
    }


def transformed(folder: Path) -> dict[str, Any]:
    """What the transform graph makes of five rows."""
    import tensorflow as tf
    import tensorflow_transform as tft

    from models.data import raw_feature_spec
    from models.formatters import get_formatter
    from models.transform_graph import TransformGraph

    formatter = get_formatter("window_returns")
    graph = TransformGraph(tft.TFTransformOutput(str(artifact(folder, "Transform", "transform_graph"))), formatter)
    generator = np.random.default_rng(0)
    raw = {
        name: tf.fill((5, *one.shape), b"S0")
        if one.dtype == tf.string
        else tf.cast(generator.uniform(50, 60, (5, *one.shape)), one.dtype)
        for name, one in raw_feature_spec(formatter).items()
    }
    return {name: tensor.numpy() for name, tensor in graph(raw).items()}


def evaluated(folder: Path) -> dict[str, float]:
    import tensorflow_model_analysis as tfma

    path = next(folder.glob("runs/tfx/*/Evaluator*/evaluation/*"))
    [[_, found]] = tfma.load_eval_result(str(path)).slicing_metrics[:1]
    return {
        name: value["doubleValue"]
        for outputs in found.values()
        for subkeys in outputs.values()
        for name, value in subkeys.items()
        if "doubleValue" in value
    }


@pytest.mark.timeout(1500)
def test_examples_are_the_same_rows(runs: Runs) -> None:
    assert runs.again[0] == 0, runs.again
    for split in ("train", "eval", "test"):
        found = rows(runs.engine, split)
        assert found
        assert found == rows(runs.memory, split)


def test_statistics_agree(runs: Runs) -> None:
    expected = statistics(runs.memory)
    found = statistics(runs.engine)
    assert expected
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-6), name


def test_the_transform_graph_agrees(runs: Runs) -> None:
    expected = transformed(runs.memory)
    found = transformed(runs.engine)
    assert expected
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_metrics_and_what_is_reported_agree(runs: Runs) -> None:
    expected, found = evaluated(runs.memory), evaluated(runs.engine)
    assert {"auc", "example_count"} <= expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-3, nan_ok=True), name
    reports = [json.loads((folder / "out" / "report.json").read_text()) for folder in (runs.memory, runs.engine)]
    aucs = [report["models"]["linear"]["auc"] for report in reports]
    assert aucs[1] == pytest.approx(aucs[0], abs=1e-3)


def test_a_killed_task_manager_is_one_line_and_the_next_run_takes_up(runs: Runs) -> None:
    code, _, err = runs.killed
    [line] = err.splitlines()
    assert code == 1
    assert line.startswith("awesome: StatisticsGen: ")
    assert line.endswith("; the next run takes up from the finished steps")
    [step] = [one for one in runs.again[1].splitlines() if " FeatureExampleGen " in one]
    assert "from the cache" in step


def test_a_pool_that_starts_no_worker_is_told_in_time(flink: LocalFlink, runs: Runs, tmp_path: Path) -> None:
    from components.errors import EngineError
    from pipeline.engine import Engine
    from pipeline.job.engine_check import check_engine

    # Somebody listens there, and starts no worker: the job server.
    silent = Engine(
        "flink", flink.master, job_endpoint=flink.job_endpoint, workers=flink.job_endpoint, start_seconds=25
    )
    with pytest.raises(EngineError, match=r"beam_workers: .*(UNIMPLEMENTED|no worker started within 25 s)"):
        check_engine(silent, tmp_path)
    assert list(tmp_path.iterdir()) == []
