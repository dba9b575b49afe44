"""Makes the trials that are missing, each counted as it is made, and says what they come to."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.metric import METRICS
from components.evidence.resampling import DayBlocks
from components.evidence.words import number4
from components.records import to_plain
from models.errors import UnknownNameError
from models.search_space import Space, in_words
from pipeline.given_flags import given_flags
from pipeline.job.quiet import run_log
from pipeline.job.workspace import check_writable, workspace_lock
from pipeline.plan import Plan, resolve
from pipeline.report.words import duration
from pipeline.resolver import ModelChoice
from pipeline.settings import SettingsError
from pipeline.studies.search.data import SearchData, prepare_data
from pipeline.studies.search.page import render_search
from pipeline.studies.search.results import BEST_JSON, SearchReport, results, write_search
from pipeline.studies.search.study import STUDY_FILE, Ended, SearchError, Study
from pipeline.studies.search.toml import in_toml

if TYPE_CHECKING:
    from rich.console import Console

    from components.evidence.metric import Metric

SEARCHES = "search"
"""Below a workspace: a folder a search."""

LOG_FILE = "search.log"


def search(plan: Plan, console: Console) -> tuple[SearchReport, Path]:
    """Searches for hyperparameters of the plan's one model; gives the report, which is also written, and its folder.

    The trials are judged on the eval split alone: nothing reads the rows of the test split. The same search again goes
    on where it was.

    Raises:
        UserError: something the user can fix.
        PluginError: what comes from outside cannot be used.
    """
    plan.check_parts()
    plan.check_single()
    plan.check_folders()
    metric, choice = _metric(plan), _choice(plan)
    space, fixed = _space(plan, choice)
    # Prices must not change between two trials.
    plan = resolve(plan.settings.model_copy(update={"source": None}), plan.origins)
    home = plan.workspace / SEARCHES
    check_writable(home)
    # Training needs the rows alone: others may run in the workspace meanwhile.
    with workspace_lock(plan.workspace), run_log(home / LOG_FILE):
        data = prepare_data(plan, console)
    folder = home / f"{choice.architecture.name}-{_digest(plan, choice, space, data)}"
    check_writable(folder)
    with workspace_lock(folder), run_log(folder / LOG_FILE):
        defaults = {name: getattr(choice.hyperparameters, name) for name in space}
        study = Study(folder / STUDY_FILE, space, defaults, plan.settings.seed, metric.higher_is_better)
        blocks = DayBlocks(data.held_out.time, horizon=plan.horizon, seed=plan.settings.seed)
        ended = _make_trials(plan, choice, data, study, blocks, metric, console)
        held_out = data.held_out
        report = SearchReport(
            created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            model=choice.architecture.name,
            version=choice.version,
            formatter=plan.formatter.name,
            label=plan.label.name,
            horizon=plan.horizon,
            seed=plan.settings.seed,
            seeds=plan.settings.search_seeds,
            metric=metric.name,
            metric_title=metric.title,
            higher_is_better=metric.higher_is_better,
            space={name: where.words for name, where in space.items()},
            fixed=fixed,
            train_rows=len(data.train.label),
            rows=len(held_out.label),
            days=len(blocks.unique),
            first=int(held_out.time.min()),
            last=int(held_out.time.max()),
            trials=results(ended, metric, blocks),
            database=str(plan.database.absolute()),
            command=_command(plan, folder / BEST_JSON),
        )
        write_search(report, render_search(report), folder)
    return report, folder


def _metric(plan: Plan) -> Metric:
    name = plan.settings.search_metric
    try:
        return METRICS.named(name)
    except UnknownNameError as error:
        origin = plan.origins.get("search_metric", "default")
        raise SettingsError(f"search_metric (from {origin}): {error}") from None


def _choice(plan: Plan) -> ModelChoice:
    if len(plan.models) != 1:
        raise SearchError(f"--model {','.join(plan.models)}: a search is of one model; name one")
    return next(iter(plan.models.values()))


def _space(plan: Plan, choice: ModelChoice) -> tuple[Space, dict[str, Any]]:
    """Where is looked, and what the settings say already, which is left as it is."""
    name = choice.architecture.name
    said = plan.settings.hyperparameters.get(name, {})
    fixed = {one: getattr(choice.hyperparameters, one) for one in said}
    space = {one: where for one, where in choice.architecture.space_of(choice.version).items() if one not in fixed}
    if not space:
        raise SearchError(
            f"--model {name}: nothing is left to search for, as the settings name {', '.join(fixed)} "
            f"(hyperparameters, from {plan.origins.get('hyperparameters', 'default')}); leave out what is to be found"
        )
    return space, fixed


def _digest(plan: Plan, choice: ModelChoice, space: Space, data: SearchData) -> str:
    """What tells one search from another: all that a trial's figure depends on."""
    settings, config = plan.settings, data.config
    decisive = {
        "prices": data.fingerprint,
        "shares": settings.shares,
        "splits": plan.splits,
        "gaps": settings.max_missing_sessions,
        "model": [choice.architecture.name, choice.version, plan.formatter.name, plan.label.name],
        "hyperparameters": asdict(choice.hyperparameters),
        "space": {name: repr(where) for name, where in space.items()},
        "metric": settings.search_metric,
        "seeds": [settings.seed, settings.search_seeds],
        "steps": settings.train_steps,
        "code": [config.examples.code, config.training[0].code, config.evaluation_code, *plan.parts],
    }
    return hashlib.sha256(json.dumps(to_plain(decisive), sort_keys=True).encode()).hexdigest()[:8]


def _make_trials(
    plan: Plan,
    choice: ModelChoice,
    data: SearchData,
    study: Study,
    blocks: DayBlocks,
    metric: Metric,
    console: Console,
) -> list[Ended]:
    from pipeline.studies.search.trying import Trier

    ended, wanted = study.ended(), plan.settings.search_trials
    if ended:
        made = f"{len(ended)} trial{'' if len(ended) == 1 else 's'}"
        console.print(f"  {made} of this search are there already", highlight=False)
    trier = Trier(plan, choice, data, blocks)
    while len(ended) < wanted:
        trial, values = study.ask()
        place = f"{len(ended) + 1}/{wanted}"
        same = next((one for one in ended if one.values == values), None)
        with console.status(f"Trial {place}: {in_words(values)}"):
            found = same or trier.make(f"trial {place}", values)
        study.tell(trial, found)
        ended = study.ended()
        said = found.why or f"{metric.title} {number4(found.value)}"
        took = "as before" if same else duration(found.seconds)
        mark = "[yellow]-[/]" if found.why else "[green]✓[/]"
        console.print(f"  {mark} {place:>7}  {took:>12}  {said}  {in_words(values)}", highlight=False, soft_wrap=True)
    return ended


_OWN = ("models", "search_trials", "search_seeds", "search_metric", "hyperparameters", "output", "source", "cache")
"""Settings that are said otherwise where the pipeline is run with what was found, or not at all."""


def _command(plan: Plan, best: Path) -> str:
    """The command that runs the pipeline with what was found, with the flags that this one was given."""
    said = ["awesome", "run", "--models", ",".join(plan.settings.models), "--hyperparameters", str(best)]
    return shlex.join([*said, *given_flags(plan, lambda name: name not in _OWN)])


def how_to_use(report: SearchReport) -> str:
    """How the pipeline is run with what was found, for a person; empty where nothing better than the settings was."""
    if not report.found_better:
        return ""
    return (
        f"The pipeline with it:\n\n{report.command}\n\nor in awesome.toml:\n\n"
        f"{in_toml(report.model, to_plain(report.best_hyperparameters))}"
    )
