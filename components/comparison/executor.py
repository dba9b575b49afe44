"""Asks the models of one combination, and the baselines, about the eval split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.evidence.findings import PREDICTIONS_FILE
from components.evidence.metric import METRICS
from components.evidence.predictions import ask_models, predict_baselines, predict_split
from models.formatters import get_formatter
from models.labels import get_label

EVAL = "eval"


class Executor(base_executor.BaseExecutor):
    """Leaves a row an example of the eval split with what every model and baseline answered."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Reads the splits train (for the baselines) and eval, and no other.

        Args:
            input_dict: `examples`, `transform_graph`, and `NAME.model` for each model.
            output_dict: `answers`.
            exec_properties: `formatter`, `horizon`, `label`, `seed`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        METRICS.check()
        horizon = exec_properties["horizon"]
        examples = artifact_utils.get_single_uri(input_dict["examples"])
        names = sorted(key.removesuffix(".model") for key in input_dict if key.endswith(".model"))
        uris = {name: artifact_utils.get_single_uri(input_dict[f"{name}.model"]) for name in names}
        baselines = predict_baselines(
            examples,
            artifact_utils.get_single_uri(input_dict["transform_graph"]),
            get_formatter(exec_properties["formatter"]),
            horizon,
            exec_properties["seed"],
            get_label(exec_properties["label"]),
            EVAL,
        )
        answers = ask_models(examples, uris, EVAL) | baselines
        # The return of the close itself, as the label `up` has it: it is the same for all labels.
        rows = predict_split(examples, horizon, answers, split=EVAL)
        folder = Path(artifact_utils.get_single_uri(output_dict["answers"]))
        folder.mkdir(parents=True, exist_ok=True)
        rows.to_parquet(folder / PREDICTIONS_FILE, index=False)
