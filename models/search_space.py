"""Where `awesome search` looks for better hyperparameters: ranges and choices, parts of a declaration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_DIGITS = 3
"""Of a number that is searched for: what differs behind them makes no other model, and nobody wants to type it."""


@dataclass(frozen=True)
class Between:
    """A number between two ends, both among them; a whole one where both ends are.

    Attributes:
        low: the lower end.
        high: the upper end.
        log: whether a factor counts the same everywhere, as for a learning rate.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Checks the ends.

        Raises:
            ValueError: they are no ends of a range.
        """
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"{self.low!r} to {self.high!r} is no range")
        if self.log and self.low <= 0:
            raise ValueError(f"a range with log begins above 0, not at {self.low!r}")

    @property
    def whole(self) -> bool:
        """Whether it is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        kind = int if self.whole else (int, float)
        return isinstance(value, kind) and not isinstance(value, bool) and self.low <= value <= self.high

    def rounded(self, value: float) -> float:
        """A value of it as it is trained with.

        >>> Between(1e-3, 1e-1, log=True).rounded(0.0123456)
        0.0123
        """
        near = float(f"{value:.{_DIGITS}g}")
        return value if self.whole else min(max(near, self.low), self.high)

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.low:g} to {self.high:g}{' (log)' if self.log else ''}"


@dataclass(frozen=True)
class OneOf:
    """One of some values.

    Attributes:
        values: numbers, or tuples of whole numbers, such as the widths of layers.
    """

    values: tuple[Any, ...]
    _named: Mapping[Any, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: there is none, or two are the same.
        """
        named = {plain(value) if isinstance(value, tuple) else value: value for value in self.values}
        if not named or len(named) < len(self.values):
            raise ValueError(f"{self.values!r} are no different values to choose from")
        object.__setattr__(self, "_named", named)

    def holds(self, value: Any) -> bool:
        """Whether a value is among them."""
        return value in self.values

    @property
    def names(self) -> tuple[Any, ...]:
        """The values as a store of trials can keep them."""
        return tuple(self._named)

    def named(self, name: Any) -> Any:
        """The value that one of `names` stands for."""
        return self._named[name]

    @property
    def words(self) -> str:
        """For people."""
        return ", ".join(map(plain, self.values))


Space = Mapping[str, Between | OneOf]
"""By the name of a hyperparameter, where it is looked for; the others are left as they are."""


def plain(value: Any) -> str:
    """A value of a hyperparameter for people.

    >>> plain((64, 32)), plain(0.0123), plain(8)
    ('64-32', '0.0123', '8')
    """
    if isinstance(value, (tuple, list)):
        return "-".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_words(values: Mapping[str, Any]) -> str:
    """Hyperparameters by name, on one line.

    >>> in_words({"learning_rate": 0.01, "units": (64, 32)})
    'learning_rate 0.01, units 64-32'
    """
    return ", ".join(f"{name} {plain(value)}" for name, value in values.items())
