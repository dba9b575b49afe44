"""What a training leaves of its losses; no TensorFlow, so that a page can be drawn of them."""

from __future__ import annotations

HISTORY_FILE = "history.csv"
"""Within a Trainer's `model_run`: a row a look, with the columns of `models.training.Trained.history`."""
