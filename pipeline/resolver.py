"""What a setting means, checked before anything heavy is imported; a refusal names it, its value and its origin."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.errors import SplitError, UserError
from components.feature_example_gen.config import Extraction
from components.feature_example_gen.splits import SplitSettings
from components.leak_audit.check import check_names
from models.architecture import Architecture, Hyperparameters
from models.errors import HyperparameterError, PluginError, UnknownNameError
from models.features import NEXT_SESSION
from models.formatters import DataFormatter, get_formatter
from models.labels import Label, get_label
from models.plugins import take_files
from models.registry import get_architecture
from pipeline.settings import Settings, SettingsError

if TYPE_CHECKING:
    from components.extractor import HttpSettings
    from components.object_storage import StorageSettings

COMPARED = ("compare_formatters", "compare_labels")
"""The settings that name what a run chooses from."""

ARGUMENT = "the argument "
"""What stands before the name of an argument where a setting was given by one instead of by its flag."""


@dataclass(frozen=True)
class ModelChoice:
    """A model to train: a version of an architecture, with its own hyperparameters and those of the settings."""

    architecture: Architecture
    version: int
    hyperparameters: Hyperparameters


@dataclass(frozen=True)
class Resolver:
    """Checks one setting after another.

    Raises:
        SettingsError: each of its methods, for a setting that cannot be used, or for two that contradict each other.
    """

    settings: Settings
    came_from: Mapping[str, str]

    def refusal(self, name: str, why: object, value: object = None, part: str = "") -> SettingsError:
        """Names a setting, or a part of it, where it came from, what is wrong with it, and its value."""
        given = getattr(self.settings, name) if value is None else value
        origin = f" (from {self.came_from[name]})" if name in self.came_from else ""
        return SettingsError(f"{name}{part}{origin}: {why}, got {given!r}")

    def typed(self) -> frozenset[str]:
        """The settings that the command was given, by their flags or as an argument."""
        return frozenset(name for name, origin in self.came_from.items() if origin.startswith(("--", ARGUMENT)))

    def take_plugins(self) -> None:
        """From here on this process, and those that it starts, know what the files declare."""
        try:
            take_files(self.settings.plugins)
        except PluginError as error:
            origin = f" (from {self.came_from['plugins']})" if "plugins" in self.came_from else ""
            raise SettingsError(f"plugins{origin}: {error}") from None

    def check_market(self) -> None:
        """A synthetic market is a known one, and takes no other prices beside it."""
        if self.settings.market is None:
            return
        for other in ("db", "source"):
            if other in self.typed():
                raise self.refusal("market", f"makes a database of its own; name --{other} or a market, not both")
        from components.synthetic_market import get_scenario

        try:
            get_scenario(self.settings.market)
        except UserError as error:
            raise self.refusal("market", error) from None

    def of_one_source(self) -> Settings:
        """The settings without those that a flag has overruled: prices come from a panel, a market or a database."""
        flags = self.typed()
        overruled = {"panel": {"db", "market"}, "market": {"db"}}
        unset = [name for name, by in overruled.items() if name not in flags and flags & by]
        settings = self.settings.model_copy(update=dict.fromkeys(unset))
        panel = settings.panel
        if panel is None:
            return settings
        others = ("db", "market", "source")
        set_too = [name for name in others[1:] if getattr(settings, name) is not None]
        for other in others if "panel" in flags else set_too:
            if other in flags or "panel" not in flags:
                raise self.refusal("panel", f"is where prices come from; name a panel or {other}, not both")
        from components.object_storage.opening import parse_url

        try:
            parse_url(panel)
        except UserError as error:
            raise self.refusal("panel", error) from None
        if not panel.strip():
            raise self.refusal("panel", "is empty; name a folder or a URL")
        return settings.model_copy(update={"market": None, "source": None})

    def check_engine(self) -> None:
        """Beam's runner is told all that it needs."""
        settings = self.settings
        if settings.beam_runner == "flink" and settings.flink_master is None:
            raise self.refusal("beam_runner", "needs --flink-master HOST:PORT, the REST address of the JobManager")
        if settings.beam_runner == "portable" and settings.beam_job_endpoint is None:
            raise self.refusal("beam_runner", "needs --beam-job-endpoint HOST:PORT, where Beam's job service listens")
        jar = settings.flink_job_server
        if settings.beam_runner == "flink" and jar is not None and not jar.is_file():
            raise self.refusal("flink_job_server", "is no file; name the jar of Beam's job server", str(jar))

    def check_suspicions(self) -> None:
        """What is accepted is a check of the leak audit."""
        names = check_names()
        for name in self.settings.accept_suspicion:
            if name not in names:
                why = f"is no check whose suspicion can be accepted; there are {', '.join(names)}"
                raise self.refusal("accept_suspicion", why, name)

    def splits(self, formatter: DataFormatter) -> SplitSettings:
        """The splits for a formatter, whose reach is the embargo's default."""
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
                embargo_fixed=settings.embargo is not None,
            )
        except SplitError as error:
            name = error.setting if error.setting in Settings.model_fields else f"split_{error.setting}"
            raise self.refusal(name, error) from None

    def formatter(self) -> DataFormatter:
        """What a model sees."""
        try:
            return get_formatter(self.settings.formatter)
        except UnknownNameError as error:
            raise self.refusal("formatter", error) from None

    def label(self) -> Label:
        """What it predicts."""
        try:
            return get_label(self.settings.label)
        except UnknownNameError as error:
            raise self.refusal("label", error) from None

    def candidates(self) -> tuple[tuple[str, str], ...]:
        """The formatters and labels that are to be compared, by name; empty for no comparison."""
        chosen: list[tuple[str, ...]] = []
        compared, flags = [], self.typed()
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
        """The models to train, by name, in the order given."""
        chosen: dict[str, ModelChoice] = {}
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
            chosen[name] = ModelChoice(architecture, number, self._hyperparameters(name, number))
        for name in self.settings.hyperparameters:
            if name not in chosen:
                self._hyperparameters(name)
        return chosen

    def _hyperparameters(self, name: str, version: int | None = None) -> Hyperparameters:
        """Those of the settings, of a version; of a model that is not trained None, as they may be for any of them."""
        values = self.settings.hyperparameters.get(name, {})
        try:
            architecture = get_architecture(name)
            if version is None:
                return architecture.hyperparameters.updated(values)
            return architecture.changed(version, values)
        except (UnknownNameError, HyperparameterError) as error:
            raise self.refusal("hyperparameters", error, values, f".{name}") from None

    def storage(self) -> StorageSettings | None:
        """How object storage is reached; None where none is named."""
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
        """Where prices come from; None where no source is named."""
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
