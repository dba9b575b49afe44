"""Which model predicts: the pushed one; where none was ever blessed, the best of the latest run, on trial."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.correlation import daily_rank_ic
from components.ledger.instants import stamp
from components.ledger.origins import Origin
from components.ledger.setting_up import LiveModel, model_digest
from components.live_evidence import Claim
from components.model_selector.opening import open_card, open_pushed
from models.card import ModelCard
from models.errors import TwinError
from models.twin.forecasting import Twin
from models.twin.proof import Proof
from models.twin.proving import proven_twin
from pipeline.plan import Plan
from pipeline.runs.folder import FinishedRun
from pipeline.runs.results import ReportError
from pipeline.uses.predict import (
    check_asked,
    finished_runs,
    pushed_versions,
    run_that_pushed,
    through_tensorflow,
)

_SECONDS = 10
"""Digits of a time in seconds since 1970, from 2001 to 2286."""

Answers = Callable[..., NDArray[Any]]
"""Shares [n] and their windows [n, 21], close0 first, and as `day` the columns by name, to probabilities [n]."""


@dataclass(frozen=True)
class Speaker:
    """A model that predicts.

    Attributes:
        saved_model: its folder.
        card: what it says of itself.
        blessed: whether it was pushed; else it is on trial.
        run: that it was trained in; None where that is no longer here.
        name: of it in that run.
        proof: that its twin answers as it does; None where none is known.
    """

    saved_model: Path
    card: ModelCard
    blessed: bool
    run: FinishedRun | None
    name: str
    proof: Proof | None = None

    @cached_property
    def digest(self) -> str:
        """Of what computes its probabilities."""
        return model_digest(self.saved_model)

    @property
    def live(self) -> LiveModel:
        """As a ledger names it."""
        train = None if self.run is None else self.run.report.splits.get("train")
        first, last = ("", "") if train is None else (train.first, train.last)
        return LiveModel(self.digest, self.card.model, self.card.formatter, self.card.horizon, first, last)

    @property
    def origin(self) -> Origin:
        """Where it comes from, as a ledger notes it."""
        run = "" if self.run is None else self.run.folder.resolve().name  # `latest` is another one tomorrow
        return Origin(self.digest, self.card.horizon, self.blessed, run, _pushed_at(self) if self.blessed else "")

    @property
    def said(self) -> str:
        """Who it is, in words."""
        return f"{self.card.model} {self.digest[:8]}{'' if self.blessed else ' (on trial, not blessed)'}"

    @cached_property
    def twin(self) -> Twin:
        """What answers without TensorFlow.

        Raises:
            TwinError: there is none that was proven.
        """
        return proven_twin(self.saved_model, self.proof)

    @cached_property
    def voice(self) -> tuple[Answers, str]:
        """What it says of windows, and why TensorFlow has to be asked for it; empty where its twin answers."""
        try:
            return self.twin.forecast, ""
        except TwinError as error:
            return partial(through_tensorflow, self.saved_model), str(error)

    def claim(self) -> Claim | None:
        """The daily rank IC of its test split; None where its run is no longer here.

        Raises:
            ReportError: the predictions of the run cannot be read.
        """
        if self.run is None:
            return None
        rows = self.run.predictions()
        _, daily = daily_rank_ic(
            rows[self.name].to_numpy(), rows["forward_return"].to_numpy(), rows["time"].to_numpy("datetime64[D]")
        )
        return Claim.of_days(daily, self.card.horizon) if np.count_nonzero(~np.isnan(daily)) >= 2 else None


def challengers(plan: Plan) -> Path:
    """The folder that a retrained model is pushed to while it may not replace the champion yet."""
    return plan.workspace / "challengers" / plan.name


def speaker_of(plan: Plan, trial: bool) -> Speaker | None:
    """The champion; else, where a trial is allowed, the best candidate of the latest run that is not held back.

    Raises:
        ModelFolderError: what the model says of itself cannot be read.
        PredictionError: it is one of another horizon or formatter.
    """
    runs = finished_runs(plan)
    if versions := pushed_versions(plan.serving):
        return _pushed(plan, versions[-1], runs)
    return _on_trial(runs) if trial else None


def challenger_of(plan: Plan, champion: Speaker) -> Speaker | None:
    """The newest retrained model that was blessed and is not the champion; None where there is none.

    Raises:
        ModelFolderError: what the model says of itself cannot be read.
        PredictionError: it is one of another horizon or formatter.
    """
    versions = pushed_versions(challengers(plan))
    if not champion.blessed or not versions:
        return None
    found = _pushed(plan, versions[-1], finished_runs(plan))
    return None if found.digest == champion.digest else found


def _pushed(plan: Plan, version: Path, runs: Sequence[FinishedRun]) -> Speaker:
    run = run_that_pushed(runs, version)
    pushed = open_pushed(version)
    check_asked(plan, version, pushed.card)
    name = pushed.card.model if run is None or run.report.champion is None else run.report.champion
    return Speaker(version, pushed.card, True, run, name, pushed.proof)


def _pushed_at(speaker: Speaker) -> str:
    """When a version was pushed, which TFX calls it by, in seconds; else when its run ended."""
    version = speaker.saved_model.name
    if version.isdecimal() and len(version) == _SECONDS:
        return stamp(dt.datetime.fromtimestamp(int(version), dt.UTC))
    return "" if speaker.run is None else stamp(dt.datetime.fromisoformat(speaker.run.report.created))


def _on_trial(runs: Sequence[FinishedRun]) -> Speaker | None:
    """The candidate with the highest AUC of the latest run that still has any."""
    for run in reversed(runs):
        report = run.report
        free = {name: one for name, one in report.models.items() if name not in report.held_back}
        for name in sorted(free, key=lambda one: -free[one].auc):
            try:
                saved_model = run.saved_model(name)
            except ReportError:  # gone from the pipeline's cache
                continue
            return Speaker(saved_model, open_card(saved_model), False, run, name, free[name].twin)
    return None
