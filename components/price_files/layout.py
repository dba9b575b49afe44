"""What the columns of a file of prices mean: four layouts, and what a user can say about them.

    long        dates, shares and fields (close, optionally open, high, low, volume and either factor or adj_close) in a
                column each
    one         the same without a column of shares: the file's name or `--share` names the only one
    wide        dates, and one column of adjusted closes a share
    fields      dates, and one column a field of a share: Close_AAA, AAPL.High, two rows of a header

How a header is read stands in `header.py`, what names mean in `column_names.py`, what is special to a vendor in
`vendors.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.errors import ImportFileError
from components.feature_store.arrays import Floats
from components.feature_store.rules import is_usable_name
from components.price_files.vendors import Vendor

KINDS = ("long", "one", "wide", "fields")
_ENDINGS = frozenset(".csv .txt .tsv .dat .gz .parquet .pq .parq .snappy .zstd .gzip .lz4 .brotli".split())
_CHOSEN = {"date": "time", "share_id": "share", "symbol": "share", "ticker": "share"}
_CHOICES = ("time", "share", "open", "high", "low", "close", "volume", "factor", "adj_close")


@dataclass(frozen=True)
class Layout:
    """What a file's columns mean, by position.

    Attributes:
        kind: long, one, wide or fields.
        time: Position of the dates.
        share: Position of the column of shares (long), the name of the only share (one), or None.
        fields: Position of each field: open, high, low, close, volume, factor, adj_close (long, one).
        shares: Position of each field of each share (wide, fields).
        ignored: Names of the columns left out.
        what: The columns and what they hold, in words.
        named_by_file: Whether the file's name names the only share.
        notes: What was understood besides, for the report; a line each.
        prepare: What to do with a field's numbers before they are checked.
        only: Position of a column and the cells of it whose rows are prices; the other rows are left out.
        rivals: Positions of columns that could be the close as well: where one differs from the close, the file is
            refused with `rivalry`.
        rivalry: What to say then.
        vendor: Whose file it seems to be.
        expects_adjusted: Whether its closes beside a factor are adjusted by its vendor's word.
    """

    kind: str
    time: int
    share: int | str | None
    fields: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    what: str = ""
    named_by_file: bool = False
    notes: tuple[str, ...] = ()
    prepare: Mapping[str, Callable[[Floats], Floats]] = field(default_factory=dict)
    only: tuple[int, frozenset[str]] | None = None
    rivals: tuple[int, ...] = ()
    rivalry: str = ""
    vendor: Vendor | None = None
    expects_adjusted: bool = False

    @property
    def headline(self) -> str:
        """The layout in a line."""
        if self.kind == "one":
            origin = " (after the file's name; --share NAME gives another)" if self.named_by_file else ""
            return f"one share, {self.share}{origin}: {self.what}"
        return f"{self.kind}: {self.what}"


@dataclass(frozen=True)
class LayoutChoice:
    """What a user says about a file's columns; what is left out, the file has to tell.

    Attributes:
        share: The name of the only share of a file that names none.
        columns: The column of a role, by name (close, open, high, low, volume, factor, adj_close, time, share); an
            empty name leaves the role out.
        kind: long, one, wide or fields.
        prices: raw or adjusted: what the close is beside a factor.
    """

    share: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    prices: str | None = None

    def __post_init__(self) -> None:
        """Checks the choices.

        Raises:
            ImportFileError: One is unknown.
        """
        if self.kind is not None and self.kind not in KINDS:
            raise ImportFileError(f"--layout {self.kind} is unknown; choose one of {', '.join(KINDS)}")
        if self.prices not in (None, "raw", "adjusted"):
            raise ImportFileError(f"--prices {self.prices} is unknown; choose raw or adjusted")
        if self.share is not None and not is_usable_name(self.share):
            raise ImportFileError(f"--share {self.share!r} is not a usable name")
        for role in self.columns:
            if role_named(role) not in _CHOICES:
                raise ImportFileError(f"--column {role}=...: {role} is unknown; choose one of {', '.join(_CHOICES)}")


def role_named(name: str) -> str:
    """Returns the role that a user means by a name.

    >>> role_named("date"), role_named("close")
    ('time', 'close')
    """
    return _CHOSEN.get(name, name)


def share_of_file(path: Path) -> str:
    """Returns the name of the share that a file of one share is named after.

    >>> [share_of_file(Path(name)) for name in ("aapl.us.txt", "BRK-B.csv.gz", "IBM.snappy.parquet")]
    ['aapl.us', 'BRK-B', 'IBM']
    """
    name = path.name
    while Path(name).suffix.lower() in _ENDINGS:
        name = name[: -len(Path(name).suffix)]
    return name.strip()
