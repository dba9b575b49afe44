#!/usr/bin/env bash
# A column of Int128 that Polars writes closes the whole Parquet file to pyarrow, also to those who read other columns.
#
# Packages   polars 2.1.0, pyarrow 26.0.1
# Expected   pyarrow's page of read_table says: columns "If not None, only these columns will be read from the file".
#            So a column that pyarrow has no type for is left out like any other.
# Seen       Opening the file raises ArrowNotImplementedError, "Integers with more than 64 bits not implemented", whatever
#            columns are asked for; read_metadata and read_schema raise it too, so the column cannot be named.
# Who        Whoever gets a file of prices with one such column beside dates and closes.
#
# Exits 0 if it is still so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import polars as pl
import pyarrow.parquet as pq

frame = pl.DataFrame({"close": [1.5, 2.5], "volume": [10, 20]})
frame.write_parquet("plain.parquet")
frame.with_columns(pl.col("volume").cast(pl.Int128)).write_parquet("wide.parquet")
print("volume Int64: ", pq.read_table("plain.parquet", columns=["close"]).column("close").to_pylist())
raised = 0
for name, read in (
    ("read_table(columns=['close'])", lambda: pq.read_table("wide.parquet", columns=["close"])),
    ("read_metadata", lambda: pq.read_metadata("wide.parquet")),
    ("read_schema", lambda: pq.read_schema("wide.parquet")),
):
    try:
        read()
        print(f"volume Int128: {name}: read")
    except Exception as error:
        raised += 1
        print(f"volume Int128: {name}: {type(error).__name__}: {error}")
print("polars reads its own file:", pl.read_parquet("wide.parquet", columns=["close"])["close"].to_list())
sys.exit(0 if raised == 3 else 1)
PY
