"""Which shares belong to the universe on a day, and the returns of those that were delisted.

A row of a day on which its share is no member is no example, no prediction, and no part of what the day's shares are
compared by. What a member's window shows of the time before was public, so it may; what a member's label shows of the
time after is what whoever held it got, so it must.

A return after the last price is that of the next session, as CRSP counts it (Shumway 1997, The delisting bias in CRSP
data); what a label of more sessions spans is held as cash from there on. Where no such return is given, none is made
up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from components.feature_store import FeatureStore
from components.feature_store.arrays import Booleans, Days

_OPEN = np.datetime64("9999-12-31", "D")


@dataclass(frozen=True)
class Delisting:
    """The end of a share.

    Attributes:
        last: Day of its last price.
        known: The session after, on which the return is known.
        value: That return, simple, from -1 on.
    """

    last: np.datetime64
    known: np.datetime64
    value: float


@dataclass(frozen=True)
class Universe:
    """Who belongs to it on each day.

    Attributes:
        given: Whether there are spells; without any, all shares belong to it always.
        spells: By share, the first and the last days (which belong to it) of its spells, ascending, [spells, 2].
        delistings: By share, those that are known.
    """

    given: bool = False
    spells: Mapping[str, Days] = field(default_factory=dict)
    delistings: Mapping[str, Delisting] = field(default_factory=dict)

    def members(self, share: str, days: Days) -> Booleans:
        """Whether a share belongs to the universe on each of some days, bool, of their shape."""
        if not self.given:
            return np.ones(np.shape(days), bool)
        spells = self.spells.get(share)
        if spells is None:
            return np.zeros(np.shape(days), bool)
        at = np.searchsorted(spells[:, 0], days, side="right") - 1
        return (at >= 0) & (days <= spells[np.maximum(at, 0), 1])

    def until(self, day: np.datetime64) -> Universe:
        """What is known of it at the close of a day."""
        begun = {share: of[of[:, 0] <= day] for share, of in self.spells.items()}
        # Whether a spell that goes on, or this day, ends at all is not known yet.
        spells = {
            share: np.stack([of[:, 0], np.where(of[:, 1] >= day, _OPEN, of[:, 1])], axis=1)
            for share, of in begun.items()
            if len(of)
        }
        known = {share: one for share, one in self.delistings.items() if one.known <= day}
        return replace(self, spells=spells, delistings=known)

    def digest(self, fingerprint: str, shares: Collection[str]) -> str:
        """A fingerprint of prices and of who of some shares belongs to it: that of the prices where all do always."""
        if not self.given:
            return fingerprint
        result = hashlib.sha256(fingerprint.encode())
        for share in sorted(shares):
            end = self.delistings.get(share)
            ended = "" if end is None else f"{end.last} {end.value!r}"
            days = " ".join(map(str, self.spells.get(share, np.empty(0, "datetime64[D]")).reshape(-1)))
            result.update(f"{share}\0{days}\0{ended}\n".encode("utf-8", "surrogatepass"))
        return result.hexdigest()


EVERYBODY = Universe()
"""All shares, always."""


def universe_of(store: FeatureStore, sessions: Days) -> Universe:
    """The universe of a database, as far as it is known at the close of the last of some sessions.

    Args:
        store: The database.
        sessions: Of the shares that it is asked for, ascending.

    Raises:
        StoreError: The database cannot be read.
    """
    rows = store.listings.members()
    if not rows or not len(sessions):
        return EVERYBODY
    spells: dict[str, list[tuple[np.datetime64, np.datetime64]]] = {}
    delistings = {}
    for one in rows:
        last = _OPEN if one.last is None else np.datetime64(one.last, "D")
        spells.setdefault(one.share_id, []).append((np.datetime64(one.first, "D"), last))
        after = int(np.searchsorted(sessions, last, side="right"))
        if one.delisting_return is not None and after < len(sessions):
            delistings[one.share_id] = Delisting(last, sessions[after], one.delisting_return)
    days = {share: np.array(some, "datetime64[D]") for share, some in spells.items()}
    return Universe(True, days, delistings).until(sessions[-1])


def fingerprint_of(store: FeatureStore, shares: Sequence[str], prices: str, last: np.datetime64 | None = None) -> str:
    """A fingerprint of prices of some shares and of who of them belongs to the universe, as `Universe.digest` has it.

    Args:
        store: The database.
        shares: The shares.
        prices: Fingerprint of their prices.
        last: The last day that counts; None for all.

    Raises:
        StoreError: The database cannot be read.
    """
    if not store.listings.members():  # the days of all shares are not read for nothing
        return prices
    sessions = store.sessions(shares)
    return universe_of(store, sessions if last is None else sessions[sessions <= last]).digest(prices, shares)


def left_out(store: FeatureStore) -> frozenset[str]:
    """The shares of a database that no run takes: those that a person has excluded, and those without a spell.

    Raises:
        StoreError: The database cannot be read.
    """
    return store.decisions().excluded | strangers(store)


def strangers(store: FeatureStore) -> frozenset[str]:
    """The shares of a database that have no spell, where others have one.

    Raises:
        StoreError: The database cannot be read.
    """
    spells = store.listings.members()
    return frozenset(store.listings.share_ids()) - {one.share_id for one in spells} if spells else frozenset()
