"""What an audit is told, and how it travels: JSON in a component's execution property."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.feature_example_gen.splits import SplitSettings
from components.leak_audit.limits import Limits
from components.missing_sessions.limit import DEFAULT_LIMIT
from components.records import from_json
from components.synthetic_market import get_scenario
from models.labels import UP


@dataclass(frozen=True)
class AuditedModel:
    """An architecture that is trained again, as the run had it.

    Attributes:
        name: of the architecture.
        version: of it.
        hyperparameters: all of them, by name.
    """

    name: str
    version: int
    hyperparameters: Mapping[str, Any]


@dataclass(frozen=True)
class AuditConfig:
    """The settings of one audit.

    Attributes:
        models: what is trained again, at least one.
        formatter: name of the DataFormatter.
        horizon: the trained one.
        seed: of the training, the shuffling and the resampling.
        embargo: sessions left out after a border, as the splits were asked for.
        plausible_auc: an honest AUC above it on real prices is suspicious.
        train_steps: of each model at most; 0 for its epochs alone.
        market: scenario of a synthetic market; None on real prices.
        database: path of the feature store, for its factors and to make the examples again; empty where there is none.
        splits: what FeatureExampleGen was asked of the splits; None where that is not known.
        shares: that it was asked for; empty for all of the database.
        max_missing_sessions: that it let a window reach across.
        fingerprint: of the database's rows that the examples were made of; empty where it is not known.
        last_session: the last one that it read, ISO; empty where it is not known.
        label: name of the label.
        full: whether checks that look at a sample of a database look at all of it.
        code: digest of the code, so that TFX's cache sees a change.
    """

    models: tuple[AuditedModel, ...]
    formatter: str
    horizon: int
    seed: int
    embargo: int
    plausible_auc: float
    train_steps: int = 0
    market: str | None = None
    database: str = ""
    splits: SplitSettings | None = None
    shares: tuple[str, ...] = ()
    max_missing_sessions: int = DEFAULT_LIMIT
    fingerprint: str = ""
    last_session: str = ""
    label: str = UP
    full: bool = False
    code: str = ""

    @property
    def limits(self) -> Limits:
        """How high an AUC may be."""
        if self.market is None:
            return Limits(self.plausible_auc)
        return Limits(self.plausible_auc, True, get_scenario(self.market).best_auc(self.horizon, self.label))

    def to_json(self) -> str:
        """As an execution property."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> AuditConfig:
        """Reads what `to_json` gave."""
        return from_json(cls, text)
