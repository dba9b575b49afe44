"""Explains a finished run's models by what they lose when a part of what they see is permuted, and shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.evidence.resampling import DayBlocks
from components.explanation.importance import REPEATS, Judged, evaluations, explain
from components.explanation.reading import SplitRows, read_test_rows
from components.explanation.results import EXPLANATION_FILE, Explanation, ExplanationError, ModelExplanation
from components.records import RecordError, from_json, to_json
from models.errors import TwinError, UnknownNameError
from models.formatters import DataFormatter, get_formatter
from models.twin.forecasting import TOLERANCE, Twin
from models.twin.proving import may_estimate, proven_twin
from pipeline.runs.folder import REPORT_HTML, FinishedRun, open_run, write_text
from pipeline.runs.results import ReportError

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str, int, int], None]
"""Is told the model that is asked, how often models were asked, and how often they will be at most."""


@dataclass(frozen=True)
class ExplainedRun:
    """A run and what its models look at.

    Attributes:
        run: the run.
        explanation: of the models that were asked for; the file and the page hold those explained before as well.
        page: its page, where the explanation is a section now; None where the page could not be drawn again.
        undrawn: why it could not.
    """

    run: FinishedRun
    explanation: Explanation
    page: Path | None
    undrawn: str = ""


def explain_run(
    run: Path, models: Sequence[str] = (), repeats: int = REPEATS, progress: Progress | None = None
) -> ExplainedRun:
    """Explains models of a run, writes them into its explain.json, and draws its page again.

    Args:
        run: its folder, or its report.json.
        models: those that are explained; all if none is named.
        repeats: permutations that an importance is the mean of.
        progress: of the work.

    Raises:
        ReportError: there is no report, it has no such model, what the run left is gone, or a file cannot be written.
        ExplanationError: no model can be explained, or one that was named cannot be.
    """
    opened = open_run(run)
    report, names = opened.report, list(opened.models(models))
    formatter = _formatter(opened)
    twins, left_out = _twins(opened, names)
    if left_out and (models or not twins):
        name, reason = next(iter(left_out.items()))
        raise ExplanationError(f"{run}: {name} cannot be explained, as it has no twin: {reason}")
    predictions = opened.predictions()
    rows = read_test_rows(opened.artifact("examples"), formatter.sources, report.horizon)
    if rows.positive.all() or not rows.positive.any():
        raise ExplanationError(f"{run}: all test rows have the same label, so no model has an AUC to lose")
    seed = report.settings.get("seed")
    seed = seed if isinstance(seed, int) else 0
    judged = Judged(rows.positive, DayBlocks(rows.time, horizon=report.horizon, seed=seed))
    total, asked = evaluations(formatter.parted, repeats), 0

    def explained(name: str, twin: Twin) -> ModelExplanation:
        _check(opened, name, twin, rows, predictions)
        exact = not may_estimate(opened.saved_model(name), twin, report.models[name].twin)

        def tell() -> None:
            nonlocal asked
            asked += 1
            if progress is not None:
                progress(name, asked, total * len(twins))

        return explain(
            lambda seen: twin.of_features(formatter.together(seen), exact),
            formatter.parted,
            formatter.by_part(twin.features_of(rows.raw)),
            judged,
            repeats=repeats,
            seed=seed,
            progress=tell,
        )

    found = {name: explained(name, twin) for name, twin in twins.items()}
    explanation = Explanation(
        run=report.created,
        models=found,
        rows=len(rows.positive),
        days=len(judged.blocks.unique),
        repeats=repeats,
        left_out=left_out,
    )
    path = opened.folder / EXPLANATION_FILE
    every = _in_order(_beside_earlier(explanation, path), [*report.models])
    write_text(path, to_json(every, indent=1) + "\n")
    page, undrawn = _draw(opened, predictions, every)
    return ExplainedRun(opened, explanation, page, undrawn)


def _beside_earlier(explanation: Explanation, path: Path) -> Explanation:
    try:
        return explanation.beside(from_json(Explanation, path.read_bytes()))
    except (OSError, RecordError):  # there is none yet, or none that can be read
        return explanation


def _in_order(explanation: Explanation, names: Sequence[str]) -> Explanation:
    """An explanation with its models in the order of the run's."""
    return replace(explanation, models={name: explanation.models[name] for name in names if name in explanation.models})


def _formatter(opened: FinishedRun) -> DataFormatter:
    try:
        return get_formatter(opened.report.formatter)
    except UnknownNameError as error:
        raise ExplanationError(f"{opened.folder}: {error}; name the file or install the package it is of") from None


def _twins(opened: FinishedRun, names: Sequence[str]) -> tuple[dict[str, Twin], dict[str, str]]:
    """The models' twins, and why a model has none."""
    twins, left_out = {}, {}
    for name in names:
        try:
            twins[name] = proven_twin(opened.saved_model(name), opened.report.models[name].twin)
        except TwinError as error:
            left_out[name] = str(error)
    return twins, left_out


def _check(opened: FinishedRun, name: str, twin: Twin, rows: SplitRows, predictions: pd.DataFrame) -> None:
    """Refuses examples that are not those that the run's predictions are of."""
    answers = predictions[name].to_numpy(np.float64) if name in predictions else np.zeros(0)
    if len(answers) == len(rows.positive):
        difference = np.abs(twin.answer(rows.raw) - answers)
        # Both are float32 of nearly the same, and the model's answer was rounded on its way.
        if np.all(difference <= 2 * TOLERANCE):
            return
    raise ExplanationError(
        f"{opened.folder}: the examples of the test split are not those that {name} was judged on; run again"
    )


def _draw(opened: FinishedRun, predictions: pd.DataFrame, explanation: Explanation) -> tuple[Path | None, str]:
    from pipeline.report.page import render_html
    from pipeline.report.training import read_history

    histories: Mapping[str, pd.DataFrame]
    try:
        histories = {name: read_history(opened.training_log(name)) for name in opened.report.models}
    except (ReportError, OSError) as error:  # without it the page would lose the charts of the trainings
        return None, str(error)
    write_text(opened.folder / REPORT_HTML, render_html(opened.report, predictions, histories, explanation))
    return opened.folder / REPORT_HTML, ""
