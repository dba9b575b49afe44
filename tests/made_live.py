"""A live record of a made market, written through the ledger's own functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from live_records import CHALLENGER, CHAMPION, NEW_YORK, UTC, Live, moment

from components.feature_store import PriceBars
from components.ledger.predictions import Forecasts
from components.ledger.setting_up import LiveModel, install, note
from components.live_evidence import Claim, Parameters
from components.live_record import begin, keep_claim
from components.live_record.notes import ON_TRIAL
from pipeline.daily.report import DailyReport, PartReport, Status, daily_folder, save_daily
from pipeline.plan import Plan, load_plan

FIRST = 25
"""Place of the first live session in NEW_YORK."""

CLAIM = Claim(0.06, 0.2, 1.0, 0.5)

__all__ = ["CHALLENGER", "CHAMPION", "CLAIM", "FIRST", "NEW_YORK", "UTC", "Knowing", "lived", "moment"]


@dataclass
class Knowing(Live):
    """A model that knows a part of the next return."""

    skill: float = 0.3
    horizon: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        days = NEW_YORK[:400]
        for seed, share in enumerate(self.shares):
            steps = np.random.default_rng(seed).normal(0, 0.015, len(days))
            self.prices[share] = PriceBars(days, np.round(50 * np.exp(np.cumsum(steps)), 2), np.ones(len(days)))
        self.model = replace(CHAMPION, horizon=self.horizon)

    def forecasts(self, session: object, model: LiveModel = CHAMPION) -> Forecasts:
        windows, sessions, saying = [], [], []
        for seed, (_, known) in enumerate(self.prices.items()):
            upto = int(np.searchsorted(known.time, np.datetime64(str(session)), side="right"))
            windows.append(known.adjusted_close[upto - 21 : upto][::-1])
            sessions.append(str(known.time[upto - 1]))
            ahead = float(np.log(known.close[upto - 1 + self.horizon] / known.close[upto - 1]))
            noise = np.random.default_rng([seed, upto, len(model.name)]).normal(0, 0.015)
            saying.append(0.5 + 2 * (self.skill * ahead + (1 - self.skill) * noise))
        probability = np.clip(np.array(saying), 0.02, 0.98)
        return Forecasts(model.digest, self.horizon, list(self.prices), sessions, np.array(windows), probability)

    def plan(self, **flags: Any) -> Plan:
        return load_plan(
            {"db": str(self.database), "workspace": str(self.folder / "runs"), "horizon": self.horizon, **flags}
        )

    def begin(self, *models: tuple[LiveModel, str]) -> None:
        with self.ledger() as ledger:
            begin(ledger, Parameters(horizon=self.horizon).for_claim(CLAIM))
            keep_claim(ledger, self.model.digest, self.horizon, CLAIM)
            note(ledger, ON_TRIAL, self.model.digest)
            install(ledger, self.model)

    def drifts(self, sessions: Sequence[object], measured: Callable[[int], dict[str, float]]) -> None:
        """Reports as the loops of some sessions leave them."""
        plan = self.plan()
        for at, session in enumerate(sessions):
            part = PartReport("drift", Status.DONE, numbers=measured(at))
            report = DailyReport(str(session), f"{session}T23:00:00Z", "", "", "", plan.name, (part,))
            save_daily(report, daily_folder(plan))


def lived(folder: Path, sessions: int = 60, shares: int = 12, **changes: Any) -> Knowing:
    """A record of some evenings, every prediction on time, and all that has come due settled."""
    live = Knowing(folder, tuple(f"S{number:03}" for number in range(shares)), **changes)
    live.now = moment(f"{NEW_YORK[FIRST]} 12:00")
    live.begin()
    live.evenings(NEW_YORK[FIRST : FIRST + sessions], live.model)
    return live
