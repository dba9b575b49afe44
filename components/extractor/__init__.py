"""The extractor: daily prices from the internet into the feature store, and kept current. No TensorFlow, no TFX.

`extract` does it: plan, fetch, verify, upsert, report. `sources/` holds one file a source.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from components.extractor.plan import ExtractionPlan
from components.extractor.report import ExtractionReport, ShareOutcome, Status

if TYPE_CHECKING:
    from components.extractor.extraction import check_plan, extract
    from components.extractor.http import HttpSettings

__all__ = ["ExtractionPlan", "ExtractionReport", "HttpSettings", "ShareOutcome", "Status", "check_plan", "extract"]

_OF_THE_INTERNET = {"HttpSettings": "http", "check_plan": "extraction", "extract": "extraction"}
"""Imported when it is used: who asks for the sessions of an exchange needs no HTTP."""


def __getattr__(name: str) -> Any:
    if name not in _OF_THE_INTERNET:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_OF_THE_INTERNET[name]}"), name)
