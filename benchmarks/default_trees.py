"""LightGBM as somebody would try it first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.formatters.window_returns import FORMATTER
from models.operations import log_returns

if TYPE_CHECKING:
    from models.data import Rows


def on_features(train: Rows, test: Rows, seed: int) -> NDArray[np.float64]:
    """LightGBM with its defaults on what a model sees through `window_returns`; probabilities [test rows]."""
    known, asked = (
        np.concatenate([rows.features[f.name] for f in FORMATTER.features], axis=1) for rows in (train, test)
    )
    return _answers(known, train.label, asked, seed, categorical_feature=[known.shape[1] - 1])


def on_returns(
    closes: NDArray[np.floating[Any]], label: NDArray[Any], asked: NDArray[np.floating[Any]], seed: int
) -> NDArray[np.float64]:
    """LightGBM with its defaults on the log returns of the window and nothing else.

    Args:
        closes: of the train rows, the latest first, [rows, 21].
        label: of the train rows.
        asked: closes of the test rows.
        seed: of LightGBM.

    Returns:
        Probabilities [test rows].
    """
    return _answers(log_returns(np, closes), label, log_returns(np, asked), seed)


def _answers(known: NDArray[Any], label: NDArray[Any], asked: NDArray[Any], seed: int, **fit: Any) -> NDArray[Any]:
    import lightgbm

    # More threads wait for each other busily on a machine that others use as well.
    model = lightgbm.LGBMClassifier(random_state=seed, verbose=-1, n_jobs=1).fit(known, label, **fit)
    probability: NDArray[Any] = model.predict_proba(asked)[:, 1]
    return probability
