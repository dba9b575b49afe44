"""What a row must say, whatever its hash: the rules that whoever makes a chain anew would have to keep as well."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from typing import Any

from components.errors import ExchangeError
from components.feature_store.dates import is_iso_day
from components.feature_store.schema import CLOSE_COLUMNS
from components.ledger.chain import window_digest
from components.ledger.columns import ColumnRules, reads_of
from components.ledger.deadlines import Deadlines, calendars_in_use
from components.ledger.file import Ledger, Row
from components.ledger.instants import is_stamp, stamp
from components.ledger.labels import broken
from components.ledger.outcomes import direction_of
from components.ledger.predictions import CALENDARS
from components.ledger.schema import FORMAT, LEDGER, MODEL, NOTE, OUTCOME, PREDICTION, SETUP, TABLES
from components.ledger.setting_up import canonical

_TYPES = {"TEXT": str, "INTEGER": int, "REAL": float}


class Rules:
    """Judges rows in their order.

    Attributes:
        doubts: what could not be checked, in words.
    """

    def __init__(self, ledger: Ledger, now: dt.datetime) -> None:
        """Takes the ledger, in which outcomes look for their predictions, and the present."""
        self.doubts: dict[str, None] = {}
        self._ledger = ledger
        self._now = stamp(now)
        self._deadlines = Deadlines(now)
        self._written = ""
        self._trusting = True
        self._setups: set[int] = set()
        self._models: set[tuple[str, int]] = set()
        self._calendars = ""
        self._columns = ColumnRules(lambda digest: any(digest == model for model, _ in self._models))
        self._of: dict[str, Callable[[Row], str]] = {
            LEDGER.name: self._ledger_row,
            SETUP.name: self._setup_row,
            MODEL.name: self._model_row,
            PREDICTION.name: self._prediction_row,
            OUTCOME.name: self._outcome_row,
            NOTE.name: self._note_row,
        }

    def go_on(self, last: Row) -> None:
        """Takes the state that there is after a row, when all up to it was judged before."""
        self._written = last["written"]
        seq, select = last.seq, self._ledger.select
        self._setups = {horizon for (horizon,) in select("SELECT DISTINCT horizon FROM SETUP WHERE seq <= ?", seq)}
        self._models = set(select("SELECT DISTINCT digest, horizon FROM MODEL WHERE seq <= ?", seq))
        query = "SELECT text FROM NOTE WHERE kind = ? AND seq <= ? ORDER BY seq DESC LIMIT 1"
        self._calendars = next((text for (text,) in select(query, CALENDARS, seq)), "")
        self._columns.go_on(reads_of(self._ledger, seq))

    def distrust(self) -> None:
        """Takes back what rests on rows that were changed or are missing: later ones may refer to them."""
        self._trusting = False
        self._columns.forget()

    def broken(self, row: Row) -> str:
        """The rule that a row breaks, in words; empty where it breaks none."""
        kinds = [kind for _, kind in TABLES[row.table].columns] + ["TEXT"]
        for name, kind, value in zip(TABLES[row.table].names[1:], kinds, row.values, strict=False):
            if not isinstance(value, _TYPES[kind]):
                return f"{name} is {value!r}, which no writer writes"
        written = row["written"]
        if not is_stamp(written):
            return f"it was written at {written!r}, which is no time"
        if written < self._written:
            return f"it was written at {written}, before the row before it ({self._written}): back-dated"
        self._written = written
        if row.seq == 1 and row.table != LEDGER.name:
            return "a ledger begins with another row"
        if written > self._now:
            return f"it was written at {written}, which has not come"
        return self._of[row.table](row) or self._columns.broken(row, self._trusting)

    def unfinished(self) -> str:
        """What is wrong with the last row, in words, as another one must stand behind it; empty where nothing is."""
        return self._columns.unfinished()

    def _ledger_row(self, row: Row) -> str:
        if row.seq != 1:
            return "a ledger begins once"
        return "" if row["format"] == FORMAT else f"its format is {row['format']}, which this version does not write"

    def _setup_row(self, row: Row) -> str:
        self._setups.add(row["horizon"])
        text = row["parameters"]
        try:
            same = canonical(json.loads(text)) == text
        except (ValueError, AttributeError):
            same = False
        return "" if same else "its parameters are no JSON as a writer writes it"

    def _model_row(self, row: Row) -> str:
        self._models.add((row["digest"], row["horizon"]))
        days = [row[name] for name in ("trained_from", "trained_until")]
        return "" if all(day == "" or is_iso_day(day) for day in days) else "it was trained on what is no day"

    def _note_row(self, row: Row) -> str:
        if row["kind"] == CALENDARS:
            self._calendars = row["text"]
        return broken(row["kind"], row["text"], {model for model, _ in self._models})

    def _prediction_row(self, row: Row) -> str:
        closes = [row[column] for column in CLOSE_COLUMNS]
        if not 0 <= row["probability"] <= 1 or not all(close > 0 and math.isfinite(close) for close in closes):
            return "its probability or a close is none"
        if row["window"] != window_digest(closes):
            return "its window is not the one whose digest it holds"
        if self._trusting and row["horizon"] not in self._setups:
            return "the parameters of the evidence were not written before it"
        if self._trusting and (row["model"], row["horizon"]) not in self._models:
            return f"its model {row['model'][:8]} was not written before it"
        if not is_iso_day(row["session"]) or not is_stamp(row["deadline"]):
            return "its session or its deadline is no time"
        if row["late"] != (row["written"] >= row["deadline"]):
            said = "late" if row["late"] else "on time"
            return f"it says that it was {said}: written at {row['written']}, with a deadline of {row['deadline']}"
        return self._by_calendar(row)

    def _by_calendar(self, row: Row) -> str:
        exchange, session = row["exchange"], row["session"]
        try:
            opening, deadline = (ask(exchange, session) for ask in (self._deadlines.opening, self._deadlines.deadline))
        except ExchangeError as error:
            self.doubts[f"the deadlines of {exchange} were not checked: {error}"] = None
            return ""
        if row["written"] < opening:
            return f"it was written at {row['written']}, before its session began at {opening}"
        if row["deadline"] == deadline:
            return ""
        if self._calendars != (here := calendars_in_use()):
            self.doubts[
                f"{exchange}, after {session}: the next session opens at {deadline} by {here}, and opened at "
                f"{row['deadline']} by {self._calendars or 'other calendars'}"
            ] = None
            return ""
        return f"its deadline is {row['deadline']}, and {exchange} opens next at {deadline}"

    def _outcome_row(self, row: Row) -> str:
        numbers = [row[name] for name in ("close", "close_due", "factor")]
        if not all(number > 0 and math.isfinite(number) for number in numbers):
            return "a close or the factor is none"
        if row["direction"] != (found := direction_of(*numbers)):
            return f"it says {row['direction']}, and its prices say {found}"
        held = self._prediction(row["prediction"]) if row["prediction"] < row.seq else None
        if held is None:
            return "" if not self._trusting else f"there is no prediction in row {row['prediction']}"
        session, exchange = held
        if not is_iso_day(row["due"]) or row["due"] <= session:
            return f"it came due on {row['due']}, and the prediction was made after {session}"
        try:
            opening = self._deadlines.opening(exchange, row["due"])
        except ExchangeError:  # which the prediction has said
            return ""
        return "" if row["written"] >= opening else f"it was written before the session of {row['due']} began"

    def _prediction(self, seq: int) -> tuple[Any, Any] | None:
        found = self._ledger.select("SELECT session, exchange FROM PREDICTION WHERE seq = ?", seq)
        return found[0] if found and is_iso_day(found[0][0]) and isinstance(found[0][1], str) else None
