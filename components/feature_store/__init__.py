"""The feature store: an SQLite file of daily prices and of the windows of closes derived from them.

Knows neither TensorFlow nor TFX. `FeatureStore` reads and writes the database, `components.price_files` fills it from
CSV and Parquet files, `export_features` writes the table FEATURE as the sqlite3 program would.
"""

from __future__ import annotations

from components.feature_store.decisions import Decision, Decisions, read_decisions
from components.feature_store.export import export_features
from components.feature_store.last_windows import LastWindows
from components.feature_store.look_back import LookBack
from components.feature_store.members import Spell
from components.feature_store.schema import CLOSE_COLUMNS
from components.feature_store.store import FeatureStore
from components.feature_store.summaries import ShareSummary
from components.feature_store.windows import PriceBars
from components.feature_store.writing import Upserted
from models.features import WINDOW

__all__ = [
    "CLOSE_COLUMNS",
    "WINDOW",
    "Decision",
    "Decisions",
    "FeatureStore",
    "LastWindows",
    "LookBack",
    "PriceBars",
    "ShareSummary",
    "Spell",
    "Upserted",
    "export_features",
    "read_decisions",
]
