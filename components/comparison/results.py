"""What a comparison of formatters and labels has found; what computes it needs NumPy (choosing.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.evidence.interval import Interval


@dataclass(frozen=True)
class Combination:
    """A formatter and a label, and what their models did on the eval split.

    Attributes:
        formatter: name of the DataFormatter.
        label: name of the label.
        best: the model of the highest rank IC; empty where no model has one.
        rank_ic: of it, with the return over the horizon.
        auc: of it, by the label's own question.
        baseline: the baseline of the highest rank IC on the same features and label; empty where none has one.
        baseline_rank_ic: of that.
        behind: the best model's rank IC less that of the chosen combination, paired by days; None for the chosen one.
        models: rank IC of each model by name.
    """

    formatter: str
    label: str
    best: str
    rank_ic: Interval
    auc: Interval
    baseline: str
    baseline_rank_ic: Interval
    behind: Interval | None
    models: Mapping[str, Interval]

    @property
    def name(self) -> str:
        """In a word, such as `window_returns, up`."""
        return f"{self.formatter}, {self.label}"

    @property
    def clearly_behind(self) -> bool:
        """Whether it is behind by more than luck: the paired interval lies below 0."""
        return self.behind is not None and self.behind.high < 0


@dataclass(frozen=True)
class Comparison:
    """Combinations on the rows of the eval split that all of them have.

    Attributes:
        first: first day of these rows, ISO date.
        last: last one.
        days: how many days they are of.
        rows: how many they are.
        combinations: in the order that was asked for.
        chosen: the place of the one that the run was made with.
    """

    first: str
    last: str
    days: int
    rows: int
    combinations: tuple[Combination, ...]
    chosen: int

    @property
    def winner(self) -> Combination:
        """The one that the run was made with."""
        return self.combinations[self.chosen]
