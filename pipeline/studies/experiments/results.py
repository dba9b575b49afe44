"""All that `awesome experiments` found, and the file experiments.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.records import to_json
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
            "panels": self.panels,
            "experiments": [_finding(finding) for finding in self.findings],
            "time_gains": self.gains,
            "claims": self.claims,
        }
        return to_json(values) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    experiment = finding.experiment
    return {
        "panel": finding.panel,
        "horizon": finding.horizon,
        "name": experiment.name,
        "description": experiment.description,
        "formatter": experiment.formatter.name,
        "reported": experiment.reported,
        "correlation": finding.correlation,
        "shuffled": finding.shuffled,
        "dated": finding.dated,
        "inflation": finding.inflation,
        "verdict": finding.verdict,
        "sentence": finding.sentence,
    }
