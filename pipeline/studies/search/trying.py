"""One trial: trained as the pipeline's Trainer does, judged on the eval split, and counted. Imports TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.evidence.interval import Interval
from components.evidence.metric import AUC, METRICS, Answers, Measured
from components.evidence.resampling import DayBlocks
from components.evidence.tried import SEARCH, unjudged
from components.trials.record import append, record_path
from models.errors import DivergenceError
from models.progress import training_progress
from models.registry import origins_of
from models.search_space import in_words
from models.training import train
from pipeline.plan import Plan
from pipeline.resolver import ModelChoice
from pipeline.studies.search.data import SearchData
from pipeline.studies.search.study import Ended

_BATCH = 8192


class Trier:
    """Makes the trials of a search, all on the same rows and the same resamples of their days."""

    def __init__(self, plan: Plan, choice: ModelChoice, data: SearchData, blocks: DayBlocks) -> None:
        """Takes what all trials share; `blocks` are those of the eval split's days."""
        self._plan, self._choice, self._data, self._blocks = plan, choice, data, blocks
        rows = data.held_out
        self._frame = pd.DataFrame(
            {
                "time": pd.to_datetime(rows.time.astype(str), format="%Y%m%d"),
                "share_id": rows.share_id,
                "label": rows.label.astype(np.int64),
                "next_return": rows.next_return,
            }
        )

    def make(self, said: str, values: Mapping[str, Any]) -> Ended:
        """Trains, judges and counts.

        Args:
            said: what a progress bar calls it.
            values: hyperparameters that differ from the plan's.

        Raises:
            PluginError: the model or a metric comes from outside, and its code fails.
            TrialsError: the try cannot be counted.
        """
        begin = time.perf_counter()
        settings = self._plan.settings
        figures: list[Measured] = []
        for number in range(settings.search_seeds):
            seed = (settings.seed + number) % 2**32
            try:
                probability = self._answers(said, values, seed)
            except DivergenceError as error:
                return Ended(values, np.nan, np.array([]), time.perf_counter() - begin, why=str(error))
            figures.append(self._measured(probability, values, seed))
        by_seed = tuple(float(one.value) for one in figures)
        seconds = time.perf_counter() - begin
        if not np.all(np.isfinite(by_seed)):
            why = f"its answers have no {METRICS[settings.search_metric].title} on the eval split"
            return Ended(values, np.nan, np.array([]), seconds, why)
        drawn = np.mean([one.drawn for one in figures], axis=0)
        return Ended(values, float(np.mean(by_seed)), drawn, seconds, by_seed=by_seed)

    def _measured(self, probability: NDArray[np.float64], values: Mapping[str, Any], seed: int) -> Measured:
        """The figure of a model's answers, which are counted."""
        rows, metric = self._data.held_out, self._plan.settings.search_metric
        answers = Answers(rows.label == 1, probability, rows.forward_return, self._blocks)
        measured = {}
        for name in dict.fromkeys((AUC, metric)):
            with METRICS.called(name):
                measured[name] = METRICS[name].measure(answers)
        area = self._blocks.summarise(measured[AUC].value, measured[AUC].drawn, bounds=(0.0, 1.0))
        self._count(probability, area, values, seed)
        return measured[metric]

    def _answers(self, said: str, values: Mapping[str, Any], seed: int) -> NDArray[np.float64]:
        """Probabilities of the rows of the eval split, [rows], of a model that is trained with these values."""
        hyperparameters = self._choice.hyperparameters.updated(values)
        settings, name = self._plan.settings, self._choice.architecture.name
        most_epochs = self._choice.architecture.most_epochs(self._choice.version, hyperparameters)
        with training_progress(said, most_epochs, hyperparameters.members) as progress:
            model = train(
                name,
                self._choice.version,
                hyperparameters,
                self._data.inputs,
                self._data.train,
                self._data.held_out,
                seed,
                lambda member: [progress(member)],
                settings.train_steps or None,
            ).model
        features = {tensor.name: self._data.held_out.features[tensor.name] for tensor in model.inputs}
        logit = model.predict(features, batch_size=_BATCH, verbose=0)[:, 0].astype(np.float64)
        # Else Keras keeps the graphs of every trial.
        keras.utils.clear_session()
        return np.asarray(0.5 * (1 + np.tanh(0.5 * logit)))

    def _count(self, probability: NDArray[np.float64], area: Interval, values: Mapping[str, Any], seed: int) -> None:
        """Adds the try to the record: it looked at the days of the eval split, and is a candidate for the test days."""
        plan, name = self._plan, self._choice.architecture.name
        trial = unjudged(self._frame.assign(**{name: probability}), {name: area}, plan.horizon)
        asked = {"models": name, "formatter": plan.formatter.name}
        if plan.label.name != "up":
            asked["label"] = plan.label.name
        asked |= {"seed": str(seed), "split": "eval", "with": in_words(values)}
        if parts := (*origins_of([name], plan.formatter.name, plan.label.name), *METRICS.origins()):
            asked["parts"] = ", ".join(dict.fromkeys(parts))
        append(
            Path(record_path(plan.database)), [replace(trial, kind=SEARCH, asked=asked, compared_for=self._data.tested)]
        )
