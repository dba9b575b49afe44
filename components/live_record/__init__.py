"""What a ledger has proved: its parameters fixed before the first day, its days judged by them.

Between `components/ledger`, which knows predictions and outcomes, and `components/live_evidence`, which knows numbers.
Knows neither TensorFlow nor TFX.
"""

from __future__ import annotations

from components.ledger.setting_up import note_once
from components.live_record.judging import LiveRecord, judge, judge_series
from components.live_record.setting_up import begin, claim_of, keep_claim, only_claim, parameters_of

__all__ = [
    "LiveRecord",
    "begin",
    "claim_of",
    "judge",
    "judge_series",
    "keep_claim",
    "note_once",
    "only_claim",
    "parameters_of",
]
