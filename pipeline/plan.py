"""Settings become a plan once, at the start of a command, and everything after that takes the plan.

The form of a setting is checked where it is declared (settings.py), what it means by resolver.py, before anything heavy
is imported; a refusal names the setting, its value and where it came from. What only the data can tell (is there a
share of that name, do its sessions suffice) is for who reads the data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.metric import METRICS
from components.feature_example_gen.config import ExampleGenConfig, Extraction
from components.feature_example_gen.splits import SplitSettings
from components.feature_store.decisions import Decision, read_decisions
from components.leak_audit.check import CHECKS
from components.plausibility import Bounds
from components.universe.universe import left_out
from models.formatters import FORMATTERS, DataFormatter, get_formatter
from models.labels import LABELS, Label
from models.plugins import Registry
from models.registry import ARCHITECTURES, origins_of
from pipeline.engine import Engine
from pipeline.loading import load_settings, origins
from pipeline.naming import metadata_file, panel_folder, pipeline_name
from pipeline.paths import pattern_in
from pipeline.resolver import COMPARED, ModelChoice, Resolver
from pipeline.settings import Settings, SettingsError

if TYPE_CHECKING:
    from components.feature_store import FeatureStore
    from components.object_storage import StorageSettings


_USED_BY_RUNS: tuple[Registry[Any], ...] = (ARCHITECTURES, FORMATTERS, LABELS, METRICS, CHECKS)


@dataclass(frozen=True)
class Plan:
    """What a command is to do, resolved.

    Attributes:
        settings: as they were given.
        database: what is read: the synthetic market's own file, the folder of the panel, or `db`.
        name: of the pipeline; see `naming.pipeline_name`.
        splits: the trained horizon is one of its horizons, and so is the next session, which a backtest needs.
        formatter: what a model sees.
        label: what it predicts.
        models: by name, in the order given.
        storage: how object storage is reached, without the account's secrets; None where none is named.
        source: where prices come from, and how hosts are asked; None where no source is named.
        origins: where each setting came from.
        candidates: the formatters and labels that a run chooses from, by name, at least two; empty for no comparison.
        given: the settings that a command or a program gave, by name, as it gave them.
        command: the words of the command that it is of, such as "predict"; empty where no command was given.
        own: the options that the command was given and that are no settings, word by word, by name.
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
    given: Mapping[str, object] = field(default_factory=dict)
    command: str = ""
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def extraction(self) -> Extraction | None:
        """What the first step does; None where the database is read as it is. A synthetic market is made complete."""
        return None if self.settings.market is not None else self.source

    @property
    def engine(self) -> Engine:
        """Where Beam's steps run."""
        settings = self.settings
        return Engine(
            runner=settings.beam_runner,
            flink_master=settings.flink_master,
            job_server=None if settings.flink_job_server is None else str(settings.flink_job_server.absolute()),
            job_endpoint=settings.beam_job_endpoint,
            workers=settings.beam_workers,
            parallelism=settings.beam_parallelism,
            start_seconds=settings.beam_start_seconds,
        )

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


def load_plan(
    flags: Mapping[str, object] | None = None, named: Mapping[str, str] | None = None, unused: Collection[str] = ()
) -> Plan:
    """The plan of a command, from its flags; None means not given.

    Args:
        flags: values of settings, by name.
        named: what the command calls settings that it takes otherwise than by their flags, such as an argument.
        unused: settings of the environment or the file that the command makes no use of, and that contradict none.

    Raises:
        SettingsError: a setting cannot be used.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    called = {name: word for name, word in (named or {}).items() if name in given}
    settings = load_settings(flags).model_copy(update=dict.fromkeys(unused))
    plan = resolve(settings, origins(flags) | called)
    return replace(plan, given=given)


def resolve(settings: Settings, came_from: Mapping[str, str] | None = None, home: Path | None = None) -> Plan:
    """Checks settings and works out what follows from them.

    Args:
        settings: all of them.
        came_from: where each came from, for a refusal; None where nobody typed them.
        home: the folder whose databases need not be told apart by their folder; None for that of the workspace.

    Raises:
        SettingsError: a setting cannot be used, or two of them contradict each other.
    """
    resolver = Resolver(settings, came_from or {})
    resolver.take_plugins()
    settings = resolver.of_one_source()
    resolver = replace(resolver, settings=settings)
    database = _database(settings)
    resolver.check_market()
    resolver.check_engine()
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


def _database(settings: Settings) -> Path:
    if settings.panel is not None:
        return panel_folder(settings.panel, settings.workspace)
    if settings.market is None:
        return settings.db
    name = f"{settings.market}-{settings.market_shares}x{settings.market_sessions}-seed{settings.seed}.db"
    return settings.workspace / "markets" / name
