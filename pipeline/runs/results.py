"""What a run leaves behind, as typed values; folder.py reads and writes them as report.json.

docs/report.md is the same schema in words. The layout is versioned: a reader refuses a file of another `schema_version`
instead of guessing. Nothing heavier than the standard library is imported here, so an old run can be printed at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from components.comparison.results import Comparison
from components.errors import UserError
from components.evidence.findings import Figures
from components.evidence.interval import Interval
from components.leak_audit.results import AuditReport
from components.missing_sessions.summary import MissingSummary
from components.plausibility import Suspect, SuspectRecord
from components.records import Number, to_json
from components.tear_sheet.results import PortfolioFigures, SignalFigures
from components.universe.summary import UniverseSummary
from models.labels import UP
from models.twin.proof import Proof
from pipeline.runs.tries import Tries

SCHEMA_VERSION = 1

Scalar = str | int | float | bool | None
"""What a setting may be."""


class ReportError(UserError):
    """A report is missing, is no report, or is of a layout this version does not read."""


@dataclass(frozen=True)
class GroupScore:
    """The score of a part of the test split (one year, one share).

    Attributes:
        auc: area under the ROC curve; NaN where the part holds one class only.
        rows: labelled rows in the part.
    """

    auc: Number
    rows: int


@dataclass(frozen=True)
class ModelResult:
    """How one model did on the test split.

    Attributes:
        auc: area under the ROC curve; 0.5 is a coin.
        auc_low: lower end of the AUC's 95 % interval over blocks of days.
        auc_high: upper end of it.
        accuracy: share of rows whose direction was called right at a threshold of 0.5.
        majority: accuracy of always saying the test split's commoner direction.
        rank_ic: mean over days of the rank correlation of probability and forward return.
        rank_ic_low: lower end of its 95 % interval over blocks of days.
        rank_ic_high: upper end of it.
        blessed: whether the model passed its thresholds.
        reason: why it was blessed or was not, in words.
        skill: (AUC - 1/2) / (best possible AUC - 1/2); None on a market whose best is not known or is 1/2.
        rows: labelled test rows the figures are from.
        model_uri: the exported model.
        model_run_uri: the training run (TensorBoard logs).
        evaluation_uri: TFMA's evaluation on the test split.
        auc_standard_error: the AUC's standard error over blocks of days, which the blessing is judged by; NaN where it
            was not measured.
        metrics: TFMA's figures under TFMA's names.
        by_year: scores by calendar year, keys such as "2011".
        by_share: scores by share_id.
        scores: the figures of components/evidence/metrics/ with their 95 % intervals, by metric.
        differences: its figures less those of each other model, each baseline and its `predecessor`, with paired 95 %
            intervals, by name and metric.
        twin: whether its twin answers as it does on the test split; None of an older version.
        signal: its scores beside the returns that followed, without a portfolio; None of an older version.
    """

    auc: Number
    auc_low: Number
    auc_high: Number
    accuracy: Number
    majority: Number
    rank_ic: Number
    rank_ic_low: Number
    rank_ic_high: Number
    blessed: bool
    reason: str
    skill: float | None = None
    rows: int = 0
    model_uri: str = ""
    model_run_uri: str = ""
    evaluation_uri: str = ""
    auc_standard_error: Number = float("nan")
    metrics: Mapping[str, Number] = field(default_factory=dict)
    by_year: Mapping[str, GroupScore] = field(default_factory=dict)
    by_share: Mapping[str, GroupScore] = field(default_factory=dict)
    scores: Figures = field(default_factory=dict)
    differences: Mapping[str, Figures] = field(default_factory=dict)
    twin: Proof | None = None
    signal: SignalFigures | None = None

    @property
    def area(self) -> Interval:
        """The AUC with its interval."""
        return Interval(self.auc, self.auc_low, self.auc_high, self.auc_standard_error)


@dataclass(frozen=True)
class SplitResult:
    """One split as it was cut.

    Attributes:
        first: first session in it, ISO date.
        last: last session in it, ISO date.
        rows: labelled rows.
        purged: rows dropped because their label reaches into the next split.
        unlabelled: rows without a label (close unchanged, or the horizon reaches past the data).
        windows_across: rows left out because their window reaches across too many missing sessions.
        labels_across: rows left out because their label does.
        alone: rows left out because too few shares have a return on their day for a label that compares them.
        outside: rows left out because their share did not belong to the universe on their day.
        short: rows left out because their share has too few sessions before them for what the formatter reads.
        sessions: sessions from first to last.
    """

    first: str
    last: str
    rows: int
    purged: int
    unlabelled: int
    sessions: int
    windows_across: int = 0
    labels_across: int = 0
    alone: int = 0
    outside: int = 0
    short: int = 0


@dataclass(frozen=True)
class DataSummary:
    """The data a run was made on.

    Attributes:
        shares: number of shares.
        sessions: number of different sessions.
        digest: fingerprint of the feature table.
        first: first session, ISO date.
        last: last session, ISO date.
        share_ids: the shares.
        database: the file the data came from.
        sources: where the prices came from.
        behind: shares whose last session is not the last of all.
    """

    shares: int
    sessions: int
    digest: str
    first: str
    last: str
    share_ids: tuple[str, ...]
    database: str
    sources: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class MarketSummary:
    """The synthetic market behind the data.

    Attributes:
        scenario: its name.
        best_auc: the Bayes classifier's AUC at the run's horizon, of the run's label.
        best_rank_ic: its rank IC of a day, in the mean; NaN where it is not known, as in files of before.
    """

    scenario: str
    best_auc: Number
    best_rank_ic: Number = float("nan")


@dataclass(frozen=True)
class RunReport:
    """Everything `awesome run` reports.

    Attributes:
        created: end of the run, ISO 8601 in UTC.
        models: results by model name, in the order they were asked for.
        splits: train, eval and test.
        champion: the best blessed model, or None.
        pushed: where the champion was pushed, or None.
        seconds: wall-clock seconds by step, in the order they ran.
        cached: steps that were served from the cache.
        data: what the run was made on.
        settings: the run's settings; formatter, horizon, seed and models are always there.
        market: the synthetic market, or None on real prices.
        versions: versions of python, tfx, tensorflow, keras and awesome.
        reach: sessions before a row's own that the formatter reads of its share; None of an older version.
        parts: package, version and digest of what comes from outside of the project and was used.
        baselines: figures of logistic regression and LightGBM on the same rows and features, by name and metric.
        audit: the leak audit; None where it was left out.
        held_back: by model, the checks of the audit for which it must not be pushed, however good its figures.
        accepted: by check, where it was accepted that its suspicion keeps no model back: a flag, a file, a variable.
        missing: the sessions that the shares lack.
        universe: who was there, and how many of the shares have ended; None of an older version.
        prices: what looked wrong in the prices; None where nobody looked.
        tries: that looked at the test days so far, this run among them; None of an older version.
        comparison: which formatters and labels this run was chosen from; None where nothing was compared.
        portfolio: the days of the portfolio that the page's backtest shows, the champion's or the first model's; None
            where the predictions cannot be traded, and of an older version.
        artifacts: where what the models share lies: examples, statistics, schema, anomalies, transform_graph.
        schema_version: layout of report.json.
    """

    created: str
    models: Mapping[str, ModelResult]
    splits: Mapping[str, SplitResult]
    champion: str | None
    pushed: str | None
    seconds: Mapping[str, Number]
    cached: tuple[str, ...]
    data: DataSummary
    settings: Mapping[str, Scalar]
    market: MarketSummary | None
    versions: Mapping[str, str]
    baselines: Mapping[str, Figures] = field(default_factory=dict)
    audit: AuditReport | None = None
    held_back: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)
    missing: MissingSummary = field(default_factory=MissingSummary)
    universe: UniverseSummary | None = None
    prices: SuspectRecord | None = None
    tries: Tries | None = None
    comparison: Comparison | None = None
    portfolio: PortfolioFigures | None = None
    artifacts: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    reach: int | None = None
    schema_version: int = SCHEMA_VERSION

    JSON_FIRST: ClassVar = ("schema_version",)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that tell the run from all others, and are the same wherever its folder lies."""
        twins = {name: None if one.twin is None else one.twin.digest for name, one in self.models.items()}
        told = to_json([self.created, self.data.digest, dict(self.settings), twins])
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @property
    def wrong_prices(self) -> tuple[Suspect, ...]:
        """Returns that no market makes and nobody accepted: the run's figures are made of them."""
        return () if self.prices is None else self.prices.stopping

    @property
    def label(self) -> str:
        """The name of what was predicted; older runs knew but one."""
        return str(self.settings.get("label", UP))

    @property
    def horizon(self) -> int:
        """Sessions ahead that the models look.

        Raises:
            ReportError: the settings do not say.
        """
        horizon = self.settings.get("horizon")
        if not isinstance(horizon, int):
            raise ReportError(f"the run's horizon is {horizon!r}, not a number of sessions: run `awesome run` again")
        return horizon

    @property
    def formatter(self) -> str:
        """Name of the DataFormatter; empty where the settings do not say."""
        return str(self.settings.get("formatter") or "")
