"""What a model says of the shares of a database, as typed values; and as a file for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.plausibility import Suspect
from components.records import to_json
from components.whole_files import whole_file, write_whole
from models.labels import UP


class OutputFormatError(UserError):
    """A forecast cannot be written as a file of that name."""


@dataclass(frozen=True)
class ShareForecast:
    """The probability of what a model's label asks of a share, and its last session used, ISO."""

    share_id: str
    session: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class AskedModel:
    """The model that was asked, what it is worth, and what it does not know of the shares.

    Attributes:
        model: name of the architecture.
        origin: its folder.
        blessed: whether it may be pushed.
        horizon: sessions ahead.
        label: name of its label.
        auc: on the test split.
        auc_low: lower end of its 95 % interval over blocks of days.
        auc_high: upper end.
        held_back: checks of the leak audit that keep it from being pushed, blessed or not.
        absent: shares of the market that it was trained beside and that the database lacks.
        untrained: shares that it was not trained on, where it sees which share a row is of.
    """

    model: str
    origin: str
    blessed: bool
    horizon: int
    auc: float
    auc_low: float
    auc_high: float
    label: str = UP
    held_back: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    untrained: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Forecast(AskedModel):
    """What a model says of every share.

    Attributes:
        shares: the likeliest first.
        left_out: shares whose last window reaches across too many missing sessions, and how many these are.
        excluded: shares that were asked for and that a person has excluded.
        outside: shares that do not belong to the universe on the last session.
        suspects: returns of the last windows that do not look like a market's and that nobody has accepted.
        without_twin: why TensorFlow answered; empty where the model's twin did.
        short: shares with too few sessions for what the model's formatter reads.
    """

    shares: tuple[ShareForecast, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    without_twin: str = ""
    outside: tuple[str, ...] = ()
    short: tuple[str, ...] = ()

    @property
    def session(self) -> str:
        """The last session of all, ISO: what most shares are predicted from."""
        return max((share.session for share in self.shares), default="")

    @property
    def behind(self) -> tuple[str, ...]:
        """Shares whose last session is an earlier one: their probability is of another day."""
        return tuple(share.share_id for share in self.shares if share.session != self.session)


COLUMNS = ("share_id", "session", "probability", "model", "label", "horizon", "session_is_last", "trained_on")
"""Of a file of a forecast, one row a share, the likeliest first."""

_SUFFIXES = (".csv", ".parquet", ".json")


def check_output(path: Path) -> None:
    """Refuses a file that a forecast cannot be written to, before anything is computed.

    Raises:
        OutputFormatError: its suffix says no format that is known, or its folder is not there.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise OutputFormatError(f"--output {path}: name a file that ends in {', '.join(_SUFFIXES)}")
    if not path.parent.is_dir():
        raise OutputFormatError(
            f"--output {path}: the folder {path.parent} does not exist; make it, or name another one"
        )


def write_forecast(forecast: Forecast, path: Path) -> None:
    """Writes a forecast as CSV, Parquet or JSON, as the name says, whole or not at all.

    Raises:
        OutputFormatError: as in `check_output`.
        OSError: it cannot be written.
    """
    check_output(path)
    if path.suffix.lower() == ".json":
        write_whole(path, to_json(forecast) + "\n")
        return
    behind, untrained = set(forecast.behind), set(forecast.untrained)
    made = forecast.model, forecast.label, forecast.horizon
    rows = [
        (one.share_id, one.session, one.probability, *made, one.share_id not in behind, one.share_id not in untrained)
        for one in forecast.shares
    ]
    write_rows(dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)), path)


def write_rows(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    """Writes a table as CSV or Parquet, as the name says, whole or not at all.

    Args:
        columns: values by name, all of equal length.
        path: that ends in .csv or .parquet.

    Raises:
        OSError: it cannot be written.
    """
    if path.suffix.lower() == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([columns.keys(), *zip(*columns.values(), strict=True)])
        write_whole(path, text.getvalue())
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: list(values) for name, values in columns.items()})
    with whole_file(path) as partial, partial.open("wb") as stream:  # Arrow would take a name such as a:b for a URI
        pq.write_table(table, stream)
