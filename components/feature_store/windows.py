"""Price bars of one share, and the windows of adjusted closes that FEATURE holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Booleans, Days, Floats
from components.feature_store.rules import REQUIRED, impossible, outside_range
from components.feature_store.schema import BAR_COLUMNS
from models.features import WINDOW

_FIRST_DAY = np.datetime64("0001-01-01", "D")
_LAST_DAY = np.datetime64("9999-12-31", "D")


@dataclass(frozen=True)
class PriceBars:
    """Daily bars of one share in ascending dates, without a date twice.

    The adjusted close is `close * factor`. Adjustment goes from the first day on: factor 1 on the first day, larger
    after each dividend or split, so that a new event never changes the past.

    Attributes:
        time: Sessions, datetime64[D], shape (n,), n >= 1.
        close: Raw closes in the share's currency, float64, shape (n,), finite and above 0.
        factor: Accumulated adjustment factors, float64, shape (n,), finite and above 0.
        open: Raw opens, float64, shape (n,), NaN where unknown; or None.
        high: Raw highs, likewise.
        low: Raw lows, likewise.
        volume: Traded shares, likewise.

    Raises:
        ValueError: A rule above is broken; the message names the field and the first day at fault.
    """

    time: Days
    close: Floats
    factor: Floats
    open: Floats | None = None
    high: Floats | None = None
    low: Floats | None = None
    volume: Floats | None = None

    def __post_init__(self) -> None:
        """Casts the fields to their types and checks them."""
        # A frozen dataclass has to set through object to normalise what it was given.
        time = np.asarray(self.time).astype("datetime64[D]")
        object.__setattr__(self, "time", time)
        if time.ndim != 1 or len(time) == 0:
            raise ValueError("time must be one-dimensional and not empty")
        for name in BAR_COLUMNS:
            given = getattr(self, name)
            if given is not None:
                values = np.asarray(given, dtype=np.float64)
                if values.shape != time.shape:
                    raise ValueError(f"{name} has shape {values.shape}, time has {time.shape}")
                object.__setattr__(self, name, values)
        self._refuse("time", ~((time >= _FIRST_DAY) & (time <= _LAST_DAY)), "is not a date from year 1 to 9999")
        self._refuse("time", np.append(False, time[1:] <= time[:-1]), "does not come after the day before it")
        for name in BAR_COLUMNS:
            why = "is not a finite number above 0" if name in REQUIRED else "is infinite or out of range"
            self._refuse(name, impossible(name, self.column(name)), why)
        low, high = self.column("low"), self.column("high")
        self._refuse("low", low > high, "is above high")
        self._refuse("close", outside_range(self.close, low, high), "is outside [low, high]")
        adjusted = self.adjusted_close
        self._refuse("factor", impossible("close", adjusted), "takes the adjusted close out of range")

    def _refuse(self, name: str, bad: Booleans, why: str) -> None:
        if bad.any():
            first = int(np.argmax(bad))
            raise ValueError(f"{name} on {self.time[first]} {why}: {getattr(self, name)[first]}")

    def __len__(self) -> int:
        """Returns the number of sessions."""
        return len(self.time)

    def column(self, name: str) -> Floats:
        """Returns a field, float64, shape (n,); NaN where it is None."""
        values = getattr(self, name)
        return np.full(len(self), np.nan) if values is None else values

    @property
    def adjusted_close(self) -> Floats:
        """Raw close times factor, float64, shape (n,)."""
        with np.errstate(over="ignore", under="ignore"):
            return self.close * self.factor


def close_windows(adjusted_close: Floats) -> Floats:
    """Returns the window of each session from the 21st on, the latest close first.

    Args:
        adjusted_close: Adjusted closes of one share in ascending dates, float64, shape (n,).

    Returns:
        A read-only view, shape (max(n - 20, 0), 21); row i belongs to session i + 20, column k is close<k>.

    >>> close_windows(np.arange(1.0, 23.0))[:, :3]
    array([[21., 20., 19.],
           [22., 21., 20.]])
    """
    if len(adjusted_close) < WINDOW:
        return np.empty((0, WINDOW))
    return np.lib.stride_tricks.sliding_window_view(adjusted_close, WINDOW)[:, ::-1]
