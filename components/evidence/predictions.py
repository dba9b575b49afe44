"""The probabilities of every candidate on the test split, from the exported models themselves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import tensorflow as tf
from tfx.utils import path_utils

from models.data import load_rows, record_batches
from models.formatters import WINDOW_RETURNS
from models.serving import PROBABILITY

TEST_PATTERN = "Split-test/*"


def predict_test_split(examples_uri: str, models: Mapping[str, str], horizon: int) -> pd.DataFrame:
    """Reads the test split and asks each model's `serving_default`, as TF Serving would.

    Args:
        examples_uri: of the Examples artifact.
        models: uri of each Model artifact by name.
        horizon: the trained one.

    Returns:
        A row an example: time (datetime64), share_id, label (0 or 1), forward_return, next_return (to the share's next
        session, nan where it is not known yet), and a column of probabilities for each model; sorted by time and share.
    """
    pattern = [f"{examples_uri}/{TEST_PATTERN}"]
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
    return frame.sort_values(["time", "share_id"], ignore_index=True)
