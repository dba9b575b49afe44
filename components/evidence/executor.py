"""Asks all models, fits the baselines, computes the figures and blesses."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.evidence.baselines import BASELINES
from components.evidence.comparing import NOTHING_TRIED, compare, predecessor_column
from components.evidence.counting import count_try
from components.evidence.findings import PREDICTIONS_FILE, Findings, with_twins, withheld
from components.evidence.metric import METRICS
from components.evidence.predictions import ask_models, predict_baselines, predict_split, prove_twins
from components.evidence.tried import TRIAL_PROPERTY, judged, write_trial
from components.plausibility import read_suspects
from components.trials.record import Record, Trial
from models.card import read_card
from models.formatters import get_formatter
from models.labels import UP, get_label
from models.registry import origins_of
from models.search_space import in_words

_LOG = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Leaves the findings, the predictions they come from, and a blessing for each model."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Judges the candidates.

        Args:
            input_dict: `examples`, `transform_graph`, and `NAME.model` and `NAME.predecessor` for each candidate, the
                latter possibly empty.
            output_dict: `evidence` and `NAME.blessing` for each candidate.
            exec_properties: `formatter`, `horizon`, `label`, `seed`, and `trials`, the path of the record of tries,
                which this one is added to, empty for none, as `kind`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        METRICS.check()
        horizon, seed = exec_properties["horizon"], exec_properties["seed"]
        label, formatter = get_label(exec_properties["label"]), get_formatter(exec_properties["formatter"])
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        # The inputs come out of a protobuf map, whose order is another in every process.
        names = sorted(key.removesuffix(".model") for key in input_dict if key.endswith(".model"))
        models = {name: artifact_utils.get_single_instance(input_dict[f"{name}.model"]) for name in names}
        predecessors = {
            predecessor_column(name): artifact_utils.get_single_uri(input_dict[f"{name}.predecessor"])
            for name in names
            if input_dict.get(f"{name}.predecessor")
        }
        baselines = predict_baselines(
            examples,
            artifact_utils.get_single_uri(input_dict["transform_graph"]),
            formatter,
            horizon,
            seed,
            label,
        )
        uris = {name: model.uri for name, model in models.items()}
        answers = ask_models(examples, uris | predecessors)
        twins = prove_twins(examples, uris, answers, formatter, seed)
        predictions = predict_split(examples, horizon, answers | baselines, label)
        asked = {"models": ", ".join(names)} | {name: str(exec_properties[name]) for name in ("formatter", "seed")}
        if label.name != UP:
            asked["label"] = label.name
        if changed := _changed(uris):
            asked["hyperparameters"] = changed
        if (info := self._context and self._context.pipeline_info) is not None:
            asked["pipeline"] = info.id
        if parts := (*origins_of(names, exec_properties["formatter"], label.name), *METRICS.origins()):
            asked["parts"] = ", ".join(dict.fromkeys(parts))
        path = Path(exec_properties["trials"]) if exec_properties["trials"] else None

        def judge_after(record: Record) -> tuple[Findings, Trial]:
            compared, trial = compare(predictions, names, list(BASELINES), horizon, seed, record)
            found = with_twins(withheld(compared, read_suspects(examples)), twins)
            return found, judged(trial, found, asked, exec_properties["kind"])

        findings, trial = count_try(path, judge_after) if path else judge_after(NOTHING_TRIED)
        folder = Path(artifact_utils.get_single_uri(output_dict["evidence"]))
        folder.mkdir(parents=True, exist_ok=True)
        predictions.drop(columns=list(predecessors)).to_parquet(folder / PREDICTIONS_FILE, index=False)
        findings.write(folder)
        write_trial(trial, folder)
        artifact_utils.get_single_instance(output_dict["evidence"]).set_string_custom_property(TRIAL_PROPERTY, trial.id)
        for name, found in findings.models.items():
            if found.twin and found.twin.reason:
                _LOG.warning("%s has no twin, and predicts through TensorFlow: %s", name, found.twin.reason)
            _LOG.info("%s is %sblessed: %s", name, "" if found.blessed else "not ", found.reason)
            _write_blessing(
                artifact_utils.get_single_instance(output_dict[f"{name}.blessing"]), models[name], found.blessed
            )


def _changed(uris: Mapping[str, str]) -> str:
    """The hyperparameters of models that are not those of their architectures, in words."""
    cards = {name: read_card(Path(path_utils.serving_model_path(uri))) for name, uri in uris.items()}
    return "; ".join(f"{name} {in_words(card.hyperparameters)}" for name, card in cards.items() if card.hyperparameters)


def _write_blessing(blessing: Any, model: Any, blessed: bool) -> None:
    """As TFX's Evaluator would: a marker for a Pusher, and properties for who looks for the last blessed model."""
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
    marker = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    tf.io.gfile.makedirs(blessing.uri)
    io_utils.write_string_file(os.path.join(blessing.uri, marker), "")
