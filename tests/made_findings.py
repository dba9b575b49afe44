"""Findings of the original's experiments, made of a few numbers."""

from __future__ import annotations

from dataclasses import replace

from components.evidence.interval import Interval
from pipeline.studies.experiments.catalogue import EXPERIMENTS
from pipeline.studies.experiments.findings import Finding, TimeGain, judge_claims
from pipeline.studies.experiments.original import METRICS
from pipeline.studies.experiments.results import ExperimentsReport
from pipeline.studies.experiments.scores import Score


def area(value: float, error: float = 0.01) -> Interval:
    return Interval(value, value - 2 * error, value + 2 * error, error)


def made(name: str, shuffled: float, dated: float, horizon: int = 1, error: float = 0.01) -> Finding:
    base = Score(dict.fromkeys(METRICS, 0.5), area(shuffled, error), 0.83, 700, 200, 100, 34.0, 1.0)
    return Finding("market", horizon, EXPERIMENTS[name], 0.52, base, replace(base, auc=area(dated, error)))


def gain(shuffled: float, dated: float) -> TimeGain:
    return TimeGain("market", 1, {"shuffled": area(shuffled), "dated": area(dated)})


def report() -> ExperimentsReport:
    findings = tuple(made(name, 0.83, 0.5, h) for h in (1, 20) for name in EXPERIMENTS)
    gains = (gain(0.3, 0.0),)
    return ExperimentsReport(
        {"market": "<b>market</b>"}, findings, gains, judge_claims(findings, gains), 60, 0, "awesome experiments"
    )
