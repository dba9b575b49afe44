"""Which columns of a file hold the time, the share and the forecasts, and when these were written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.errors import ImportFileError
from components.judging.forecasts import JudgingError
from components.price_files.column_names import key_of
from components.price_files.header_columns import Columns
from components.price_files.layout import LayoutChoice

_PROBABILITIES = frozenset("probability prob proba p pup probup probabilityup upprobability probabilityofup".split())
# A series without a name, as Qlib's models give one, is a column 0.
_SCORES = frozenset(
    "score scores pred prediction predictions predicted forecast signal alpha yhat ypred expectedreturn "
    "predictedreturn 0".split()
)
_WRITTEN = frozenset(
    "written writtenat writtenon made madeat madeon created createdat issued issuedat publishedat".split()
)
_ROLES = {"time": "time", "date": "time", "datetime": "time", "share": "share", "share_id": "share"}
WRITTEN = "written"
_NEEDED = "a file of forecasts has the columns time, share_id and probability or score"
_ERAS = (
    "an era and an id of Numerai tell neither session nor share, and nobody can judge them by prices; where they do, "
    "say --column time=era --column share=id"
)
_WIDE = (
    "where each column is a share, make it long, a row a forecast: in pandas, "
    "frame.stack().rename('score').rename_axis(['time', 'share_id']).to_csv(...)"
)
_NUMBER = re.compile(r"-?[0-9]*[.,]?[0-9]+(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class ColumnChoice:
    """What a user says about the columns; what is left out, the file has to tell.

    Attributes:
        probabilities: The columns that hold probabilities of a higher close.
        scores: The columns that hold scores.
        columns: The column of a role, by name: time, share, written.
        share: The only share of a file that names none.
    """

    probabilities: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    share: str | None = None


@dataclass(frozen=True)
class ForecastColumns:
    """Where everything stands.

    Attributes:
        time: Position of the dates.
        share: Position of the shares, or the name of the only one.
        models: Position of each model's forecasts, by the name of the column.
        scores: Those of them that are no probabilities.
        written: Position of the days of writing; None where there is none.
        notes: What was concluded, a line each.
    """

    time: int
    share: int | str
    models: Mapping[str, int]
    scores: frozenset[str]
    written: int | None
    notes: tuple[str, ...]


def find_columns(
    header: tuple[str, ...],
    path: Path,
    head: Sequence[Sequence[str]],
    choice: ColumnChoice,
    reserved: Collection[str] = (),
) -> ForecastColumns:
    """Finds the columns of a file of forecasts.

    Args:
        header: The names of the columns.
        path: The file, for messages.
        head: The cells of its first rows as texts.
        choice: What the user says.
        reserved: Names that no model may have.

    Raises:
        ImportFileError: A column is not there, or several could be meant.
        JudgingError: A role is unknown, or a model has a reserved name.
    """
    roles = {}
    for role, name in choice.columns.items():
        if role != WRITTEN and role not in _ROLES:
            raise JudgingError(f"--column {role}=...: {role} is unknown; choose one of time, share, {WRITTEN}")
        roles[_ROLES.get(role, role)] = name
    chosen = {role: name for role, name in roles.items() if role != WRITTEN}
    columns = _Columns(header, path, head, LayoutChoice(columns=chosen))
    time = columns.time()
    rest = [at for at in range(len(header)) if at != time and not columns.is_row_number(at)]
    written = columns.named(roles[WRITTEN], WRITTEN) if WRITTEN in roles else columns.one_of(_WRITTEN, rest, WRITTEN)
    share: int | str | None = choice.share
    if share is None:
        share = columns.share([at for at in rest if at != written], must=False)
        if share is None:
            raise columns.no_share()
    models, scores = columns.models(choice, [at for at in rest if at not in (share, written)])
    for name in models:
        if name in reserved or name.startswith("predecessor."):
            raise JudgingError(f"{path}: the column {name} has a name that the judgement itself uses; give it another")
    ignored = [columns.names[at] for at in rest if at not in (share, written, *models.values())]
    shown = ", ".join(ignored[:8]) + (", ..." if len(ignored) > 8 else "")
    notes = (*columns.notes, *([f"columns that are not looked at: {shown}"] if ignored else []))
    return ForecastColumns(time, share, models, frozenset(scores), written, notes)


class _Columns(Columns):
    NO_HEADER = "this line holds a date: the file has no header; add one, such as time,share_id,probability"

    def unknown(self, what: str) -> ImportFileError:
        shown = ", ".join(repr(name) for name in self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        era = any(key_of(name) == "era" for name in self.names)
        return self.wrong(f"{what}; the columns are {shown}; {_ERAS if era else _NEEDED}")

    def no_share(self) -> ImportFileError:
        """The error of a file without a column of shares."""
        keys = {key_of(name) for name in self.names}
        numbers = sum(bool(cells) and all(map(_NUMBER.fullmatch, cells)) for cells in self.cells)
        what = "there is no column share_id, symbol or ticker; "
        if numbers > 1 and not keys & (_PROBABILITIES | _SCORES):
            return self.unknown(f"{what}{_WIDE}")
        return self.unknown(f"{what}choose with --column share=NAME, or say --share NAME where all is of one share")

    def named(self, name: str, option: str) -> int:
        """The column of a name that the user gave."""
        found = [at for at, known in enumerate(self.names) if known == name.strip()]
        found = found or [at for at, known in enumerate(self.names) if key_of(known) == key_of(name)]
        if len(found) != 1:
            raise self.unknown(f"the column {name} ({option}) is there {'twice' if found else 'not'}")
        return found[0]

    def one_of(self, keys: Collection[str], among: Sequence[int], what: str) -> int | None:
        """The column with one of some names; None where there is none."""
        found = [at for at in among if key_of(self.names[at]) in keys]
        if len(found) > 1:
            raise self.same(what, found)
        return found[0] if found else None

    def models(self, choice: ColumnChoice, rest: Sequence[int]) -> tuple[dict[str, int], list[str]]:
        """The columns of forecasts by name, and those of them that hold scores."""
        if choice.probabilities or choice.scores:
            probabilities = [self.named(name, "--probability") for name in choice.probabilities]
            scores = [self.named(name, "--score") for name in choice.scores]
            if len({*probabilities, *scores}) < len(probabilities) + len(scores):
                raise self.wrong("a column is named twice by --probability and --score; name it once")
        else:
            probabilities = [at for at in rest if key_of(self.names[at]) in _PROBABILITIES]
            scores = [at for at in rest if key_of(self.names[at]) in _SCORES] if not probabilities else []
        found = [*probabilities, *scores]
        if not choice.probabilities and not choice.scores and len(found) != 1:
            names = ", ".join(self.names[at] for at in (found or rest)[:6])
            what = f"which of {names} holds the forecasts" if found else "no column is called probability or score"
            name = next((self.names[at] for at in (found or rest)), "NAME")
            raise self.unknown(f"{what}; say --probability {name} where it is within [0, 1], else --score {name}")
        return {self.names[at]: at for at in found}, [self.names[at] for at in scores]
