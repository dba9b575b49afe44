"""What the parts of one loop share: the plan, the clock, who speaks, and what has been said so far."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from components.drift.features import FeatureDrift
from components.drift.losses import LossDrift
from components.errors import StorageError, UserError
from components.extractor import ExtractionReport
from components.extractor.calendar import ExchangeCalendar
from components.feature_store import FeatureStore
from components.ledger.clocks import check_clock
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger, ledger_path
from components.live_record import LiveRecord
from components.missing_sessions.exchanges import exchanges_of
from components.object_storage import stored_heads
from pipeline.daily.clock import LoopClock
from pipeline.daily.report import Alert, AlertKind
from pipeline.daily.speaking import Speaker, challenger_of, speaker_of
from pipeline.daily.windows import Forecast
from pipeline.plan import Plan
from pipeline.uses.storage import open_storage

if TYPE_CHECKING:
    from rich.console import Console


FEATURES, LOSSES = "features_of_limit", "losses_of_limit"
"""Names of the numbers that drift leaves in a loop's report."""


@dataclass(frozen=True)
class Drift:
    """Whether the champion sees or loses otherwise than in training and backtest.

    Attributes:
        features: against those of its training; None where that cannot be told.
        losses: against its backtest's.
    """

    features: FeatureDrift | None = None
    losses: tuple[LossDrift, ...] = ()

    @property
    def numbers(self) -> dict[str, float]:
        """How much of its limit each has come to, the furthest of all; only what was measured."""
        distances = () if self.features is None else self.features.distances
        parts = {
            FEATURES: [one.distance / one.limit for one in distances if one.limit > 0],
            LOSSES: [one.course[-1] / one.limit for one in self.losses if one.course and one.limit > 0],
        }
        known = {name: [part for part in found if math.isfinite(part)] for name, found in parts.items()}
        return {name: max(found) for name, found in known.items() if found}

    @property
    def alarms(self) -> int:
        """How many things ring."""
        features = 0 if self.features is None else len(self.features.alarms)
        return features + sum(one.rings for one in self.losses)


@dataclass
class Told:
    """What a part says while it works.

    Attributes:
        said: what it did.
        wrong: what it could not.
        alerts: what somebody is told of.
        numbers: counts and figures.
        idle: whether there was nothing to do.
        left_out: whether the settings leave it out.
        failed: whether nothing came of it, though it was carried out.
    """

    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    idle: bool = False
    left_out: bool = False
    failed: bool = False

    def alert(self, kind: AlertKind, text: str) -> None:
        """Says something that somebody is told of at once."""
        self.alerts.append(Alert(kind, text))


@dataclass
class Day:
    """One loop.

    Attributes:
        plan: what is done.
        clock: what time it is.
        console: where progress is shown.
        trial: whether a model that was never blessed may predict where none was.
        retrain: whether to retrain whatever is due; None for when it is due.
        extracted: what the extraction did, once it is done.
        forecasts: what was predicted and is not written down yet; None before.
        drift: what the champion sees and loses otherwise than in its backtest, once it is measured.
        judged: what the record has proved, once it is judged.
        retrained: the folder of the run that retrained, once it is done.
        silent: whether there was no model to predict with.
    """

    plan: Plan
    clock: LoopClock
    console: Console
    trial: bool = True
    retrain: bool | None = None
    extracted: ExtractionReport | None = None
    forecasts: tuple[Forecast, ...] | None = None
    drift: Drift = field(default_factory=Drift)
    judged: LiveRecord | None = None
    retrained: Path | None = None
    silent: bool = False

    @cached_property
    def speaker(self) -> Speaker | None:
        """The model that predicts; None where there is none."""
        return speaker_of(self.plan, self.trial)

    @cached_property
    def challenger(self) -> Speaker | None:
        """The model that predicts beside it, before it may take its place; None where there is none."""
        return None if self.speaker is None else challenger_of(self.plan, self.speaker)

    def look_again(self) -> None:
        """Forgets who predicts, as a model was trained, or took another one's place."""
        self.__dict__.pop("speaker", None)
        self.__dict__.pop("challenger", None)
        self.forecasts = None

    @property
    def ledger_file(self) -> Path:
        """The ledger beside the database."""
        return ledger_path(self.plan.database)

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, to write to it; made where it is not there.

        Raises:
            LedgerError: it cannot be written, or its times are of another kind than this loop's.
        """
        if not self.ledger_file.exists():
            self._check_never_kept()
        with Ledger.create(self.ledger_file, self.clock.now) as ledger:
            check_clock(ledger, self.clock.made)
            yield ledger

    def _check_never_kept(self) -> None:
        """Refuses to begin a ledger that the storage holds already: its record would end, and another one begin."""
        if self.plan.storage is None:
            return
        # Where it does not answer, the first evening goes on all the same, and the push says so.
        with contextlib.suppress(StorageError), open_storage(self.plan) as storage:
            if heads := stored_heads(storage, self.plan.database.name):
                raise LedgerError(
                    f"{self.ledger_file} is gone, and {storage.url} has kept row {heads[-1].seq} of it since "
                    f"{heads[-1].time}; bring it back: awesome db pull"
                )

    @property
    def last_session(self) -> str:
        """The last session that has closed at any exchange of the shares, ISO; today where that cannot be told."""
        now = self.clock.now()
        try:
            with FeatureStore.open(self.plan.database) as store:
                codes = set(self.exchanges(store).values())
            closed = [ExchangeCalendar.of(code, now).last_closed(now, dt.timedelta(0)) for code in codes]
        except UserError:
            closed = []
        return str(max(closed, default=now.date()))

    def exchanges(self, store: FeatureStore) -> dict[str, str]:
        """The exchange of each share that is asked for, where it is known.

        Raises:
            StoreError: the database cannot be read, or lacks a share.
        """
        return exchanges_of(store, self.plan.select(store))
