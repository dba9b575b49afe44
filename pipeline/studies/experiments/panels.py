"""The data of the experiments: the shipped prices and the market factor, through the feature store, cut twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from components.evidence.day_leak import mean_correlation
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.feature_store import FeatureStore
from components.synthetic_market import MarketFactor, generate, get_scenario, write_market
from components.trials.record import begun_with
from models.features import CLOSES, NEXT_SESSION, SHARE_ID, TIME, forward_return_key, label_key
from pipeline.job.prices import SHIPPED_PRICES, import_shipped_prices

if TYPE_CHECKING:
    import pyarrow as pa

Split = Literal["shuffled", "dated"]
SPLIT_KINDS: tuple[Split, Split] = ("shuffled", "dated")

MARKET = "market_factor"
"""The scenario: nothing can be known of it but by leaking the day."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Prices as the feature store gives them.

    Attributes:
        name: shipped or market.
        title: for people.
        identity: what its rows are made of; equal where the rows are.
        features: the table FEATURE, an Arrow table.
        sessions: every session, ascending, [sessions].
        correlation: of any two shares' returns of a day, where the market was made with one.
        store: the database.
    """

    name: str
    title: str
    identity: str
    features: pa.Table
    sessions: npt.NDArray[np.datetime64]
    correlation: float | None
    store: Path


@dataclass(frozen=True, eq=False)
class PanelRows:
    """The labelled rows of a panel at one horizon, in any split or none; all arrays are [rows].

    Attributes:
        horizon: sessions ahead.
        raw: what a DataFormatter reads, by name.
        label: 0 or 1, float32.
        forward_return: over the horizon, float32.
        next_return: to the share's next session, float32; nan where there is none yet.
        splits: for each way to cut, 0, 1, 2 for train, eval, test, and -1 for rows that it leaves out.
        correlation: mean pairwise correlation of the shares' returns over the horizon within a day, as measured.
    """

    horizon: int
    raw: Mapping[str, npt.NDArray[Any]]
    label: npt.NDArray[np.float32]
    forward_return: npt.NDArray[np.float32]
    next_return: npt.NDArray[np.float32]
    splits: Mapping[Split, npt.NDArray[np.int64]]
    correlation: float


def shipped_panel(folder: Path) -> Panel:
    """The prices that come with the project, in a feature store of the folder, which is made where it is missing.

    Raises:
        StoreError: the store cannot be written or read.
    """
    digest = hashlib.sha256(SHIPPED_PRICES.read_bytes()).hexdigest()
    path = folder / f"shipped-{digest[:16]}.db"
    if not path.exists():
        import_shipped_prices(path)
    return _read("shipped", path, f"shipped {digest}", None)


def market_panel(folder: Path, shares: int, sessions: int, seed: int) -> Panel:
    """A market whose shares move together, and of which nothing can be known, in a feature store of the folder.

    Raises:
        UserError: the market cannot be made, or the store cannot be written or read.
    """
    scenario = get_scenario(MARKET)
    assert isinstance(scenario, MarketFactor)
    name = f"{MARKET}-{shares}x{sessions}-seed{seed}"
    path = folder / f"{name}.db"
    with begun_with(path):
        write_market(generate(scenario, shares=shares, sessions=sessions, seed=seed), path)
    return _read("market", path, f"{name}, correlation {scenario.correlation}", scenario.correlation)


def _read(name: str, path: Path, identity: str, correlation: float | None) -> Panel:
    with FeatureStore.open(path) as store:
        shares = [summary.share_id for summary in store.shares()]
        sessions, features = store.sessions(shares), store.read_features(shares)
    what = "shipped prices" if correlation is None else f"market factor, correlation {correlation:g}"
    return Panel(name, f"{what}: {len(shares)} shares", identity, features, sessions, correlation, path)


def split_settings(horizon: int) -> SplitSettings:
    """This project's own fractions, purge and embargo."""
    defaults = SplitSettings()
    return SplitSettings(horizons=tuple(sorted({*defaults.horizons, horizon})), horizon=horizon)


def panel_rows(panel: Panel, horizon: int, seed: int) -> PanelRows:
    """Labels the rows and cuts them twice.

    The dated split has purge and embargo. The shuffled one deals all labelled rows out at random, in the same
    fractions: what is done where nobody thinks of days.

    Raises:
        SplitError: there are too few sessions.
    """
    settings = split_settings(horizon)
    plan = plan_splits(panel.sessions, settings)
    labelled = label_rows(panel.features, plan)
    columns = labelled.columns
    known = ~labelled.missing[forward_return_key(horizon)]
    correlation = mean_correlation(
        np.log1p(columns[forward_return_key(horizon)][known].astype(np.float64)),
        columns[TIME][known],
        columns[SHARE_ID][known],
    )
    following = forward_return_key(NEXT_SESSION)
    next_return = np.where(labelled.missing[following], np.nan, columns[following].astype(np.float64))
    kept = np.flatnonzero(~labelled.missing[label_key(horizon)])
    order = np.random.default_rng((seed, horizon)).permutation(len(kept))
    borders = np.round(np.cumsum(settings.fractions)[:-1] * len(kept)).astype(np.int64)
    shuffled = np.empty(len(kept), np.int64)
    for index, part in enumerate(np.split(order, borders)):
        shuffled[part] = index
    return PanelRows(
        horizon=horizon,
        raw={name: columns[name][kept] for name in (CLOSES, SHARE_ID, TIME)},
        label=columns[label_key(horizon)][kept].astype(np.float32),
        forward_return=columns[forward_return_key(horizon)][kept].astype(np.float32),
        next_return=next_return[kept].astype(np.float32),
        splits={"shuffled": shuffled, "dated": labelled.split[kept]},
        correlation=correlation,
    )


def rows_of(rows: PanelRows, kind: Split, part: str) -> npt.NDArray[np.int64]:
    """The places of the rows of train, eval or test, [rows of the part]."""
    return np.flatnonzero(rows.splits[kind] == SPLITS.index(part))
