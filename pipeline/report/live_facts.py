"""What is known of a live record: the figures of `awesome live`, its page and its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from components.ledger.contents import Counted, Installed, Missing, Restated
from components.ledger.days import DaySummary
from components.live_evidence import Claim
from components.records import Number
from models.labels import UP

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Trust:
    """Whether the ledger is as it was written.

    Attributes:
        sound: whether nothing is wrong.
        faults: what is, a line each; the first ones of many.
        total: how many faults there are.
        rows: of the ledger.
        held: what it was held against, in words.
        head: its last row as SEQ:HASH, to be kept elsewhere; empty where there is none.
        after: the last row that an earlier look had come to and that was not looked at again; 0 where all were.
        whole: when every row was looked at, UTC; empty where they were now.
    """

    sound: bool
    faults: tuple[str, ...] = ()
    total: int = 0
    rows: int = 0
    held: str = ""
    head: str = ""
    after: int = 0
    whole: str = ""


@dataclass(frozen=True)
class EvidenceDay:
    """The evidence after a session whose outcomes are known; e-values begin at 1.

    Attributes:
        session: ISO.
        rank_ic: daily rank IC; nan where it has none.
        gain: over the base rate, in the log loss; nan likewise.
        e_value: the headline.
        e_rank_ic: that of the rank IC.
        e_log_loss: that of the log loss.
        mean: rank IC so far, a day counting at most the bound.
        low: lower end of its confidence sequence.
        high: upper end.
    """

    session: str
    rank_ic: Number
    gain: Number
    e_value: Number
    e_rank_ic: Number
    e_log_loss: Number
    mean: Number
    low: Number
    high: Number


@dataclass(frozen=True)
class LiveEvidence:
    """What a series of predictions has proved.

    Attributes:
        series: the row of the ledger that holds its parameters.
        alpha: chance that it is ever called a proof where there is nothing.
        days: the sessions that are judged.
        waiting: sessions that count and are not judged yet.
        proved_after: the session whose outcomes were the proof, ISO; empty where there is none.
        claim: what the backtest of the champion claims; None where nobody wrote it down.
        refuted: whether the confidence sequence was ever below the claim of the one model that has been champion.
        needed: how long a proof takes from now on, if the claim is true, in words; empty where it cannot be told.
        needed_sessions: the same in sessions; None where it is never, or cannot be told.
    """

    series: int
    alpha: float
    days: tuple[EvidenceDay, ...]
    waiting: int
    proved_after: str = ""
    claim: Claim | None = None
    refuted: bool = False
    needed: str = ""
    needed_sessions: int | None = None

    @property
    def threshold(self) -> float:
        """The e-value that is a proof."""
        return 1 / self.alpha


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions of about the same probability: their mean, the share of them that rose, and how many they are."""

    predicted: Number
    observed: Number
    rows: int


@dataclass(frozen=True)
class Portfolio:
    """A portfolio of the record.

    Attributes:
        name: what it holds.
        before: what 1 has grown to at no costs, by session.
        after: the same after costs.
        turnover: one-way, a session.
        unpriced: share of what was held whose return to the next session is not known; it counts as unchanged.
    """

    name: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    turnover: float
    unpriced: float = 0.0

    @property
    def drawdown(self) -> float:
        """The largest loss after costs from a former height, from -1 to 0."""
        highest, worst = 1.0, 0.0
        for value in self.after:
            highest = max(highest, value)
            worst = min(worst, value / highest - 1)
        return worst


@dataclass(frozen=True)
class PaperProfit:
    """What the predictions would have earned.

    Attributes:
        sessions: on whose closes is traded, ISO.
        costs: basis points of what is traded.
        quantile: share of a day's shares on each side.
        portfolios: of the model, and of all shares alike.
    """

    sessions: tuple[str, ...]
    costs: float
    quantile: float
    portfolios: tuple[Portfolio, ...]


@dataclass(frozen=True)
class DriftDay:
    """What the loop of a session measured of drift.

    Attributes:
        session: ISO.
        features: the largest distance of a feature from training, in parts of its limit; nan where none was measured.
        losses: the CUSUM of the losses, in parts of its limit; nan likewise.
        alarms: how many things rang.
    """

    session: str
    features: Number
    losses: Number
    alarms: int


@dataclass(frozen=True)
class OlderSeries:
    """A series of the horizon that another one has followed."""

    series: int
    sessions: int
    e_value: Number
    proved_after: str


@dataclass(frozen=True)
class LiveFacts:
    """All that is shown of a live record.

    Attributes:
        ledger: the file.
        looked: when, UTC.
        horizon: sessions ahead.
        nothing: why there is nothing to judge yet, in a sentence; empty where there is.
        replay: whether the ledger's times are made.
        trust: whether it is as it was written; None where there is none.
        counted: its predictions; None where it cannot be read.
        evidence: None where there is no series.
        calibration: bins of the predictions that count, ascending.
        labelled: how many these are.
        label: what is predicted.
        profit: None where it cannot be told.
        drift: by session.
        versions: the models.
        trial: digests of the models that predict without a blessing.
        days: the last sessions, the latest first.
        missing: None where it cannot be told.
        pending: predictions that have not come due; None where it cannot be told.
        overdue: predictions that should have an outcome, a line each; the first ones of many.
        overdue_total: how many these are.
        restated: the latest ones.
        older: series that others have followed.
        notes: what somebody has to know of these figures, a sentence each.
    """

    JSON_FIRST: ClassVar = ("schema_version",)

    ledger: str
    looked: str
    horizon: int
    nothing: str = ""
    replay: bool = False
    trust: Trust | None = None
    counted: Counted | None = None
    evidence: LiveEvidence | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    labelled: int = 0
    label: str = UP
    profit: PaperProfit | None = None
    drift: tuple[DriftDay, ...] = ()
    versions: tuple[Installed, ...] = ()
    trial: tuple[str, ...] = ()
    days: tuple[DaySummary, ...] = ()
    missing: Missing | None = None
    pending: int | None = None
    overdue: tuple[str, ...] = ()
    overdue_total: int = 0
    restated: tuple[Restated, ...] = ()
    older: tuple[OlderSeries, ...] = ()
    notes: Sequence[str] = field(default=())
    schema_version: int = SCHEMA_VERSION
