"""A finished run's folder whose models are twins of known weights, with its examples: no TensorFlow, no pipeline."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import judged_runs
import numpy as np
import pandas as pd
import pyarrow as pa
from known_models import STEPS
from twins import dense_record, linear_record, write_twin

from components.synthetic_market import get_scenario
from models.history import HISTORY_FILE
from models.twin.files import TwinRecord
from models.twin.forecasting import Twin, load_twin
from models.twin.proof import Proof
from pipeline.report.page import write_report
from pipeline.runs.folder import save_report
from pipeline.runs.results import RunReport, SplitResult

SHARES = ("AAA", "BBB", "CCC", "ZÜR")


def reversing() -> TwinRecord:
    """A logistic regression that asks for nothing but the latest return, and expects its opposite."""
    record = linear_record()
    weights = np.zeros((21, 1), np.float32)
    weights[STEPS - 1] = -0.5
    arrays = {**record.arrays, "weights/0": weights, "share_embedding/0": np.zeros((3, 1), np.float32)}
    answer = Twin(replace(record, arrays=arrays), "").forecast(
        [share.decode() for share in arrays["example/share_id"].tolist()], arrays["example/closes"]
    )
    return replace(record, arrays={**arrays, "example/probability": answer})


def made_run(
    folder: Path, days: int = 120, records: Mapping[str, TwinRecord] | None = None, page: bool = True
) -> RunReport:
    """Makes runs/latest within a folder: of `linear`, which knows the market, and `dnn`, which does not.

    Without a page nothing is drawn, and an empty file stands in its place.
    """
    if records is None:
        records = {"linear": reversing(), "dnn": dense_record()}
    returns = 0.01 * get_scenario("reversal_easy").simulate(len(SHARES), STEPS + days + 1, np.random.default_rng(0))
    closes = 50 * np.exp(np.cumsum(returns, axis=0))
    last = np.arange(STEPS, STEPS + days)
    sessions = pd.bdate_range("2012-01-02", periods=days)
    rows: dict[str, list[Any]] = {name: [] for name in ("time", "share_id", "closes", "return")}
    for at, day in zip(last, sessions, strict=True):
        for place, share in enumerate(SHARES):
            rows["time"].append(int(day.strftime("%Y%m%d")))
            rows["share_id"].append(share)
            rows["closes"].append(closes[at - np.arange(STEPS + 1), place].astype(np.float32))
            rows["return"].append(float(np.expm1(returns[at + 1, place])))
    labels = [int(one > 0) for one in rows["return"]]
    examples = folder / "tfx" / "examples" / "1"
    write_examples(examples, rows, labels)
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(pd.Series(rows["time"]).astype(str), format="%Y%m%d"),
            "share_id": rows["share_id"],
            "label": labels,
            "forward_return": rows["return"],
            "next_return": rows["return"],
        }
    )
    models, histories = {}, {}
    for name, record in records.items():
        saved = write_twin(record, folder / "tfx" / name / "model" / "Format-Serving")
        twin = load_twin(saved)
        frame[name] = twin.forecast(rows["share_id"], np.array(rows["closes"])).astype(float)
        log = folder / "tfx" / name / "model_run"
        log.mkdir(parents=True)
        histories[name] = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.6], "val_loss": [0.7, 0.65]})
        histories[name].to_csv(log / HISTORY_FILE, index=False)
        models[name] = judged_runs.model(
            0.5,
            rows=len(frame),
            model_uri=str(saved.parent.resolve()),
            model_run_uri=str(log.resolve()),
            twin=Proof(twin.digest, len(frame), 0.0, estimated=0.0),
        )
    report = judged_runs.report(
        models,
        splits={"test": SplitResult("2012-01-02", "2012-06-15", len(frame), 0, 3, days)},
        artifacts={"examples": str(examples.resolve())},
    )
    run = folder / "runs" / "latest"
    if page:
        write_report(report, frame, histories, run)
    else:
        run.mkdir(parents=True)
        (run / "report.html").touch()
        save_report(report, run / "report.json")
    frame.to_parquet(run / "predictions.parquet", index=False)
    return report


def write_examples(folder: Path, rows: Mapping[str, list[Any]], labels: list[int]) -> None:
    """Writes the test split as FeatureExampleGen does: in two files, each by share and then by session."""
    from tfx_bsl.coders import example_coder

    split = folder / "Split-test"
    split.mkdir(parents=True)
    for number, shares in enumerate((SHARES[2:], SHARES[:2])):
        chosen = [at for share in shares for at in range(len(labels)) if rows["share_id"][at] == share]
        batch = pa.RecordBatch.from_pydict(
            {
                "closes": pa.array([rows["closes"][at].tolist() for at in chosen], pa.large_list(pa.float32())),
                "label_1": pa.array([[labels[at]] for at in chosen], pa.large_list(pa.int64())),
                "share_id": pa.array(
                    [[rows["share_id"][at].encode()] for at in chosen], pa.large_list(pa.large_binary())
                ),
                "time": pa.array([[rows["time"][at]] for at in chosen], pa.large_list(pa.int64())),
            }
        )
        encoded = example_coder.RecordBatchToExamplesEncoder(None).encode(batch)
        # A TFRecord: its length, a checksum, the record, a checksum. Nobody checks them here.
        records = [struct.pack("<Q", len(one)) + bytes(4) + one + bytes(4) for one in encoded]
        (split / f"data_tfrecord-{number:05d}").write_bytes(b"".join(records))
