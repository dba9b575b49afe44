"""Chooses the formatter and the label of a run: candidates are trained, and judged on the eval split alone.

The steps are those of the run to come, which takes them from TFX's cache where the candidate is the one that is chosen;
so does a comparison that is repeated. Imports TFX.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.text import Text

from components.comparison.choosing import Answered, ComparisonError, compare, tries_of
from components.comparison.results import Comparison
from components.evidence.baselines import BASELINES
from components.evidence.findings import PREDICTIONS_FILE
from components.price_panel.opening import open_prices
from components.trials.record import append, record_path
from pipeline.configuration import pipeline_config
from pipeline.job.console import Clock, ConsoleListener
from pipeline.job.prices import prices_named
from pipeline.job.step import Step
from pipeline.job.steps import run_pipeline
from pipeline.pipeline import create_comparison
from pipeline.plan import Plan, resolve
from pipeline.report.comparison_table import print_comparison
from pipeline.resolver import COMPARED

if TYPE_CHECKING:
    from rich.console import Console

COMPARING = "comparison"
"""What a comparison is called among the parts of a run that take time."""


def choose(
    plan: Plan,
    metadata: Any,
    console: Console,
    clock: Clock,
    after: Mapping[str, Callable[[Step], None]],
) -> tuple[Plan, Comparison]:
    """Compares the plan's candidates; the test split is not read.

    Each is written into the record of tries before anybody learns what came of it.

    Args:
        plan: with candidates.
        metadata: of ML Metadata, a ConnectionConfig message.
        console: where it says what it does.
        clock: is told how long it took.
        after: by step, what there is to say once the first candidate's has ended.

    Returns:
        The plan of the chosen one, and what was found.

    Raises:
        ComparisonError: they cannot be compared.
        TrialsError: the record of tries cannot be written.
        UserError: as of a run.
    """
    begin = time.perf_counter()
    answered: list[Answered] = []
    tested: set[int] = set()
    settings = plan.settings
    if plan.extraction is None:
        _check_shares(plan)
    for number, (formatter, label) in enumerate(plan.candidates, 1):
        console.print(Text(f"Candidate {number} of {len(plan.candidates)}: {formatter}, {label}", style="bold"))
        one = _single(plan, formatter, label)
        with closing(ConsoleListener(console, tuple(after), after)) as listener, prices_named(one):
            steps = run_pipeline(create_comparison(pipeline_config(one), metadata), listener)
        if number == 1 and plan.extraction is not None:
            plan, after = _extracted(plan), {}  # prices must not change between two candidates
            _check_shares(plan)
        [examples], [answers] = steps["FeatureExampleGen"].outputs["examples"], steps["EvalAnswers"].outputs["answers"]
        tested |= {int(examples.get_int_custom_property(f"test_{end}")) for end in ("first", "last")}
        rows = pd.read_parquet(Path(answers.uri) / PREDICTIONS_FILE)
        answered.append(Answered(formatter, label, tuple(one.models), tuple(BASELINES), rows))
    with console.status("Resampling days"):
        found = compare(answered, plan.horizon, settings.seed)
        tries = tries_of(answered, found.chosen, (min(tested), max(tested)), plan.horizon, settings.seed)
        append(record_path(plan.database), tries)
    clock.seconds[COMPARING] = time.perf_counter() - begin
    console.print()
    print_comparison(found, console)
    console.print()
    return _single(plan, found.winner.formatter, found.winner.label), found


def _check_shares(plan: Plan) -> None:
    """Refuses before the first training what `compare` would refuse after the last one."""
    with open_prices(plan.database) as store:
        shares = plan.select(store)
    if len(shares) < 2:
        name = next((name for name in COMPARED if getattr(plan.settings, name)), COMPARED[0])
        raise ComparisonError(
            f"{name}: what is compared is how shares of a day are ranked, and {shares[0]} is alone; run each "
            "formatter and label by itself"
        )


def _single(plan: Plan, formatter: str, label: str) -> Plan:
    """The plan of one candidate."""
    update = {"formatter": formatter, "label": label, "compare_formatters": (), "compare_labels": ()}
    return resolve(plan.settings.model_copy(update=update), plan.origins)


def _extracted(plan: Plan) -> Plan:
    """The plan without a source, of the shares that could be had from it."""
    with open_prices(plan.database) as store:
        shares = tuple(plan.select(store)) if plan.settings.shares else ()
    return resolve(plan.settings.model_copy(update={"source": None, "shares": shares}), plan.origins)
