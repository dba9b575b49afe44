"""What a model says of each session of a stretch of the past, made of prices up to that session and of no later one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.day_wide.reading import read_last
from components.feature_store import WINDOW, FeatureStore
from components.missing_sessions.finding import find_missing
from components.model_selector.opening import open_card
from components.plausibility.search import search
from components.price_panel.opening import open_prices
from components.universe.universe import Universe, universe_of
from models.errors import TwinError
from models.formatters import DataFormatter
from models.twin.forecasting import TOLERANCE, Twin
from models.twin.proving import proven_twin
from pipeline.job.panel import fetch_panel
from pipeline.plan import Plan
from pipeline.report.suspects import print_plain, print_suspects
from pipeline.runs.folder import FinishedRun
from pipeline.runs.results import ReportError
from pipeline.uses.forecast import AskedModel
from pipeline.uses.predict import check_given, choose_model, formatter_of, run_id, run_of, through_tensorflow
from pipeline.uses.windows import WindowsError

if TYPE_CHECKING:
    from rich.console import Console

_SHARES_AT_ONCE = 200
"""Whose windows are in memory together."""

TRAIN, EVAL, TEST, LATER, UNKNOWN = "train", "eval", "test", "later", ""
"""What the model's run has used a session for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PastForecasts(AskedModel):
    """What a model says of each share after each session of a stretch.

    Attributes:
        sessions: the last session of each row's window, ISO, ascending, [n].
        share_ids: its share, ascending within a session, [n].
        probabilities: float32 [n].
        uses: what the model's run has used each row's session for, [n]: train, eval, test, later, or empty where no run
            says. What a model says of sessions that it was trained on is no forecast.
        across: windows left out because they reach across too many missing sessions.
        outside: windows left out because their share does not belong to the universe on their session.
        short: windows left out because the share has too few sessions for what the model's formatter reads.
        run: id of the one that trained the model; what `run_id` says where that is not here.
        in_run: rows that the model's run has predicted as well: they are the run's own to the last bit.
        otherwise: rows that it has predicted, and otherwise: prices were restated since.
    """

    sessions: tuple[str, ...]
    share_ids: tuple[str, ...]
    probabilities: NDArray[np.float32]
    uses: tuple[str, ...]
    across: int = 0
    outside: int = 0
    short: int = 0
    run: str = ""
    in_run: int = 0
    otherwise: int = 0

    @property
    def days(self) -> tuple[str, ...]:
        """The sessions, each once, ascending."""
        return tuple(dict.fromkeys(self.sessions))


@dataclass(frozen=True, eq=False)
class _Windows:
    """Windows of some shares: days [n], shares [n], closes float32 [n, 21], columns, and how many were left out."""

    days: NDArray[np.datetime64]
    shares: list[str]
    closes: NDArray[np.float32]
    day: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    across: int = 0
    outside: int = 0
    short: int = 0


def predict_past(
    plan: Plan,
    model: str | None,
    run: Path | None,
    since: dt.date | None,
    until: dt.date | None,
    console: Console,
) -> PastForecasts:
    """Predicts after every session of a stretch of the past, each from a window that ends on it.

    Rows are those that a run makes examples of, whether their label is known or not: which windows reach across too
    many missing sessions, and who belongs to the universe on a day, is decided by the same code.

    Args:
        plan: the database, the shares, and which pushed model (formatter, horizon, market).
        model: as in `predict`.
        run: as in `predict`.
        since: the first session; None for the first one.
        until: the last session; None for the last one.
        console: where it says what is not as it should be.

    Raises:
        PredictionError: there is no such model, or it is another one than the options ask for.
        ModelFolderError: what it says of itself cannot be read.
        StoreError: the database cannot be read.
        WindowsError: there is no window that ends within the stretch, or none that can be used.
    """
    chosen = choose_model(plan, model, run)
    card = open_card(chosen.saved_model)
    check_given(plan, chosen.saved_model, card)
    formatter = formatter_of(card)
    trained_in = run_of(plan, chosen)
    twin: Twin | None = None
    try:
        twin = proven_twin(chosen.saved_model, chosen.twin)
    except TwinError as error:
        print_plain(console, f"{card.model} has no twin and predicts through TensorFlow: {error}", "yellow")
    days, shares, answers = [], [], []
    across = outside = short = 0
    if plan.settings.panel is not None:
        fetch_panel(plan)
    with open_prices(plan.database) as store:
        wanted = plan.select(store)
        absent = sorted({*card.market} - {*store.listings.share_ids()}) if formatter.day_columns else []
        _say_suspects(plan, store, wanted, since, until, formatter.reach, console)
        for part in _windows(plan, store, wanted, since, until, formatter, card.market):
            across, outside, short = across + part.across, outside + part.outside, short + part.short
            if not len(part.days):
                continue
            if twin is None:
                answer = through_tensorflow(chosen.saved_model, part.shares, part.closes, part.day)
            else:
                answer = twin.forecast(part.shares, part.closes, day=part.day)
            days.append(part.days)
            shares += part.shares
            answers.append(answer)
    if not days:
        raise _none_there(plan, since, until, across + outside + short)
    ends = np.concatenate(days)
    order = np.lexsort((np.array(shares), ends))
    sessions = tuple(ends[order].astype(str).tolist())
    share_ids = tuple(shares[at] for at in order.tolist())
    probabilities = np.concatenate(answers)[order]
    found = None if trained_in is None else _as_in_run(*trained_in, sessions, share_ids, probabilities)
    return PastForecasts(
        sessions=sessions,
        share_ids=share_ids,
        probabilities=probabilities if found is None else found.probabilities,
        uses=_uses(sessions, None if trained_in is None else trained_in[0]),
        in_run=0 if found is None else found.same,
        otherwise=0 if found is None else found.other,
        run=run_id(chosen, trained_in),
        across=across,
        outside=outside,
        short=short,
        **chosen.facts(card, absent, () if twin is None else twin.untrained(sorted({*shares}))),
    )


def _windows(
    plan: Plan,
    store: FeatureStore,
    shares: Sequence[str],
    since: dt.date | None,
    until: dt.date | None,
    formatter: DataFormatter,
    market: Sequence[str],
) -> Iterator[_Windows]:
    from components.feature_example_gen.look_ahead import FeatureRows

    gaps = find_missing(store).of(shares).shares
    universe = universe_of(store, store.sessions(shares))
    for begin in range(0, len(shares), _SHARES_AT_ONCE):
        some = shares[begin : begin + _SHARES_AT_ONCE]
        rows = FeatureRows(store.read_features(some), gaps, universe)
        asked = np.ones(len(rows), bool)
        if since is not None:
            asked &= rows.days >= np.datetime64(since)
        if until is not None:
            asked &= rows.days <= np.datetime64(until)
        across = rows.windows_across(plan.settings.max_missing_sessions)
        at = np.flatnonzero(asked & rows.member & ~across)
        days, names = rows.days[at], rows.shares.take(at).to_pylist()
        columns = _columns(store, market, names, days, formatter, universe)
        known = np.ones(len(at), bool)
        for values in columns.values():
            known &= ~np.isnan(values).reshape(len(at), -1).any(axis=1)
        yield _Windows(
            days[known],
            [names[one] for one in np.flatnonzero(known).tolist()],
            rows.closes[at[known]].astype(np.float32),
            {name: values[known] for name, values in columns.items()},
            int(np.count_nonzero(asked & rows.member & across)),
            int(np.count_nonzero(asked & ~rows.member)),
            int(np.count_nonzero(~known)),
        )


def _columns(
    store: FeatureStore,
    market: Sequence[str],
    shares: Sequence[str],
    days: NDArray[np.datetime64],
    formatter: DataFormatter,
    universe: Universe,
) -> Mapping[str, NDArray[np.float32]]:
    if not formatter.day_columns or not len(days):
        return {}
    return read_last(store, market, shares, days.astype(str).tolist(), formatter.day_columns, universe)


def _say_suspects(
    plan: Plan,
    store: FeatureStore,
    shares: Sequence[str],
    since: dt.date | None,
    until: dt.date | None,
    reach: int,
    console: Console,
) -> None:
    """Names the returns of these windows that no market makes."""

    def used(days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        first = 0 if since is None else int(np.searchsorted(days, np.datetime64(since)))
        end = len(days) if until is None else int(np.searchsorted(days, np.datetime64(until), side="right"))
        at = np.arange(len(days))
        return (at > first - max(reach, WINDOW - 1)) & (at < end) & (first < end)

    print_suspects(search(store, shares, plan.bounds, used), console, database=plan.database)


@dataclass(frozen=True, eq=False)
class _Beside:
    """Probabilities float32 [n], and how many of these are the run's own, and how many it has otherwise."""

    probabilities: NDArray[np.float32]
    same: int
    other: int


def _as_in_run(
    run: FinishedRun, name: str, sessions: Sequence[str], shares: Sequence[str], answers: NDArray[np.float32]
) -> _Beside | None:
    """Takes what the run itself has said where it has said the same; None where its predictions are gone.

    A twin's answer is TensorFlow's to the last but one bit, and what was judged is the run's.
    """
    try:
        table = run.predictions()
    except ReportError:
        return None
    if name not in table:
        return None
    days = table["time"].to_numpy("datetime64[D]").astype(str).tolist()
    said = dict(zip(zip(days, table["share_id"], strict=True), table[name].to_numpy(np.float32), strict=True))
    theirs = np.array([said.get(row, np.nan) for row in zip(sessions, shares, strict=True)], np.float32)
    same = np.abs(theirs - answers) <= 2 * TOLERANCE  # nan is none
    return _Beside(
        np.where(same, theirs, answers), int(np.count_nonzero(same)), int(np.count_nonzero(~np.isnan(theirs) & ~same))
    )


def _uses(sessions: Sequence[str], run: FinishedRun | None) -> tuple[str, ...]:
    if run is None:
        return (UNKNOWN,) * len(sessions)
    splits = run.report.splits
    found = {}
    for day in dict.fromkeys(sessions):
        if day > splits[TEST].last:
            found[day] = LATER
        else:  # sessions between two splits, purged or embargoed, go with the earlier one
            found[day] = next((name for name in (TEST, EVAL) if day >= splits[name].first), TRAIN)
    return tuple(found[day] for day in sessions)


def _none_there(plan: Plan, since: dt.date | None, until: dt.date | None, left_out: int) -> WindowsError:
    stretch = f"from {since} on" if until is None else f"up to {until}" if since is None else f"from {since} to {until}"
    if left_out:
        return WindowsError(
            f"{plan.database}: none of the {left_out:,} windows {stretch} can be used: they reach across too many "
            "missing sessions, their shares do not belong to the universe then, or have too few sessions before"
        )
    with open_prices(plan.database) as store:
        sessions = store.sessions(plan.select(store))
    return WindowsError(
        f"{plan.database}: no share has a window that ends on a session {stretch}; the sessions with windows are "
        f"{sessions[0]} to {sessions[-1]}"
    )
