"""A twin in memory: rows to probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.day_wide.columns import COLUMNS
from models.errors import TwinError, UnknownNameError
from models.features import CLOSES, SHARE_ID, TIME, WINDOW
from models.formatters import get_formatter
from models.twin.arithmetic import EXACT, SINGLE, Array
from models.twin.features import Raw, described, fitted_features
from models.twin.files import TwinRecord, read_twin
from models.twin.network import Network

TOLERANCE = 1e-6
"""How far a twin's probability may be from TensorFlow's."""

_ROWS = 1280
"""Rows at a time: few enough to bound memory, many enough that threads seldom wait for Python's lock."""

Map = Callable[[Callable[[Raw], NDArray[np.float32]], Iterable[Raw]], Iterable[NDArray[np.float32]]]
"""Calls a function with each of some arguments and gives the results in their order, as `map` does."""


class Twin:
    """A model without TensorFlow. It never changes: threads may share one.

    What `forecast` and `answer` give follows from a share and its window alone, to the last bit, whatever rows are
    asked together; what `estimate` gives is as near to TensorFlow's answer, and takes a fraction of the time.
    """

    def __init__(self, record: TwinRecord, digest: str) -> None:
        """Puts the layers together.

        Raises:
            TwinError: the code at hand makes other features than the twin was made with, or lacks a layer.
        """
        try:
            self.formatter = get_formatter(record.formatter)
            """What the model sees."""
        except UnknownNameError as error:
            raise TwinError(str(error)) from None
        if record.features != tuple(described(feature) for feature in self.formatter.features):
            raise TwinError(f"the formatter {record.formatter} declares other features than the model was trained on")
        self._features = fitted_features(self.formatter, record.arrays)
        self._exact = Network(record, EXACT)
        self._single = Network(record, SINGLE)
        self.digest = digest
        """SHA-256 of the twin."""

    def forecast(
        self, share_ids: Sequence[str], closes: NDArray[Any], spread: Map = map, day: Raw | None = None
    ) -> NDArray[np.float32]:
        """Probabilities that the close is higher after the horizon.

        Args:
            share_ids: the shares, [n]; one that was not trained on is answered as an unknown one.
            closes: their last 21 closes, close0 the latest first, [n, 21]; float32 is what the model sees of them.
            spread: asks for the parts of many rows, such as the `map` of threads.
            day: the day-wide columns that the formatter reads, [n] or [n, width] by name; None where it reads none.

        Returns:
            float32 [n].

        Raises:
            ValueError: the closes have another shape, or a column is missing.
        """
        return _in_parts(self._raw(share_ids, closes, day), self._answer, spread)

    def features(self, share_ids: Sequence[str], closes: NDArray[Any], day: Raw | None = None) -> dict[str, Array]:
        """What the model sees of shares and their windows, as in `forecast`: by feature, [n, steps].

        Raises:
            ValueError: as in `forecast`.
        """
        return self.features_of(self._raw(share_ids, closes, day))

    def estimate(
        self, share_ids: Sequence[str], closes: NDArray[Any], spread: Map = map, day: Raw | None = None
    ) -> NDArray[np.float32]:
        """As `forecast`, in single precision: the last digit may depend on the rows that are asked together.

        Raises:
            ValueError: as in `forecast`.
        """
        return _in_parts(self._raw(share_ids, closes, day), self._estimate, spread)

    def untrained(self, share_ids: Sequence[str]) -> tuple[str, ...]:
        """Those of some shares that the model was not trained on, where it sees which share a row is of."""
        seen = [fitted.index for fitted in self._features if fitted.feature.source == SHARE_ID and fitted.index]
        return tuple(share for share in share_ids if any(share.encode() not in index for index in seen))

    def features_of(self, raw: Raw) -> dict[str, Array]:
        """What the model sees of raw features: by feature, [rows, steps]."""
        return {fitted.feature.name: fitted(raw) for fitted in self._features}

    def of_features(self, features: Mapping[str, Array], exact: bool = True) -> NDArray[np.float32]:
        """Probabilities of what the model sees, whoever made it.

        Args:
            features: as `features_of` gives them.
            exact: as `forecast`; else as `estimate`.

        Returns:
            float32 [rows].
        """
        network = self._exact if exact else self._single
        return _in_parts(features, network.probabilities)

    def answer(self, raw: Raw) -> NDArray[np.float32]:
        """Exact probabilities of raw features, float32 [rows]."""
        return _in_parts(raw, self._answer)

    def estimated(self, raw: Raw) -> NDArray[np.float32]:
        """Probabilities of raw features in single precision, float32 [rows]."""
        return _in_parts(raw, self._estimate)

    def _raw(self, share_ids: Sequence[str], closes: NDArray[Any], day: Raw | None) -> Raw:
        given = day or {}
        if missing := [name for name in self.formatter.day_columns if name not in given]:
            raise ValueError(
                f"the formatter {self.formatter.name} reads {', '.join(missing)} beside the windows of shares"
            )
        return {**_raw(share_ids, closes), **self.formatter.carried(given)}

    def _answer(self, raw: Raw) -> NDArray[np.float32]:
        return self._exact.probabilities(self.features_of(raw))

    def _estimate(self, raw: Raw) -> NDArray[np.float32]:
        return self._single.probabilities(self.features_of(raw))


def _in_parts(raw: Raw, function: Callable[[Raw], NDArray[np.float32]], spread: Map = map) -> NDArray[np.float32]:
    rows = len(next(iter(raw.values())))
    parts = ({name: values[begin : begin + _ROWS] for name, values in raw.items()} for begin in range(0, rows, _ROWS))
    found = list(map(function, parts) if rows <= _ROWS else spread(function, parts))
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def _raw(share_ids: Sequence[str], closes: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Raw features of shares and their windows."""
    closes = np.asarray(closes, np.float32)
    if closes.shape != (len(share_ids), WINDOW):
        raise ValueError(f"closes of {len(share_ids)} shares have the shape {closes.shape}, not [n, {WINDOW}]")
    shares = np.array([share.encode() for share in share_ids], object)
    # The day that is predicted from is none the model has seen: 0 stands for an unknown one, as in serving.py.
    return {SHARE_ID: shares, CLOSES: closes, TIME: np.zeros(len(shares), np.int64)}


def load_twin(saved_model: Path) -> Twin:
    """The twin of an exported model, once it has reproduced what TensorFlow answered when it was made.

    Args:
        saved_model: the folder of the model.

    Raises:
        TwinError: there is none, it cannot be used, or it does not reproduce its examples, as the code has changed
            since.
    """
    record, digest = read_twin(saved_model)
    twin = Twin(record, digest)
    check_examples(twin.forecast, record.arrays)
    return twin


def check_examples(answer: Callable[..., NDArray[np.float32]], arrays: Mapping[str, Array]) -> None:
    """Asks for the examples that lie beside a twin.

    Args:
        answer: the twin's `forecast` or `estimate`.
        arrays: of the twin.

    Raises:
        TwinError: it has none, or answers otherwise than TensorFlow did.
    """
    try:
        shares, closes, expected = (arrays[f"example/{name}"] for name in (SHARE_ID, CLOSES, "probability"))
        day = {name: values for key, values in arrays.items() if (name := key.removeprefix("example/")) in COLUMNS}
        found = answer([share.decode() for share in shares.tolist()], closes, **({"day": day} if day else {}))
        difference = float(np.max(np.abs(found.astype(np.float64) - expected)))
    except (KeyError, IndexError, ValueError, TypeError) as error:
        if isinstance(error, TwinError):
            raise
        raise TwinError(f"it cannot answer its own examples ({type(error).__name__}: {error})") from None
    if not difference <= TOLERANCE:  # nor where it is no number
        raise TwinError(f"its answers to its own examples are {difference:.1e} from TensorFlow's")
