"""Drift: whether the champion still sees what it was trained on, and loses as little as in its backtest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.drift.features import FeatureDrift, feature_drift
from components.drift.losses import LossDrift, LossReference, loss_drift, make_loss_reference
from components.drift.reference import STRETCHES, Reference, make_reference
from components.drift.sessions import Session, summarise
from components.feature_store import WINDOW, FeatureStore
from components.feature_store.arrays import Floats
from components.feature_store.windows import close_windows
from components.ledger.days import answered
from components.ledger.file import Ledger
from components.live_evidence import Parameters
from components.records import RecordError, from_json, to_json
from components.whole_files import write_whole
from models.errors import TwinError
from pipeline.daily.columns import known, read_columns
from pipeline.daily.day import Day, Drift, Told
from pipeline.daily.report import AlertKind, daily_folder
from pipeline.daily.speaking import Speaker
from pipeline.runs.folder import FinishedRun
from pipeline.runs.results import ReportError

_MOST_SHARES = 300
"""That features are compared by: the same ones as in training."""

_LATEST = dt.timedelta(days=120)
"""That hold the latest twenty windows of 21 sessions, with holidays."""

_MOST_SESSIONS = 1000
"""The last ones of training that are the yardstick."""


@dataclass(frozen=True)
class _Kept:
    """What a model's training and backtest are like: made once, as it takes a look at all prices.

    Attributes:
        shares: that features are compared by.
        features: of the training; None where they cannot be compared.
        losses: of the backtest; None likewise.
        said: why they cannot.
    """

    shares: tuple[str, ...]
    features: Reference | None
    losses: LossReference | None
    said: tuple[str, ...]


def measure_drift(day: Day, told: Told) -> None:
    """Compares what the champion sees and loses with its training and its backtest; says what rings.

    Raises:
        StoreError: the database cannot be read.
        LedgerError: the ledger cannot be read.
    """
    speaker = day.speaker
    if speaker is None or speaker.run is None:
        told.idle = True
        told.said.append("there is no model yet" if speaker is None else "the run that trained the model is gone")
        return
    path = daily_folder(day.plan) / f"training-{speaker.digest[:16]}.json"
    with FeatureStore.open(day.plan.database) as store:
        kept = _read(path)
        if kept is None:
            kept = _make(day, speaker, speaker.run, store)
            write_whole(path, to_json(kept, indent=None))
        features = _features(day, speaker, store, kept)
    losses = _losses(day, speaker, kept)
    day.drift = Drift(features, losses)
    told.said += kept.said
    told.idle = features is None and not losses
    rings = [one.words for one in losses if one.rings]
    if features is not None:
        rings += [alarm.words for alarm in features.drifted]
        told.wrong += [alarm.words for alarm in features.faults]
        told.said.append(f"features after {features.day} against those of training: {len(features.alarms)} alarms")
    told.said += rings
    for text in (*rings, *told.wrong):
        told.alert(AlertKind.DRIFT, text)
    told.numbers |= {"alarms": day.drift.alarms, **day.drift.numbers}


def _make(day: Day, speaker: Speaker, run: FinishedRun, store: FeatureStore) -> _Kept:
    """What a model's training and backtest are like, from the prices and its run."""
    shares = day.plan.select(store)
    shares = shares[:: -(-len(shares) // _MOST_SHARES)]
    features, losses, said = None, None, []
    try:
        train = run.report.splits["train"]
        seen = _sessions(day, speaker, store, shares, train.first, train.last)
        features = make_reference(seen[-_MOST_SESSIONS:])
    except (TwinError, ValueError, KeyError) as error:  # too few sessions, or features that only TensorFlow can make
        said.append(f"features are not compared: {error}")
    try:
        rows = run.predictions()
        days = rows["time"].to_numpy("datetime64[D]").astype(str)
        backtest = _by_day(days, rows[speaker.name].to_numpy(float), rows["label"].to_numpy())
        losses = make_loss_reference(backtest, horizon=speaker.card.horizon)
    except (ReportError, ValueError) as error:  # the predictions are gone, or are of too few days
        said.append(f"losses are not compared: {error}")
    return _Kept(tuple(shares), features, losses, tuple(said))


def _features(day: Day, speaker: Speaker, store: FeatureStore, kept: _Kept) -> FeatureDrift | None:
    if kept.features is None:
        return None
    since = str((day.clock.now() - _LATEST).date())
    latest = _sessions(day, speaker, store, kept.shares, since, "9999-12-31", since)[-max(STRETCHES) :]
    return feature_drift(kept.features, latest) if latest else None


def _read(path: Path) -> _Kept | None:
    try:
        return from_json(_Kept, path.read_bytes())
    except (OSError, RecordError):  # not made yet, or of another version
        return None


def _sessions(
    day: Day, speaker: Speaker, store: FeatureStore, shares: Sequence[str], first: str, last: str, since: str = ""
) -> list[Session]:
    """What the model sees of some shares after each session of a range, of prices from a day on."""
    rows: list[tuple[str, str, Floats]] = []
    for series in store.price_series(shares, since):
        windows = close_windows(series.close * series.factor)
        days = series.time[WINDOW - 1 :].astype(str).tolist()
        for session, window in zip(days, windows, strict=True):
            if first <= session <= last:
                rows.append((session, series.share_id, window))
    if not rows:
        return []
    sessions, names, closes = zip(*rows, strict=True)
    columns = read_columns(store, speaker.card, names, sessions, day.clock.now())
    by_day: dict[str, list[int]] = {}
    for at in np.flatnonzero(known(columns, len(rows))).tolist():
        by_day.setdefault(sessions[at], []).append(at)
    found = []
    for session, places in sorted(by_day.items()):
        beside = {name: values[places] for name, values in columns.items()}
        of_day = np.array([closes[at] for at in places], np.float32)
        seen = speaker.twin.features([names[at] for at in places], of_day, beside)
        found.append(summarise(session, speaker.twin.formatter.by_part(seen)))
    return found


def _losses(day: Day, speaker: Speaker, kept: _Kept) -> tuple[LossDrift, ...]:
    if kept.losses is None or not day.ledger_file.is_file():
        return ()
    with day.ledger() as ledger:
        live = _live_losses(ledger, speaker)
    return (loss_drift(kept.losses, live),) if len(live) else ()


def _live_losses(ledger: Ledger, speaker: Speaker) -> Floats:
    """The log loss of each session whose outcomes are known, in order."""
    rows = [(one.session, one.probability, one.yes) for one in answered(ledger, speaker.card.horizon, [speaker.digest])]
    sessions, probability, up = zip(*rows, strict=True) if rows else ((), (), ())
    return _by_day(np.array(sessions, str), np.array(probability, float), np.array(up, float))


def _by_day(days: np.ndarray, probability: Floats, up: np.ndarray) -> Floats:
    """The mean log loss of each day, in order; probabilities are clipped as in the evidence."""
    least = Parameters().least_probability
    stated = np.clip(probability, least, 1 - least)
    loss = -np.where(up == 1, np.log(stated), np.log(1 - stated))
    _, place = np.unique(days, return_inverse=True)
    means: Floats = np.bincount(place, loss) / np.maximum(np.bincount(place), 1)
    return means
