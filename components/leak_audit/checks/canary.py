"""Future canary: a feature that contains the label must be caught, by the schema or by the alarm.

A formatter may read the closes, the share and the day; any other source is suspicious until its features declare it,
`known_on_the_day=True`, such as the market's return of the same day. A declaration quiets that suspicion alone: the
AUC of every single number that a model sees is measured all the same, and the alarm judges the models. What the schema
does not declare, and labels and forward returns whatever is declared of them, stay a leak.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from components.evidence.auc import auc, auc_interval
from components.evidence.interval import Interval, error_of_ends
from components.evidence.words import figure, number4
from components.leak_audit.check import Audited, Check
from components.leak_audit.limits import LEAKING_ERRORS, SUSPICIOUS_ERRORS, errors_of_one
from components.leak_audit.reading.learners import LOGISTIC_ROWS, logistic_scores
from components.leak_audit.reading.rows import TEST, AuditRows
from components.leak_audit.reading.subsets import around_borders
from components.leak_audit.results import CheckResult, Figure, Status, worst
from models.features import CLOSES, SHARE_ID, TIME, excess_return_key, forward_return_key, label_key
from models.formatters import DataFormatter

NAME = "future canary"
CANARY = "canary"
_READABLE = (CLOSES, SHARE_ID, TIME)
"""What a formatter may read: all of it is known on the day of the row."""

_MEASURED = 3
"""Numbers whose AUC gets an interval, those farthest from 1/2: of those that see the level of prices, and of others."""

_RESAMPLES = 400

Finding = tuple[Status, str, str]
"""What is wrong: how bad, in words, and what to look at."""


def future_canary(audited: Audited) -> CheckResult:
    """Gives the worst of four parts: the schema, the formatter, the alarm on a canary, and each feature alone."""
    rows, config, schema = audited.rows, audited.config, audited.schema
    findings: list[Finding] = [*_undeclared(rows, schema), *_forbidden_sources(audited.features.formatter)]
    figures: list[Figure] = []
    if not schema_refuses(schema, CANARY):
        findings.append((Status.LEAKING, "the schema accepts a feature it does not declare", "see models/schema.pbtxt"))
    if config.limits.known and rows.both_classes(config.horizon):
        figure, finding = _self_test(audited)
        figures.append(figure)
        findings += finding
        found, finding = _single_features(audited)
        figures += found
        findings += finding
    if not findings:
        declared = [one for one in audited.features.formatter.declared_sources if one not in _READABLE]
        told = f" {', '.join(declared)} is declared to be known on the day." if declared else ""
        rings = "the alarm rings for one that does" if config.limits.known else "the alarm has no limit to ring at"
        return CheckResult(
            NAME,
            Status.PASSED,
            f"No feature holds the label: an example with one feature more is refused, and {rings}.{told}",
            tuple(figures),
        )
    status = worst(*(finding[0] for finding in findings))
    chosen = [finding for finding in findings if finding[0] is status]
    sentence = "; ".join(words for _, words, _ in chosen)
    return CheckResult(
        NAME,
        status,
        f"{sentence[0].upper()}{sentence[1:]}.",
        tuple(figures),
        "; ".join(dict.fromkeys(look for _, _, look in chosen)),
    )


def schema_refuses(schema: Any, name: str) -> bool:
    """Whether TFDV, by a tensorflow_metadata Schema, names a feature of one number in every example an anomaly."""
    import tensorflow_data_validation as tfdv
    from tensorflow_metadata.proto.v0 import statistics_pb2

    rows = 100
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = statistics.datasets.add(num_examples=rows)
    feature = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    feature.path.step.append(name)
    common = feature.num_stats.common_stats
    common.num_non_missing, common.tot_num_values = rows, rows
    common.min_num_values, common.max_num_values, common.avg_num_values = 1, 1, 1.0
    return name in tfdv.validate_statistics(statistics, schema).anomaly_info


def _undeclared(rows: AuditRows, schema: Any) -> Iterable[Finding]:
    declared = {feature.name for feature in schema.feature}
    unknown = [name for name in rows.features if name not in declared]
    if unknown:
        yield (
            Status.LEAKING,
            f"the examples carry {', '.join(unknown)}, which the schema does not declare",
            "see where the feature comes from, and why the validator let it through",
        )


def _forbidden_sources(formatter: DataFormatter) -> Iterable[Finding]:
    future = tuple(key(0).removesuffix("0") for key in (label_key, forward_return_key, excess_return_key))
    for source in formatter.sources:
        if source.startswith(future):
            yield (
                Status.LEAKING,
                f"the formatter {formatter.name} reads {source}, which is not known on the day",
                "take it out of the formatter",
            )
        elif source not in _READABLE and source not in formatter.declared_sources:
            yield (
                Status.SUSPICIOUS,
                f"the formatter {formatter.name} reads {source}, which is no declared input",
                "see whether it is known on the day of the row; if it is, say so in the formatter, "
                "Feature(..., known_on_the_day=True)",
            )


def _self_test(audited: Audited) -> tuple[Figure, list[Finding]]:
    """Whether the alarm rings for logistic regression that sees the forward return."""
    config = audited.config
    part, seen = around_borders(audited.rows, audited.features, LOGISTIC_ROWS)
    label, ahead = part.labels[config.horizon], part.label_returns(config.horizon).astype(np.float64)
    test = part.of(TEST)
    scores = logistic_scores(seen, label, part.split, extra=np.nan_to_num(ahead))
    area = auc_interval(
        label[test], scores, part.time[test], horizon=config.horizon, seed=config.seed, resamples=_RESAMPLES
    )
    figure = Figure("AUC of logistic regression that sees the forward return", area.value, area.low, area.high, 4)
    if config.limits.judge(area) in (Status.LEAKING, Status.NOT_APPLICABLE):
        return figure, []
    return figure, [
        (
            Status.SUSPICIOUS,
            f"the alarm does not ring for a feature that contains the label (AUC {area.value:.4f})",
            "see whether labels and forward returns belong together, and the plausible AUC",
        )
    ]


def _single_features(audited: Audited) -> tuple[list[Figure], list[Finding]]:
    """The AUC of each single number that a model sees, whichever way it points, on the test split."""
    rows, features, config = audited.rows, audited.features, audited.config
    test = rows.of(TEST)
    label, time = rows.labels[config.horizon][test], rows.time[test]
    columns = features.columns(test)
    aucs = {name: auc(label, values) for name, values in columns.items()}
    farthest = sorted(aucs, key=lambda name: -abs(aucs[name] - 0.5))
    # A window's 21 levels wander together: they must not hide the others.
    shown_of = {some: [one for one in farthest if _wanders(one, audited) is some] for some in (False, True)}
    farthest = [*shown_of[False][:_MEASURED], *shown_of[True][:_MEASURED]]
    figures, findings = [], []
    for name in farthest:
        sign = 1.0 if aucs[name] >= 0.5 else -1.0
        shown = auc_interval(
            label, sign * columns[name], time, horizon=config.horizon, seed=config.seed, resamples=_RESAMPLES
        )
        figures.append(Figure(f"AUC of {name} alone", shown.value, shown.low, shown.high, 4))
        status = _judge_single(shown, name, audited, len(columns))
        if status.severity > Status.PASSED.severity:
            words = f"the feature {name} alone has an AUC of {figure(shown, number4)}"
            findings.append((status, words, f"see whether {name}, as it is made, can hold a close that comes later"))
    return figures, findings


def _judge_single(shown: Interval, name: str, audited: Audited, tests: int) -> Status:
    """As the alarm does, but for the farthest of many: one of twenty useless features is always off by two errors."""
    limits = audited.config.limits
    error = error_of_ends(shown.low, shown.high)
    reach = errors_of_one(2 * tests)  # each could point either way
    # A level wanders over the whole test split, and its AUC is off 1/2 for that alone; the level test judges it.
    wanders = _wanders(name, audited)
    if not limits.market or wanders:
        if shown.low > limits.impossible:
            return Status.LEAKING
        return Status.SUSPICIOUS if not wanders and shown.value - reach * error > limits.plausible else Status.PASSED
    assert limits.best is not None
    above = shown.value - limits.best
    if above > (reach + LEAKING_ERRORS - SUSPICIOUS_ERRORS) * error:
        return Status.LEAKING
    return Status.SUSPICIOUS if above > reach * error else Status.PASSED


def _wanders(name: str, audited: Audited) -> bool:
    """Whether a single number is of a feature that sees the level of prices."""
    return name.partition("[")[0] in audited.features.seeing_level


CHECK = Check(
    NAME,
    future_canary,
    passes="the schema refuses a feature it does not declare, the formatter reads only what is known on the day, no "
    "single feature knows too much",
    leaks="one of these does not hold",
    order=50,
)
