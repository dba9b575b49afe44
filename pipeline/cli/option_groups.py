"""Settings that belong together: a command that uses one of a group takes all of it, behind its own options.

Each group maps settings to how they are declared, once, in common.py and run_options.py.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar, get_type_hints

from pipeline.cli import common, run_options

Group: TypeAlias = Mapping[str, Any]
"""How settings are declared as options, by name."""

Settings: TypeAlias = dict[str, Any]
"""What was given of groups of settings, by name; None of those that were not."""

_Command = TypeVar("_Command", bound=Callable[..., Any])

SOURCES: Group = {
    "sources_url": run_options.SourcesUrl,
    "sources_rate": run_options.SourcesRate,
    "sources_timeout": run_options.SourcesTimeout,
    "sources_attempts": run_options.SourcesAttempts,
    "sources_backoff": run_options.SourcesBackoff,
}
"""How hosts of prices are asked."""

PLACES: Group = {
    "s3_endpoint": run_options.S3Endpoint,
    "cos_region": run_options.CosRegion,
    "cos_endpoint": run_options.CosEndpoint,
}
"""Where object storage is, that of a panel too."""

SUSPECTS: Group = {
    "suspect_return": run_options.SuspectReturn,
    "suspect_deviations": run_options.SuspectDeviations,
}
"""From where on a return is a suspect."""

SPLITS: Group = {
    "horizons": run_options.Horizons,
    "split_fractions": run_options.SplitFractions,
    "split_dates": common.SplitDates,
    "split_start": run_options.SplitStart,
    "split_end": run_options.SplitEnd,
    "embargo": run_options.Embargo,
}
"""Which days a model is trained, stopped and tested on."""

TRAINING: Group = {
    "hyperparameters": common.HyperparametersFile,
    "train_steps": common.TrainSteps,
    "training_devices": run_options.TrainingDevices,
}
"""How models are trained."""

AUDIT: Group = {
    "audit": run_options.Audit,
    "audit_plausible_auc": run_options.AuditPlausibleAuc,
    "accept_suspicion": common.AcceptSuspicion,
}

BEAM: Group = {
    "beam_runner": common.BeamRunner,
    "flink_master": common.FlinkMaster,
    "flink_job_server": common.FlinkJobServer,
    "beam_job_endpoint": common.BeamJobEndpoint,
    "beam_workers": common.BeamWorkers,
    "beam_parallelism": common.BeamParallelism,
    "beam_start_seconds": run_options.BeamStartSeconds,
}


def takes(*groups: Group) -> Callable[[_Command], _Command]:
    """Gives a command the options of groups, but for those that it has itself; it gets their values as `more`.

    Args:
        groups: settings by name, with their declarations.
    """

    def with_groups(command: _Command) -> _Command:
        own = inspect.signature(command)
        added = {name: kind for group in groups for name, kind in group.items() if name not in own.parameters}

        @functools.wraps(command)
        def wrapped(**given: Any) -> Any:
            more = {name: given.pop(name) for name in added}
            return command(**given, more=more)

        kinds = get_type_hints(command, include_extras=True)  # typer takes texts for what they are without help
        parameters = [one.replace(annotation=kinds[name]) for name, one in own.parameters.items() if name != "more"]
        parameters += [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in added.items()
        ]
        wrapped.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {name: kind for name, kind in kinds.items() if name != "more"} | added
        return wrapped  # type: ignore[return-value]

    return with_groups
