"""Gathers what the steps of a run left behind into its report, and writes the run's folder."""

from __future__ import annotations

import datetime
import functools
import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.findings import PREDICTIONS_FILE, ModelFindings
from components.feature_example_gen.splits import SPLITS
from components.leak_audit.results import AUDIT_FILE, AuditReport
from components.masking import masked
from components.missing_sessions.summary import MISSING_PROPERTY, MissingSummary
from components.plausibility import read_suspects
from components.price_panel.opening import open_prices
from components.records import from_json
from components.trials.record import read_record, record_path
from components.universe.summary import UNIVERSE_PROPERTY, UniverseSummary
from components.universe.universe import left_out
from components.whole_files import whole_file
from pipeline.plan import Plan
from pipeline.runs.results import (
    DataSummary,
    GroupScore,
    MarketSummary,
    ModelResult,
    RunReport,
    SplitResult,
)
from pipeline.runs.tries import Tries, list_tries
from pipeline.settings import Settings
from pipeline.version import PACKAGE, own_version

if TYPE_CHECKING:
    import pandas as pd

    from components.comparison.results import Comparison
    from components.evidence.findings import Findings
    from pipeline.job.step import Step

_SHARED_ARTIFACTS = (
    ("FeatureExampleGen", "examples"),
    ("StatisticsGen", "statistics"),
    ("ImportSchemaGen", "schema"),
    ("ExampleValidator", "anomalies"),
    ("Transform", "transform_graph"),
)

# The exported model's probabilities must give the AUC that TFMA's pass over the same model gave.
_AGREEMENT = 1e-3


def gather_report(
    plan: Plan,
    steps: Mapping[str, Step],
    seconds: dict[str, float],
    folder: Path,
    comparison: Comparison | None = None,
) -> RunReport:
    """Gathers what the steps left into the report, and writes the run's folder.

    `seconds` are those of the parts of the run that are no steps; `comparison` is what the plan was chosen from.
    """
    import pandas as pd

    from components.evidence.findings import Findings
    from components.tear_sheet.signal import read_signals
    from pipeline.report.drawn import DRAWN_FILE, SIGNALS_FILE, signals_of
    from pipeline.report.page import write_report
    from pipeline.report.training import read_history

    names = list(plan.models)
    [examples] = steps["FeatureExampleGen"].outputs["examples"]
    [evidence] = steps["Evidence"].outputs["evidence"]
    findings = Findings.read(Path(evidence.uri))
    predictions = pd.read_parquet(Path(evidence.uri) / PREDICTIONS_FILE)
    market = _market(plan)
    signals = functools.cache(lambda: read_signals(predictions, names, plan.horizon) if len(predictions) else {})
    figures = signals_of(predictions, names, plan.horizon, signals, plan.root / SIGNALS_FILE)
    results = {
        name: replace(
            _model_result(name, steps, findings.models[name], predictions, market),
            signal=figures.get(name),
        )
        for name in names
    }
    [pushed] = steps["Pusher"].outputs["pushed_model"]
    destination = pushed.get_string_custom_property("pushed_destination") or None
    champion = steps["ModelSelector"].outputs["model"][0].get_string_custom_property("champion") or None
    audit = _audit(steps)
    part_seconds = {name: value for name, value in seconds.items() if name != "report"}
    report = RunReport(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        models=results,
        splits=split_results(examples),
        champion=champion,
        pushed=destination,
        seconds=part_seconds | {name: step.seconds for name, step in steps.items()},
        cached=tuple(name for name, step in steps.items() if step.cached),
        data=_data(examples, plan),
        settings=_plain_settings(plan.settings) | {"embargo": plan.splits.embargo},
        market=market,
        versions=_versions(),
        parts=plan.parts,
        reach=plan.splits.reach,
        artifacts={key: steps[node].outputs[key][0].uri for node, key in _SHARED_ARTIFACTS},
        baselines=findings.baselines,
        audit=audit,
        held_back={} if audit is None else audit.held_back(names, plan.settings.accept_suspicion),
        accepted=_accepted(audit, plan),
        missing=from_json(MissingSummary, examples.get_string_custom_property(MISSING_PROPERTY)),
        universe=from_json(UniverseSummary, examples.get_string_custom_property(UNIVERSE_PROPERTY)),
        prices=read_suspects(examples.uri),
        comparison=comparison,
        tries=_tries(plan, Path(evidence.uri), findings, predictions),
    )
    with whole_file(folder / PREDICTIONS_FILE) as partial:
        predictions.to_parquet(partial, index=False)
    histories = {name: read_history(steps[f"Trainer.{name}"].outputs["model_run"][0].uri) for name in names}
    return write_report(report, predictions, histories, folder, signals, plan.root / DRAWN_FILE)


def _audit(steps: Mapping[str, Step]) -> AuditReport | None:
    if "LeakAudit" not in steps:
        return None
    [audit] = steps["LeakAudit"].outputs["audit"]
    path = Path(audit.uri) / AUDIT_FILE
    return AuditReport.from_json(path.read_text(encoding="utf-8"), str(path))


def _tries(plan: Plan, evidence: Path, findings: Findings, predictions: pd.DataFrame) -> Tries:
    """What the record says of the test days once this run has seen them."""
    from components.evidence.tried import days_of, read_trial

    own = read_trial(evidence)
    record = read_record(record_path(plan.database))
    days = [int(day) for day in days_of(predictions)]
    if own is None:
        return list_tries(record, days, findings.hurdle)
    return list_tries(record.counting(own), days, findings.hurdle, own.id)


def _accepted(audit: AuditReport | None, plan: Plan) -> dict[str, str]:
    """The suspicious checks that a person has accepted, and where."""
    found = () if audit is None else audit.suspicious
    origin = plan.origins.get("accept_suspicion", "the settings")
    return {check.name: origin for check in found if check.is_accepted(plan.settings.accept_suspicion)}


def _market(plan: Plan) -> MarketSummary | None:
    scenario = plan.settings.market
    if scenario is None:
        return None
    from components.synthetic_market import get_scenario

    made = get_scenario(scenario)
    limits = made.best_auc(plan.horizon, plan.label.name), made.best_rank_ic(plan.horizon)
    return MarketSummary(scenario, *(float("nan") if best is None else best for best in limits))


def _model_result(
    name: str,
    steps: Mapping[str, Step],
    found: ModelFindings,
    predictions: pd.DataFrame,
    market: MarketSummary | None,
) -> ModelResult:
    from components.evidence.accuracy import accuracy, majority
    from components.evidence.auc import auc_by_group, skill
    from components.evidence.metric import AUC, RANK_IC
    from components.evidence.tfma import metrics as tfma_metrics
    from components.evidence.tfma.evaluations import read_evaluation

    evaluation_uri = steps["Evaluator"].outputs["evaluation"][0].uri
    evaluation = read_evaluation(evaluation_uri, name)
    label, probability = predictions["label"].to_numpy(), predictions[name].to_numpy()
    area, ranks = found.scores[AUC], found.scores[RANK_IC]
    if abs(evaluation.metrics[tfma_metrics.AUC_EXACT] - area.value) > _AGREEMENT:
        raise RuntimeError(f"{name}: the exported model's AUC on the test split differs from its evaluation's")
    trainer = steps[f"Trainer.{name}"].outputs
    return ModelResult(
        auc=area.value,
        auc_low=area.low,
        auc_high=area.high,
        auc_standard_error=area.standard_error,
        accuracy=accuracy(label, probability),
        majority=majority(label),
        rank_ic=ranks.value,
        rank_ic_low=ranks.low,
        rank_ic_high=ranks.high,
        blessed=found.blessed,
        reason=found.reason,
        skill=None if market is None else skill(area.value, market.best_auc),
        rows=len(predictions),
        model_uri=trainer["model"][0].uri,
        model_run_uri=trainer["model_run"][0].uri,
        evaluation_uri=evaluation_uri,
        metrics=dict(sorted(evaluation.metrics.items())),
        by_year={
            str(year): GroupScore(values[tfma_metrics.AUC_EXACT], int(values["example_count"]))
            for year, values in evaluation.by_year.items()
        },
        by_share={
            str(group.group): GroupScore(group.auc, group.rows)
            for group in auc_by_group(label, probability, predictions["share_id"].to_numpy(str))
        },
        scores=found.scores,
        differences=found.differences,
        twin=found.twin,
    )


def split_results(examples: Any) -> dict[str, SplitResult]:
    """The splits by name, as FeatureExampleGen cut them and its Examples artifact says."""

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
            windows_across=number(split, "windows_across"),
            labels_across=number(split, "labels_across"),
            alone=number(split, "alone"),
            outside=number(split, "outside"),
            short=number(split, "short"),
        )
        for split in SPLITS
    }


def _data(examples: Any, plan: Plan) -> DataSummary:
    shares = plan.settings.shares
    with open_prices(plan.database) as store:
        gone = left_out(store)
        asked = [summary for summary in store.shares() if not shares or summary.share_id in shares]
    chosen = [summary for summary in asked if summary.share_id not in gone]
    last = max((summary.last for summary in chosen), default=None)
    return DataSummary(
        shares=examples.get_int_custom_property("shares"),
        sessions=examples.get_int_custom_property("sessions"),
        digest=examples.get_string_custom_property("input_fingerprint"),
        first=examples.get_string_custom_property("first_session"),
        last=examples.get_string_custom_property("last_session"),
        share_ids=tuple(summary.share_id for summary in chosen),
        database=str(plan.database.absolute()),
        sources=tuple(sorted({summary.source or "unknown" for summary in chosen})),
        behind=tuple(summary.share_id for summary in chosen if summary.last != last),
    )


def _plain_settings(settings: Settings) -> dict[str, str | int | float | bool | None]:
    plain: dict[str, str | int | float | bool | None] = {}
    for name, value in settings:
        if isinstance(value, tuple):
            plain[name] = ",".join(map(str, value))
        elif value is None or isinstance(value, (str, int, float, bool)):
            plain[name] = value
        else:
            plain[name] = str(value)
        if isinstance(text := plain[name], str):
            plain[name] = masked(text)
    return plain


def _versions() -> dict[str, str]:
    packages = {name: metadata.version(name) for name in ("tfx", "tensorflow", "keras")}
    return {"python": platform.python_version(), **packages, PACKAGE: own_version()}
