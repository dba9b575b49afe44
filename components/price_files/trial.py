"""What an import would do, without doing it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from components.feature_store.connection import connect_to_write
from components.feature_store.look_back import LookBack
from components.feature_store.store import FeatureStore
from components.feature_store.windows import PriceBars
from components.feature_store.writing import Upserted
from components.whole_files import temporary_folder


class TrialStore(FeatureStore):
    """A store of its own that holds what another one holds of the shares that are asked for, and all decisions.

    Attributes:
        database: Where it is; that of `trial_store` is gone when the trial ends.
        first: The share and the bars that were written first; None before.
        last: Those that were written last.
    """

    def __init__(self, database: Path, path: Path, real: FeatureStore | None) -> None:
        """Makes one.

        Args:
            database: Where; its folder must exist.
            path: That of the other one, for messages.
            real: The other one; None if it is not there yet.

        Raises:
            StoreError: `database` cannot be written, or the decisions of the other one not be read.
        """
        decided = () if real is None else real.decision_list()
        super().__init__(path, connect_to_write(database), writable=True)
        self.database = database
        self.first: tuple[str, PriceBars] | None = None
        self.last: tuple[str, PriceBars] | None = None
        self._real, self._own = real, set[str]()
        self.decide(decided)

    def __enter__(self) -> TrialStore:
        """Returns the store itself."""
        return self

    def bars(self, share_id: str) -> PriceBars | None:
        """As `FeatureStore.bars`."""
        self._fetch(share_id)
        return super().bars(share_id)

    def conflicting_source(self, share_id: str, source: str) -> str | None:
        """As `FeatureStore.conflicting_source`."""
        if self._real is None or share_id in self._own:
            return super().conflicting_source(share_id, source)
        return self._real.conflicting_source(share_id, source)

    def upsert(
        self,
        share_id: str,
        bars: PriceBars,
        source: str,
        replace: bool = False,
        since: dt.date | None = None,
        look_back: LookBack | None = None,
    ) -> Upserted:
        """As `FeatureStore.upsert`."""
        self._fetch(share_id)
        counts = super().upsert(share_id, bars, source, replace, since, look_back)
        self.last = share_id, bars
        self.first = self.first or self.last
        return counts

    def _fetch(self, share_id: str) -> None:
        if self._real is None or share_id in self._own:
            return
        source, bars = self._real.source_of(share_id), self._real.bars(share_id)
        self._own.add(share_id)
        if source is not None and bars is not None:
            super().upsert(share_id, bars, source)


@contextmanager
def trial_store(path: str | os.PathLike[str]) -> Iterator[TrialStore]:
    """Opens a store that stands for another one, which is read and never changed, nor made if it is missing.

    Raises:
        StoreError: The other one cannot be read.
    """
    file = Path(path)
    with (
        temporary_folder("trial") as folder,
        FeatureStore.open(file) if file.exists() else nullcontext() as real,
        TrialStore(folder / "trial.db", file, real) as store,
    ):
        yield store
