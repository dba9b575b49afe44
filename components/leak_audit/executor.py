"""Audits within a pipeline."""

from __future__ import annotations

import logging
import os
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.evidence.evaluations import read_evaluation
from components.evidence.resampling import Interval
from components.evidence.tfma_metrics import AUC_EXACT, AUC_HIGH, AUC_LOW, STANDARD_ERROR
from components.leak_audit.audit import audit
from components.leak_audit.config import AuditConfig
from components.leak_audit.results import AUDIT_FILE

_LOG = logging.getLogger(__name__)
CONFIG = "custom_config"


class Executor(base_executor.BaseExecutor):
    """Reads what the steps before left, makes the checks and writes audit.json."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Audits.

        A leak does not end the run: its report is where one reads of it.

        Args:
            input_dict: `examples`, `schema`, `transform_graph`, and `NAME.evaluation`, `NAME.blessing` for each model.
            output_dict: `audit`.
            exec_properties: an AuditConfig as JSON.

        Raises:
            AuditError: the examples are not there, or of another version.
        """
        self._log_startup(input_dict, output_dict, exec_properties)

        def uri(key: str) -> str:
            found: str = artifact_utils.get_single_uri(input_dict[key])
            return found

        names = [key.removesuffix(".evaluation") for key in input_dict if key.endswith(".evaluation")]
        aucs = {name: evaluated_auc(uri(f"{name}.evaluation"), uri(f"{name}.blessing")) for name in names}
        schema = io_utils.SchemaReader().read(os.path.join(uri("schema"), "schema.pbtxt"))
        config = AuditConfig.from_json(exec_properties[CONFIG])
        report = audit(uri("examples"), schema, uri("transform_graph"), aucs, config)
        for check in report.checks:
            _LOG.info("%s: %s. %s", check.name, check.status.value, check.sentence)
        _LOG.info("%s", report.verdict_line)
        artifact = artifact_utils.get_single_instance(output_dict["audit"])
        artifact.set_string_custom_property("verdict", report.verdict)
        tf.io.gfile.makedirs(artifact.uri)
        io_utils.write_string_file(os.path.join(artifact.uri, AUDIT_FILE), report.to_json())


def evaluated_auc(evaluation: str, blessing: str) -> Interval:
    """A model's AUC on the test split, as its Evaluator measured it.

    Args:
        evaluation: folder of the ModelEvaluation artifact.
        blessing: folder of the ModelBlessing artifact.
    """
    metrics = read_evaluation(evaluation, blessing).metrics
    return Interval(*(metrics.get(name, float("nan")) for name in (AUC_EXACT, AUC_LOW, AUC_HIGH, STANDARD_ERROR)))
