"""Labels: what is predicted, declared once, each in a file of this folder that names it LABEL.

FeatureExampleGen makes examples of these declarations; training, TFMA, the Evidence step, the leak audit, predictions
and reports read which one it is, and the words for it. Importing them needs no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from models.features import excess_return_key, forward_return_key
from models.plugins import GROUPS, LAST, Registry

if TYPE_CHECKING:  # a finished run is read by the names alone, without NumPy
    import numpy as np
    import numpy.typing as npt

    Returns: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Words:
    """How people speak of a label.

    Attributes:
        event: what a probability is of, behind "the probability of".
        question: the same as the beginning of a question, before "next session?".
        yes: rows with a 1.
        no: rows with a 0.
        called: what a row is called where a model says 1, behind "called".
        did: what a row with a 1 did, behind "the share that".
    """

    event: str
    question: str
    yes: str
    no: str
    called: str
    did: str

    def asks(self, horizon: int) -> str:
        """The question that is asked of a share, such as "Up next session?"."""
        return f"{self.question} {'next session' if horizon == 1 else f'in {horizon} sessions'}?"


@dataclass(frozen=True)
class Label:
    """A named, declared question about what a share's close does over a horizon; 1 where it came so, else 0.

    Attributes:
        name: as in `--label`.
        description: one paragraph for people.
        words: how people speak of it.
        level: what a return must exceed, of the returns [shares] of all shares of its day; None where it is 0, whatever
            the others do. A return that equals it is no label.
        least_shares: with a known return on a day, below which the day has no level and none of its rows a label.
        order: its place among the labels.
    """

    name: str
    description: str
    words: Words
    level: Callable[[Returns], float] | None = None
    least_shares: int = 2
    order: int = LAST

    def __post_init__(self) -> None:
        """Checks what would fail where nobody looks for it.

        Raises:
            TypeError: words or level are of another type.
            ValueError: least_shares is no number of shares.
        """
        if not isinstance(self.words, Words):
            raise TypeError(f"label {self.name}: words is of type {type(self.words).__name__}, not Words")
        if self.level is not None and not callable(self.level):
            raise TypeError(f"label {self.name}: level is of type {type(self.level).__name__}, not a function")
        if not isinstance(self.least_shares, int) or self.least_shares < 1:
            raise ValueError(f"label {self.name}: least_shares is {self.least_shares!r}, not a number from 1 on")

    @property
    def of_the_day(self) -> bool:
        """Whether it depends on the other shares of the day."""
        return self.level is not None

    def return_key(self, horizon: int) -> str:
        """The name of the return that it tells the sign of."""
        return excess_return_key(horizon) if self.of_the_day else forward_return_key(horizon)

    def levels(self, day: npt.NDArray[np.int64], change: Returns, days: int) -> Returns:
        """The level of each day.

        Args:
            day: index of the day of each return, [rows].
            change: the returns, [rows].
            days: how many days there are.

        Returns:
            [days]; nan for a day with fewer returns than `least_shares`.
        """
        import numpy as np

        assert self.level is not None
        order = np.argsort(day, kind="stable")
        found = np.full(days, np.nan, np.float32)
        begins = np.searchsorted(day[order], np.arange(days + 1))
        returns = change[order]
        with LABELS.called(self.name):
            for at in np.flatnonzero(np.diff(begins) >= self.least_shares).tolist():
                found[at] = self.level(returns[begins[at] : begins[at + 1]])
        return found


LABELS = Registry(GROUPS["awesome.labels"], Label)

UP = "up"
"""The label of all that does not say which one it has."""


def get_label(name: str) -> Label:
    """The label of that name.

    Raises:
        UnknownNameError: there is none.
    """
    return LABELS.named(name)


def words_of(name: str) -> Words:
    """The words for a label; plain ones for that of a package that is not installed here."""
    if name in LABELS:
        return LABELS[name].words
    return Words(f"the label {name}", f"{name}: yes", f"{name} rows", "other rows", name, f"were {name}")
