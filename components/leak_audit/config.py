"""What an audit is told, and how it travels: JSON in a component's execution property."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.leak_audit.limits import PLAUSIBLE_AUC, Limits


@dataclass(frozen=True)
class AuditConfig:
    """The settings of one audit.

    Attributes:
        model: name of the architecture that is trained again.
        version: of the architecture.
        hyperparameters: all of them, by name.
        formatter: name of the DataFormatter.
        horizon: the trained one.
        seed: of the training, the shuffling and the resampling.
        embargo: sessions left out after a border, as the splits were asked for.
        train_steps: of the model at most; 0 for its epochs alone.
        plausible_auc: an honest AUC above it on real prices is suspicious.
        market: whether the prices are made.
        best_auc: the best possible AUC of a made market; None where it is not known.
        database: path of the feature store, for the factors of its prices; empty where there is none.
        code: digest of the code, so that TFX's cache sees a change.
    """

    model: str
    version: int
    hyperparameters: Mapping[str, Any]
    formatter: str
    horizon: int
    seed: int
    embargo: int
    train_steps: int = 0
    plausible_auc: float = PLAUSIBLE_AUC
    market: bool = False
    best_auc: float | None = None
    database: str = ""
    code: str = ""

    @property
    def limits(self) -> Limits:
        """How high an AUC may be."""
        return Limits(self.plausible_auc, self.market, self.best_auc)

    def to_json(self) -> str:
        """As an execution property."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> AuditConfig:
        """Reads what `to_json` gave."""
        return cls(**json.loads(text))
