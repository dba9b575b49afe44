"""A finished run, opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from judged_runs import model, report

from pipeline.runs.folder import FinishedRun, open_run, save_report
from pipeline.runs.results import ReportError

REPORT = report(
    {name: model(0.5, auc_standard_error=0.1) for name in ("linear", "rnn")},
    settings={"formatter": "window_returns", "horizon": 5},
)


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    save_report(REPORT, folder / "report.json")
    return open_run(folder)


def test_a_run_is_opened_by_its_folder_its_report_and_a_link(run: FinishedRun) -> None:
    latest = run.folder.with_name("latest")
    latest.symlink_to(run.folder, target_is_directory=True)
    for path in (run.folder, run.folder / "report.json", latest, latest / "report.json"):
        opened = open_run(path)
        assert opened.folder.resolve() == run.folder
        assert opened.report == REPORT
    assert (run.report.horizon, run.report.formatter) == (5, "window_returns")


@pytest.mark.parametrize("settings", [{}, {"horizon": "5"}, {"horizon": None}])
def test_a_report_without_a_horizon_says_so_when_it_is_asked(settings: dict[str, str | None]) -> None:
    with pytest.raises(ReportError, match=r"the run's horizon is .*, not a number of sessions"):
        _ = replace(REPORT, settings=settings).horizon


def test_models_are_taken_by_name(run: FinishedRun) -> None:
    assert list(run.models()) == ["linear", "rnn"]
    assert list(run.models(["rnn", "linear", "rnn"])) == ["rnn", "linear"]
    with pytest.raises(ReportError, match=r"one has no model 'cnn', 'dnn'; it has linear, rnn$"):
        run.models(["cnn", "linear", "dnn"])
    with pytest.raises(ReportError, match="has no model 'rnn'; it has none"):
        FinishedRun(run.folder, replace(REPORT, models={})).models(["rnn"])
    with pytest.raises(ReportError, match="one has no model; run"):
        FinishedRun(run.folder, replace(REPORT, models={})).models()


def test_what_is_gone_from_the_cache_is_named(run: FinishedRun, tmp_path: Path) -> None:
    (tmp_path / "model" / "Format-Serving").mkdir(parents=True)
    linear = replace(REPORT.models["linear"], model_uri=str(tmp_path / "model"), model_run_uri=str(tmp_path / "log"))
    opened = FinishedRun(run.folder, replace(REPORT, models={"linear": linear}))
    assert opened.saved_model("linear") == tmp_path / "model" / "Format-Serving"
    with pytest.raises(ReportError, match=r"one: the training log of linear at .*/log is gone .* run again"):
        opened.training_log("linear")
    with pytest.raises(ReportError, match=r"the evaluation of linear at \(nowhere\) is gone"):
        opened.evaluation("linear")
    with pytest.raises(ReportError, match=r"the model rnn at \(nowhere\) is gone"):
        run.saved_model("rnn")


def test_predictions_are_read_when_they_are_asked_for(run: FinishedRun) -> None:
    with pytest.raises(ReportError, match=r"predictions\.parquet: the predictions are not beside report\.json"):
        run.predictions()
    path = run.folder / "predictions.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(ReportError, match=r"predictions\.parquet: cannot be read \(") as refused:
        run.predictions()
    assert "\n" not in str(refused.value)
    pd.DataFrame({"linear": [0.5]}).to_parquet(path)
    assert run.predictions().linear.tolist() == [0.5]
