"""The extractor: daily prices from the internet into the feature store, and kept current. No TensorFlow, no TFX.

`extract` does it: plan, fetch, verify, upsert, report. `sources/` holds one file a source.
"""

from __future__ import annotations

from components.extractor.extraction import check_plan, extract
from components.extractor.http import HttpSettings
from components.extractor.plan import ExtractionPlan
from components.extractor.report import ExtractionReport, ShareOutcome, Status

__all__ = ["ExtractionPlan", "ExtractionReport", "HttpSettings", "ShareOutcome", "Status", "check_plan", "extract"]
