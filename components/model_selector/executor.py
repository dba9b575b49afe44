"""Picks the champion."""

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

from components.evidence.findings import Findings, ModelFindings, flat
from components.evidence.metric import AUC
from components.leak_audit.results import AUDIT_FILE, AuditReport
from components.model_selector.files import EVIDENCE_FILE, Evidence
from components.model_selector.properties import (
    ACCEPT,
    ACCEPTED,
    HELD_BACK,
    HELD_BACK_BECAUSE,
    accepted_names,
    held_in_words,
)
from models.card import EXTRA_FOLDER
from models.twin.files import ARRAYS_FILE, no_twin_files

_LOG = logging.getLogger(__name__)


def choose(models: Mapping[str, ModelFindings]) -> str | None:
    """Name of the blessed model with the highest AUC on the test split, the first of equals; None without a blessed."""
    blessed = {name: found for name, found in models.items() if found.blessed}
    return max(blessed, key=lambda name: blessed[name].scores[AUC].value) if blessed else None


def _write_evidence(saved_model: str, found: ModelFindings) -> None:
    """Lays the figures beside the model, so that a probability can be shown with what it is worth.

    A twin that is not proven is not pushed: the reason takes its place.
    """
    extra = os.path.join(saved_model, EXTRA_FOLDER)
    evidence = Evidence(flat(found.scores), found.reason, twin=found.twin)
    io_utils.write_string_file(os.path.join(extra, EVIDENCE_FILE), evidence.to_json())
    if found.twin is None or found.twin.reason:
        reason = found.twin.reason if found.twin else "nobody has compared it with TensorFlow"
        _LOG.warning("the model is pushed without a twin: %s", reason)
        arrays = os.path.join(extra, ARRAYS_FILE)
        if tf.io.gfile.exists(arrays):
            tf.io.gfile.remove(arrays)
        for name, content in no_twin_files(reason).items():
            io_utils.write_bytes_file(os.path.join(extra, name), content)


def _audit(input_dict: Mapping[str, Any]) -> AuditReport | None:
    """What the leak audit found; None where the run is not audited."""
    if "audit" not in input_dict:
        return None
    path = Path(artifact_utils.get_single_uri(input_dict["audit"])) / AUDIT_FILE
    return AuditReport.from_json(path.read_text(encoding="utf-8"), str(path))


class Executor(base_executor.BaseExecutor):
    """Reads the findings and the audit, copies the champion and blesses the copy."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Chooses among the candidates.

        Args:
            input_dict: `evidence`, `NAME.model` for each candidate, and `audit` where the run is audited.
            output_dict: `model` and `blessing`, whose properties say which models are held back and what was accepted.
            exec_properties: `accept`, names of checks whose suspicion a person has accepted.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        findings = Findings.read(Path(artifact_utils.get_single_uri(input_dict["evidence"])))
        audit, accepted = _audit(input_dict), accepted_names(exec_properties.get(ACCEPT, ""))
        held = audit.held_back(findings.models, accepted) if audit is not None else {}
        champion = choose({name: found for name, found in findings.models.items() if name not in held})
        best = choose(findings.models)
        if audit is not None and best is not None and best != champion:
            why = "the evaluation leaks" if audit.leaks else f"{', '.join(held[best])} is suspicious"
            _LOG.warning("%s would be the champion, but the leak audit says that %s", best, why)
        model = artifact_utils.get_single_instance(output_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        blessed = champion is not None
        if champion is None:
            for name, found in findings.models.items():
                if not found.blessed:
                    _LOG.info("%s is not blessed: %s", name, found.reason)
            _LOG.info("no champion: nothing will be pushed")
        else:
            _LOG.info("champion: %s, %s", champion, findings.models[champion].reason)
            io_utils.copy_dir(artifact_utils.get_single_uri(input_dict[f"{champion}.model"]), model.uri)
            _write_evidence(path_utils.serving_model_path(model.uri), findings.models[champion])
            model.set_string_custom_property("champion", champion)
            blessing.set_string_custom_property("champion", champion)
        models = {name: artifact_utils.get_single_instance(input_dict[f"{name}.model"]) for name in findings.models}
        if audit is not None:  # without one nothing is said, so that what an earlier one said stands
            used = [check.name for check in audit.suspicious if check.is_accepted(accepted)]
            blessing.set_string_custom_property(HELD_BACK, " ".join(str(models[name].id) for name in held))
            blessing.set_string_custom_property(HELD_BACK_BECAUSE, held_in_words(held))
            blessing.set_string_custom_property(ACCEPTED, ", ".join(used))
        marker = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
        tf.io.gfile.makedirs(blessing.uri)
        io_utils.write_string_file(os.path.join(blessing.uri, marker), "")
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
