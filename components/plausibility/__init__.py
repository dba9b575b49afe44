"""Whether prices look like prices: returns that no market makes, each with its share, day and likely cause.

`returns.py` judges the returns of one share, `market.py` says what all shares did on a day, `search.py` looks through a
database and puts beside each suspect what a person has decided, `record.py` is what travels with a run.
"""

from __future__ import annotations

from components.plausibility.record import SUSPECTS_FILE, Bounds, Grade, Suspect, SuspectRecord, read_suspects

__all__ = ["SUSPECTS_FILE", "Bounds", "Grade", "Suspect", "SuspectRecord", "read_suspects"]
