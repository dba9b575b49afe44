"""What is done with a finished run: predictions, models in object storage, notebooks."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from executed_notebooks import ExecutedNotebook, execute
from jobs import MARKET, NAMES, SHARES, Job, ask, awesome, last_windows, succeeded

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


# predict


def test_predict_answers_for_every_share_from_the_pushed_model(job: Job, report: Any, database: Path) -> None:
    forecast = json.loads(succeeded(job.folder, "predict", *MARKET, "--json").out)
    windows = last_windows(database)
    expected = ask(Path(report["pushed"]), windows)
    assert {share["share_id"]: share["probability"] for share in forecast["shares"]} == pytest.approx(
        expected, abs=2e-5
    )
    assert {share["share_id"]: share["session"] for share in forecast["shares"]} == {
        share: session for share, (session, _) in windows.items()
    }
    probabilities = [share["probability"] for share in forecast["shares"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(set(probabilities)) == SHARES
    assert forecast["without_twin"] == ""
    champion = report["models"][report["champion"]]
    assert (forecast["model"], forecast["horizon"], forecast["blessed"]) == (report["champion"], 1, True)
    for key in ("auc", "auc_low", "auc_high"):
        assert forecast[key] == pytest.approx(champion[key], abs=1e-9)


def test_predict_prints_a_table_from_a_runs_candidate(job: Job, report: Any, database: Path) -> None:
    out = succeeded(job.folder, "predict", *MARKET, "--model", "rnn", "--run", "out", "--shares", "S003,S001").out
    windows = {share: window for share, window in last_windows(database).items() if share in ("S001", "S003")}
    expected = ask(Path(report["models"]["rnn"]["model_uri"]) / "Format-Serving", windows)
    shown = re.findall(r"^(S\d+) +(\d{4}-\d\d-\d\d) +([\d.]+)", out, re.MULTILINE)
    assert {share: (session, float(value)) for share, session, value in shown} == {
        share: (session, pytest.approx(expected[share], abs=6e-5)) for share, (session, _) in windows.items()
    }
    model = report["models"]["rnn"]
    assert f"rnn: AUC on the test split {model['auc']:.4f} " in out
    assert f"{model['auc_low']:.4f} to {model['auc_high']:.4f}" in out


def test_its_models_go_to_object_storage_and_predict_the_same_elsewhere(
    job: Job, report: Any, database: Path, tmp_path: Path
) -> None:
    storage = str(tmp_path / "storage")
    succeeded(job.folder, "model", "push", storage, "out")
    listed = succeeded(job.folder, "model", "list", storage).out
    for name in NAMES:
        assert f"{report['models'][name]['auc']:.4f}" in listed
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # TensorFlow takes the sign [ for a pattern of several names.
    succeeded(elsewhere, "model", "pull", storage, "--model", "rnn", "--to", "rnn [1]")
    windows = last_windows(database)
    pulled = json.loads(awesome(elsewhere, "predict", "--model", "rnn [1]", "--db", str(database), "--json").out)
    assert {share["share_id"]: share["probability"] for share in pulled["shares"]} == pytest.approx(
        ask(Path(report["models"]["rnn"]["model_uri"]) / "Format-Serving", windows), abs=1e-5
    )  # float32 rounds otherwise for all shares at once than for one
    assert pulled["without_twin"] == ""
    assert (pulled["auc"], pulled["blessed"]) == (report["models"]["rnn"]["auc"], report["models"]["rnn"]["blessed"])
    shutil.rmtree(elsewhere / "rnn [1]" / "saved_model")
    refused = awesome(elsewhere, "predict", "--model", "rnn [1]", "--db", str(database))
    assert (refused.code, "holds no saved_model; pull it again" in refused.err) == (1, True)


# explain


def test_explain_finds_the_latest_return_and_the_page_keeps_all_else(job: Job, report: Any, tmp_path: Path) -> None:
    shutil.copytree(job.folder / "out", tmp_path / "out")
    out = succeeded(job.folder, "explain", str(tmp_path / "out"), "--repeats", "2").out
    found = json.loads((tmp_path / "out" / "explain.json").read_text())
    assert list(found["models"]) == list(NAMES)
    assert found["rows"] == report["splits"]["test"]["rows"]
    for name, model in found["models"].items():
        # Twin and model answer alike to seven digits.
        assert model["auc"] == pytest.approx(report["models"][name]["auc"], abs=1e-4)
        first = model["parts"][0]
        assert first["part"] == {"feature": "returns", "lag": 1}
        assert first["lost"]["low"] > 0
        assert first["attributed"] > 0.7  # after three epochs
        assert f"{name} owes its AUC to returns, lag 1" in " ".join(out.split())
    before, page = ((folder / "out" / "report.html").read_text() for folder in (job.folder, tmp_path))
    assert page.count("<svg") == before.count("<svg") + len(NAMES)


# the notebooks


@pytest.fixture(scope="module")
def executed(job: Job, report: Any) -> dict[str, ExecutedNotebook]:
    return {
        name: execute(name, job.folder / "out") for name in ("data_validation", "model_analysis", "backtest", "ledger")
    }


def test_no_cell_of_a_notebook_warns_and_none_shows_what_lies_elsewhere(executed: dict[str, ExecutedNotebook]) -> None:
    for name, notebook in executed.items():
        assert [output for output in notebook.outputs if output.get("name") == "stderr"] == [], name
        assert {output["output_type"] for output in notebook.outputs} <= {"stream", "execute_result"}, name
        assert "://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", notebook.shown), name


def test_the_ledger_notebook_says_that_there_is_none_yet(executed: dict[str, ExecutedNotebook]) -> None:
    assert "ledger does not exist: the first `awesome daily` with a model begins it" in executed["ledger"].text


def test_the_data_notebook_shows_splits_schema_and_drift(executed: dict[str, ExecutedNotebook], report: Any) -> None:
    notebook = executed["data_validation"]
    for name, split in report["splits"].items():
        cells = (split["first"], split["last"], split["sessions"], split["rows"], split["purged"], split["unlabelled"])
        assert " ".join(map(str, (name, *cells))) in notebook.text
    assert "TFDV's interactive view loads scripts from the internet" in notebook.text
    assert "feature anomaly split train none eval none test none" in notebook.text
    # The window has 21 closes, and a share's mean label is what the predictions' is.
    assert re.search(r"closes float every row 21 1e-12 to 1e\+12", notebook.text)
    drift = dict(re.findall(r" (time|closes|label_1) [\d.]+ ([\d.]+)", notebook.text.partition("train to eval")[2]))
    assert float(drift["time"]) == pytest.approx(1, abs=0.01)
    assert float(drift["label_1"]) < 0.01
    [seen] = re.findall(r"KS train to test feature returns [-\d. ]*? ([\d.]+) log_volatility", notebook.text)
    assert float(seen) < 0.05
    # A market of one kind of shares, all there from the first day.
    assert "category share 0.0000 0.0000 0.0000" in notebook.text
    for title in ("The splits", "Raw features by split", "What the models saw by split (window_returns)"):
        assert title in notebook.text
    assert notebook.shown.count("<svg ") == 3


def test_the_models_notebook_shows_what_the_report_says(
    executed: dict[str, ExecutedNotebook], report: Any, predictions: pd.DataFrame
) -> None:
    notebook = executed["model_analysis"]
    for model in report["models"].values():
        assert f"{model['auc']:.4f} ({model['auc_low']:.4f} to {model['auc_high']:.4f})" in notebook.text
        for year, group in model["by_year"].items():
            assert re.search(rf" {year} {group['auc']:.4f} [\d.]+ [\d.]+ [\d.]+ [\d.]+ {group['rows']} ", notebook.text)
        for share, group in model["by_share"].items():
            assert re.search(rf" {share} {group['auc']:.4f} [\d.]+ [\d.]+ {group['rows']} ", notebook.text)
    for name in ("logistic_regression", "lightgbm", *NAMES):
        assert name in notebook.text
    first = report["models"][report["champion"]]
    for metric in first["metrics"]:
        assert f">{metric}</text>" in notebook.shown, "a panel each"
    rows = [first["rows"], *(group["rows"] for group in first["by_year"].values())]
    for name, count in zip(("all", *first["by_year"]), rows, strict=True):
        assert re.search(rf" {name} {count} [\d.]+ ", notebook.text), "TFMA's slices, the number of rows first"
    for title in (
        f"Every figure of TFMA by slice: {report['champion']}",
        "AUC by year",
        "AUC by share",
        "ROC curves",
        "Calibration",
    ):
        assert f"<strong>{title}</strong>" in notebook.shown
    assert f"{report['champion']} less each other:" in notebook.text


def test_the_backtest_notebook_shows_the_backtest(executed: dict[str, ExecutedNotebook], job: Job, report: Any) -> None:
    from pipeline.report.backtest_summary import judge
    from pipeline.uses.backtest import backtest_run

    notebook = executed["backtest"]
    made = backtest_run(job.folder / "out")
    assert " ".join(judge(made.report, made.result, made.model).sentence.split()) in notebook.text
    for model in made.result.models.values():
        for portfolio in (model.long_short, model.long_only):
            sharpe = portfolio.after_costs.sharpe
            assert f"{sharpe.value:.4f} {sharpe.low:.4f} {sharpe.high:.4f}" in notebook.text
    free = made.result.models[made.model].long_short.before_costs
    assert f"0 {free.annual_return:.4f} {free.sharpe.value:.4f}" in notebook.text
    for title in ("What costs do to", "Month by month"):
        assert title in notebook.shown
    assert notebook.shown.count("<svg ") == 3
