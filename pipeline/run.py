"""The main job: prices in, models trained and judged, a report out. TFX is imported inside, behind the cheap checks."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import StoreError, UserError
from components.feature_example_gen.splits import SPLITS, plan_splits
from components.feature_store import FeatureStore
from pipeline.configuration import (
    check_choices,
    chosen_models,
    database_path,
    metadata_path,
    pipeline_config,
    split_settings,
)
from pipeline.quiet import import_tensorflow, run_log
from pipeline.results import (
    DataSummary,
    GroupScore,
    MarketSummary,
    ModelResult,
    RunReport,
    SplitResult,
)
from pipeline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from pipeline.runner import Step

SHIPPED_PRICES = Path(__file__).resolve().parent.parent / "data" / "prices.csv.gz"
PREDICTIONS_FILE = "predictions.parquet"
LOG_FILE = "run.log"
LATEST = "latest"
"""The link in a workspace to its last finished run."""

# The exported model's probabilities must give the AUC that TFMA's pass over the same model gave.
_AGREEMENT = 1e-3


class OutputError(UserError):
    """A folder cannot be written, or another run works in it."""


@dataclass(frozen=True)
class _Clock:
    """Seconds of the parts of a run that are no pipeline steps, in the order they ended."""

    seconds: dict[str, float]

    @contextlib.contextmanager
    def measured(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin


def run(settings: Settings, console: Console) -> tuple[RunReport, Path]:
    """Does the main job.

    Args:
        settings: all of them.
        console: where progress is shown.

    Returns:
        The report, which is also written, and the run's folder.

    Raises:
        UserError: something the user can mend; nothing of the database was changed.
    """
    check_choices(settings)
    clock = _Clock({})
    check_writable(settings.workspace)
    with workspace_lock(settings.workspace), _output_folder(settings) as folder, run_log(folder / LOG_FILE):
        prepare_prices(settings, console, clock.seconds)
        with clock.measured("imports"), console.status("Loading TensorFlow and TFX"):
            import_tensorflow()
            from pipeline.pipeline import create_pipeline
            from pipeline.runner import run_pipeline, sqlite_metadata
        from pipeline.steps import ConsoleListener

        console.print(f"  [green]✓[/] {'imports':<24} {clock.seconds['imports']:7.1f} s")
        config = pipeline_config(settings)
        metadata_file = metadata_path(settings)
        metadata_file.parent.mkdir(parents=True, exist_ok=True)
        pipeline = create_pipeline(config, sqlite_metadata(str(metadata_file.absolute())))
        with ConsoleListener(console) as listener:
            steps = run_pipeline(pipeline, listener)
        with clock.measured("report"), console.status("Writing the report"):
            report = _report(settings, steps, clock.seconds, folder)
        console.print(f"  [green]✓[/] {'report':<24} {clock.seconds['report']:7.1f} s")
        _point_latest(settings.workspace, folder)
    return report, folder


def _point_latest(workspace: Path, folder: Path) -> None:
    """Lets runs/latest stand for the last finished run."""
    link, partial = workspace / LATEST, workspace / f".{LATEST}"
    partial.unlink(missing_ok=True)
    partial.symlink_to(folder.resolve(), target_is_directory=True)
    partial.replace(link)


@contextlib.contextmanager
def _output_folder(settings: Settings) -> Iterator[Path]:
    """Makes the run's folder; a mistake of the user's takes it away again if it holds nothing or an empty log."""
    folder = settings.output or settings.workspace / datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    # A run that was killed leaves its log: the same command must be able to take up from there.
    if folder.is_dir() and {path.name for path in folder.iterdir()} - {LOG_FILE, f".{PREDICTIONS_FILE}"}:
        raise OutputError(f"--output {folder} is not empty; name a new folder, so that no earlier report is lost")
    made = not folder.exists()
    check_writable(folder)
    try:
        yield folder
    except UserError:
        log = folder / LOG_FILE
        with contextlib.suppress(OSError):
            if log.exists() and not log.stat().st_size:
                log.unlink()
            if made:
                folder.rmdir()
        raise


def check_writable(folder: Path) -> None:
    """Makes a folder where it is missing and writes in it.

    Args:
        folder: of a run, or the workspace.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = "it is a file" if folder.is_file() else error.strerror
        raise OutputError(f"{folder} cannot be written ({why}); name another folder") from None


@contextlib.contextmanager
def workspace_lock(workspace: Path) -> Iterator[None]:
    """One run at a time in a workspace: two would write the same metadata.

    Args:
        workspace: an existing folder.

    Raises:
        OutputError: another run holds it.
    """
    with (workspace / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"another run works in {workspace}; wait for it or name another --workspace") from None
        yield


def prepare_prices(settings: Settings, console: Console, seconds: dict[str, float] | None = None) -> None:
    """Sees to the prices before a run, whatever runs the steps.

    A synthetic market is made; the shipped prices are imported where no database was named and none is there.

    Args:
        settings: all of them.
        console: where progress is shown.
        seconds: takes the time of what was done.

    Raises:
        StoreError: the store is missing, or does not hold what the settings ask for.
        SplitError: its sessions do not suffice for the splits.
    """
    _ensure_prices(settings, console, _Clock({} if seconds is None else seconds))
    _check_store(settings)


def _ensure_prices(settings: Settings, console: Console, clock: _Clock) -> None:
    """Makes the synthetic market, or imports the shipped prices where no database was named and none is there."""
    path = database_path(settings)
    if settings.market is not None:
        from components.synthetic_market import generate, get_scenario, write_market

        scenario = get_scenario(settings.market)
        with clock.measured("market"), console.status(f"Making the market {settings.market}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            market = generate(
                scenario, shares=settings.market_shares, sessions=settings.market_sessions, seed=settings.seed
            )
            write_market(market, path)
        console.print(f"  [green]✓[/] {'market':<24} {clock.seconds['market']:7.1f} s  {path}", soft_wrap=True)
    elif not path.exists():
        if path != Settings.model_fields["db"].default:
            raise StoreError(f"--db {path} does not exist; import prices first: awesome prices import FILE --db {path}")
        from components.feature_store import import_prices

        with clock.measured("prices"), console.status("Importing the shipped prices"):
            # Half of the prices under the database's name would be taken for all of them by the next run.
            partial = path.with_name(f".{path.name}.partial")
            partial.unlink(missing_ok=True)
            imported = import_prices(SHIPPED_PRICES, partial, source="file:prices.csv.gz")
            partial.rename(path)
        console.print(
            f"  [green]✓[/] {'prices':<24} {clock.seconds['prices']:7.1f} s  "
            f"{imported.taken} prices of {len(imported.shares)} shares from {SHIPPED_PRICES.name} into {path}",
            soft_wrap=True,
        )


def _check_store(settings: Settings) -> None:
    """Refuses a store that cannot serve before TensorFlow is loaded."""
    from components.feature_example_gen.config import ExampleGenConfig

    path = database_path(settings)
    with FeatureStore.open(path) as store:
        shares = [s.share_id for s in ExampleGenConfig(str(path), settings.shares).select(store.shares())]
        plan_splits(store.sessions(shares), split_settings(settings))


def _report(settings: Settings, steps: Mapping[str, Step], seconds: dict[str, float], folder: Path) -> RunReport:
    """Gathers what the steps left, and writes the run's folder."""
    from components.evidence.predictions import predict_test_split
    from pipeline.report import write_report

    names = list(chosen_models(settings))
    [examples] = steps["FeatureExampleGen"].outputs["examples"]
    models = {name: steps[f"Trainer.{name}"].outputs["model"][0].uri for name in names}
    predictions = predict_test_split(examples.uri, models, settings.horizon)
    market = _market(settings)
    results = {name: _model_result(name, steps, predictions, market) for name in names}
    [pushed] = steps["Pusher"].outputs["pushed_model"]
    destination = pushed.get_string_custom_property("pushed_destination") or None
    champion = steps["ModelSelector"].outputs["model"][0].get_string_custom_property("champion") or None
    part_seconds = {name: value for name, value in seconds.items() if name != "report"}
    report = RunReport(
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        models=results,
        splits=_splits(examples),
        champion=champion,
        pushed=destination,
        seconds=part_seconds | {name: step.seconds for name, step in steps.items()},
        cached=tuple(name for name, step in steps.items() if step.cached),
        data=_data(examples, settings),
        settings=_plain_settings(settings),
        market=market,
        versions=_versions(),
    )
    partial = folder / f".{PREDICTIONS_FILE}"
    predictions.to_parquet(partial, index=False)
    partial.rename(folder / PREDICTIONS_FILE)
    write_report(report, predictions, {name: _history(steps, name) for name in names}, folder)
    return report


def _market(settings: Settings) -> MarketSummary | None:
    if settings.market is None:
        return None
    from components.synthetic_market import get_scenario

    best = get_scenario(settings.market).best_auc(settings.horizon)
    return MarketSummary(settings.market, float("nan") if best is None else best)


def _model_result(
    name: str, steps: Mapping[str, Step], predictions: pd.DataFrame, market: MarketSummary | None
) -> ModelResult:
    from components.evidence import tfma_metrics
    from components.evidence.evaluations import read_evaluation
    from components.evidence.statistics import auc, auc_by_group, skill

    outputs = steps[f"Evaluator.{name}"].outputs
    evaluation = read_evaluation(outputs["evaluation"][0].uri, outputs["blessing"][0].uri)
    metrics = evaluation.metrics
    label, probability = predictions["label"].to_numpy(), predictions[name].to_numpy()
    area = metrics[tfma_metrics.AUC_EXACT]
    if abs(auc(label, probability) - area) > _AGREEMENT:
        raise RuntimeError(f"{name}: the exported model's AUC on the test split differs from its evaluation's")
    trainer = steps[f"Trainer.{name}"].outputs
    return ModelResult(
        auc=area,
        auc_low=metrics[tfma_metrics.AUC_LOW],
        auc_high=metrics[tfma_metrics.AUC_HIGH],
        auc_standard_error=metrics[tfma_metrics.STANDARD_ERROR],
        accuracy=metrics["accuracy"],
        majority=metrics[tfma_metrics.ACCURACY_BASELINE],
        rank_ic=metrics[tfma_metrics.RANK_IC],
        rank_ic_low=metrics[tfma_metrics.RANK_IC_LOW],
        rank_ic_high=metrics[tfma_metrics.RANK_IC_HIGH],
        blessed=evaluation.blessed,
        reason=evaluation.reason,
        skill=None if market is None else skill(area, market.best_auc),
        rows=len(predictions),
        model_uri=trainer["model"][0].uri,
        model_run_uri=trainer["model_run"][0].uri,
        metrics=dict(sorted(metrics.items())),
        by_year={
            str(year): GroupScore(values[tfma_metrics.AUC_EXACT], int(values["example_count"]))
            for year, values in evaluation.by_year.items()
        },
        by_share={
            str(group.group): GroupScore(group.auc, group.rows)
            for group in auc_by_group(label, probability, predictions["share_id"].to_numpy(str))
        },
    )


def _splits(examples: Any) -> dict[str, SplitResult]:
    def number(split: str, key: str) -> int:
        return int(examples.get_int_custom_property(f"{split}_{key}"))

    def day(split: str, key: str) -> str:
        text = str(number(split, key))
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"

    return {
        split: SplitResult(
            first=day(split, "first"),
            last=day(split, "last"),
            rows=number(split, "rows"),
            purged=number(split, "purged"),
            unlabelled=number(split, "unlabelled"),
            sessions=number(split, "sessions"),
        )
        for split in SPLITS
    }


def _data(examples: Any, settings: Settings) -> DataSummary:
    path = database_path(settings)
    with FeatureStore.open(path) as store:
        shares = settings.shares or tuple(summary.share_id for summary in store.shares())
    return DataSummary(
        shares=examples.get_int_custom_property("shares"),
        sessions=examples.get_int_custom_property("sessions"),
        digest=examples.get_string_custom_property("input_fingerprint"),
        first=examples.get_string_custom_property("first_session"),
        last=examples.get_string_custom_property("last_session"),
        share_ids=shares,
        database=str(path),
    )


def _history(steps: Mapping[str, Step], name: str) -> pd.DataFrame:
    import pandas as pd

    from models.trainer import HISTORY_FILE

    history = pd.read_csv(Path(steps[f"Trainer.{name}"].outputs["model_run"][0].uri) / HISTORY_FILE)
    history["epoch"] += 1  # Keras counts from 0, people from 1
    return history


def _plain_settings(settings: Settings) -> dict[str, str | int | float | bool | None]:
    plain: dict[str, str | int | float | bool | None] = {}
    for name, value in settings:
        if isinstance(value, tuple):
            plain[name] = ",".join(map(str, value))
        elif value is None or isinstance(value, (str, int, float, bool)):
            plain[name] = value
        else:
            plain[name] = str(value)
    return plain


def _versions() -> dict[str, str]:
    packages = ("tfx", "tensorflow", "keras", "awesome")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}
