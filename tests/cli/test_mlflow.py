"""`awesome mlflow` and `awesome run --mlflow`: what a real server of MLflow's holds afterwards, and what one that fails
does not hinder.
"""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import judged_runs
import pytest

from components.evidence.interval import Interval
from models.card import CARD_FILE, EXTRA_FOLDER, ModelCard
from pipeline.runs.folder import FinishedRun, save_report

Awesome = Callable[..., Any]
NAN = math.nan
LINEAR = judged_runs.model(
    0.512,
    scores={"auc": Interval(0.512, 0.502, 0.522, 0.005), "ic": Interval(0.01, NAN, NAN, NAN)},
    differences={"logistic regression": {"auc": Interval(0.002, -0.003, 0.007, 0.0025)}},
)


def finished(folder: Path) -> FinishedRun:
    """A run's folder with one model, as far as what is logged of it goes."""
    model = folder / "tfx" / "prices-window_returns-h1" / "Trainer.linear" / "model" / "7"
    saved = model / "Format-Serving"
    (saved / EXTRA_FOLDER).mkdir(parents=True)
    (saved / "saved_model.pb").write_bytes(b"graph")
    card = ModelCard("linear", 1, "window_returns", 1, 0, 100, "c0de", hyperparameters={"epochs": 9})
    (saved / EXTRA_FOLDER / CARD_FILE).write_text(card.to_json())
    report = judged_runs.report(
        {"linear": replace(LINEAR, model_uri=str(model))},
        baselines={"logistic regression": {"auc": Interval(0.51, 0.5, 0.52, 0.005)}},
        artifacts={"examples": str(folder / "tfx/prices-window_returns-h1/FeatureExampleGen/examples/3")},
        settings={"formatter": "window_returns", "horizon": 1, "seed": 0, "shares": "A" * 2000, "market": None},
    )
    run = FinishedRun(folder / "runs" / "2024-05-06T07-08-09", report)
    run.folder.mkdir(parents=True)
    save_report(report, run.folder / "report.json")
    (run.folder / "report.html").write_text("<p>page</p>")
    return run


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLflow's own server with a database and artifacts of its own; its address."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", uri.rpartition(":")[2]]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--workers", "1"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.5)
        yield uri
    finally:
        os.killpg(process.pid, 15)
        process.wait()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_run_is_read_back_from_a_server_as_it_was_and_stands_there_once(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    from pipeline.uses.tracking import TrackingError, log_run

    run = finished(tmp_path)
    before = dict(os.environ)
    assert log_run(run, server) == (f"Logged as 2024-05-06T07-08-09 in experiment prices-window_returns-h1 of {server}")
    assert log_run(run, server).endswith("already")
    assert dict(os.environ) == before

    client = MlflowClient(tracking_uri=server)
    experiment = client.get_experiment_by_name("prices-window_returns-h1")
    assert experiment is not None
    [held] = client.search_runs([experiment.experiment_id])
    assert held.info.status == "FINISHED"
    linear = {"auc": 0.512, "auc_low": 0.502, "auc_high": 0.522, "ic": 0.01}
    less = {"auc_less_logistic_regression": 0.002}
    less |= {"auc_less_logistic_regression_low": -0.003, "auc_less_logistic_regression_high": 0.007}
    baseline = {"auc": 0.51, "auc_low": 0.5, "auc_high": 0.52}
    assert held.data.metrics == {
        **{f"linear/{name}": value for name, value in (linear | less).items()},  # what is no number is left out
        **{f"logistic regression/{name}": value for name, value in baseline.items()},
    }
    params = held.data.params
    assert (params["linear/epochs"], params["linear/learning_rate"], params["formatter"]) == (
        "9", "0.01", "window_returns",
    )  # fmt: skip
    assert params["shares"] == "A" * 500
    assert params["split/test"] == "2010-01-04 to 2014-10-01, 5950 rows"
    assert "market" not in params
    assert held.data.tags["champion"] == "none"
    assert held.data.tags["linear.blessed"].startswith("no: AUC 0.5020 may be chance")
    got = Path(client.download_artifacts(held.info.run_id, "", str(tmp_path)))
    files = {str(path.relative_to(got)): path.read_bytes() for path in got.rglob("*") if path.is_file()}
    assert files["report.html"] == b"<p>page</p>"
    assert files["report.json"] == (run.folder / "report.json").read_bytes()
    assert files["model/linear/saved_model.pb"] == b"graph"
    assert f"model/linear/{EXTRA_FOLDER}/{CARD_FILE}" in files

    # What goes wrong on the way leaves no run that looks whole, and the next try is a new one.
    other = FinishedRun(run.folder, replace(run.report, created="2024-05-07T07:08:09Z"))
    (run.folder / "report.html").rename(tmp_path / "away.html")
    with pytest.raises(TrackingError, match=r"report\.html"):
        log_run(other, server)
    (tmp_path / "away.html").rename(run.folder / "report.html")
    assert log_run(other, server).startswith("Logged as")
    states = [one.info.status for one in client.search_runs([experiment.experiment_id])]
    assert sorted(states) == ["FAILED", "FINISHED", "FINISHED"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_server_that_is_away_or_none_is_one_line(tmp_path: Path) -> None:
    import http.server
    import threading

    from pipeline.uses.tracking import TrackingError, log_run

    run = finished(tmp_path)
    away = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(TrackingError, match=f"MLflow at {away} does not answer"):
        log_run(run, away)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as none:
        none.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[assignment]
        threading.Thread(target=none.serve_forever, daemon=True).start()
        with pytest.raises(TrackingError, match="refuses it") as refused:
            log_run(run, f"http://127.0.0.1:{none.server_address[1]}")
        none.shutdown()
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_client_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.uses.tracking import TrackingError, log_run

    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(TrackingError, match=r"MLflow's client is not installed: pip install '\.\[mlflow\]'"):
        log_run(finished(tmp_path), "http://127.0.0.1:1")


def test_what_fails_behind_a_run_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """The run itself is made up here: it is over before anything is logged."""
    import pipeline.cli.jobs
    import pipeline.job.run
    import pipeline.report.summary

    run = finished(folder)
    monkeypatch.setattr(pipeline.job.run, "run", lambda *_: (run.report, run.folder))
    monkeypatch.setattr(pipeline.report.summary, "print_summary", lambda *_: None)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    monkeypatch.setattr(sys, "argv", ["awesome", "run", "--mlflow", "http://127.0.0.1:1"])
    with pytest.raises(SystemExit) as stop:
        pipeline.cli.main()
    printed = capsys.readouterr()
    assert stop.value.code == 0
    [line] = printed.err.splitlines()
    assert line.startswith("warning: not logged: MLflow's client is not installed: ")
    assert line.endswith(f"; later: awesome mlflow {run.folder} --mlflow http://127.0.0.1:1")
    assert "The report: " in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mlflow",), "name the server's address, such as http://127.0.0.1:5000"),
        (("mlflow", "--mlflow", "sqlite:///x.db"), "mlflow (from --mlflow): is not an address such as http"),
        (("mlflow", "--mlflow", "http://me:secret@host"), "mlflow (from --mlflow): holds a user or password"),
        (("mlflow", "none", "--mlflow", "http://127.0.0.1:1"), "there is no report here"),
        (("run", "--mlflow", "host:5000"), "mlflow (from --mlflow): is not an address such as http"),
    ],
)
def test_a_mistake_is_one_line(awesome: Awesome, arguments: tuple[str, ...], message: str) -> None:
    assert message in awesome(*arguments).refusal
