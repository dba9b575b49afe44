"""The package of examples/: what it adds is there, prices come from its source, and a run is made of its parts."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import exchange_calendars
import pytest
from command_line import COMMAND, clean_environment

FIRST, LAST = "2024-01-02", "2024-03-28"
ORIGIN = "awesome-example 0.1.0 ("
ON_A_MARKET = ("--market", "reversal_easy", "--market-shares", "5", "--market-sessions", "700")


def environment(site: Path, **variables: str) -> dict[str, str]:
    return clean_environment(PYTHONPATH=str(site), COLUMNS="200", **variables)


def awesome(site: Path, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(site, **variables),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
    )


def test_the_lists_say_what_came_from_the_package(site: Path, tmp_path: Path) -> None:
    models, formatters, sources = (awesome(site, tmp_path, one) for one in ("models", "formatters", "sources"))

    assert "\nwide  one wide layer beside a straight way; version 1 (default); from awesome-example 0.1.0\n" in (
        models.stdout
    )
    assert "\nwindow_shape  The 20 log returns" in formatters.stdout
    assert "lies in it.; from awesome-example 0.1.0\n" in formatters.stdout
    assert "\nhouse  Prices of the house; from awesome-example 0.1.0\n" in sources.stdout
    assert models.stderr + formatters.stderr + sources.stderr == ""


@pytest.fixture
def server() -> Iterator[str]:
    """A server of prices: what https://prices.example.org/daily/AAPL would answer. Closes of 100, 101, 102 ..."""
    sessions = exchange_calendars.get_calendar("XNYS").sessions_in_range(FIRST, LAST)
    rows = [
        {"day": str(day.date()), "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 5,
         "factor": 1.0}
        for close, day in enumerate(sessions, 100)
    ]  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.startswith("/prices.example.org/daily/AAPL?")
            body = json.dumps(rows if known else []).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            del args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_prices_come_from_its_source(site: Path, tmp_path: Path, server: str) -> None:
    asked = ("extract", "--source", "house", "--since", FIRST, "--until", LAST)
    done = awesome(site, tmp_path, *asked, "--shares", "AAPL", AWESOME_SOURCES_URL=server)
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(tmp_path / "awesome.db")) as store:
        found = store.execute("SELECT count(*), min(close), max(close) FROM PRICE WHERE share_id = 'AAPL'").fetchall()
    assert found == [(61, 100.0, 160.0)]  # the New York Stock Exchange had 61 sessions in the first quarter of 2024

    unknown = awesome(site, tmp_path, *asked, "--shares", "MSFT", AWESOME_SOURCES_URL=server)
    assert "the server does not know it; check the name" in unknown.stdout + unknown.stderr


@pytest.mark.slow
def test_a_run_is_made_of_its_model_and_formatter(site: Path, tmp_path: Path) -> None:
    done = awesome(site, tmp_path, "run", *ON_A_MARKET, "--models", "wide", "--formatter", "window_shape", "--no-audit")
    assert done.returncode == 0, done.stdout + done.stderr

    report = json.loads((tmp_path / "runs" / "latest" / "report.json").read_text())
    [part] = report["parts"]
    assert part.startswith(ORIGIN)
    assert report["models"]["wide"]["skill"] > 0.3  # that of an answer without knowledge is 0
    assert report["models"]["wide"]["twin"]["reason"] == ""
    assert report["tries"]["tries"][0]["asked"]["parts"] == part
    [card] = tmp_path.glob("runs/tfx/*/Trainer.wide/model/*/*/assets.extra/awesome.json")
    assert json.loads(card.read_text())["parts"] == [part]

    told = ("predict", *ON_A_MARKET, "--formatter", "window_shape", "--model", "wide", "--json")
    predicted = awesome(site, tmp_path, *told)
    assert predicted.returncode == 0, predicted.stderr
    assert len(json.loads(predicted.stdout)["shares"]) == 5


BEAM = ("--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=1")
"""A worker in another process: a new one for each step that uses Beam, and each imports TensorFlow anew."""

BY_NAME = f"""
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from awesome_example.window_shape import PLACE

from models.plugins import take_files

if __name__ == "__main__":
    take_files([Path("answering.py")])
    from models.plugged import answering

    with beam.Pipeline(options=PipelineOptions({[*BEAM]})) as pipeline:
        answers = pipeline | beam.Create(range(8)) | beam.Map(answering.answer, PLACE)
        answers | beam.io.WriteToText("answers")
"""
ANSWERING = """
import os

import numpy as np

from models.registry import ARCHITECTURES


def answer(number, operation):
    place = operation.values(np, np.array([[number, 0, 7]]), None)[0, 0]
    return f"{os.getpid()} {number} {place:.3f} {'wide' in ARCHITECTURES} {ARCHITECTURES.package_of('mine')}"


from models.architecture import Architecture, Hyperparameters

ARCHITECTURE = Architecture("mine", "a model of mine", {1: None}, 1, Hyperparameters())
"""
WHOLE_RUN = f"""
from dataclasses import replace

from rich.console import Console

from pipeline.configuration import pipeline_config
from pipeline.job.prices import prepare_prices
from pipeline.job.quiet import import_tensorflow
from pipeline.plan import load_plan

if __name__ == "__main__":
    plan = load_plan({{
        "market": "reversal_easy", "market_shares": 5, "market_sessions": 700, "models": "wide", "audit": False,
        "formatter": "window_shape", "plugins": ["measuring.py"],
    }})
    plan.workspace.mkdir()
    prepare_prices(plan, Console())
    import_tensorflow()
    from pipeline.job.steps import run_pipeline, sqlite_metadata
    from pipeline.pipeline import create_pipeline

    config = replace(pipeline_config(plan), beam_arguments={(*BEAM, "--requirements_file=/dev/null")})
    plan.metadata.parent.mkdir(parents=True, exist_ok=True)
    steps = run_pipeline(create_pipeline(config, sqlite_metadata(str(plan.metadata.absolute()))))
    print(steps["Evidence"].outputs["evidence"][0].uri)
"""
MEASURING = """
from components.evidence.metric import Metric, mean_of_rows

METRIC = Metric(
    "mean_probability", "mean probability", lambda answers: mean_of_rows(answers, answers.probability),
    higher_is_better=True,
)
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder to start in that has a package `models`, where Python can be told not to look there."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "models").mkdir()
    (folder / "models" / "__init__.py").write_text("raise RuntimeError('mine')")
    return folder


def run_script(site: Path, here: Path, script: str) -> tuple[int, str]:
    """Runs a script that lies elsewhere in a folder; its process id, and what it printed."""
    path = here.with_name("script.py")
    path.write_text(script)
    process = subprocess.Popen(
        [sys.executable, str(path)], env=environment(site, PYTHONSAFEPATH="1"), cwd=here,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    out, _ = process.communicate(timeout=1700)
    assert process.returncode == 0, out[-3000:]
    return process.pid, out


@pytest.mark.slow
def test_workers_of_beam_in_other_processes_find_what_was_pickled_by_name(site: Path, here: Path) -> None:
    (here / "answering.py").write_text(ANSWERING)
    parent, _ = run_script(site, here, BY_NAME)
    lines = [line.split(" ", 1) for path in here.glob("answers-*") for line in path.read_text().splitlines()]
    assert sorted(answer for _, answer in lines) == [f"{n} {n / 7:.3f} True answering.py" for n in range(8)]
    assert str(parent) not in {process for process, _ in lines}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_whole_run_with_workers_of_beam_in_other_processes(site: Path, here: Path) -> None:
    (here / "measuring.py").write_text(MEASURING)
    _, out = run_script(site, here, WHOLE_RUN)
    evidence = json.loads((Path(out.splitlines()[-1]) / "evidence.json").read_text())
    assert 0 < evidence["models"]["wide"]["scores"]["mean_probability"]["value"] < 1
