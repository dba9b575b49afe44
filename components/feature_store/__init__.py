"""The feature store: an SQLite file of daily prices and of the windows of closes derived from them.

Knows neither TensorFlow nor TFX. `FeatureStore` reads and writes the database, `import_prices` fills it from a CSV or
Parquet file, `export_features` writes the table FEATURE as the sqlite3 program would.
"""

from __future__ import annotations

from components.feature_store.decisions import Decision, Decisions, read_decisions
from components.feature_store.export import export_features
from components.feature_store.forms import Forms, forms_from
from components.feature_store.importer import FailedFile, ImportReport, ShareImport, import_prices
from components.feature_store.layout import LayoutChoice
from components.feature_store.look_back import LookBack
from components.feature_store.reader import ShareSummary
from components.feature_store.rows import Refusal
from components.feature_store.schema import CLOSE_COLUMNS
from components.feature_store.several_files import import_files, price_files
from components.feature_store.store import FeatureStore
from components.feature_store.trial import TrialStore, trial_store
from components.feature_store.windows import PriceBars
from components.feature_store.writing import Upserted
from models.features import WINDOW

__all__ = [
    "CLOSE_COLUMNS",
    "WINDOW",
    "Decision",
    "Decisions",
    "FailedFile",
    "FeatureStore",
    "Forms",
    "ImportReport",
    "LayoutChoice",
    "LookBack",
    "PriceBars",
    "Refusal",
    "ShareImport",
    "ShareSummary",
    "TrialStore",
    "Upserted",
    "export_features",
    "forms_from",
    "import_files",
    "import_prices",
    "price_files",
    "read_decisions",
    "trial_store",
]
