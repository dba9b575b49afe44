"""What a run leaves behind, as typed values: report.json read and written.

docs/report.md is the same schema in words. The layout is versioned: a reader refuses a file of another `schema_version`
instead of guessing. Nothing heavier than the standard library is imported here, so an old run can be printed at once.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from components.errors import UserError
from components.evidence.findings import Figures, figures_from_json
from components.leak_audit.results import AuditError, AuditReport

SCHEMA_VERSION = 1
_LATER: dict[str, Any] = {
    "evaluation_uri": "",
    "sources": [],
    "behind": [],
    "scores": {},
    "differences": {},
    "baselines": {},
    "audit": None,
    "artifacts": {},
}
"""Keys that reports of this version may lack, as they came later."""

REPORT_JSON = "report.json"
REPORT_HTML = "report.html"

Scalar = str | int | float | bool | None
"""What a setting may be."""

NAN = float("nan")


class ReportError(UserError):
    """A report is missing, is no report, or is of a layout this version does not read."""


@dataclass(frozen=True)
class GroupScore:
    """The score of a part of the test split (one year, one share).

    Attributes:
        auc: area under the ROC curve; NaN where the part holds one class only.
        rows: labelled rows in the part.
    """

    auc: float
    rows: int


@dataclass(frozen=True)
class ModelResult:
    """How one model did on the test split.

    Attributes:
        auc: area under the ROC curve; 0.5 is a coin.
        auc_low: lower end of the AUC's 95% interval over blocks of days.
        auc_high: upper end of it.
        accuracy: share of rows whose direction was called right at a threshold of 0.5.
        majority: accuracy of always saying the test split's commoner direction.
        rank_ic: mean over days of the rank correlation of probability and forward return.
        rank_ic_low: lower end of its 95% interval over blocks of days.
        rank_ic_high: upper end of it.
        blessed: whether the model passed its thresholds.
        reason: why it was blessed or was not, in words.
        skill: (AUC - 1/2) / (best possible AUC - 1/2); None on a market whose best is not known or is 1/2.
        rows: labelled test rows the figures are from.
        model_uri: the exported model.
        model_run_uri: the training run (TensorBoard logs).
        evaluation_uri: TFMA's evaluation on the test split.
        auc_standard_error: the AUC's standard error over blocks of days, which the blessing is judged by; NaN where it
            was not measured.
        metrics: TFMA's figures under TFMA's names.
        by_year: scores by calendar year, keys such as "2011".
        by_share: scores by share_id.
        scores: the figures of components/evidence/scores.py with their 95% intervals, by metric.
        differences: its figures less those of each other model, each baseline and its `predecessor`, with paired 95%
            intervals, by name and metric.
    """

    auc: float
    auc_low: float
    auc_high: float
    accuracy: float
    majority: float
    rank_ic: float
    rank_ic_low: float
    rank_ic_high: float
    blessed: bool
    reason: str
    skill: float | None = None
    rows: int = 0
    model_uri: str = ""
    model_run_uri: str = ""
    evaluation_uri: str = ""
    auc_standard_error: float = NAN
    metrics: Mapping[str, float] = field(default_factory=dict)
    by_year: Mapping[str, GroupScore] = field(default_factory=dict)
    by_share: Mapping[str, GroupScore] = field(default_factory=dict)
    scores: Figures = field(default_factory=dict)
    differences: Mapping[str, Figures] = field(default_factory=dict)


@dataclass(frozen=True)
class SplitResult:
    """One split as it was cut.

    Attributes:
        first: first session in it, ISO date.
        last: last session in it, ISO date.
        rows: labelled rows.
        purged: rows dropped because their label reaches into the next split.
        unlabelled: rows without a label (close unchanged, or the horizon reaches past the data).
        sessions: sessions from first to last.
    """

    first: str
    last: str
    rows: int
    purged: int
    unlabelled: int
    sessions: int


@dataclass(frozen=True)
class DataSummary:
    """The data a run was made on.

    Attributes:
        shares: number of shares.
        sessions: number of different sessions.
        digest: fingerprint of the feature table.
        first: first session, ISO date.
        last: last session, ISO date.
        share_ids: the shares.
        database: the file the data came from.
        sources: where the prices came from.
        behind: shares whose last session is not the last of all.
    """

    shares: int
    sessions: int
    digest: str
    first: str
    last: str
    share_ids: tuple[str, ...]
    database: str
    sources: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class MarketSummary:
    """The synthetic market behind the data.

    Attributes:
        scenario: its name.
        best_auc: the Bayes classifier's AUC at the run's horizon.
    """

    scenario: str
    best_auc: float


@dataclass(frozen=True)
class RunReport:
    """Everything `awesome run` reports.

    Attributes:
        created: end of the run, ISO 8601 in UTC.
        models: results by model name, in the order they were asked for.
        splits: train, eval and test.
        champion: the best blessed model, or None.
        pushed: where the champion was pushed, or None.
        seconds: wall-clock seconds by step, in the order they ran.
        cached: steps that were served from the cache.
        data: what the run was made on.
        settings: the run's settings; formatter, horizon, seed and models are always there.
        market: the synthetic market, or None on real prices.
        versions: versions of python, tfx, tensorflow, keras and awesome.
        baselines: figures of logistic regression and LightGBM on the same rows and features, by name and metric.
        audit: the leak audit; None where it was left out.
        artifacts: where what the models share lies: examples, statistics, schema, anomalies, transform_graph.
        schema_version: layout of report.json.
    """

    created: str
    models: Mapping[str, ModelResult]
    splits: Mapping[str, SplitResult]
    champion: str | None
    pushed: str | None
    seconds: Mapping[str, float]
    cached: tuple[str, ...]
    data: DataSummary
    settings: Mapping[str, Scalar]
    market: MarketSummary | None
    versions: Mapping[str, str]
    baselines: Mapping[str, Figures] = field(default_factory=dict)
    audit: AuditReport | None = None
    artifacts: Mapping[str, str] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def to_json(self, path: Path) -> None:
        """Writes the report whole or not at all.

        Args:
            path: file to write; its folder must exist.

        Raises:
            ReportError: the file cannot be written.
        """
        text = json.dumps(to_plain(self), indent=2, allow_nan=False, ensure_ascii=False)
        write_text(path, text + "\n")

    @classmethod
    def from_json(cls, path: Path) -> RunReport:
        """Reads a report.

        Args:
            path: a report.json, or the folder of a run that holds one.

        Returns:
            The report; a null where a number belongs comes back as NaN.

        Raises:
            ReportError: the file is missing, is no report, or has another schema_version.
        """
        path = Path(path)
        if path.is_dir():
            path = path / REPORT_JSON
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ReportError(
                f"{path}: there is no report here. Name the folder of a finished run, such as runs/latest."
            ) from None
        except OSError as error:
            raise ReportError(f"{path}: cannot be read ({error.strerror}).") from None
        except (ValueError, RecursionError):
            raise ReportError(f"{path}: is not a report (not JSON). Run `awesome run` again to write one.") from None
        if not isinstance(raw, dict) or "schema_version" not in raw:
            raise ReportError(f"{path}: is not a report (it has no schema_version). Name the report.json of a run.")
        if raw["schema_version"] != SCHEMA_VERSION:
            raise ReportError(
                f"{path}: schema_version is {raw['schema_version']!r}, this version of awesome reads {SCHEMA_VERSION}. "
                "Run `awesome run` again to write it anew."
            )
        try:
            return _report(raw)
        except _LayoutError as error:
            raise ReportError(
                f"{path}: is not a complete report ({error}). Run `awesome run` again to write it anew."
            ) from None


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 file whole or not at all.

    Args:
        path: file to write; its folder must exist.
        text: what to write.

    Raises:
        ReportError: the file cannot be written.
    """
    path = Path(path)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # mkstemp makes files for the owner alone; a report is meant to be shared like any other file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise ReportError(
            f"{path}: cannot be written ({error.strerror}). Choose another folder with --output."
        ) from None


def to_plain(value: Any) -> Any:
    """Dataclasses, mappings and tuples as JSON's types; a number JSON has no word for becomes null."""
    if isinstance(value, AuditReport):
        return value.to_dict()
    if hasattr(value, "__dataclass_fields__"):
        plain = {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, RunReport):  # the version first: a person who opens the file should see it at once
            plain = {"schema_version": plain.pop("schema_version"), **plain}
        return plain
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):  # a numpy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return str(value)


class _LayoutError(Exception):
    """A part of report.json that is missing or of the wrong kind; becomes a ReportError that names the file."""


_T = TypeVar("_T")


def _get(raw: Mapping[str, Any], key: str, kind: type[_T] | tuple[type, ...], where: str) -> Any:
    if key not in raw:
        raise _LayoutError(f"{where}{key} is missing")
    value = raw[key]
    # bool is an int to Python and not to a reader of the schema.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind not in (bool, object)):
        raise _LayoutError(f"{where}{key} holds {type(value).__name__}")
    return value


def _number(raw: Mapping[str, Any], key: str, where: str) -> float:
    value = _get(raw, key, (int, float, type(None)), where)
    return NAN if value is None else float(value)


def _table(raw: Mapping[str, Any], key: str, where: str) -> dict[str, dict[str, Any]]:
    table = _get(raw, key, dict, where)
    for name, item in table.items():
        if not isinstance(item, dict):
            raise _LayoutError(f"{where}{key}.{name} holds {type(item).__name__}")
    return dict(table)


def _groups(raw: Mapping[str, Any], key: str, where: str) -> dict[str, GroupScore]:
    return {
        name: GroupScore(auc=_number(item, "auc", f"{where}{key}.{name}."), rows=_get(item, "rows", int, where))
        for name, item in _table(raw, key, where).items()
    }


def _numbers(raw: Mapping[str, Any], key: str, where: str) -> dict[str, float]:
    table = _get(raw, key, dict, where)
    return {name: _number(table, name, f"{where}{key}.") for name in table}


def _strings(raw: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    items = _get(raw, key, list, where)
    if not all(isinstance(item, str) for item in items):
        raise _LayoutError(f"{where}{key} holds something else than text")
    return tuple(items)


def _figures(raw: Mapping[str, Any], where: str) -> Figures:
    for metric, ends in raw.items():
        if not isinstance(ends, dict):
            raise _LayoutError(f"{where}{metric} holds {type(ends).__name__}")
        for end in ("value", "low", "high", "standard_error"):
            _number(ends, end, f"{where}{metric}.")
    return figures_from_json(raw)


def _model(raw: Mapping[str, Any], where: str) -> ModelResult:
    skill = _get(raw, "skill", (int, float, type(None)), where)
    numbers = ("auc", "auc_low", "auc_high", "accuracy", "majority", "rank_ic", "rank_ic_low", "rank_ic_high")
    return ModelResult(
        **{name: _number(raw, name, where) for name in numbers},
        blessed=_get(raw, "blessed", bool, where),
        reason=_get(raw, "reason", str, where),
        skill=None if skill is None else float(skill),
        rows=_get(raw, "rows", int, where),
        model_uri=_get(raw, "model_uri", str, where),
        model_run_uri=_get(raw, "model_run_uri", str, where),
        evaluation_uri=_get({**_LATER, **raw}, "evaluation_uri", str, where),
        auc_standard_error=_number(raw, "auc_standard_error", where),
        metrics=_numbers(raw, "metrics", where),
        by_year=_groups(raw, "by_year", where),
        by_share=_groups(raw, "by_share", where),
        scores=_figures(_table({**_LATER, **raw}, "scores", where), f"{where}scores."),
        differences={
            other: _figures(figures, f"{where}differences.{other}.")
            for other, figures in _table({**_LATER, **raw}, "differences", where).items()
        },
    )


def _split(raw: Mapping[str, Any], where: str) -> SplitResult:
    return SplitResult(
        first=_get(raw, "first", str, where),
        last=_get(raw, "last", str, where),
        rows=_get(raw, "rows", int, where),
        purged=_get(raw, "purged", int, where),
        unlabelled=_get(raw, "unlabelled", int, where),
        sessions=_get(raw, "sessions", int, where),
    )


def _data(raw: Mapping[str, Any]) -> DataSummary:
    where = "data."
    return DataSummary(
        shares=_get(raw, "shares", int, where),
        sessions=_get(raw, "sessions", int, where),
        digest=_get(raw, "digest", str, where),
        first=_get(raw, "first", str, where),
        last=_get(raw, "last", str, where),
        share_ids=_strings(raw, "share_ids", where),
        database=_get(raw, "database", str, where),
        sources=_strings({**_LATER, **raw}, "sources", where),
        behind=_strings({**_LATER, **raw}, "behind", where),
    )


def _audit(raw: Mapping[str, Any]) -> AuditReport | None:
    values = _get({**_LATER, **raw}, "audit", (dict, type(None)), "")
    try:
        return None if values is None else AuditReport.from_dict(values)
    except AuditError:
        raise _LayoutError("audit is no leak audit") from None


def _report(raw: Mapping[str, Any]) -> RunReport:
    market = _get(raw, "market", (dict, type(None)), "")
    settings = _get(raw, "settings", dict, "")
    for name, value in settings.items():
        if isinstance(value, (dict, list)):
            raise _LayoutError(f"settings.{name} holds {type(value).__name__}")
    versions = _get(raw, "versions", dict, "")
    return RunReport(
        schema_version=raw["schema_version"],
        created=_get(raw, "created", str, ""),
        models={name: _model(item, f"models.{name}.") for name, item in _table(raw, "models", "").items()},
        splits={name: _split(item, f"splits.{name}.") for name, item in _table(raw, "splits", "").items()},
        champion=_get(raw, "champion", (str, type(None)), ""),
        pushed=_get(raw, "pushed", (str, type(None)), ""),
        seconds=_numbers(raw, "seconds", ""),
        cached=_strings(raw, "cached", ""),
        data=_data(_get(raw, "data", dict, "")),
        settings=dict(settings),
        market=None
        if market is None
        else MarketSummary(
            scenario=_get(market, "scenario", str, "market."), best_auc=_number(market, "best_auc", "market.")
        ),
        versions={str(name): str(version) for name, version in versions.items()},
        baselines={
            name: _figures(figures, f"baselines.{name}.")
            for name, figures in _table({**_LATER, **raw}, "baselines", "").items()
        },
        audit=_audit(raw),
        artifacts={name: str(uri) for name, uri in _get({**_LATER, **raw}, "artifacts", dict, "").items()},
    )
