"""Files of daily prices into the feature store: CSV and Parquet, in the layouts and the style of many vendors.

The header says what the columns are, the whole file how its cells are written, and what is stored whether it is still
the same share. Knows neither TensorFlow nor TFX.
"""

from __future__ import annotations

from components.price_files.forms import Forms, forms_from
from components.price_files.importer import FailedFile, ImportReport, ShareImport, import_prices
from components.price_files.layout import LayoutChoice
from components.price_files.rows import Refusal
from components.price_files.several_files import import_files, price_files
from components.price_files.trial import TrialStore, trial_store

__all__ = [
    "FailedFile",
    "Forms",
    "ImportReport",
    "LayoutChoice",
    "Refusal",
    "ShareImport",
    "TrialStore",
    "forms_from",
    "import_files",
    "import_prices",
    "price_files",
    "trial_store",
]
