"""FeatureExampleGen: the splits, from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from awesome_kubeflow.errors import ParameterError
from awesome_kubeflow.node import CUSTOM_CONFIG, NodeSlice, properties_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import MOST_ROWS, StepKind, only
from awesome_kubeflow.steps.page import Section, Table
from components.feature_example_gen.config import ExampleGenConfig
from components.records import from_json
from components.universe.summary import UNIVERSE_PROPERTY, UniverseSummary
from models.formatters import get_formatter
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    from pipeline.job.gathering import split_results

    examples = only(step, "examples")
    rows = tuple(
        (
            name,
            s.first,
            s.last,
            f"{s.sessions:,}",
            f"{s.rows:,}",
            f"{s.purged:,}",
            f"{s.unlabelled:,}",
            f"{s.windows_across + s.labels_across:,}",
        )
        for name, s in split_results(examples).items()
    )
    shares, sessions = examples.get_int_custom_property("shares"), examples.get_int_custom_property("sessions")
    first, last = (examples.get_string_custom_property(name) for name in ("first_session", "last_session"))
    said = f"{shares:,} shares, {sessions:,} sessions from {first} to {last}, split by date."
    return Section(
        " ".join((said, *_who_was_there(examples))),
        (
            *suspects_table(examples.uri),
            Table(
                "Splits",
                ("split", "first", "last", "sessions", "rows", "purged", "unlabelled", "across gaps"),
                rows,
                "Purged rows have a label that reaches into the next split; unlabelled ones have none, as the close is "
                "unchanged or not yet known. Rows across gaps have a window or a label that reaches across too many "
                "missing sessions.",
            ),
        ),
    )


def _who_was_there(examples: Any) -> tuple[str, ...]:
    """What is to be known of the universe of a run; nothing of examples of an older version."""
    from pipeline.report.universe import universe_in_words, warnings_of

    text = examples.get_string_custom_property(UNIVERSE_PROPERTY)
    there = from_json(UniverseSummary, text) if text else UniverseSummary(deathless=True)
    return (*universe_in_words(there), *warnings_of(there))


def suspects_table(uri: str) -> tuple[Table, ...]:
    """What looks wrong in the prices, first of all; nothing where all looks right."""
    from components.plausibility import read_suspects

    record = read_suspects(uri)
    if record is None or not record.suspects:
        return ()
    rows = tuple(
        (one.share_id, one.day, one.percent, "accepted" if one.accepted else one.grade.value, one.cause)
        for one in record.suspects[:MOST_ROWS]
    )
    header = ("share", "session", "return", "grade", "likely cause")
    return (Table("Prices that do not look like prices", header, rows, record.headline),)


def _compiled(node: Any) -> Mapping[str, Any]:
    config = ExampleGenConfig.from_exec_properties(properties_of(node))
    since = config.extraction.plan.since if config.extraction is not None else None
    return {"shares": config.shares, "since": since, "horizon": config.splits.horizon}


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    config = ExampleGenConfig.from_exec_properties(properties_of(part.node))
    extraction = config.extraction
    if extraction is not None:
        plan = replace(extraction.plan, shares=parameters.shares, since=parameters.since)
        extraction = replace(extraction, plan=plan)
    elif parameters.since:
        raise ParameterError("parameter since: the pipeline was compiled without a source, so it extracts nothing")
    splits = replace(config.splits, horizon=parameters.horizon, horizons=part.compiled.all_horizons(parameters.horizon))
    formatter = get_formatter(parameters.formatter)
    config = replace(
        config,
        shares=parameters.shares,
        splits=splits.reaching(formatter.reach),
        extraction=extraction,
        columns=formatter.example_columns,
    )
    set_property(part.node, CUSTOM_CONFIG, config.to_proto())


STEP = StepKind("FeatureExampleGen", resources="data", section=_section, compiled=_compiled, change=_change)
