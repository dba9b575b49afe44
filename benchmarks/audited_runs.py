"""One audited small run of `benchmarks.audit`: planted or clean, its AUCs, and what the audit says of them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted_leaks.planting import Change, PlantedLeak, planted
from benchmarks.planted_leaks.rows import mean_of, move
from benchmarks.planted_leaks.small_runs import SHIPPED, Asked, SmallRun
from components.errors import UserError
from components.evidence.baselines import LIGHTGBM, LOGISTIC_REGRESSION
from components.evidence.day_pairs import resampled_aucs
from components.evidence.interval import Interval
from components.evidence.pairs import Pairs
from components.evidence.resampling import DayBlocks
from components.leak_audit.check import CHECKS
from components.leak_audit.checks import prices
from components.leak_audit.results import AuditReport, Status
from components.synthetic_market.scenarios import SCENARIOS
from models.features import TIME

LIFTED = 2.0
"""Standard errors by which a leak has to lift an AUC before the audit has to see it."""

LINEAR = "linear"
"""The candidate that logistic regression stands for: the audit trains it again where a check asks for it."""

PLANTED_SHARES, PLANTED_SESSIONS = 12, 900
CLEAN_SHARES, CLEAN_SESSIONS = 12, 700
_RESAMPLES = 400
MARKETS = (SHIPPED, "null", "market_factor")


@dataclass(frozen=True)
class Scores:
    """What two simple learners say of the test rows of a run.

    Attributes:
        row: share and day of each row, [rows].
        label: 0 or 1, [rows].
        day: YYYYMMDD, [rows].
        horizon: sessions ahead.
        of: scores [rows] by model.
    """

    row: NDArray[Any]
    label: NDArray[Any]
    day: NDArray[Any]
    horizon: int
    of: Mapping[str, NDArray[Any]]

    def blocks(self) -> DayBlocks:
        """The days, resampled always alike."""
        return DayBlocks(self.day, horizon=self.horizon, resamples=_RESAMPLES)

    def drawn(self, model: str) -> tuple[float, NDArray[Any]]:
        """A model's AUC, and that of each resample."""
        pairs = Pairs(self.label > 0, self.of[model])
        return pairs.auc(None), resampled_aucs(pairs, self.blocks())

    def aucs(self) -> dict[str, Interval]:
        """AUCs with 95 % intervals by model."""
        return {model: self.blocks().summarise(*self.drawn(model), bounds=(0, 1)) for model in self.of}


def lift(honest: Scores, leaking: Scores, model: str) -> Interval:
    """A leaking run's AUC less the honest one's: paired where the test rows and labels are the same ones."""
    before, after = honest.drawn(model), leaking.drawn(model)
    same = np.array_equal(honest.row, leaking.row) and np.array_equal(honest.label, leaking.label)
    if same and honest.horizon == leaking.horizon:
        return leaking.blocks().summarise(after[0] - before[0], after[1] - before[1])
    value = after[0] - before[0]
    errors = [scores.aucs()[model].standard_error for scores in (honest, leaking)]
    error = math.hypot(*errors)
    return Interval(value, value - 2 * error, value + 2 * error, error)


def score(run: SmallRun) -> Scores:
    """Fits logistic regression and LightGBM on what a model sees of the train rows."""
    from components.evidence.baselines import BASELINES, Table, table_of
    from components.leak_audit.reading.features import transform_rows
    from components.leak_audit.reading.rows import EVAL, TEST, TRAIN, read_rows
    from models.data import Rows
    from models.formatters import get_formatter

    config, formatter = run.config, get_formatter(run.config.formatter)
    rows = read_rows(run.examples, formatter.sources)
    features = transform_rows(rows, formatter, str(run.graph))
    label = rows.labels[config.horizon]

    def part(split: int) -> Table:
        places = rows.of(split)
        values = {name: column[places] for name, column in features.values.items()}
        return table_of(formatter, [Rows(values, label[places].astype(np.float32))])

    train, held_out, test = part(TRAIN), part(EVAL), part(TEST)
    of = {
        name: np.asarray(BASELINES[fitted](train, held_out, config.seed)(test), np.float64)
        for name, fitted in ((LINEAR, LOGISTIC_REGRESSION), (LIGHTGBM, LIGHTGBM))
    }
    places = rows.of(TEST)
    time = rows.time[places]
    row = np.array([f"{rows.shares[share]} {day}" for share, day in zip(rows.share[places], time, strict=True)])
    return Scores(row, label[places], time, config.horizon, of)


def audited(run: SmallRun, scores: Scores) -> AuditReport:
    """The audit's checks that may accuse; those that only inform are left out."""
    from components.leak_audit.audit import audit

    accusing = [name for name, check in CHECKS.items() if check.leaks or name == prices.NAME]
    return audit(run.examples, run.schema, str(run.graph), scores.aucs(), run.config, only=accusing)


class Runs:
    """Makes runs one after the other; what they have in common is made once."""

    def __init__(self, folder: Path, code: str) -> None:
        """Takes an empty folder that stays while it is used, and the digest of the code that is measured."""
        self._graphs = folder
        self._code = code
        self._honest: dict[tuple[str, int], Scores] = {}

    def leak(self, leak: PlantedLeak, strength: str, market: str) -> dict[str, Any]:
        """Plants a leak on a market; the row of the table."""
        asked = _asked(market)
        row = {"kind": leak.kind, "leak": leak.name, "strength": strength, "of": leak.strengths[strength]}
        row |= {"market": market, "out of sight": leak.out_of_sight, "code": self._code}
        begin = time.process_time()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            change = leak.plant(leak.strengths[strength])
            try:
                run = stack.enter_context(planted(change, folder, asked, self._graphs))
            except UserError as error:
                # The pipeline does not even make such a run.
                row |= {"verdict": "refused", "by": {"pipeline": str(error)}, "lifted": False, "stopped": True}
                return row | {"cpu s": round(time.process_time() - begin, 1)}
            scores = score(run)
            report = audited(run, scores)
        honest = self._honest_scores(replace(asked, horizon=run.config.horizon))
        lifts = {model: lift(honest, scores, model) for model in scores.of}
        lifted = [model for model, one in lifts.items() if one.value > LIFTED * one.standard_error]
        held = report.held_back(scores.of)
        most = max(lifts, key=lambda model: lifts[model].value / max(lifts[model].standard_error, 1e-9))
        return row | {
            "model": most,
            "auc": round(scores.drawn(most)[0], 4),
            "lift": round(lifts[most].value, 4),
            "error": round(lifts[most].standard_error, 4) if math.isfinite(lifts[most].standard_error) else None,
            "lifted": bool(lifted),
            "verdict": report.verdict,
            "by": _by(report),
            "stopped": all(model in held for model in lifted or scores.of),
            "cpu s": round(time.process_time() - begin, 1),
        }

    def clean(self, case: CleanCase) -> dict[str, Any]:
        """Audits a run in which nothing was planted."""
        begin = time.process_time()
        asked = Asked(case.market, CLEAN_SHARES, CLEAN_SESSIONS, case.seed, case.horizon)
        with TemporaryDirectory() as folder, planted(case.change, Path(folder), asked, self._graphs) as run:
            scores = score(run)
            report = audited(run, scores)
        found = {model: round(one.value, 4) for model, one in scores.aucs().items()}
        row = {"market": case.market, "seed": case.seed, "horizon": case.horizon, "features": case.features}
        row |= {"aucs": found, "verdict": report.verdict, "by": _by(report)}
        row |= {"accused": bool(report.held_back(scores.of)), "code": self._code}
        return row | {"cpu s": round(time.process_time() - begin, 1)}

    def _honest_scores(self, asked: Asked) -> Scores:
        key = (asked.market, asked.horizon)
        if key not in self._honest:
            with TemporaryDirectory() as folder, planted(Change(), Path(folder), asked, self._graphs) as run:
                self._honest[key] = score(run)
        return self._honest[key]


@dataclass(frozen=True)
class CleanCase:
    """A run in which nothing was planted.

    Attributes:
        market: scenario, or SHIPPED.
        seed: of the market; which sessions of the shipped prices.
        horizon: sessions ahead.
        features: the formatter, in words.
    """

    market: str
    seed: int
    horizon: int
    features: str

    @property
    def change(self) -> Change:
        """What is added to the formatter window_returns: nothing, or an honest feature of the same day."""
        if self.features == _PLAIN:
            return Change()
        return Change(column=lambda rows: mean_of(move(rows), rows.columns[TIME]))


_PLAIN, _WITH_MARKET = "window_returns", "window_returns and the day's market move"


def clean_cases(count: int) -> list[CleanCase]:
    """So many clean runs; the first ones are of all markets, too."""
    cases: list[CleanCase] = []
    seed = 0
    while len(cases) < count:
        features = _WITH_MARKET if seed % 3 == 2 else _PLAIN
        cases += [CleanCase(market, seed, horizon, features) for market in (SHIPPED, *SCENARIOS) for horizon in (1, 20)]
        seed += 1
    return cases[:count]


def _asked(market: str) -> Asked:
    return Asked(market, PLANTED_SHARES, PLANTED_SESSIONS)


def _by(report: AuditReport) -> dict[str, str]:
    """What each check says that accuses."""
    accusing = (Status.LEAKING, Status.SUSPICIOUS)
    return {
        check.name: f"{check.status.value}: {check.sentence}" for check in report.checks if check.status in accusing
    }
