"""Walks through a panel in memory: the project's plan of folds, features, labels, linear model and LightGBM.

The panels have a close of every share on every session, so rows are a grid of sessions and shares, and what the
pipeline does around a training (files of examples, TFMA, the steps' own processes) can be left out: a walk of
`awesome walkforward` takes ten times as long. Features are made by the arithmetic that Transform and the twin share,
with means and deviations of the fold's own train split.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.labels import RESIDUAL, make_targets
from benchmarks.panel_data import Panel
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.feature_store import WINDOW
from models.day_wide.prices import DayPrices, ShareCloses
from models.day_wide.rows import DayRows
from models.features import CLOSES
from models.formatters import DataFormatter, get_formatter
from models.labels import get_label
from models.operations import Kind, Learned, scaled_by

Grid: TypeAlias = npt.NDArray[Any]
"""[sessions, shares] or [sessions, shares, steps]."""

LINEAR, LIGHTGBM = "linear", "lightgbm"
FOLDS = 8
EMBARGO = WINDOW
"""For every formatter: a test row may be made of sessions that train knows, which is how a model is used."""

FIRST_TEST = {"us20": "1994-01-03", "us431": "2009-01-02"}
"""By panel; all years but the first few are tested."""


@dataclass(frozen=True, eq=False)
class PanelPrices:
    """The closes of a panel.

    Attributes:
        name: of the panel.
        days: its sessions, datetime64[D] [sessions].
        shares: their names, [shares].
        closes: adjusted, float64 [sessions, shares].
    """

    name: str
    days: npt.NDArray[np.datetime64]
    shares: tuple[str, ...]
    closes: Grid

    @classmethod
    def of(cls, panel: Panel, table: pd.DataFrame) -> PanelPrices:
        """Those of a table of closes without a gap, as `read_closes` gives it."""
        return cls(panel.name, table.index.to_numpy().astype("datetime64[D]"), tuple(table.columns), table.to_numpy())

    @cached_property
    def ahead(self) -> Grid:
        """The return to the next session; nan on the last."""
        found = np.full(self.closes.shape, np.nan)
        found[:-1] = self.closes[1:] / self.closes[:-1] - 1
        return found

    @cached_property
    def residual(self) -> Grid:
        """The return to the next session less beta times the market's, beta of days before; nan where unknown."""
        return np.asarray(make_targets(pd.DataFrame(self.closes), 1).returns[RESIDUAL])

    def features(self, formatter: DataFormatter) -> dict[str, Grid]:
        """What the formatter makes of all rows, before what is learned of a train split; nan where it cannot."""
        windows = np.full((*self.closes.shape, WINDOW), np.nan, np.float32)
        windows[WINDOW - 1 :] = np.lib.stride_tricks.sliding_window_view(self.closes, WINDOW, axis=0)[..., ::-1]
        sources = {CLOSES: windows.reshape(-1, WINDOW)} | self._day_wide(formatter)
        made = {}
        for feature in formatter.features:
            if feature.kind is Kind.CATEGORY:
                values = np.broadcast_to(np.arange(len(self.shares)), self.closes.shape)[..., None]
            else:
                assert feature.operation.values is not None
                source = sources[feature.source]
                source = source if source.ndim == 2 else source[:, None]
                values = feature.operation.values(np, source, feature).astype(np.float32)
            made[feature.name] = values.reshape(*self.closes.shape, -1)
        return made

    def _day_wide(self, formatter: DataFormatter) -> dict[str, Grid]:
        if not formatter.example_columns:
            return {}
        shares = [ShareCloses(name, self.days, self.closes[:, at]) for at, name in enumerate(self.shares)]
        rows = DayRows.of(DayPrices(shares, self.shares), formatter.example_columns)
        return rows.look_up(np.tile(self.shares, len(self.days)).tolist(), np.repeat(self.days, len(self.shares)))

    def excess(self, label: str) -> Grid:
        """The return that a label tells the sign of."""
        declared = get_label(label)
        if not declared.of_the_day:
            return self.ahead
        known = np.flatnonzero(np.isfinite(self.ahead).all(axis=1))
        day = np.repeat(known, len(self.shares))
        return self.ahead - declared.levels(day, self.ahead[known].astype(np.float32).ravel(), len(self.days))[:, None]


Ask: TypeAlias = Callable[[dict[str, Grid]], Grid]
"""Features of rows to scores [rows]."""


def walk(prices: PanelPrices, formatter: str, label: str, model: str, seed: int = 0) -> Grid:
    """What a model says of the test stretches, each time trained on the days before.

    Args:
        prices: the panel.
        formatter: what it sees.
        label: what it learns.
        model: `linear`, or `lightgbm`, a run's baseline.
        seed: of the training.

    Returns:
        Scores, [sessions, shares]; nan on sessions that are not tested.
    """
    declared = get_formatter(formatter)
    made, excess = prices.features(declared), prices.excess(label)
    scores = np.full(prices.closes.shape, np.nan)
    for number, sessions in enumerate(fold_sessions(prices, declared), 1):
        test = sessions["test"]
        print(
            f"{prices.name}, {formatter} with {label}, {model}: fold {number} of {FOLDS}, {prices.days[test[0]]} to "
            f"{prices.days[test[-1]]}",
            file=sys.stderr,
            flush=True,
        )
        learned = {name: _learned(declared, name, values, sessions["train"]) for name, values in made.items()}
        fit = _fit_linear if model == LINEAR else _fit_lightgbm
        train, held_out = (_rows(prices, learned, excess, sessions[split]) for split in SPLITS[:2])
        ask = fit(declared, train, held_out, seed)
        asked = {name: scale(test).reshape(-1, made[name].shape[-1]) for name, scale in learned.items()}
        scores[test] = ask(asked).reshape(len(test), -1)
    return scores


def fold_sessions(prices: PanelPrices, formatter: DataFormatter) -> list[dict[str, npt.NDArray[np.int64]]]:
    """The sessions of each fold's splits, by index, purge and embargo taken off and features known."""
    from pipeline.studies.walkforward.folds import WalkSettings, plan_folds

    asked = SplitSettings(embargo=EMBARGO, horizons=(1,), reach=formatter.reach)
    folds = plan_folds(prices.days, WalkSettings(FOLDS, first_test=FIRST_TEST[prices.name]), asked)
    found = []
    for fold in folds:
        plan = plan_splits(prices.days, fold.splits)
        session = np.arange(formatter.reach, len(prices.days) - 1)
        split, _ = plan.assign(session, session - plan.lookback, session + 1)
        found.append({name: session[split == number] for number, name in enumerate(SPLITS)})
    return found


def _learned(
    formatter: DataFormatter, name: str, values: Grid, train: npt.NDArray[np.int64]
) -> Callable[[npt.NDArray[np.int64]], Grid]:
    """A feature of some sessions, with what is learned of it on the train split."""
    feature = next(one for one in formatter.features if one.name == name)
    if feature.operation.learned is not Learned.MOMENTS:
        return lambda sessions: values[sessions]
    rows = values[train].reshape(-1, values.shape[-1]).astype(np.float64)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    return lambda sessions: scaled_by(np, values[sessions].astype(np.float64), mean, deviation).astype(np.float32)


def _rows(
    prices: PanelPrices,
    learned: dict[str, Callable[[npt.NDArray[np.int64]], Grid]],
    excess: Grid,
    sessions: npt.NDArray[np.int64],
) -> Any:
    """The rows of a split that have a label."""
    from models.data import Rows

    told = excess[sessions].ravel()
    use = np.isfinite(told) & (told != 0)
    features = {name: scale(sessions).reshape(len(use), -1)[use] for name, scale in learned.items()}
    days = np.repeat(prices.days[sessions], len(prices.shares))[use]
    shares = np.tile(np.array(prices.shares, object), len(sessions))[use]
    change = told[use].astype(np.float32)
    return Rows(features, (change > 0).astype(np.float32), days.astype(np.int64), shares, change, change)


def _fit_linear(formatter: DataFormatter, train: Any, held_out: Any, seed: int) -> Ask:
    from models import training
    from models.architecture import InputSpec
    from models.registry import get_architecture

    declared = get_architecture(LINEAR)
    categories = {
        feature.name: int(train.features[feature.name].max()) + 2 for feature in formatter.of_kind(Kind.CATEGORY)
    }
    inputs = InputSpec(formatter, categories)
    fitted = training.train(LINEAR, declared.default_version, declared.hyperparameters, inputs, train, held_out, seed)

    def ask(features: dict[str, Grid]) -> Grid:
        logits: Grid = fitted.model.predict(features, batch_size=65536, verbose=0)
        return logits[:, 0]

    return ask


def _fit_lightgbm(formatter: DataFormatter, train: Any, held_out: Any, seed: int) -> Ask:
    from components.evidence.baselines import fit_lightgbm, table_of
    from models.data import Rows

    fitted = fit_lightgbm(table_of(formatter, [train]), table_of(formatter, [held_out]), seed)
    return lambda features: fitted(table_of(formatter, [Rows(features, np.empty(0, np.float32))]))
