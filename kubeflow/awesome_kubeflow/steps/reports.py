"""What each kind of node shows in the KFP UI: what came out of it, for a person to read."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from awesome_kubeflow.node import NodeSlice
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.page import Section, Table, page
from pipeline.job.steps import Step

_MOST_ROWS = 400


def step_page(part: NodeSlice, step: Step, run_id: str, parameters: RunParameters) -> str:
    """The page of a step that ended well.

    Args:
        part: the node, its parameters put in.
        step: what it left.
        run_id: of the run.
        parameters: of the run.

    Returns:
        An HTML document.
    """
    made = tuple(
        (key, str(artifact.id), artifact.uri)
        for key, artifacts in sorted(step.outputs.items())
        for artifact in artifacts
    )
    facts = {
        "run": run_id,
        "pipeline": part.ir.pipeline_info.id,
        "time": f"{step.seconds:.1f} s" + (", from the cache" if step.cached else ""),
    }
    facts |= {
        f"parameter {name}": text or "(all)" for name, text in parameters.to_texts().items() if name != "since" or text
    }
    return page(part.node_id, _section(part, step), facts, Table("Outputs", ("output", "artifact", "where"), made))


def step_metrics(part: NodeSlice, step: Step) -> Mapping[str, float] | None:
    """The numbers that the KFP UI shows of an Evaluator, and of the Evidence step.

    Args:
        part: the node.
        step: what it left.

    Returns:
        Finite numbers by name: TFMA's point values of an Evaluator; of the Evidence step MODEL.METRIC with the ends of
        its interval, and MODEL.blessed as 0 or 1; None for other steps.
    """
    if _kind(part) == "Evaluator":
        evaluation = _evaluation(step)
        return {name: float(value) for name, value in sorted(evaluation.metrics.items()) if math.isfinite(value)}
    if _kind(part) == "Evidence":
        return _evidence_metrics(step)
    return None


def _evidence_metrics(step: Step) -> Mapping[str, float]:
    from components.evidence.findings import flat

    findings = _findings(step)
    figures = {name: model.scores for name, model in findings.models.items()} | dict(findings.baselines)
    numbers = {f"{name}.{metric}": value for name, scores in figures.items() for metric, value in flat(scores).items()}
    return numbers | {f"{name}.blessed": float(model.blessed) for name, model in findings.models.items()}


def _findings(step: Step) -> Any:
    from components.evidence.findings import Findings

    return Findings.read(Path(_single(step, "evidence").uri))


def _kind(part: NodeSlice) -> str:
    return part.node_type.rpartition(".")[2]


def _section(part: NodeSlice, step: Step) -> Section:
    make = _SECTIONS.get(_kind(part))
    if make is not None:
        return make(part, step)
    return Section("The step ended well.")


def _single(step: Step, key: str) -> Any:
    [artifact] = step.outputs[key]
    return artifact


def _example_gen(part: NodeSlice, step: Step) -> Section:
    from pipeline.job.gathering import split_results

    examples = _single(step, "examples")
    rows = tuple(
        (name, s.first, s.last, f"{s.sessions:,}", f"{s.rows:,}", f"{s.purged:,}", f"{s.unlabelled:,}")
        for name, s in split_results(examples).items()
    )
    shares, sessions = examples.get_int_custom_property("shares"), examples.get_int_custom_property("sessions")
    first, last = (examples.get_string_custom_property(name) for name in ("first_session", "last_session"))
    return Section(
        f"{shares:,} shares, {sessions:,} sessions from {first} to {last}, split by date.",
        (
            Table(
                "Splits",
                ("split", "first", "last", "sessions", "rows", "purged", "unlabelled"),
                rows,
                "Purged rows have a label that reaches into the next split; unlabelled ones have none, as the close is "
                "unchanged or not yet known.",
            ),
        ),
    )


def _files(artifact: Any, name: str) -> dict[str, str]:
    """By split, the path of a file that TFX writes once a split."""
    from tfx.types import artifact_utils

    splits = artifact_utils.decode_split_names(artifact.split_names)
    return {split: os.path.join(artifact_utils.get_split_uri([artifact], split), name) for split in splits}


def _statistics(part: NodeSlice, step: Step) -> Section:
    import tensorflow_data_validation as tfdv

    tables, rows_seen = [], []
    for split, path in _files(_single(step, "statistics"), "FeatureStats.pb").items():
        [dataset] = tfdv.load_stats_binary(path).datasets
        rows_seen.append(f"{split} {dataset.num_examples:,.0f} rows")
        rows = tuple(_feature_row(feature, dataset.num_examples) for feature in dataset.features)
        header = ("feature", "values", "missing", "mean", "deviation", "zeros", "least", "median", "most")
        tables.append(Table(f"Split {split}", header, tuple(sorted(rows))[:_MOST_ROWS]))
    return Section(f"What the examples hold: {', '.join(rows_seen)}.", tuple(tables))


def _feature_row(feature: Any, rows: float) -> tuple[str, ...]:
    name = feature.name or ".".join(feature.path.step)
    if feature.WhichOneof("stats") == "string_stats":
        stats = feature.string_stats
        top = stats.top_values[0].value if stats.top_values else ""
        return (name, _count(stats.common_stats), _missing(stats.common_stats, rows), f"{stats.unique:,} different",
                "", "", top, "", "")  # fmt: skip
    stats = feature.num_stats
    values = stats.common_stats.tot_num_values or 1
    spread = (f"{number:.6g}" for number in (stats.min, stats.median, stats.max))
    return (name, _count(stats.common_stats), _missing(stats.common_stats, rows), f"{stats.mean:.6g}",
            f"{stats.std_dev:.6g}", f"{stats.num_zeros / values:.1%}", *spread)  # fmt: skip


def _count(common: Any) -> str:
    return f"{common.tot_num_values or common.num_non_missing:,}"


def _missing(common: Any, rows: float) -> str:
    return f"{1 - common.num_non_missing / rows:.1%}" if rows else ""


def _anomalies(part: NodeSlice, step: Step) -> Section:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    rows: list[tuple[str, ...]] = []
    counts: list[tuple[str, ...]] = []
    for split, path in _files(_single(step, "anomalies"), "SchemaDiff.pb").items():
        anomalies = anomalies_pb2.Anomalies.FromString(Path(path).read_bytes())
        counts.append((split, str(len(anomalies.anomaly_info))))
        rows += [(split, name, info.description) for name, info in sorted(anomalies.anomaly_info.items())]
    verdict = f"{len(rows)} features do not fit the schema." if rows else "Every split fits the schema."
    tables = [Table("Features that do not fit", ("split", "anomalies"), tuple(counts))]
    if rows:
        tables.append(Table("Anomalies", ("split", "feature", "what is wrong"), tuple(rows[:_MOST_ROWS])))
    return Section(verdict, tuple(tables))


def _schema(part: NodeSlice, step: Step) -> Section:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = (Path(_single(step, "schema").uri) / "schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    rows = tuple(
        (feature.name, schema_pb2.FeatureType.Name(feature.type), f"{feature.presence.min_fraction:g}")
        for feature in schema.feature
    )
    header = ("feature", "type", "least share of rows that have it")
    return Section(f"{len(rows)} features are expected.", (Table("The curated schema", header, rows),))


def _training(part: NodeSlice, step: Step) -> Section:
    from pipeline.report.drawing import model_styles
    from pipeline.report.training import Training, history_table, read_history, training_chart

    name = part.node_id.partition(".")[2] or part.node_id
    history = read_history(_single(step, "model_run").uri)
    chart = training_chart(0, name, history, model_styles([name])[name])
    tables = (Table("Epochs", *history_table(history)),)
    return Section(Training.of(history).sentence, tables, () if chart is None else (chart,))


def _evaluation(step: Step) -> Any:
    from components.evidence.tfma.evaluations import read_evaluation

    return read_evaluation(_single(step, "evaluation").uri)


def _judged(part: NodeSlice, step: Step) -> Section:
    from components.evidence.tfma import metrics as names
    from pipeline.report.summary import number

    evaluation = _evaluation(step)
    metrics = evaluation.metrics

    def of(name: str) -> float:
        return float(metrics.get(name, math.nan))

    figures = (
        ("AUC", number(of(names.AUC_EXACT)), "0.5"),
        ("rank IC", number(of(names.RANK_IC)), "0"),
        ("accuracy", number(of("accuracy")), number(of(names.ACCURACY_BASELINE))),
    )
    years = tuple(
        (str(year), number(float(values.get(names.AUC_EXACT, math.nan))), f"{values.get('example_count', 0):,.0f}")
        for year, values in evaluation.by_year.items()
    )
    every = tuple((name, f"{value:.6g}") for name, value in sorted(metrics.items()))
    return Section(
        f"AUC {number(of(names.AUC_EXACT))} on the test split. Intervals, baselines and the blessing are on the page of"
        " the step Evidence.",
        (
            Table(
                "On the test split",
                ("figure", "value", "without skill"),
                figures,
                "Without skill: a coin, and for the accuracy the test split's commoner direction.",
            ),
            Table("By year", ("year", "AUC", "rows"), years),
            Table("Every metric", ("metric", "value"), every),
        ),
    )


def _evidence(part: NodeSlice, step: Step) -> Section:
    from components.evidence.scores import METRICS
    from pipeline.report.summary import figure

    findings = _findings(step)
    scored = {name: model.scores for name, model in findings.models.items()} | dict(findings.baselines)
    header = ("model", *(metric.title for metric in METRICS.values()))
    figures = tuple((name, *(figure(scores[metric]) for metric in METRICS)) for name, scores in scored.items())
    differences = tuple(
        (name, other, figure(values["auc"], signed=True))
        for name, model in findings.models.items()
        for other, values in model.differences.items()
    )
    blessings = tuple((name, "yes" if model.blessed else "no", model.reason) for name, model in findings.models.items())
    blessed = [name for name, model in findings.models.items() if model.blessed]
    verdict = f"Blessed: {', '.join(blessed)}." if blessed else "No model is blessed."
    note = f"{findings.rows:,} rows on {findings.days:,} days; 95% intervals from resampling blocks of whole days."
    return Section(
        verdict,
        (
            Table("Blessings", ("model", "blessed", "reason"), blessings),
            Table("Figures", header, figures, note),
            Table("Differences in AUC", ("model", "against", "difference"), differences, "Paired 95% intervals."),
        ),
    )


def _audited(part: NodeSlice, step: Step) -> Section:
    from components.leak_audit.results import AUDIT_FILE, AuditReport

    path = Path(_single(step, "audit").uri) / AUDIT_FILE
    audit = AuditReport.from_json(path.read_text(encoding="utf-8"), str(path))
    checks = tuple((check.name, check.status.value, check.sentence, check.look_at) for check in audit.checks)
    figures = tuple((check.name, one.name, one.text()) for check in audit.checks for one in check.figures)
    return Section(
        f"Leak audit: {audit.verdict_line}",
        (
            Table("Checks", ("check", "status", "what it found", "look at"), checks),
            Table("Figures", ("check", "figure", "value"), figures[:_MOST_ROWS]),
        ),
    )


def _predecessor(part: NodeSlice, step: Step) -> Section:
    models = step.outputs.get("model", [])
    if not models:
        return Section("There is no earlier blessed model of this kind.")
    return Section(f"The model is judged against artifact {models[0].id}, the last blessed one of its kind.")


def _selected(part: NodeSlice, step: Step) -> Section:
    champion = _single(step, "model").get_string_custom_property("champion")
    without = "There is no champion: no model is blessed, or the leak audit says that the evaluation leaks."
    return Section(f"The champion is {champion}." if champion else without)


def _pushed(part: NodeSlice, step: Step) -> Section:
    pushed = _single(step, "pushed_model")
    where = pushed.get_string_custom_property("pushed_destination")
    if not where:
        return Section("Nothing was pushed, as there is no champion.")
    files = sorted(path for path in Path(where).rglob("*") if path.is_file())
    rows = tuple((str(path.relative_to(where)), f"{path.stat().st_size:,}") for path in files[:_MOST_ROWS])
    return Section(f"The champion was pushed to {where}.", (Table("Pushed files", ("file", "bytes"), rows),))


_SECTIONS: Mapping[str, Callable[[NodeSlice, Step], Section]] = {
    "FeatureExampleGen": _example_gen,
    "StatisticsGen": _statistics,
    "StoppingExampleValidator": _anomalies,
    "ImportSchemaGen": _schema,
    "Trainer": _training,
    "Evaluator": _judged,
    "Evidence": _evidence,
    "LeakAudit": _audited,
    "Resolver": _predecessor,
    "ModelSelector": _selected,
    "Pusher": _pushed,
}
"""By the component's class; any other step shows its facts and outputs."""
