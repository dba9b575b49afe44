"""An Evaluator with the pipeline's own configuration, on models that answer with a feature of the example."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from answered_rows import HORIZONS, STEPS, AnsweredRows, Evaluate, write_examples

if TYPE_CHECKING:
    from components.evidence.tfma.evaluations import Evaluation


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory: pytest.TempPathFactory) -> Evaluate:
    """Runs the Evaluator as the pipeline does; `grouped=False` leaves out the extractors that keep rows together.

    `left_in` is where TFMA's files stay.
    """
    import tensorflow as tf
    import tensorflow_model_analysis as tfma
    from google.protobuf import text_format
    from tfx.components.util import examples_utils
    from tfx.proto import example_gen_pb2
    from tfx.types import standard_artifacts
    from tfx.utils import proto_utils

    from components.evaluator import executor
    from components.evidence.tfma.evaluations import read_evaluation
    from models.schema import schema_for
    from pipeline.evaluation import evaluation_config
    from pipeline.pipeline import DIRECT_RUNNER

    class Answer(tf.Module):
        def __init__(self, feature: str) -> None:
            super().__init__()
            self.feature = feature

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serving_default(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
            parsed = tf.io.parse_example(examples, {self.feature: tf.io.FixedLenFeature([1], tf.float32)})
            probability = parsed[self.feature]
            step = tf.constant(STEPS[self.feature], tf.int64)
            return {"probability": probability, "global_step": tf.fill(tf.shape(probability), step)}

    def one_by_one(model: Any, config: Any, tensors: Any) -> Any:
        return tfma.default_extractors(eval_shared_model=model, eval_config=config, tensor_adapter_config=tensors)

    root = tmp_path_factory.mktemp("models")
    models = {}
    for number, name in enumerate(("candidate", "baseline"), start=1):
        module = Answer(name)
        signature = module.serving_default.get_concrete_function()
        tf.saved_model.save(module, str(root / name / "Format-Serving"), {"serving_default": signature})
        models[name] = standard_artifacts.Model()
        models[name].uri = str(root / name)
        models[name].id = number

    def run(
        rows: AnsweredRows,
        baseline: bool = True,
        horizon: int = 1,
        files: int = 1,
        grouped: bool = True,
        model: str = "candidate",
        left_in: Path | None = None,
    ) -> Evaluation:
        folder = tmp_path_factory.mktemp("evaluation")
        write_examples(rows, horizon, folder / "examples" / "Split-test", files)
        examples = standard_artifacts.Examples()
        examples.uri = str(folder / "examples")
        examples.split_names = '["train", "eval", "test"]'
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        schema = standard_artifacts.Schema()
        schema.uri = str(folder / "schema")
        (folder / "schema").mkdir()
        text = text_format.MessageToString(schema_for(HORIZONS, trained=horizon))
        (folder / "schema" / "schema.pbtxt").write_text(text)
        evaluation = standard_artifacts.ModelEvaluation()
        evaluation.uri = str(left_in or folder / "evaluation")
        context = executor.Executor.Context(
            beam_pipeline_args=[*DIRECT_RUNNER, f"--requirements_file={os.devnull}"],
            tmp_dir=str(folder / "tmp"),
            unique_id="1",
        )
        names = ("candidate", "baseline") if baseline else ("candidate",)
        with pytest.MonkeyPatch.context() as patch:
            if not grouped:
                patch.setattr(executor, "custom_extractors", one_by_one)
            executor.Executor(context).Do(
                {"examples": [examples], "schema": [schema]} | {f"{name}.model": [models[name]] for name in names},
                {"evaluation": [evaluation]},
                {"eval_config": proto_utils.proto_to_json(evaluation_config(names, horizon))},
            )
        return read_evaluation(evaluation.uri, model)

    return run
