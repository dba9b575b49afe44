"""Picks the champion."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.evidence.evaluations import Evaluation, read_evaluation
from components.evidence.tfma_metrics import AUC_EXACT
from components.model_selector.files import EVIDENCE_FILE, evidence_text
from models.card import EXTRA_FOLDER

_LOG = logging.getLogger(__name__)


def choose(evaluations: Mapping[str, Evaluation]) -> str | None:
    """The blessed model with the highest AUC on the test split; the first of equals.

    Args:
        evaluations: by model name.

    Returns:
        Its name, or None where none is blessed.
    """
    blessed = {name: evaluation for name, evaluation in evaluations.items() if evaluation.blessed}
    return max(blessed, key=lambda name: blessed[name].metrics[AUC_EXACT]) if blessed else None


def _write_evidence(saved_model: str, evaluation: Evaluation) -> None:
    """Lays the evaluation beside the model, so that a probability can be shown with what it is worth."""
    numbers = {name: value for name, value in evaluation.metrics.items() if math.isfinite(value)}
    path = os.path.join(saved_model, EXTRA_FOLDER, EVIDENCE_FILE)
    io_utils.write_string_file(path, evidence_text(numbers, evaluation.reason))


class Executor(base_executor.BaseExecutor):
    """Reads the evaluations, copies the champion and blesses the copy."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Chooses among the candidates.

        Args:
            input_dict: `NAME.model`, `NAME.evaluation`, `NAME.blessing` for each candidate.
            output_dict: `model` and `blessing`.
            exec_properties: none.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        names = [key.removesuffix(".model") for key in input_dict if key.endswith(".model")]

        def uri(name: str, kind: str) -> str:
            found: str = artifact_utils.get_single_uri(input_dict[f"{name}.{kind}"])
            return found

        evaluations = {name: read_evaluation(uri(name, "evaluation"), uri(name, "blessing")) for name in names}
        champion = choose(evaluations)
        model = artifact_utils.get_single_instance(output_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        blessed = champion is not None
        if champion is None:
            for name, evaluation in evaluations.items():
                _LOG.info("%s is not blessed: %s", name, evaluation.reason)
            _LOG.info("no champion: nothing will be pushed")
        else:
            _LOG.info("champion: %s, %s", champion, evaluations[champion].reason)
            io_utils.copy_dir(uri(champion, "model"), model.uri)
            _write_evidence(path_utils.serving_model_path(model.uri), evaluations[champion])
            model.set_string_custom_property("champion", champion)
            blessing.set_string_custom_property("champion", champion)
        marker = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
        tf.io.gfile.makedirs(blessing.uri)
        io_utils.write_string_file(os.path.join(blessing.uri, marker), "")
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
