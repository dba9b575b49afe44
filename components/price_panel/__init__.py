"""A panel: prices as Parquet files with a manifest, the source of a run beside the database.

`manifest` says which files there are and in which order they count, `blocks` reads rows of shares out of them, `store`
answers what a `FeatureStore` answers, and makes windows where they are asked for; `writing` adds files, `tables` takes
what DuckDB or Spark left, `verifying` looks at all of it. `components/object_storage/panels.py` brings one to object
storage and back; `flags` says how a command names either.
"""

from __future__ import annotations
