"""The backtest of a finished run: traded from its predictions, and left as the files backtest.html and .json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE, Backtest, BacktestError
from components.evidence.findings import PREDICTIONS_FILE
from components.records import to_json
from pipeline.report.backtest import default_model, render_backtest, trade, traded_models
from pipeline.report.backtest_summary import judge
from pipeline.runs.results import REPORT_JSON, ReportError, RunReport, write_text

if TYPE_CHECKING:
    import pandas as pd

BACKTEST_HTML = "backtest.html"
BACKTEST_JSON = "backtest.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class BacktestFile:
    """The content of backtest.json.

    Attributes:
        run: when the run ended, as in its report.json.
        model: the model that the verdict is about.
        verdict: the sentence.
        backtest: the figures.
        schema_version: layout of the file.
    """

    run: str
    model: str
    verdict: str
    backtest: Backtest
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class RunBacktest:
    """The backtest of a run.

    Attributes:
        report: the run.
        folder: of the run.
        model: the model that the chart and the verdict are about.
        result: the figures of all models and baselines.
    """

    report: RunReport
    folder: Path
    model: str
    result: Backtest


def backtest_run(
    run: Path, model: str | None = None, costs: float = DEFAULT_COSTS, quantile: float = DEFAULT_QUANTILE
) -> RunBacktest:
    """Trades the predictions of a finished run.

    Args:
        run: the run's folder, or its report.json.
        model: the model or baseline to look at; None for the champion, or where there is none the first model.
        costs: basis points of what is traded.
        quantile: share of a day's shares on each side.

    Returns:
        The backtest.

    Raises:
        ReportError: there is no run, or its predictions are missing.
        BacktestError: the model is not one of the run's, or the predictions cannot be traded.
    """
    run = Path(run)
    report = RunReport.from_json(run)
    folder = run if run.is_dir() else run.parent
    predictions = _read_predictions(folder)
    traded = traded_models(report, predictions)
    if model is not None and model not in traded:
        raise BacktestError(f"{run} has no model {model!r}; it has {', '.join(traded) or 'none'}")
    return RunBacktest(
        report=report,
        folder=folder,
        model=model or default_model(report),
        result=trade(report, predictions, costs, quantile),
    )


def write_backtest(made: RunBacktest) -> Path:
    """Writes backtest.json and backtest.html into the run's folder, each whole or not at all.

    Args:
        made: the backtest.

    Returns:
        The page.

    Raises:
        ReportError: a file cannot be written.
    """
    page = render_backtest(made.report, made.result, made.model)
    verdict = judge(made.report, made.result, made.model)
    content = BacktestFile(made.report.created, made.model, verdict.sentence, made.result)
    write_text(made.folder / BACKTEST_JSON, to_json(content, indent=1) + "\n")
    write_text(made.folder / BACKTEST_HTML, page)
    return made.folder / BACKTEST_HTML


def _read_predictions(folder: Path) -> pd.DataFrame:
    import pandas as pd

    path = folder / PREDICTIONS_FILE
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise ReportError(
            f"{path}: the predictions are not beside {REPORT_JSON}. Run `awesome run` again to have them."
        ) from None
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ReportError(f"{path}: cannot be read ({reason}). Run `awesome run` again to write it anew.") from None
