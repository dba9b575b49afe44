"""What the Evidence step found, and the file it travels in to the selector, the report and the notebooks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from components.evidence.interval import Interval
from components.plausibility import SuspectRecord
from components.plausibility.record import name_some
from components.records import Number, from_json, to_json
from components.trials.found import Hurdle
from models.twin.proof import Proof

FINDINGS_FILE = "evidence.json"
PREDICTIONS_FILE = "predictions.parquet"
"""The test split with what every model and baseline answered, beside it (predictions.py)."""

EVIDENCE = "Evidence"
"""What ML Metadata calls the artifact that holds both."""

PREDECESSOR = "predecessor"

Figures = Mapping[str, Interval]
"""By metric (metric.METRICS)."""


@dataclass(frozen=True)
class ModelFindings:
    """What was found of one model on the test split.

    Attributes:
        scores: its figures, with 95 % intervals.
        differences: its figures less those of each other model and baseline, and of its `predecessor` where there is
            one, with paired 95 % intervals.
        blessed: it may be pushed.
        reason: why, or why not, in words.
        needed: the AUC that lies as far above 1/2 as its hurdle; NaN where there are too few days to tell, or an older
            version judged.
        needed_first: what it would be on test days that nobody has tried anything on.
        twin: whether its twin answers as it does; None of an older version.
    """

    scores: Figures
    differences: Mapping[str, Figures]
    blessed: bool
    reason: str
    needed: Number = math.nan
    needed_first: Number = math.nan
    twin: Proof | None = None


@dataclass(frozen=True)
class Findings:
    """What was found of all models of a run.

    Attributes:
        models: by name, in the run's order.
        baselines: figures of each baseline, by name.
        rows: of the test split.
        days: of the test split.
        hurdle: what the earlier tries on these test days make a model show; None of an older version.
    """

    models: Mapping[str, ModelFindings]
    baselines: Mapping[str, Figures] = field(default_factory=dict)
    rows: int = 0
    days: int = 0
    hurdle: Hurdle | None = None

    def write(self, folder: Path) -> None:
        """Writes the file into an existing folder."""
        (folder / FINDINGS_FILE).write_text(to_json(self) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Findings:
        """Reads what `write` wrote."""
        return from_json(cls, (folder / FINDINGS_FILE).read_bytes())


def withheld(findings: Findings, prices: SuspectRecord | None) -> Findings:
    """The findings, where no model is blessed that has learned from a wrong price that nobody has accepted."""
    if prices is None or not prices.stopping:
        return findings
    why = f"prices are wrong: {name_some(prices.stopping)}"
    models = {
        name: replace(found, blessed=False, reason=f"{found.reason}; but {why}") if found.blessed else found
        for name, found in findings.models.items()
    }
    return replace(findings, models=models)


def with_twins(findings: Findings, twins: Mapping[str, Proof]) -> Findings:
    """The findings with what was found of the models' twins, by the model."""
    return replace(findings, models={name: replace(one, twin=twins[name]) for name, one in findings.models.items()})


def flat(figures: Figures) -> dict[str, float]:
    """Finite numbers by name: METRIC, METRIC_low, METRIC_high and METRIC_standard_error."""
    numbers = {}
    for metric, interval in figures.items():
        numbers[metric] = interval.value
        for end in ("low", "high", "standard_error"):
            numbers[f"{metric}_{end}"] = getattr(interval, end)
    return {name: value for name, value in numbers.items() if math.isfinite(value)}
