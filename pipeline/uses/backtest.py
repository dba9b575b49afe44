"""A run's backtest: read from the run's folder, as a section of a page, and as the files backtest.html and .json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE, Backtest, BacktestError, backtest
from components.evidence.findings import PREDICTIONS_FILE
from components.records import to_json
from pipeline.report.backtest_summary import BacktestRow, backtest_rows, basis_points, judge, share_percent
from pipeline.report.summary import Verdict
from pipeline.report.templates import load_template
from pipeline.runs.results import REPORT_JSON, ReportError, RunReport, write_text

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.report.drawing import Chart

BACKTEST_HTML = "backtest.html"
BACKTEST_JSON = "backtest.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class BacktestSection:
    """What a page shows of a backtest.

    Attributes:
        verdict: what it means; where it could not be made, why.
        rows: the table, empty where it could not be made.
        chart: growth and drawdown of the chosen model; None where it could not be made.
        notes: how it was traded, and what is not in the figures, a sentence each.
    """

    verdict: Verdict
    rows: tuple[BacktestRow, ...] = ()
    chart: Chart | None = None
    notes: tuple[str, ...] = ()


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
    traded = _traded(report, predictions)
    if model is not None and model not in traded:
        raise BacktestError(f"{run} has no model {model!r}; it has {', '.join(traded) or 'none'}")
    return RunBacktest(
        report=report,
        folder=folder,
        model=model or _default_model(report),
        result=_trade(report, predictions, costs, quantile),
    )


def backtest_section(report: RunReport, predictions: pd.DataFrame) -> BacktestSection:
    """Makes the section of a run's page; predictions that cannot be traded give a section that says why.

    Args:
        report: the run.
        predictions: the test split's, as in `components.backtest.read_panel`.

    Returns:
        The section.
    """
    try:
        result = _trade(report, predictions, DEFAULT_COSTS, DEFAULT_QUANTILE)
        return _section(report, result, _default_model(report))
    except BacktestError as error:
        sentence = str(error)
        return BacktestSection(Verdict("plain", "No backtest", f"{sentence[:1].upper()}{sentence[1:]}."))


def write_backtest(made: RunBacktest) -> Path:
    """Writes backtest.json and backtest.html into the run's folder, each whole or not at all.

    Args:
        made: the backtest.

    Returns:
        The page.

    Raises:
        ReportError: a file cannot be written.
    """
    section = _section(made.report, made.result, made.model)
    page = load_template(Path(__file__).parents[1] / "report" / "backtest.html.j2").render(
        backtest=section,
        report=made.report,
        result=made.result,
        model=made.model,
        costs=basis_points(made.result.costs),
        standalone=True,
    )
    content = BacktestFile(made.report.created, made.model, section.verdict.sentence, made.result)
    write_text(made.folder / BACKTEST_JSON, to_json(content, indent=1) + "\n")
    write_text(made.folder / BACKTEST_HTML, page)
    return made.folder / BACKTEST_HTML


def _default_model(report: RunReport) -> str:
    if not report.models:
        raise BacktestError("the run has no model to trade by: run `awesome run` again")
    # Not the one that gained most: that would be a choice made by the test split.
    if report.champion is not None and report.champion in report.models:
        return report.champion
    return next(iter(report.models))


def _traded(report: RunReport, predictions: pd.DataFrame) -> list[str]:
    """The run's models, and the baselines beside them; reports of older runs have none."""
    return [*report.models, *(name for name in report.baselines if name in predictions.columns)]


def _trade(report: RunReport, predictions: pd.DataFrame, costs: float, quantile: float) -> Backtest:
    horizon = report.settings.get("horizon", 1)
    if not isinstance(horizon, int):
        raise BacktestError(f"the run's horizon is {horizon!r}, not a number of sessions: run `awesome run` again")
    return backtest(predictions, _traded(report, predictions), horizon=horizon, costs=costs, quantile=quantile)


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


def _section(report: RunReport, result: Backtest, model: str) -> BacktestSection:
    from pipeline.report.backtest_chart import growth_chart

    return BacktestSection(
        verdict=judge(report, result, model),
        rows=backtest_rows(result),
        chart=growth_chart(result, model),
        notes=_notes(report, result),
    )


def _notes(report: RunReport, result: Backtest) -> tuple[str, ...]:
    sessions = "the next session" if result.horizon == 1 else f"{result.horizon} sessions, in as many overlapping parts"
    share = share_percent(result.quantile)
    notes = [
        f"At each day's close the {result.shares} shares are ranked by their probability. Long-short buys the highest "
        f"{share} with all of the capital and sells as much of the lowest {share} short; long-only buys the highest "
        f"alone; at least one share a side. They are held for {sessions}. Ties share their places.",
        f"Costs are {basis_points(result.costs)} of whatever is bought or sold, also of getting back to the weights "
        "after prices have moved them. Turnover is half of that trade, a day.",
        "Equal weight holds all shares alike, is brought back to it every day, and pays the same costs.",
        "Not in the figures: impact on the price, fees for borrowing shares, interest and taxes. A probability is "
        "known only after the close at which it is traded here.",
        "The intervals resample blocks of days. They say nothing about other years, and nothing about how many models, "
        "quantiles and settings were tried before.",
    ]
    test = report.splits.get("test")
    if test is not None and test.unlabelled:
        notes.append(
            f"{test.unlabelled:,} rows without a label (close unchanged, or what follows not yet known) are not "
            "ranked: a share is left out on such a day, which nobody could have known on it."
        )
    unpriced = max(
        portfolio.unpriced for model in result.models.values() for portfolio in (model.long_short, model.long_only)
    )
    if unpriced > 0:
        notes.append(
            f"Up to {share_percent(unpriced)} of what is held has no known return on a day, as its row has no label; "
            "it counts as unchanged."
        )
    return tuple(notes)
