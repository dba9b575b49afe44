"""What happened after forecasts, by the prices of the database: labels and returns as a run's examples have them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.day_levels import DayLevels, levels_of
from components.feature_example_gen.look_ahead import Ahead, FeatureRows
from components.feature_store import WINDOW, FeatureStore, ShareSummary
from components.feature_store.arrays import Days, Floats, Integers
from components.judging.baselines import Closes, Training
from components.judging.forecasts import SHOWN, Sieve
from components.judging.share_names import share_key
from components.missing_sessions.found import ShareGaps
from components.price_files.same_days import Repeats, sort_days
from components.price_files.stamps import NO_DAY, iso
from components.universe.universe import EVERYBODY, Universe, left_out, universe_of
from models.features import NEXT_SESSION
from models.labels import Label
from models.labels.up import LABEL as UP

_ROWS_AT_ONCE = 400_000
_SPAN = 1 << 22  # days that a key has room for, more than from the year 1600 to 9999
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What happened after each forecast that is kept, in their order; arrays [kept].

    Attributes:
        places: Its position among all forecasts.
        share_id: As the database writes the share.
        label: 1 where it came as the label asks, else 0.
        forward_return: Over the horizon, the one that the label tells the sign of.
        next_return: To the share's next session; NaN where it is not known.
        last: The last session that an outcome needs, ISO; empty where there is none.
        closes: The windows that were known, for baselines.
        training: Windows and labels that were known before the first forecast.
    """

    places: Integers
    share_id: np.ndarray[tuple[int], np.dtype[np.object_]]
    label: Integers
    forward_return: Floats
    next_return: Floats
    last: str
    closes: Closes
    training: Training


@dataclass(frozen=True)
class Question:
    """What is asked of the database.

    Attributes:
        horizon: Sessions ahead.
        most_missing: Missing sessions that 20 steps may reach across.
        known_until: The last day that a model may have been trained on; None where nobody says.
        ignore_case: Whether a share may be written in other letters than the database has.
        label: What the forecasts are of; a day's level is that of all shares of the database that are not excluded.
    """

    horizon: int
    most_missing: int
    known_until: dt.date | None = None
    ignore_case: bool = False
    label: Label = UP


def look_up(store: FeatureStore, sieve: Sieve, question: Question, gaps: Mapping[str, ShareGaps]) -> Outcomes:
    """Looks up what happened after each forecast, and leaves out those that it cannot be said of.

    Args:
        store: The database.
        sieve: The forecasts.
        question: What is asked.
        gaps: The sessions that shares lack.

    Raises:
        StoreError: The database cannot be read.
    """
    if question.known_until is not None:
        until = int(np.datetime64(question.known_until, "D").astype(np.int64))
        sieve.leave_out(
            sieve.forecasts.days <= until,
            "known",
            f"up to {question.known_until}: the model may know them",
            mend=False,
        )
    summaries = {summary.share_id: summary for summary in store.shares()}
    names = sorted(summaries)
    share = _stored_shares(sieve, names, question.ignore_case, str(store.path))
    unwanted = store.decisions().excluded
    excluded = [at for at, name in enumerate(names) if name in unwanted]
    sieve.leave_out(
        np.isin(share, excluded), "excluded", "a person has excluded the share from this database", mend=False
    )
    _leave_out_doubles(sieve, share)
    gone = left_out(store)
    kept = [summaries[name] for name in names if name not in gone]
    levels, universe = None, EVERYBODY
    if kept and (question.label.of_the_day or store.listings.members()):
        sessions = store.sessions([one.share_id for one in kept])
        universe = universe_of(store, sessions)
        limit, horizons = question.most_missing, (question.horizon,)
        levels = levels_of(store, kept, sessions, horizons, question.label, gaps, limit, universe)
    return _Search(store, sieve, question, gaps, names, share, levels, universe).run(summaries)


def _stored_shares(sieve: Sieve, names: Sequence[str], ignore_case: bool, database: str) -> Integers:
    """The position of each forecast's share among the names of the database, (n,); -1 where it is not there."""
    known = {name: at for at, name in enumerate(names)}
    alike: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        alike.setdefault(name.casefold(), []).append(at)
    given = sieve.forecasts
    place = np.array([known.get(name, -1) for name in given.names], dtype=np.int64)
    near = {code: alike.get(name.casefold(), []) for code, name in enumerate(given.names) if place[code] < 0}
    if ignore_case:
        for code, found in near.items():
            place[code] = found[0] if len(found) == 1 else -1
    share = place[given.share]
    other = [code for code, found in near.items() if found and place[code] < 0]
    sieve.leave_out(
        np.isin(given.share, other),
        "other letters",
        "the database writes the share in other letters; write it so, or say --ignore-case",
        detail=lambda at: " or ".join(names[one] for one in near[int(given.share[at])]),
    )
    unknown = [code for code, found in near.items() if not found]
    likely: dict[str, list[str]] = {}
    for name in names if unknown else ():
        likely.setdefault(share_key(name), []).append(name)
    keys = {code: share_key(given.names[code]) for code in unknown}
    named = {code: likely[key] for code, key in keys.items() if key in likely}
    sieve.leave_out(
        np.isin(given.share, list(named)),
        "other name",
        f"{database} has no such share, but one that other vendors call so; write its name",
        detail=lambda at: " or ".join(named[int(given.share[at])]),
    )
    sieve.leave_out(
        share < 0,
        "unknown share",
        f"{database} has no such share, or not the {WINDOW} prices of it that it takes; import its prices, or correct "
        "its name",
    )
    return share


def _leave_out_doubles(sieve: Sieve, share: Integers) -> None:
    """Of rows of one share and day, keeps one where they say the same, and none where they differ."""
    given = sieve.forecasts
    kept = np.flatnonzero(sieve.kept)
    order = kept[np.lexsort((kept, given.days[kept], share[kept]))]
    if len(order) < 2:
        return
    same = (share[order][1:] == share[order][:-1]) & (given.days[order][1:] == given.days[order][:-1])
    twice = np.zeros(len(order), dtype=bool)
    twice[1:] |= same
    twice[:-1] |= same
    doubled = order[twice]
    equal: list[int] = []
    reasons: dict[int, str] = {}
    for group in np.split(doubled, np.flatnonzero(np.diff(share[doubled])) + 1):
        if not len(group):
            continue
        values = {name: each[group] for name, each in given.values.items()}
        taken, refused = sort_days(given.rows[group], given.days[group], values, Repeats())
        reasons.update({int(group[at]): reason for at, reason in refused})
        gone = {*group[taken].tolist(), *reasons}
        equal += [at for at in group.tolist() if at not in gone]
    sieve.leave_out(
        np.array(list(reasons), dtype=np.int64),
        "contradicting",
        "a share has several forecasts of a day, and they differ; keep the right one",
        detail=lambda at: reasons[at],
    )
    sieve.leave_out(np.array(equal, dtype=np.int64), "repeated", "the same row is there before; one counts", mend=False)


@dataclass(frozen=True, eq=False)
class _Told:
    """What a label says of rows, [rows] each.

    Attributes:
        rises: 1 where it came so, else 0.
        change: The return that it tells the sign of.
        equal: Whether that is 0, so that there is no label.
        undecided: Whether the day has no level.
        end: The last session that it is made of.
    """

    rises: Integers
    change: NDArray[np.float32]
    equal: NDArray[np.bool_]
    undecided: NDArray[np.bool_]
    end: Days


class _Search:
    """The look through the database, some shares at a time."""

    def __init__(
        self,
        store: FeatureStore,
        sieve: Sieve,
        question: Question,
        gaps: Mapping[str, ShareGaps],
        names: Sequence[str],
        share: Integers,
        levels: DayLevels | None,
        universe: Universe,
    ) -> None:
        self._levels, self._universe = levels, universe
        self._store, self._sieve, self._asked, self._gaps, self._names = store, sieve, question, gaps, names
        kept = np.flatnonzero(sieve.kept)
        key = share[kept] * _SPAN + sieve.forecasts.days[kept] + _SPAN // 2
        order = np.argsort(key, kind="stable")
        self._places, self._keys, self._share = kept[order], key[order], share[kept][order]
        count = len(self._places)
        self._label, self._found = np.zeros(count, np.int64), np.zeros(count, bool)
        self._change, self._next = np.full((2, count), np.nan)
        self._closes = np.full((count, WINDOW), np.nan, np.float32)
        self._noted: dict[str, list[Integers]] = {}
        self._detail: dict[int, str] = {}
        self._last = ""
        self._first = 0

    def run(self, summaries: Mapping[str, ShareSummary]) -> Outcomes:
        """Looks through all shares that have forecasts."""
        begin = np.array([np.datetime64(summaries[name].first, "D").astype(np.int64) for name in self._names])
        days = self._sieve.forecasts.days[self._places]
        judgeable = days[days >= begin[self._share]] if len(begin) else days
        self._first = int(judgeable.min(initial=np.iinfo(np.int64).max))
        wanted = [self._names[at] for at in np.unique(self._share).tolist()]
        training = Training(len(wanted))
        for some in _together([summaries[name] for name in wanted]):
            self._look(FeatureRows(self._store.read_features(some), self._gaps, self._universe), training)
        self._tell()
        order = np.argsort(self._places)
        order = order[self._sieve.kept[self._places[order]]]
        names = np.array(self._names, dtype=object)
        return Outcomes(
            places=self._places[order],
            share_id=names[self._share[order]] if len(names) else np.array([], dtype=object),
            label=self._label[order],
            forward_return=self._change[order],
            next_return=self._next[order],
            last=self._last,
            closes=self._closes[order],
            training=training,
        )

    def _look(self, rows: FeatureRows, training: Training) -> None:
        """Finds the forecasts of some shares among their rows."""
        encoded = rows.shares.dictionary_encode()
        known = np.searchsorted(self._names, encoded.dictionary.to_pylist())
        share = known[encoded.indices.to_numpy()]
        days = rows.days.astype(np.int64)
        keys = share * _SPAN + days + _SPAN // 2
        begin, end = np.searchsorted(self._keys, [keys[0] // _SPAN * _SPAN, (keys[-1] // _SPAN + 1) * _SPAN])
        mine = np.arange(begin, end)
        at = np.minimum(np.searchsorted(keys, self._keys[mine]), len(keys) - 1)
        found = keys[at] == self._keys[mine]
        self._absent(mine[~found], rows, share, days)
        mine, at = mine[found], at[found]
        ahead, following = (rows.ahead(one, self._asked.most_missing) for one in (self._asked.horizon, NEXT_SESSION))
        told = self._told(rows, ahead)
        label = rows.member & ahead.known & ~told.undecided & ~told.equal
        self._found[mine] = label[at]
        self._label[mine], self._change[mine] = told.rises[at], told.change[at]
        self._next[mine] = np.where(following.known[at], following.change[at], np.nan)
        self._closes[mine] = rows.closes[at]
        self._note("outside", mine[~rows.member[at]])
        self._note("pending", mine[~(ahead.known | ahead.across)[at]])
        self._note("across", mine[ahead.across[at]])
        self._note("alone", mine[(ahead.known & told.undecided)[at]])
        self._note("unchanged", mine[(ahead.known & ~told.undecided & told.equal)[at]])
        if (written := self._sieve.forecasts.written) is not None:
            there = rows.position + 1 < rows.end
            next_day = np.where(there, days[np.minimum(rows.position + 1, len(days) - 1)], np.iinfo(np.int64).max)
            late = written[self._places[mine]] >= next_day[at]
            self._note("late", mine[late], lambda place: f"written on {iso(int(written[self._places[place]]))}")
        if label[at].any():
            self._last = max(self._last, str(told.end[at[label[at]]].max()))
        usable = label & ~rows.windows_across(self._asked.most_missing) & (told.end.astype(np.int64) < self._first)
        training.add(rows.closes, told.rises, usable, rows.end)

    def _told(self, rows: FeatureRows, ahead: Ahead) -> _Told:
        """What the label says of rows."""
        end = rows.ends(ahead)
        if self._levels is None:
            return _Told(ahead.rises, ahead.change, ahead.unchanged, np.zeros(len(rows), bool), end)
        session = np.searchsorted(self._levels.sessions, rows.days)
        excess, undecided = self._levels.excess(self._asked.horizon, ahead, session)
        last = self._levels.end[self._asked.horizon][session]
        end = np.maximum(end, self._levels.sessions[last])
        return _Told((excess > 0).astype(np.int64), excess, excess == 0, undecided, end)

    def _absent(self, mine: Integers, rows: FeatureRows, share: Integers, days: Integers) -> None:
        """Says why the database has no row for some forecasts, which are in order of share and day."""
        for ours in np.split(mine, np.flatnonzero(np.diff(self._share[mine])) + 1):
            if not len(ours):
                continue
            name = self._share[ours[0]]
            wanted = self._keys[ours] % _SPAN - _SPAN // 2
            own = days[np.searchsorted(share, name, "left") : np.searchsorted(share, name, "right")]
            early = wanted < own[0]
            self._note("early", ours[early], partial(_from, int(own[0])))
            ours, wanted = ours[~early], wanted[~early]
            closed = ~np.isin(_weekday(wanted), np.unique(_weekday(own)))
            self._note("day off", ours[closed], lambda at: _DAYS[_weekday(self._day(at))])
            ours, wanted = ours[~closed], wanted[~closed]
            gaps = self._gaps.get(self._names[name])
            lacks = np.isin(wanted, [] if gaps is None else gaps.days.astype(np.int64))
            self._note("lacks", ours[lacks])
            ours, wanted = ours[~lacks], wanted[~lacks]
            later = wanted > own[-1]
            self._note("pending", ours[later])
            self._note("day off", ours[~later], partial(self._around, own))

    def _day(self, at: int) -> int:
        return int(self._keys[at] % _SPAN) - _SPAN // 2

    def _around(self, own: Integers, at: int) -> str:
        later = int(np.searchsorted(own, self._day(at)))
        return f"its sessions around it are {iso(int(own[later - 1]))} and {iso(int(own[later]))}"

    def _note(self, why: str, mine: Integers, detail: Callable[[int], str] | None = None) -> None:
        self._noted.setdefault(why, []).append(self._places[mine])
        if detail is not None:
            self._detail.update({int(self._places[one]): detail(one) for one in mine[:SHOWN].tolist()})

    def _tell(self) -> None:
        """Leaves out what has no outcome."""
        given, ahead = self._sieve.forecasts, _sessions(self._asked.horizon)
        if given.written is not None:
            today = int(np.datetime64(dt.datetime.now(dt.UTC).date(), "D").astype(np.int64)) + 1
            unsaid = "the file does not say when it was written, as it does of others; fill the cell"
            self._sieve.leave_out(given.written == NO_DAY, "not dated", unsaid)
            self._sieve.leave_out(
                given.written > today,
                "not dated",
                "written on a day to come; correct it",
                detail=lambda at: f"written on {iso(int(given.written[at]))}",  # type: ignore[index]
            )
        late = "written on the day of the next session or later, when it could be known: it proves nothing"
        for why, words, mend in (
            ("late", late, True),
            ("outside", "the share was no member of the universe on its day (awesome members list)", False),
            ("early", f"before the {WINDOW}st price of the share in the database; import earlier prices", True),
            ("lacks", "the database lacks this session of the share; import its price", True),
            ("day off", "no session of the share; date a forecast by the last session whose close it has seen", True),
            ("pending", f"the close {ahead} later is not there yet", False),
            ("across", "the label would reach across more missing sessions than max_missing_sessions allows", False),
            ("unchanged", f"the close {ahead} later is the same, which is no label", False),
            ("alone", "too few shares of the database have a return on its day to be compared", False),
        ):
            where = np.concatenate([*self._noted.get(why, []), np.array([], dtype=np.int64)])
            self._sieve.leave_out(where, why, words, mend, lambda at: self._detail.get(at, ""))


def _weekday(day: Any) -> Any:
    """Of days since 1970-01-01, a Thursday; Monday is 0."""
    return (day + 3) % 7


def _from(first: int, at: int) -> str:
    del at
    return f"from {iso(first)} on"


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"


def _together(shares: Sequence[ShareSummary]) -> Iterator[list[str]]:
    """Shares, as many at a time as memory has room for."""
    some: list[str] = []
    rows = 0
    for share in shares:
        if some and rows + share.rows > _ROWS_AT_ONCE:
            yield some
            some, rows = [], 0
        some.append(share.share_id)
        rows += share.rows
    if some:
        yield some
