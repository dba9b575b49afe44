"""The columns of the CSV files and what Transform makes of them."""

from __future__ import annotations

from typing import Any

import tensorflow_transform as tft

SHARE = "share_id"
LABEL = "label"
CLOSES = tuple(f"close{i}" for i in range(21))
"""The window, the latest close first."""

COLUMNS = ("time", SHARE, *CLOSES, LABEL)
"""The header of `train.csv`, `eval.csv` and `test.csv`; `label` is 1 for up and 0 for down."""


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, Any]:
    """Scales each close on its own and numbers the shares, as Transform's entry point.

    Args:
        inputs: A tensor of shape (batch, 1) for each column.

    Returns:
        The z-scored closes (float32), the share's index in the vocabulary (int64; unknown shares share one index past
        it) and the label (int64), each of shape (batch, 1).
    """
    outputs = {close: tft.scale_to_z_score(inputs[close]) for close in CLOSES}
    outputs[SHARE] = tft.compute_and_apply_vocabulary(inputs[SHARE], vocab_filename=SHARE, num_oov_buckets=1)
    outputs[LABEL] = inputs[LABEL]
    return outputs
