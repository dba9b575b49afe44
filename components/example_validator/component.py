"""StoppingExampleValidator: TFX's ExampleValidator, but anomalies end the run with a table of what is wrong."""

from __future__ import annotations

from typing import Any

from tfx.components.example_validator import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils

from components.errors import AnomalyError
from components.example_validator.anomalies import read_anomalies


class Executor(executor.Executor):
    """Validates, then refuses."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> Any:
        """Validates every split, as TFX's executor does.

        Raises:
            AnomalyError: a split does not fit; the message is a table of split, feature and what is wrong.
        """
        output = super().Do(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict["anomalies"])
        rows = read_anomalies(artifact.uri, artifact_utils.decode_split_names(artifact.split_names))
        if rows:
            width = max(len(name) for _, name, _ in rows)
            table = "\n".join(f"  {split:<6} {name:<{width}}  {text}" for split, name, text in rows)
            raise AnomalyError(
                "the data does not fit the schema (models/schema.pbtxt); fix the data, or review a new schema with "
                f"`awesome schema update`:\n  {'split':<6} {'feature':<{width}}  what is wrong\n{table}"
            )
        return output


class StoppingExampleValidator(component.ExampleValidator):
    """TFX's ExampleValidator with the executor above. Make what follows depend on it (`add_upstream_node`)."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
