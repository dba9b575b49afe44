"""StoppingExampleValidator: TFX's ExampleValidator, but anomalies end the run with a table of what is wrong."""

from __future__ import annotations

import os
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.example_validator import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.errors import AnomalyError


class Executor(executor.Executor):
    """Validates, then refuses."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> Any:
        """Validates every split.

        Args:
            input_dict: `statistics` and `schema`.
            output_dict: `anomalies`.
            exec_properties: TFX's.

        Returns:
            What TFX's executor returns.

        Raises:
            AnomalyError: a split does not fit; the message is a table of split, feature and what is wrong.
        """
        output = super().Do(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict["anomalies"])
        rows: list[tuple[str, str, str]] = []
        for split in artifact_utils.decode_split_names(artifact.split_names):
            uri = artifact_utils.get_split_uri([artifact], split)
            anomalies = anomalies_pb2.Anomalies()
            anomalies.ParseFromString(io_utils.read_bytes_file(os.path.join(uri, "SchemaDiff.pb")))
            rows += [(split, name, info.description) for name, info in sorted(anomalies.anomaly_info.items())]
            if anomalies.HasField("dataset_anomaly_info"):
                rows.append((split, "(all)", anomalies.dataset_anomaly_info.description))
        if rows:
            width = max(len(name) for _, name, _ in rows)
            table = "\n".join(f"  {split:<6} {name:<{width}}  {text}" for split, name, text in rows)
            raise AnomalyError(
                "the data does not fit the schema (models/schema.pbtxt); mend the data, or review a new schema with "
                f"`awesome schema update`:\n  {'split':<6} {'feature':<{width}}  what is wrong\n{table}"
            )
        return output


class StoppingExampleValidator(component.ExampleValidator):
    """TFX's ExampleValidator with the executor above. Make what follows depend on it (`add_upstream_node`)."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
