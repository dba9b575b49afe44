"""Logs a finished run to an MLflow tracking server, through MLflow's own client."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import UserError, install_extras
from components.evidence.findings import Figures
from components.masking import masked
from models.card import read_card
from models.errors import UnknownNameError, told
from models.registry import get_architecture
from models.search_space import plain
from pipeline.report.verdict import assess
from pipeline.runs.folder import REPORT_HTML, REPORT_JSON, FinishedRun

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

RUN_TAG = "awesome.run"
"""Says which run of ours one of MLflow's is, so that none is logged twice."""

_ENVIRONMENT = {
    # Read when MLflow is imported: nobody but the named server is told of a run.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Else a server that is away is asked for minutes.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}
_METRICS_AT_ONCE, _PARAMS_AT_ONCE, _LONGEST_PARAM, _LONGEST_TAG = 1000, 100, 500, 5000
"""What every server takes."""

_LONGEST_REASON = 200


class TrackingError(UserError):
    """A run could not be logged; it is complete all the same."""


def log_run(run: FinishedRun, uri: str) -> str:
    """Logs a run: its settings, figures with their intervals, report and models.

    Args:
        run: a finished one.
        uri: of the server; who may write there is what MLflow's own variables say, such as MLFLOW_TRACKING_TOKEN.

    Returns:
        What was done, in words.

    Raises:
        UserError: it could not be logged; what was begun is marked as failed.
    """
    with _client_alone():
        try:
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise TrackingError(f"MLflow's client is not installed: {install_extras('mlflow')}") from None
        try:
            return _log(MlflowClient(tracking_uri=uri, registry_uri=uri), run, uri)
        except UserError:
            raise
        except OSError as error:
            if error.filename is None:  # the server's, and not a file's
                raise TrackingError(f"MLflow at {masked(uri)} {_reason(error)}") from None
            raise TrackingError(f"{error.filename}: cannot be read ({error.strerror})") from None
        except Exception as error:  # whatever a server, a proxy or the client makes of it
            raise TrackingError(f"MLflow at {masked(uri)} {_reason(error)}") from None


@contextlib.contextmanager
def _client_alone() -> Iterator[None]:
    """MLflow's client neither prints nor warns, and gives up soon; what the user has set of it stays."""
    missing = {name: value for name, value in _ENVIRONMENT.items() if name not in os.environ}
    loggers = {name: logging.getLogger(name) for name in ("mlflow", "urllib3")}
    levels = {name: logger.level for name, logger in loggers.items()}
    os.environ.update(missing)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for logger in loggers.values():
                logger.setLevel(logging.CRITICAL)
            yield
    finally:
        for name, logger in loggers.items():
            logger.setLevel(levels[name])
        for name in missing:
            os.environ.pop(name, None)


def _log(client: MlflowClient, run: FinishedRun, uri: str) -> str:
    report = run.report
    identity = f"{report.created} {report.data.digest[:16]}"
    name = _pipeline_of(run)
    experiment = client.get_experiment_by_name(name)
    number = client.create_experiment(name) if experiment is None else experiment.experiment_id
    asked = f"tags.`{RUN_TAG}` = '{identity}' and attributes.status = 'FINISHED'"
    called = run.folder.resolve().name
    where = f"experiment {name} of {masked(uri)}"
    if client.search_runs([number], asked, max_results=1):
        return f"{called} is in {where} already"
    logged = client.create_run(number, run_name=called, tags=_tags(run) | {RUN_TAG: identity})
    run_id = logged.info.run_id
    try:
        _log_values(client, run_id, run)
        for file in (REPORT_HTML, REPORT_JSON):
            client.log_artifact(run_id, str(run.folder / file))
        for model in report.models:
            client.log_artifacts(run_id, str(run.saved_model(model)), f"model/{model}")
        client.set_terminated(run_id, "FINISHED")
    except BaseException:
        with contextlib.suppress(Exception):
            client.set_terminated(run_id, "FAILED")
        raise
    return f"Logged as {called} in {where}"


def _pipeline_of(run: FinishedRun) -> str:
    """What the experiment is called: the pipeline, whose runs may be compared."""
    uri = run.report.artifacts.get("examples", "")
    # PIPELINE/FeatureExampleGen/examples/NUMBER
    return Path(uri).parents[2].name if uri else "awesome"


def _tags(run: FinishedRun) -> dict[str, str]:
    report = run.report
    verdict = assess(report)
    tags = {
        "mlflow.note.content": verdict.sentence,
        "verdict": verdict.label,
        "champion": report.champion or "none",
        "data_digest": report.data.digest,
        "audit": "none" if report.audit is None else report.audit.verdict,
        "market": "none" if report.market is None else report.market.scenario,
        "parts": ", ".join(report.parts) or "none",
    }
    tags |= {
        f"{name}.blessed": f"{'yes' if one.blessed else 'no'}: {one.reason}" for name, one in report.models.items()
    }
    return {name: masked(value)[:_LONGEST_TAG] for name, value in tags.items()}


def _log_values(client: MlflowClient, run_id: str, run: FinishedRun) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(name, value[:_LONGEST_PARAM]) for name, value in _params(run).items() if value]
    metrics = [Metric(name, value, 0, 0) for name, value in _metrics(run).items()]
    for some in _parts(params, _PARAMS_AT_ONCE):
        client.log_batch(run_id, params=some)
    for some in _parts(metrics, _METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=some)


def _parts(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(values)
    while part := list(itertools.islice(rest, size)):
        yield part


def _params(run: FinishedRun) -> dict[str, str]:
    """The settings, and of each model what it was trained with."""
    params = {name: str(value) for name, value in run.report.settings.items() if value is not None}
    for split, one in run.report.splits.items():
        params[f"split/{split}"] = f"{one.first} to {one.last}, {one.rows} rows"
    params |= {f"version/{name}": version for name, version in run.report.versions.items()}
    for name in run.report.models:
        params |= {f"{name}/{one}": plain(value) for one, value in _hyperparameters(run.saved_model(name)).items()}
    return params


def _hyperparameters(saved_model: Path) -> Mapping[str, Any]:
    card = read_card(saved_model)
    try:
        own = get_architecture(card.model).used(card.version, card.hyperparameters)
    except (UnknownNameError, ValueError):  # of a file that is not there any more
        return {"version": card.version, **card.hyperparameters}
    return {"version": card.version, **own}


def _metrics(run: FinishedRun) -> dict[str, float]:
    """Figures of models and baselines with their intervals, and how much a model's are better than each other's."""
    found: dict[str, float] = {}
    for name, model in run.report.models.items():
        _add(found, name, model.scores)
        if model.skill is not None:
            found[f"{name}/skill"] = model.skill
        for other, differences in model.differences.items():
            _add(found, name, differences, f"_less_{other.replace(' ', '_')}")
    for name, figures in run.report.baselines.items():
        _add(found, name, figures)
    # JSON, in which a client speaks to a server, has no word for what is no number.
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _add(found: dict[str, float], name: str, figures: Figures, beside: str = "") -> None:
    for metric, one in figures.items():
        key = f"{name}/{metric}{beside}"
        found |= {key: one.value, f"{key}_low": one.low, f"{key}_high": one.high}


def _reason(error: Exception) -> str:
    """Why a run could not be logged, in a few words."""
    import requests

    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    if any(isinstance(one, (requests.ConnectionError, requests.Timeout)) for one in causes):
        return "does not answer"
    reason = masked(told(error))
    return f"refuses it ({reason[:_LONGEST_REASON]}{'...' if len(reason) > _LONGEST_REASON else ''})"
