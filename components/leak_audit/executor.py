"""Audits within a pipeline."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.components.example_gen import utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.evidence.findings import Findings
from components.evidence.metric import AUC
from components.leak_audit.audit import audit
from components.leak_audit.config import AuditConfig
from components.leak_audit.results import AUDIT_FILE, VERDICT_PROPERTY

_LOG = logging.getLogger(__name__)
CONFIG = "custom_config"


class Executor(base_executor.BaseExecutor):
    """Reads what the steps before left, makes the checks and writes audit.json."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Audits.

        A leak does not end the run: its report is where one reads of it.

        Args:
            input_dict: `examples`, `schema`, `transform_graph`, `evidence`.
            output_dict: `audit`.
            exec_properties: `custom_config`, an AuditConfig as JSON.

        Raises:
            AuditError: the examples are not there, or of another version.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        uris = {key: artifact_utils.get_single_uri(input_dict[key]) for key in input_dict}
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        config = replace(
            AuditConfig.from_json(exec_properties[CONFIG]),
            fingerprint=examples.get_string_custom_property(utils.FINGERPRINT_PROPERTY_NAME),
            last_session=examples.get_string_custom_property("last_session"),
        )
        findings = Findings.read(Path(uris["evidence"]))
        report = audit(
            uris["examples"],
            read_schema(uris["schema"]),
            uris["transform_graph"],
            {name: model.scores[AUC] for name, model in findings.models.items()},
            config,
            lambda name: _LOG.info("audit: %s", name),
            {name: scores[AUC] for name, scores in findings.baselines.items()},
        )
        for check in report.checks:
            _LOG.info("%s: %s. %s", check.name, check.status.value, check.sentence)
        _LOG.info("%s", report.verdict_line)
        artifact = artifact_utils.get_single_instance(output_dict["audit"])
        artifact.set_string_custom_property(VERDICT_PROPERTY, report.verdict)
        tf.io.gfile.makedirs(artifact.uri)
        io_utils.write_string_file(os.path.join(artifact.uri, AUDIT_FILE), report.to_json())


def read_schema(folder: str) -> Any:
    """Reads a Schema artifact."""
    return io_utils.SchemaReader().read(os.path.join(folder, "schema.pbtxt"))
