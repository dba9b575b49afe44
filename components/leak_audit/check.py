"""What a leak check is, and all there are: one a file of checks/, and what other packages add as `awesome.checks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components.evidence.interval import Interval
from components.leak_audit.results import CheckResult
from components.plausibility import SuspectRecord
from models.plugins import GROUPS, LAST, Registry

if TYPE_CHECKING:
    from components.leak_audit.config import AuditConfig, AuditedModel
    from components.leak_audit.reading.features import AuditFeatures
    from components.leak_audit.reading.rows import AuditRows
    from models.training import Training


@dataclass(frozen=True, eq=False)
class Audited:
    """A run as a check sees it.

    Attributes:
        rows: its examples.
        features: what a model sees of the same rows.
        schema: a tensorflow_metadata Schema: what the examples were validated with.
        transform_graph: folder of its TransformGraph artifact.
        aucs: of its models on the test split, with 95 % intervals, by name.
        config: what was asked of the splits, horizon, seed, and how high an AUC may be.
        model: the architecture that is trained again; the first of several for a check that is not made for each.
        suspects: what looked wrong in the prices behind the examples; None where nobody looked.
        baselines: AUCs of the baselines, which saw the same rows and features, as `aucs`.
        trainings: of `model_scores`, which all checks share.
    """

    rows: AuditRows
    features: AuditFeatures
    schema: Any
    transform_graph: str
    aucs: Mapping[str, Interval]
    config: AuditConfig
    model: AuditedModel
    suspects: SuspectRecord | None = None
    baselines: Mapping[str, Interval] = field(default_factory=dict)
    trainings: dict[str, Training] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One check; the docstring of the file that makes it says how, below its first line, in docs/leak-audit.md too.

    Attributes:
        name: as it is reported.
        run: makes it; the result's name is set by the audit.
        passes: where it passes, or what it shows, in words.
        leaks: where it says that the run leaks; empty for a check that is there for information.
        order: its place among the checks.
        each_model: whether it is made for each architecture that is trained again.
        learns: whether it needs rises and falls in train and test; without them it does not apply.
        acceptable: whether a person may accept its suspicion by its name, so that it keeps no model back.
    """

    name: str
    run: Callable[[Audited], CheckResult]
    passes: str
    leaks: str = ""
    order: int = LAST
    each_model: bool = False
    learns: bool = False
    acceptable: bool = True


CHECKS = Registry(GROUPS["awesome.checks"], Check)


def check_names() -> tuple[str, ...]:
    """The checks whose suspicion a person may accept."""
    return tuple(name for name, check in CHECKS.items() if check.acceptable)
