"""The kinds of the notes that a live record's ledger holds, beside those of the ledger's own."""

from __future__ import annotations

CLAIM = "claim"
"""What the backtest of a model claims."""

ON_TRIAL = "on trial"
"""A model, by its digest, predicts without a blessing."""

CHALLENGE = "challenge"
"""How a challenge ended."""

RETRAINING = "retraining"
"""When and why a retraining was done."""

PROVED, REFUTED = "proved", "refuted"
"""When something was proved, or a claim refuted: a proof stays one."""
