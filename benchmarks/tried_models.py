"""Tries on synthetic markets without a pipeline: what is tried, and the answers, for benchmarks.many_runs.

The learners are small (ridge regressions, nets whose first layer is drawn, a few trees), so that thousands of tries
take minutes, and share what real tries share: training rows, features, seeds. That a try through the pipeline gives the
same AUC, error and hurdle is tests/job/test_tries_of_a_chain.py's to show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.metric import AUC, METRICS, Answers
from components.evidence.resampling import DayBlocks
from components.synthetic_market import Scenario
from components.trials.hurdle import normal_scale
from components.trials.influence import day_influence
from components.trials.record import Series, Trial, TriedModel, digest

WINDOW = 20
HORIZONS = (1, 5, 20)
FORMATTERS = ("returns", "latest", "closes", "scaled", "signs")
TRAIN = 160
TEST = 160
FIRST = TRAIN + max(HORIZONS)
_FIRST_DAY = 20_000_101


@dataclass(frozen=True)
class Setting:
    """What is tried.

    Attributes:
        learner: ridge, net or trees.
        formatter: one of FORMATTERS: what is made of the last 20 returns.
        size: of a net's first layer, or how many trees.
        penalty: of the weights, as a part of the features' own variance.
        horizon: sessions ahead of the label.
        seed: of what is drawn.
    """

    learner: str
    formatter: str
    size: int
    penalty: float
    horizon: int
    seed: int


GOOD = Setting("ridge", "latest", 0, 0.01, 1, 0)
"""What a person who knows the market would try first."""


def draw_setting(rng: np.random.Generator) -> Setting:
    """One of the things that people try."""
    learner, formatter, size, penalty, horizon = rng.random(5)
    return Setting(
        "ridge" if learner < 0.38 else "net" if learner < 0.98 else "trees",
        FORMATTERS[int(formatter * len(FORMATTERS))],
        (8, 16, 32)[int(size * 3)],
        (0.001, 0.01, 0.1, 1.0)[int(penalty * 4)],
        HORIZONS[int(np.searchsorted([0.7, 0.9], horizon))],
        int(rng.integers(1_000_000)),
    )


def near(setting: Setting, rng: np.random.Generator) -> Setting:
    """The same but for one thing, of which the horizon is none."""
    other, what = draw_setting(rng), ("learner", "formatter", "size", "penalty", "seed")[int(rng.integers(5))]
    return replace(setting, **{what: getattr(other, what)})


@dataclass(frozen=True, eq=False)
class Market:
    """Windows and labels.

    Attributes:
        windows: float32 array [days, shares, WINDOW] of returns, the latest last.
        labels: by horizon, int array [days, shares].
    """

    windows: NDArray[np.float32]
    labels: dict[int, NDArray[np.int64]]
    _features: dict[tuple[str, int], tuple[NDArray[np.float32], NDArray[np.float32]]] = field(default_factory=dict)

    @classmethod
    def of(cls, scenario: Scenario, shares: int, days: int, seed: int) -> Market:
        """Draws a market."""
        returns = scenario.simulate(shares, WINDOW + days + max(HORIZONS), np.random.default_rng(seed))
        windows = np.lib.stride_tricks.sliding_window_view(returns, WINDOW, axis=0)[:days]
        level = np.cumsum(returns, axis=0)[WINDOW - 1 :]
        labels = {h: (level[h : days + h] > level[:days]).astype(np.int64) for h in HORIZONS}
        return cls(windows.astype(np.float32), labels)

    def features(self, formatter: str, first: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What is learned from and what is asked, [rows, features] each, as `make_try`'s arguments say; scaled."""
        key = formatter, first
        if key not in self._features:
            if len(self._features) >= len(FORMATTERS):
                self._features.clear()
            begin, end = _learned(first)
            train, test = (
                _formatted(formatter, self.windows[days].reshape(-1, WINDOW))
                for days in (slice(begin, end), slice(first, first + TEST))
            )
            mean, deviation = train.mean(axis=0), train.std(axis=0)
            self._features[key] = (train - mean) / deviation, (test - mean) / deviation
        return self._features[key]


@cache
def blocks_of(shares: int, horizon: int) -> DayBlocks:
    """Resamples of test days; they depend on nothing else."""
    return DayBlocks(np.repeat(np.arange(TEST), shares), horizon=horizon, seed=0)


@dataclass(frozen=True, eq=False)
class Try:
    """The answers of one setting on a test stretch.

    Attributes:
        setting: what was tried.
        labels: of the test rows.
        probability: of the test rows.
        first: the first test day.
        blocks: of the test days.
        influence: of the test days, [TEST].
    """

    setting: Setting
    labels: NDArray[np.int64]
    probability: NDArray[np.float64]
    first: int
    blocks: DayBlocks
    influence: NDArray[np.float64]

    @cached_property
    def trial(self) -> Trial:
        """As a record keeps it."""
        model = TriedModel(
            self.setting.learner,
            0.5 + float(self.influence.sum()),
            math.nan,
            False,
            math.nan,
            digest(self.probability),
            Series.of(self.influence),
        )
        days = tuple(range(_FIRST_DAY + self.first, _FIRST_DAY + self.first + TEST))
        rows = f"{self.first} {self.setting.horizon}"
        return Trial(f"{rows} {model.answers}", "", "run", {}, self.setting.horizon, rows, days, (model,))

    @cached_property
    def quick(self) -> float:
        """`errors` by the first term of Hoeffding's decomposition: within a few per cent, and at once."""
        centred = 2 * (self.influence - self.influence.mean())
        error = self.blocks.standard_error(self.blocks.sums(centred))
        return normal_scale(0.5 + float(self.influence.sum()), error, self.blocks.degrees)

    def errors(self) -> float:
        """Standard errors of its AUC above 1/2, as Evidence has them."""
        answers = Answers(self.labels == 1, self.probability, np.zeros(len(self.labels)), self.blocks)
        area = METRICS[AUC].measure(answers).interval(self.blocks, 0.95, None)
        return normal_scale(area.value, area.standard_error, self.blocks.degrees)


def make_try(market: Market, setting: Setting, first: int = FIRST) -> Try:
    """Trains on the days before a test stretch, and answers for it.

    Args:
        market: where.
        setting: what.
        first: first test day; the TRAIN days before it, less the longest horizon, are learned from.
    """
    begin, end = _learned(first)
    label = market.labels[setting.horizon]
    probability = answer(setting, *market.features(setting.formatter, first), label[begin:end].ravel())
    return scored(market, setting, probability, first)


def scored(market: Market, setting: Setting, probability: NDArray[np.float64], first: int) -> Try:
    """A try of which the answers are known, [rows] of the test days."""
    test = market.labels[setting.horizon][first : first + TEST].ravel()
    blocks = blocks_of(market.windows.shape[1], setting.horizon)
    return Try(setting, test, probability, first, blocks, day_influence(test, probability, blocks.index))


def _learned(first: int) -> tuple[int, int]:
    return first - TRAIN - max(HORIZONS), first - max(HORIZONS)


def answer(
    setting: Setting, features: NDArray[np.float32], asked: NDArray[np.float32], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Probabilities of "up" of what is asked, [rows], learned from features [rows, features] and their labels."""
    if setting.learner == "trees":
        return _trees(setting, features, labels, asked)
    if setting.learner == "net":
        rng = np.random.default_rng(setting.seed)
        weights = rng.standard_normal((features.shape[1], setting.size), dtype=np.float32) / math.sqrt(WINDOW)
        features, asked = (np.tanh(2 * one @ weights) for one in (features, asked))
    target = (labels - labels.mean()).astype(np.float32)
    gram = features.T @ features
    gram += np.diag(np.full(len(gram), setting.penalty * np.trace(gram) / len(gram)))
    score: NDArray[Any] = asked @ np.linalg.solve(gram, features.T @ target)
    return 1 / (1 + np.exp(-4 * score.astype(np.float64)))


def _trees(
    setting: Setting, features: NDArray[np.float32], labels: NDArray[np.int64], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    import lightgbm

    data = lightgbm.Dataset(features, labels, params={"verbose": -1, "max_bin": 31})
    how = {"objective": "binary", "num_leaves": 7, "verbose": -1, "seed": setting.seed, "num_threads": 1}
    how |= {"bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.5, "max_bin": 31}
    return np.asarray(lightgbm.train(how, data, num_boost_round=setting.size).predict(asked), np.float64)


def _formatted(formatter: str, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    if formatter == "latest":
        return windows[:, -5:]
    if formatter == "closes":
        return np.cumsum(windows[:, ::-1], axis=1)
    if formatter == "scaled":
        scaled: NDArray[np.float32] = windows / windows.std(axis=1, keepdims=True)
        return scaled
    if formatter == "signs":
        return np.sign(windows)
    return windows
