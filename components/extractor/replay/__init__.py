"""A server on 127.0.0.1 that answers as the price sources do, and misbehaves on request.

`ReplayServer` answers from a `Market` of synthetic `Listing`s; `Fault`s say how it misbehaves. By hand:
`python -m components.extractor.replay --shares sh600519,AAPL`.
"""

from __future__ import annotations

from components.extractor.replay.exchanges import ReplayError, exchange_of, sessions
from components.extractor.replay.faults import DATA_FAULTS, HISTORY_FAULTS, HOST_FAULTS, Fault, Faults
from components.extractor.replay.making import from_synthetic, make_listing, share_histories, universe_names
from components.extractor.replay.market import Listing, Market, RightsIssue
from components.extractor.replay.server import ReplayServer

__all__ = [
    "DATA_FAULTS",
    "HISTORY_FAULTS",
    "HOST_FAULTS",
    "Fault",
    "Faults",
    "Listing",
    "Market",
    "ReplayError",
    "ReplayServer",
    "RightsIssue",
    "exchange_of",
    "from_synthetic",
    "make_listing",
    "sessions",
    "share_histories",
    "universe_names",
]
