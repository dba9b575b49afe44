"""Whether a live record has proved anything, valid however often it is looked at: docs/ledger.md, section Evidence.

All functions are pure; arrays stand by session, from the first one of the record on, without gaps.
"""

from __future__ import annotations

from components.live_evidence.claim import Claim
from components.live_evidence.course import Course, evaluate
from components.live_evidence.daily import daily_gains, daily_rank_ics
from components.live_evidence.parameters import Parameters, Stakes
from components.live_evidence.proof import DaysToProof, days_to_proof

__all__ = [
    "Claim",
    "Course",
    "DaysToProof",
    "Parameters",
    "Stakes",
    "daily_gains",
    "daily_rank_ics",
    "days_to_proof",
    "evaluate",
]
