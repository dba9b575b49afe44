"""The answers of every candidate, predecessor and baseline on the test split, all on the same rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf
import tensorflow_transform as tft
from tfx.utils import path_utils

from components.evidence.baselines import BASELINES
from models.data import Rows, load_rows, record_batches
from models.formatters import DataFormatter
from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
from models.serving import PROBABILITY


def split_pattern(examples_uri: str, split: str) -> list[str]:
    """The files of a split of an Examples artifact."""
    return [f"{examples_uri}/Split-{split}/*"]


def predict_test_split(
    examples_uri: str,
    models: Mapping[str, str],
    horizon: int,
    others: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> pd.DataFrame:
    """Reads the test split and asks each model's `serving_default`, as TF Serving would.

    Args:
        examples_uri: of the Examples artifact.
        models: uri of each Model artifact by name.
        horizon: the trained one.
        others: probabilities by name that were had otherwise, [rows] in the order of the files.

    Returns:
        A row an example: time (datetime64), share_id, label (0 or 1), forward_return, next_return (to the share's next
        session, nan where it is not known yet), and a column of probabilities for each model; sorted by time and share.
    """
    pattern = split_pattern(examples_uri, "test")
    rows = load_rows(pattern, horizon, WINDOW_RETURNS)
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(pd.Series(rows.time.astype(str)), format="%Y%m%d"),
            "share_id": rows.share_id,
            "label": rows.label.astype(np.int64),
            "forward_return": rows.forward_return.astype(np.float64),
            "next_return": rows.next_return.astype(np.float64),
        }
    )
    for name, uri in models.items():
        signature = tf.saved_model.load(path_utils.serving_model_path(uri)).signatures["serving_default"]
        parts = [signature(batch)[PROBABILITY].numpy()[:, 0] for batch in record_batches(pattern)]
        frame[name] = np.concatenate(parts).astype(np.float64)
    for name, probabilities in (others or {}).items():
        frame[name] = probabilities
    return frame.sort_values(["time", "share_id"], ignore_index=True)


def predict_baselines(
    examples_uri: str, transform_graph_uri: str, formatter: DataFormatter, horizon: int, seed: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Fits the baselines on the train split, with the features that the models see.

    Args:
        examples_uri: of the Examples artifact.
        transform_graph_uri: of the TransformGraph artifact.
        formatter: what the models see.
        horizon: the trained one.
        seed: of what is random in them.

    Returns:
        Probabilities on the test split by name, [rows] in the order of the files.
    """
    layer = tft.TFTransformOutput(transform_graph_uri).transform_features_layer()
    names = [feature.name for feature in formatter.features]

    def read(split: str) -> Rows:
        def transformed(raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            out = layer(raw)
            return {name: out[name] for name in names}

        return load_rows(split_pattern(examples_uri, split), horizon, formatter, transformed)

    train, held_out, test = (read(split) for split in ("train", "eval", "test"))
    if len(np.unique(train.label)) < 2:
        # Prices that only rise: there is nothing to tell apart, and neither library takes it.
        return {name: np.full(len(test.label), float(train.label[0])) for name in BASELINES}
    return {
        name: np.asarray(fit(formatter, train, held_out, seed)(test), np.float64) for name, fit in BASELINES.items()
    }
