"""Small runs to be audited: the pipeline's own steps on a small market, without its launcher.

Prices go through the feature store, FeatureExampleGen's own shards and TensorFlow Transform, so what a test or a
benchmark breaks by patching is the code that a pipeline runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from components.day_wide.reading import read_rows
from components.evidence.interval import Interval
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.feature_store import FeatureStore, PriceBars
from components.leak_audit.config import AuditConfig, AuditedModel
from components.leak_audit.limits import PLAUSIBLE_AUC
from components.leak_audit.results import AuditReport
from components.plausibility import SUSPECTS_FILE
from components.plausibility.search import search
from components.synthetic_market import Autoregression, Bars, Market, generate, get_scenario
from components.universe.universe import universe_of
from models.registry import get_architecture
from models.schema import schema_for

SHARES, SESSIONS = 12, 700
SHIPPED = "shipped"
"""Instead of a scenario: the prices that come with the project."""


@dataclass(frozen=True)
class SmallRun:
    """What an audit reads of a run.

    Attributes:
        examples: folder of the Examples artifact.
        graph: folder of the TransformGraph artifact.
        schema: of the examples.
        config: of the audit.
    """

    examples: Path
    graph: Path
    schema: Any
    config: AuditConfig

    def audited(
        self,
        aucs: Mapping[str, Interval] | None = None,
        progress: Any = None,
        baselines: Mapping[str, Interval] | None = None,
    ) -> AuditReport:
        """The audit; the alarm hears of the model's own AUC on the test split if no others are given."""
        from components.leak_audit.audit import audit

        if aucs is None:
            aucs = {self.config.models[0].name: self.auc()}
        return audit(self.examples, self.schema, str(self.graph), aucs, self.config, progress, baselines)

    def baselines(self) -> dict[str, Interval]:
        """The AUCs of the baselines on the test split, as a run has them."""
        from components.evidence.auc import auc_interval
        from components.evidence.predictions import predict_baselines, split_pattern
        from models.data import load_rows
        from models.formatters import get_formatter

        formatter, config = get_formatter(self.config.formatter), self.config
        scores = predict_baselines(str(self.examples), str(self.graph), formatter, config.horizon, config.seed)
        test = load_rows(split_pattern(str(self.examples), "test"), config.horizon, formatter)
        return {
            name: auc_interval(test.label, values, test.time, horizon=config.horizon) for name, values in scores.items()
        }

    def auc(self) -> Interval:
        """The AUC of the audited model under the run's own splits."""
        from components.evidence.auc import auc_interval
        from components.leak_audit.reading.features import transform_rows
        from components.leak_audit.reading.learners import model_scores
        from components.leak_audit.reading.rows import TEST, read_rows
        from models.formatters import get_formatter

        formatter = get_formatter(self.config.formatter)
        rows = read_rows(self.examples, formatter.sources)
        features = transform_rows(rows, formatter, str(self.graph))
        label = rows.labels[self.config.horizon]
        scores = model_scores(self.config.models[0], self.config, features, label, rows.split)
        test = rows.of(TEST)
        return auc_interval(label[test], scores, rows.time[test], horizon=self.config.horizon)


@dataclass(frozen=True)
class Asked:
    """What a small run is made of.

    Attributes:
        market: scenario of the market, or SHIPPED.
        shares: of the market.
        sessions: of the market.
        seed: of the market and the training.
        horizon: the trained one.
        formatter: name of the DataFormatter.
        model: name of the architecture.
        hyperparameters: of the model, those that differ.
        embargo: that the splits were asked for; the audit is told the same.
        splits: what the splits are cut with, if not what was asked for.
        analyzed: the splits that Transform looks at.
        bars: makes a share's prices of its closes; raw prices without factors otherwise.
        prices: changes the market before anything is made of it.
        store: changes the database before it is read.
    """

    market: str = "null"
    shares: int = SHARES
    sessions: int = SESSIONS
    seed: int = 0
    horizon: int = 1
    formatter: str = "window_returns"
    model: str = "linear"
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    embargo: int = 21
    splits: SplitSettings | None = None
    analyzed: tuple[int, ...] = (0,)
    bars: Callable[[Market, int], PriceBars] | None = None
    prices: Callable[[Market], Market] | None = None
    store: Callable[[Path], None] | None = None


def make_run(folder: Path, asked: Asked | None = None, graphs: Path | None = None) -> SmallRun:
    """Does what a run does before it is audited.

    Args:
        folder: an empty one.
        asked: what is to be made.
        graphs: folder with the transform graphs of earlier runs: the same rows are analysed once.
    """
    from components.feature_example_gen.executor import Shard, WriteShard, written
    from components.leak_audit.reading.rows import read_rows as read_examples
    from models.formatters import get_formatter
    from models.in_memory import fit_formatter

    asked = asked or Asked()
    market = market_of(asked)
    database = folder / "prices.db"
    write_prices(market, database, asked.bars or plain_bars)
    if asked.store is not None:
        asked.store(database)
    formatter = get_formatter(asked.formatter)
    settings = asked.splits or SplitSettings(
        fractions=(0.5, 0.2, 0.3),
        embargo=asked.embargo,
        horizons=(1, 20),
        horizon=asked.horizon,
        reach=formatter.reach,
    )
    with FeatureStore.open(database) as store:
        plan = plan_splits(store.sessions(), settings)
        suspects = search(store, market.share_ids)
        universe = universe_of(store, plan.sessions)
        day_rows = read_rows(store, market.share_ids, formatter.example_columns, universe=universe)
    examples = folder / "examples"
    uris = {split: str(examples / f"Split-{split}") for split in SPLITS}
    for uri in uris.values():
        Path(uri).mkdir(parents=True)
    with written(day_rows, examples) as day_folder:
        writing = WriteShard(str(database), plan, uris, {}, 20, universe=universe, day_rows=day_folder)
        [result] = writing.process(Shard(0, 1, market.share_ids))
    assert not result.refusal
    (examples / SUSPECTS_FILE).write_text(suspects.to_json())

    rows = read_examples(examples, formatter.sources)
    raw = rows.read(formatter.sources, np.flatnonzero(np.isin(rows.split, asked.analyzed)))
    graph = folder / "graph" if graphs is None else graphs / _digest(raw, asked.formatter)
    if not graph.exists():
        fit_formatter(raw, formatter, graph)
    architecture = get_architecture(asked.model)
    hyperparameters = architecture.hyperparameters.updated(asked.hyperparameters)
    config = AuditConfig(
        models=(AuditedModel(asked.model, architecture.default_version, asdict(hyperparameters)),),
        formatter=asked.formatter,
        horizon=asked.horizon,
        seed=asked.seed,
        embargo=asked.embargo,
        plausible_auc=PLAUSIBLE_AUC,
        market=None if asked.market == SHIPPED else asked.market,
        database=str(database),
        splits=settings,
    )
    schema = schema_for(settings.horizons, settings.horizon, columns=formatter.example_columns)
    return SmallRun(examples, graph, schema, config)


def market_of(asked: Asked) -> Market:
    """The market that was asked for: a scenario's, or sessions of the four shares with a long past that are shipped.

    Of these the seed says which: the latest for 0, and each seed more is 80 sessions earlier.
    """
    if asked.market == SHIPPED:
        market = _shipped(asked.sessions, asked.seed)
    else:
        scenario = get_scenario(asked.market)
        market = generate(scenario, shares=asked.shares, sessions=asked.sessions, seed=asked.seed)
    return market if asked.prices is None else asked.prices(market)


def _shipped(sessions: int, seed: int) -> Market:
    import pandas as pd

    from pipeline.job.prices import SHIPPED_PRICES

    table = pd.read_csv(SHIPPED_PRICES).pivot(index="time", columns="share_id", values="adj_close")
    table = table.drop(columns="FB").dropna()  # FB was listed in the last year
    end = len(table) - 80 * seed
    table = table.iloc[end - sessions : end]
    # A market is of a scenario; nobody asks this one how much can be known of it.
    nothing_known = Autoregression(SHIPPED, "the prices that come with the project")
    closes = table.to_numpy()
    unknown = Bars(*np.full((4, *closes.shape), np.nan))
    return Market(nothing_known, table.index.to_numpy("datetime64[D]"), tuple(table.columns), closes, unknown)


def _digest(raw: Mapping[str, Any], formatter: str) -> str:
    digest = hashlib.sha256(formatter.encode())
    for name, values in sorted(raw.items()):
        digest.update(name.encode())
        digest.update(b"\0".join(values) if values.dtype == object else np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:32]


def plain_bars(market: Market, share: int) -> PriceBars:
    """The share's closes as they are, as far as it goes, without a dividend or a split."""
    close = market.close[~np.isnan(market.close[:, share]), share]
    return PriceBars(market.time[: len(close)], close, np.ones_like(close))


def write_prices(market: Market, database: Path, bars: Callable[[Market, int], PriceBars]) -> None:
    """Writes all shares of a market into a database, made or added to."""
    with FeatureStore.create(database) as store:
        for place, share in enumerate(market.share_ids):
            store.upsert(share, bars(market, place), source="test")


def on_real_prices(run: SmallRun) -> SmallRun:
    """The same run, judged as if its prices were real."""
    return replace(run, config=replace(run.config, market=None))
