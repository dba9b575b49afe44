"""Tries that were never run: what a record holds of them is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from components.trials.record import Record, Series, Trial, TriedModel

DAYS = 500


def tried(name: str, influence: np.ndarray, answers: str = "", needed: float = math.nan) -> TriedModel:
    """A model of whose AUC 1/2 is what the days add up to."""
    area = 0.5 + float(np.nansum(influence))
    return TriedModel(name, area, 0.01, False, needed, answers or name, Series.of(influence))


def a_try(models: Sequence[TriedModel], first_day: int = 0, horizon: int = 1, rows: str = "rows") -> Trial:
    """A try on as many days as its first model's influence has; days are numbers from 10,000 on."""
    days = tuple(10_000 + first_day + day for day in range(len(models[0].influence.values)))
    name = "".join(model.answers for model in models)
    return Trial(f"{rows}{first_day} {name}", "2026-01-02T03:04:05Z", "run", {}, horizon, rows, days, tuple(models))


def independent_tries(count: int, rng: np.random.Generator, days: int = DAYS) -> list[Trial]:
    """Tries of one model each that have nothing in common."""
    return [a_try([tried(f"own {number}", rng.normal(size=days) * 1e-3)]) for number in range(count)]


def record_of(trials: Sequence[Trial]) -> Record:
    """A complete record."""
    return Record(True, tuple(trials))
