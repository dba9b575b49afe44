"""Runs TFMA once, over all models."""

from __future__ import annotations

import logging
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2
from tfx.components.util import tfxio_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils, proto_utils
from tfx_bsl.tfxio import tensor_adapter

from components.evidence.predictions import TEST
from components.evidence.tfma.extractors import custom_eval_shared_model, custom_extractors
from components.evidence.tfma.parting import write_parts

_LOG = logging.getLogger(__name__)

EVAL_CONFIG = "eval_config"
MODELS_PROPERTY = "models"
"""Of an evaluation: the names of its models, comma-separated."""


class Executor(base_beam_executor.BaseBeamExecutor):
    """Leaves TFMA's result of several models, and of each of them alone."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Evaluates.

        Args:
            input_dict: `examples`, `schema`, and `NAME.model` for each model.
            output_dict: `evaluation`.
            exec_properties: `eval_config`, an EvalConfig as JSON.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = config_pb2.EvalConfig()
        proto_utils.json_to_proto(exec_properties[EVAL_CONFIG], config)
        uris = {
            key.removesuffix(".model"): artifact_utils.get_single_uri(artifacts)
            for key, artifacts in sorted(input_dict.items())
            if key.endswith(".model")
        }
        several = len(uris) > 1  # TFMA gives an only model no name
        models = [
            custom_eval_shared_model(
                path_utils.serving_model_path(uri), model_name=name if several else "", eval_config=config
            )
            for name, uri in uris.items()
        ]
        shared = models if several else models[0]
        schema_folder = artifact_utils.get_single_uri(input_dict["schema"])
        pattern = io_utils.all_files_pattern(artifact_utils.get_split_uri(input_dict["examples"], TEST))
        source = tfxio_utils.get_tfxio_factory_from_artifact(
            examples=input_dict["examples"],
            telemetry_descriptors=["Evaluator"],
            schema=io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_folder)),
            raw_record_column_name=tfma.constants.ARROW_INPUT_COLUMN,
        )(pattern)
        tensors = tensor_adapter.TensorAdapterConfig(
            arrow_schema=source.ArrowSchema(), tensor_representations=source.TensorRepresentations()
        )
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        evaluation.set_string_custom_property(MODELS_PROPERTY, ",".join(sorted(uris)))
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Read" >> source.BeamSource()
                | "Evaluate"
                >> tfma.ExtractEvaluateAndWriteResults(
                    eval_shared_model=shared,
                    eval_config=config,
                    extractors=custom_extractors(shared, config, tensors),
                    output_path=evaluation.uri,
                    tensor_adapter_config=tensors,
                )
            )
        write_parts(evaluation.uri)
        _LOG.info("evaluated %s", ", ".join(uris))
