"""The record of tries on a cluster: from a bucket with the database, and back to it with the models of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import judged_runs
import pytest
import requests
from moto.server import ThreadedMotoServer

from awesome_kubeflow import database_pull, run_report
from awesome_kubeflow.parameters import INPUT_TYPES
from awesome_kubeflow.run_report import CompiledRun
from components.object_storage import CodeVersion, Storage, StorageSettings, list_models, push_database, push_tries
from components.object_storage.tries import stored_tries
from components.synthetic_market import generate, write_market
from components.trials.record import Record, Trial, append, begun_with, read_record, record_path
from pipeline.runs.folder import save_report
from pipeline.runs.results import DataSummary

URL = "s3://prices/awesome"
HTML = {"name": "html", "uri": "file://page.html"}
EXECUTOR_INPUT = json.dumps({"outputs": {"outputFile": "outputs.json", "artifacts": {"html": {"artifacts": [HTML]}}}})


@pytest.fixture
def bucket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageSettings]:
    """An empty bucket of an S3 server on this machine, which the pods' environment names."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://127.0.0.1:{1}".format(*server.get_host_and_port())
    requests.put(f"{endpoint}/prices").raise_for_status()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWESOME_STORAGE_URL": URL,
        "AWESOME_S3_ENDPOINT": endpoint,
        "AWESOME_NODE_METADATA_SQLITE": str(folder / "metadata.db"),
    }.items():
        monkeypatch.setenv(name, value)
    yield StorageSettings(s3_endpoint=endpoint)
    server.stop()


def made_trial(number: int, day: int) -> Trial:
    return Trial(f"{number:016x}", f"2026-01-02T03:04:{number:02d}Z", "run", {}, 1, "r", (day,), ())


def write_run(folder: Path, database: Path) -> None:
    """What the nodes of a run and a first try of its last pod have left on the volume."""
    saved = folder / "model" / "Format-Serving"
    saved.mkdir(parents=True)
    (saved / "saved_model.pb").write_bytes(b"graph")
    (folder / "report.html").write_text("<!DOCTYPE html>")
    data = DataSummary(3, 60, "d" * 64, "2000-01-03", "2000-03-24", ("A",), str(database))
    models = {"linear": judged_runs.model(0.51, model_uri=str(folder / "model"))}
    save_report(judged_runs.report(models, data=data), folder / "report.json")


def test_a_runs_pods_bring_the_record_and_push_it_back_with_the_models(folder: Path, bucket: StorageSettings) -> None:
    elsewhere, volume = folder / "awesome.db", folder / "volume" / "awesome.db"
    with begun_with(elsewhere):
        write_market(generate("null", shares=3, sessions=60), elsewhere)
    before, own = made_trial(1, 20110103), made_trial(2, 20120103)
    append(record_path(elsewhere), [before])
    with Storage.at(URL, bucket) as storage:
        push_tries(storage, elsewhere)
        push_database(storage, elsewhere, CodeVersion("0.1.0", "0123456789abcdef"))

    assert database_pull.main(["--database", str(volume), "--executor-input", EXECUTOR_INPUT]) == 0
    assert read_record(record_path(volume)) == Record(True, (before,))

    append(record_path(volume), [own])  # as the node Evidence does
    write_run(folder / "volume" / "runs" / "first", volume)
    compiled = CompiledRun("p", (), ("linear",), {}, "window_returns", 1, str(folder / "volume" / "runs"))
    parameters = [part for name in INPUT_TYPES for part in (f"--{name.replace('_', '-')}", "")]
    command = ["--run-id", "first", *parameters, "--compiled", compiled.to_json(), "--executor-input", EXECUTOR_INPUT]
    for _ in range(2):  # the pod may be tried again
        assert run_report.main(command) == 0
        with Storage.at(URL, bucket) as storage:
            assert stored_tries(storage, "awesome.db").record == Record(True, (before, own))
            [model] = list_models(storage).models
        assert (model.facts.tries, model.facts.tries_complete, model.facts.database) == (2, True, "awesome.db")
        assert "trials.jsonl" in [file.path for file in model.files]
