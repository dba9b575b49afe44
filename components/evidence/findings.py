"""What the Evidence step found, and the file it travels in to the selector, the report and the notebooks."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.evidence.interval import Interval

FINDINGS_FILE = "evidence.json"
PREDICTIONS_FILE = "predictions.parquet"
"""The test split with what every model and baseline answered, beside it (predictions.py)."""

PREDECESSOR = "predecessor"

Figures = Mapping[str, Interval]
"""By metric (scores.METRICS)."""


@dataclass(frozen=True)
class ModelFindings:
    """What was found of one model on the test split.

    Attributes:
        scores: its figures, with 95 % intervals.
        differences: its figures less those of each other model and baseline, and of its `predecessor` where there is
            one, with paired 95 % intervals.
        blessed: it may be pushed.
        reason: why, or why not, in words.
    """

    scores: Figures
    differences: Mapping[str, Figures]
    blessed: bool
    reason: str


@dataclass(frozen=True)
class Findings:
    """What was found of all models of a run.

    Attributes:
        models: by name, in the run's order.
        baselines: figures of each baseline, by name.
        rows: of the test split.
        days: of the test split.
    """

    models: Mapping[str, ModelFindings]
    baselines: Mapping[str, Figures] = field(default_factory=dict)
    rows: int = 0
    days: int = 0

    def write(self, folder: Path) -> None:
        """Writes the file.

        Args:
            folder: an existing one.
        """
        values = {
            "models": {
                name: {
                    "scores": figures_to_json(model.scores),
                    "differences": {other: figures_to_json(figures) for other, figures in model.differences.items()},
                    "blessed": model.blessed,
                    "reason": model.reason,
                }
                for name, model in self.models.items()
            },
            "baselines": {name: figures_to_json(figures) for name, figures in self.baselines.items()},
            "rows": self.rows,
            "days": self.days,
        }
        (folder / FINDINGS_FILE).write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Findings:
        """Reads what `write` wrote.

        Args:
            folder: that holds the file.
        """
        values = json.loads((folder / FINDINGS_FILE).read_text(encoding="utf-8"))
        return cls(
            models={
                name: ModelFindings(
                    figures_from_json(model["scores"]),
                    {other: figures_from_json(figures) for other, figures in model["differences"].items()},
                    model["blessed"],
                    model["reason"],
                )
                for name, model in values["models"].items()
            },
            baselines={name: figures_from_json(figures) for name, figures in values["baselines"].items()},
            rows=values["rows"],
            days=values["days"],
        )


def figures_to_json(figures: Figures) -> dict[str, dict[str, float | None]]:
    """In JSON's types; JSON has no nan, so null stands for it."""

    def plain(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        metric: {
            "value": plain(interval.value),
            "low": plain(interval.low),
            "high": plain(interval.high),
            "standard_error": plain(interval.standard_error),
        }
        for metric, interval in figures.items()
    }


def figures_from_json(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Interval]:
    """Reads what `figures_to_json` gave."""

    def number(value: float | None) -> float:
        return math.nan if value is None else float(value)

    return {
        metric: Interval(*(number(ends[key]) for key in ("value", "low", "high", "standard_error")))
        for metric, ends in values.items()
    }


def flat(figures: Figures) -> dict[str, float]:
    """Finite numbers by name: METRIC, METRIC_low, METRIC_high and METRIC_standard_error."""
    numbers = {}
    for metric, interval in figures.items():
        numbers[metric] = interval.value
        for end in ("low", "high", "standard_error"):
            numbers[f"{metric}_{end}"] = getattr(interval, end)
    return {name: value for name, value in numbers.items() if math.isfinite(value)}
