"""One Trainer of a finished run once more, in a process of its own, so that its CPU time and peak memory are its own.

    python -m benchmarks.panel_trainer --workspace DIR --model rnn --horizon 1 --output DIR

It calls the Trainer's run_fn as TFX does, on the examples and the transform graph that the run left, with the defaults
of `awesome run`. The last line printed is one JSON object: `{step: {wall, cpu, peak_rss}}`, seconds and MiB; the step
"import" is TensorFlow and TFX, as in a pod that runs this one step.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Steps, measured
from pipeline.job.quiet import import_tensorflow


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True, help="of one finished run")
    parser.add_argument("--model", required=True, help="as in awesome run --models")
    parser.add_argument("--horizon", type=int, required=True, help="of the run")
    parser.add_argument("--label", default="up", help="of the run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, help="takes the model and its logs")
    arguments = parser.parse_args()
    [graph] = arguments.workspace.glob("tfx/*/Transform/transform_graph/*")
    [examples] = arguments.workspace.glob("tfx/*/FeatureExampleGen/examples/*")
    steps: Steps = {}
    with measured(steps, "import"):
        import_tensorflow()
        from tfx.components.trainer.fn_args_utils import FnArgs

        from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
        from models.registry import get_architecture
        from models.trainer import TrainingConfig, run_fn
    architecture = get_architecture(arguments.model)
    config = TrainingConfig(
        model=arguments.model,
        version=architecture.default_version,
        hyperparameters=asdict(architecture.hyperparameters),
        formatter=WINDOW_RETURNS.name,
        horizon=arguments.horizon,
        seed=arguments.seed,
        code="",
        label=arguments.label,
    )
    with measured(steps, "train"):
        run_fn(
            FnArgs(
                transform_graph_path=str(graph),
                train_files=[f"{examples}/Split-train/*"],
                eval_files=[f"{examples}/Split-eval/*"],
                custom_config=config.to_custom_config(),
                model_run_dir=str(arguments.output / "logs"),
                serving_model_dir=str(arguments.output / "model"),
                train_steps=None,
            )
        )
    print(json.dumps(steps), flush=True)


if __name__ == "__main__":
    main()
