"""All that `awesome experiments` found, and the file experiments.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.studies.experiments.findings import Claim, Finding, TimeGain

EXPERIMENTS_JSON = "experiments.json"
EXPERIMENTS_HTML = "experiments.html"
_VERSION = 1


@dataclass(frozen=True)
class ExperimentsReport:
    """What was trained, on what, and what came of it.

    Attributes:
        panels: titles of the panels by name, in the order they were taken.
        findings: by panel, horizon and experiment, in that order.
        gains: what `time` adds to linear.
        claims: the original's claims, judged.
        epochs: passes over each train split.
        seed: of everything random.
        command: that makes it again.
    """

    panels: Mapping[str, str]
    findings: tuple[Finding, ...]
    gains: tuple[TimeGain, ...]
    claims: tuple[Claim, ...]
    epochs: int
    seed: int
    command: str

    def blocks(self) -> list[tuple[str, int, list[Finding]]]:
        """The findings of each panel and horizon, in their order: one table each."""
        keys = dict.fromkeys((finding.panel, finding.horizon) for finding in self.findings)
        return [(*key, [f for f in self.findings if (f.panel, f.horizon) == key]) for key in keys]

    def to_json(self) -> str:
        """The content of experiments.json; what is not a number is null."""
        values = {
            "version": _VERSION,
            "command": self.command,
            "epochs": self.epochs,
            "seed": self.seed,
            "panels": dict(self.panels),
            "experiments": [_finding(finding) for finding in self.findings],
            "time_gains": [asdict(gain) for gain in self.gains],
            "claims": [asdict(claim) for claim in self.claims],
        }
        return json.dumps(_plain(values), indent=2, allow_nan=False) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    experiment = finding.experiment
    return {
        "panel": finding.panel,
        "horizon": finding.horizon,
        "name": experiment.name,
        "description": experiment.description,
        "formatter": experiment.formatter.name,
        "reported": dict(experiment.reported),
        "correlation": finding.correlation,
        "shuffled": asdict(finding.shuffled),
        "dated": asdict(finding.dated),
        "inflation": asdict(finding.inflation),
        "verdict": finding.verdict,
        "sentence": finding.sentence,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
