"""Settings become a plan once, at the start of a command, and everything after that takes the plan.

The form of a setting is checked where it is read (settings.py), what it means here, all of it before anything heavy is
imported; a refusal names the setting, its value and where it came from. What only the data can tell (is there a share
of that name, do its sessions suffice) is for who reads the data.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import SplitError, UserError
from components.evidence.metric import METRICS
from components.feature_example_gen.config import ExampleGenConfig, Extraction
from components.feature_example_gen.splits import SplitSettings
from components.feature_store.decisions import Decision, read_decisions
from components.leak_audit.check import CHECKS, check_names
from components.plausibility import Bounds
from components.universe.universe import left_out
from models.architecture import Architecture, Hyperparameters
from models.errors import HyperparameterError, PluginError, UnknownNameError
from models.features import NEXT_SESSION
from models.formatters import FORMATTERS, DataFormatter, get_formatter
from models.labels import LABELS, Label, get_label
from models.plugins import Registry, take_files
from models.registry import ARCHITECTURES, get_architecture, origins_of
from pipeline.naming import metadata_file, pipeline_name
from pipeline.paths import pattern_in
from pipeline.settings import Settings, SettingsError, load_settings, origins

if TYPE_CHECKING:
    from components.extractor import HttpSettings
    from components.feature_store import FeatureStore
    from components.object_storage import StorageSettings


_USED_BY_RUNS: tuple[Registry[Any], ...] = (ARCHITECTURES, FORMATTERS, LABELS, METRICS, CHECKS)

COMPARED = ("compare_formatters", "compare_labels")
"""The settings that name what a run chooses from."""


@dataclass(frozen=True)
class ModelChoice:
    """A model to train: a version of an architecture, with its own hyperparameters and those of the settings."""

    architecture: Architecture
    version: int
    hyperparameters: Hyperparameters


@dataclass(frozen=True)
class Plan:
    """What a command is to do, resolved.

    Attributes:
        settings: as they were given.
        database: the store that is read: the synthetic market's own file, or `db`.
        name: of the pipeline; see `naming.pipeline_name`.
        splits: the trained horizon is one of its horizons, and so is the next session, which a backtest needs.
        formatter: what a model sees.
        label: what it predicts.
        models: by name, in the order given.
        storage: how object storage is reached, without the account's secrets; None where none is named.
        source: where prices come from, and how hosts are asked; None where no source is named.
        origins: where each setting came from.
        candidates: the formatters and labels that a run chooses from, by name, at least two; empty for no comparison.
    """

    settings: Settings
    database: Path
    name: str
    splits: SplitSettings
    formatter: DataFormatter
    label: Label
    models: Mapping[str, ModelChoice]
    storage: StorageSettings | None
    source: Extraction | None
    origins: Mapping[str, str] = field(default_factory=dict)
    candidates: tuple[tuple[str, str], ...] = ()

    @property
    def extraction(self) -> Extraction | None:
        """What the first step does; None where the database is read as it is. A synthetic market is made complete."""
        return None if self.settings.market is not None else self.source

    @property
    def horizon(self) -> int:
        """Sessions ahead that is trained."""
        return self.splits.horizon

    @property
    def bounds(self) -> Bounds:
        """From where on a return is a suspect."""
        return Bounds(self.settings.suspect_return, self.settings.suspect_deviations)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What a person has decided with this command."""
        return read_decisions(self.settings.accept, self.settings.exclude)

    @property
    def workspace(self) -> Path:
        """The folder of runs, the pipeline's cache and pushed models."""
        return self.settings.workspace

    @property
    def root(self) -> Path:
        """The folder of the pipeline's artifacts."""
        return self.workspace / "tfx" / self.name

    @property
    def metadata(self) -> Path:
        """The SQLite file of ML Metadata."""
        return metadata_file(self.workspace)

    @property
    def serving(self) -> Path:
        """The folder the champion is pushed to, in numbered versions."""
        return self.workspace / "serving" / self.name

    def check_folders(self) -> None:
        """Checks the names of the folders that a run writes to.

        Raises:
            SettingsError: TFX would take one for a pattern of several; the line names it and where it came from.
        """
        for name in ("workspace", "output"):
            folder: Path | None = getattr(self.settings, name)
            if folder is not None and (why := pattern_in(folder)):
                raise SettingsError(
                    f"{name} (from {self.origins.get(name, 'default')}): {why}, or name another --{name}"
                )

    def check_parts(self) -> None:
        """Checks what comes from outside, whether it was chosen or not: its code is a part of what is trained.

        Raises:
            PluginError: something cannot be used; else that would show after the training.
        """
        for registry in _USED_BY_RUNS:
            registry.check()

    @property
    def parts(self) -> tuple[str, ...]:
        """Package, version and digest of all from outside that a run makes use of, each once.

        Raises:
            PluginError: there is no code that could be read.
        """
        used = [*origins_of(self.models, self.formatter.name, self.label.name), *METRICS.origins(), *CHECKS.origins()]
        if self.extraction is not None and self.extraction.plan.file is None:
            from components.extractor.sources.registry import SOURCES

            used += SOURCES.origins(self.extraction.plan.source)
        return tuple(dict.fromkeys(used))

    def check_single(self) -> None:
        """Checks that one formatter and one label are asked for, which is all that most commands make use of.

        Raises:
            SettingsError: several are to be compared.
        """
        if self.candidates:
            formatters = {formatter for formatter, _ in self.candidates}
            name = COMPARED[0] if len(formatters) > 1 else COMPARED[1]
            raise SettingsError(
                f"{name} (from {self.origins.get(name, 'default')}): `awesome run` alone compares, on this machine; "
                "leave it out here, and name one --formatter and one --label"
            )

    def select(self, store: FeatureStore) -> list[str]:
        """Those of the store's shares that were asked for, are not excluded, and belong to its universe at some time.

        Raises:
            StoreError: it holds none, or lacks one.
        """
        chosen = ExampleGenConfig(str(self.database), self.settings.shares, extraction=self.extraction)
        return chosen.select_ids(store.listings.share_ids(), left_out(store))


def load_plan(flags: Mapping[str, object] | None = None) -> Plan:
    """The plan of a command, from its flags; None means not given.

    Raises:
        SettingsError: a setting cannot be used.
    """
    return resolve(load_settings(flags), origins(flags))


def resolve(settings: Settings, came_from: Mapping[str, str] | None = None, home: Path | None = None) -> Plan:
    """Checks settings and works out what follows from them.

    Args:
        settings: all of them.
        came_from: where each came from, for a refusal; None where nobody typed them.
        home: the folder whose databases need not be told apart by their folder; None for that of the workspace.

    Raises:
        SettingsError: a setting cannot be used, or two of them contradict each other.
    """
    resolver = _Resolver(settings, came_from or {})
    resolver.take_plugins()
    database = _database(settings)
    resolver.check_market()
    resolver.check_suspicions()
    candidates = resolver.candidates()
    formatter = resolver.formatter()
    # What is to be compared has to fit before the first of it is trained: the one that reads furthest back says so.
    furthest = max((get_formatter(name) for name, _ in candidates), key=lambda one: one.reach, default=formatter)
    return Plan(
        settings=settings,
        database=database,
        name=pipeline_name(settings, database, home),
        splits=resolver.splits(furthest),
        formatter=formatter,
        label=resolver.label(),
        models=resolver.models(),
        storage=resolver.storage(),
        source=resolver.source(),
        origins=resolver.came_from,
        candidates=candidates,
    )


def http_settings(settings: Settings) -> HttpSettings:
    """How the settings say that hosts are asked."""
    from components.extractor import HttpSettings

    return HttpSettings(
        base_url=settings.sources_url,
        rate=settings.sources_rate,
        timeout=settings.sources_timeout,
        attempts=settings.sources_attempts,
        backoff=settings.sources_backoff,
    )


def _database(settings: Settings) -> Path:
    if settings.market is None:
        return settings.db
    name = f"{settings.market}-{settings.market_shares}x{settings.market_sessions}-seed{settings.seed}.db"
    return settings.workspace / "markets" / name


@dataclass(frozen=True)
class _Resolver:
    """Checks one setting after another."""

    settings: Settings
    came_from: Mapping[str, str]

    def refusal(self, name: str, why: object, value: object = None, part: str = "") -> SettingsError:
        """Names a setting, or a part of it, where it came from, what is wrong with it, and its value."""
        given = getattr(self.settings, name) if value is None else value
        origin = f" (from {self.came_from[name]})" if name in self.came_from else ""
        return SettingsError(f"{name}{part}{origin}: {why}, got {given!r}")

    def take_plugins(self) -> None:
        """From here on this process, and those that it starts, know what the files declare."""
        try:
            take_files(self.settings.plugins)
        except PluginError as error:
            origin = f" (from {self.came_from['plugins']})" if "plugins" in self.came_from else ""
            raise SettingsError(f"plugins{origin}: {error}") from None

    def check_market(self) -> None:
        if self.settings.market is None:
            return
        for other in ("db", "source"):
            if self.came_from.get(other, "").startswith("--"):
                raise self.refusal("market", f"makes a database of its own; name --{other} or a market, not both")
        from components.synthetic_market import get_scenario

        try:
            get_scenario(self.settings.market)
        except UserError as error:
            raise self.refusal("market", error) from None

    def check_suspicions(self) -> None:
        names = check_names()
        for name in self.settings.accept_suspicion:
            if name not in names:
                why = f"is no check whose suspicion can be accepted; there are {', '.join(names)}"
                raise self.refusal("accept_suspicion", why, name)

    def splits(self, formatter: DataFormatter) -> SplitSettings:
        settings, reach = self.settings, formatter.reach
        try:
            return SplitSettings(
                fractions=settings.split_fractions,
                dates=settings.split_dates,
                embargo=reach + 1 if settings.embargo is None else settings.embargo,
                horizons=tuple(sorted({NEXT_SESSION, *settings.horizons, settings.horizon})),
                horizon=settings.horizon,
                start=settings.split_start,
                end=settings.split_end,
                reach=reach,
            )
        except SplitError as error:
            name = error.setting if error.setting in Settings.model_fields else f"split_{error.setting}"
            raise self.refusal(name, error) from None

    def formatter(self) -> DataFormatter:
        try:
            return get_formatter(self.settings.formatter)
        except UnknownNameError as error:
            raise self.refusal("formatter", error) from None

    def label(self) -> Label:
        try:
            return get_label(self.settings.label)
        except UnknownNameError as error:
            raise self.refusal("label", error) from None

    def candidates(self) -> tuple[tuple[str, str], ...]:
        chosen: list[tuple[str, ...]] = []
        compared, flags = [], {name for name, origin in self.came_from.items() if origin.startswith("--")}
        for name, known in zip(COMPARED, (get_formatter, get_label), strict=True):
            single, asked = name.removeprefix("compare_").removesuffix("s"), getattr(self.settings, name)
            for one in asked:
                try:
                    known(one)
                except UnknownNameError as error:
                    raise self.refusal(name, error, one) from None
            if asked and {name, single} <= flags:
                raise self.refusal(name, f"chooses the {single}; name --{single} or what to compare, not both")
            if single in flags:  # what a file says to compare is overruled
                asked = ()
            compared += [name] if asked else []
            chosen.append(tuple(dict.fromkeys(asked)) or (getattr(self.settings, single),))
        formatters, labels = chosen
        found = tuple(itertools.product(formatters, labels))
        if len(found) > 1:
            return found
        if compared:
            raise self.refusal(compared[0], "one formatter with one label is nothing to compare; name one more")
        return ()

    def models(self) -> dict[str, ModelChoice]:
        chosen: dict[str, ModelChoice] = {}
        for name in self.settings.hyperparameters:
            self._hyperparameters(name)
        for text in self.settings.models:
            name, _, version = text.partition(":")
            try:
                architecture = get_architecture(name)
            except UnknownNameError as error:
                raise self.refusal("models", error, text) from None
            number = architecture.default_version if not version else int(version) if version.isdecimal() else -1
            if number not in architecture.versions:
                there = ", ".join(map(str, architecture.versions))
                raise self.refusal("models", f"model {name} has no version {version!r}; there are {there}", text)
            if name in chosen:
                why = f"model {name} is named twice; a run trains one version of each"
                raise self.refusal("models", why, ",".join(self.settings.models))
            chosen[name] = ModelChoice(architecture, number, self._hyperparameters(name))
        return chosen

    def _hyperparameters(self, name: str) -> Hyperparameters:
        values = self.settings.hyperparameters.get(name, {})
        try:
            return get_architecture(name).hyperparameters.updated(values)
        except (UnknownNameError, HyperparameterError) as error:
            raise self.refusal("hyperparameters", error, values, f".{name}") from None

    def storage(self) -> StorageSettings | None:
        settings = self.settings
        if not settings.storage_url:
            return None
        from components.object_storage.opening import StorageSettings, parse_url

        try:
            parse_url(settings.storage_url)
        except UserError as error:
            raise self.refusal("storage_url", error) from None
        return StorageSettings(
            s3_endpoint=settings.s3_endpoint, cos_region=settings.cos_region, cos_endpoint=settings.cos_endpoint
        )

    def source(self) -> Extraction | None:
        settings = self.settings
        if settings.source is None:
            return None
        from components.extractor import ExtractionPlan
        from components.extractor.sources.registry import get_source

        plan = ExtractionPlan(settings.source, settings.shares, settings.since, settings.until, settings.best_effort)
        if plan.file is None:
            try:
                get_source(settings.source)
            except UserError as error:
                raise self.refusal("source", error) from None
        if settings.until is not None and settings.since is not None and settings.until < settings.since:
            raise self.refusal("until", f"is before the first day, {settings.since}", str(settings.until))
        return Extraction(plan, http_settings(settings))
