"""What is known of each kind of step: that each has its file, and its page of an artifact as the step leaves it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]
NAN = float("nan")


def trainer_page(node_id: str, history: pd.DataFrame, folder: Path) -> str:
    from awesome_kubeflow.entrypoint import step_page
    from awesome_kubeflow.parameters import RunParameters
    from models.history import HISTORY_FILE
    from pipeline.job.step import Step

    history.to_csv(folder / HISTORY_FILE, index=False)
    part: Any = SimpleNamespace(
        node_id=node_id,
        node_type="tfx.components.trainer.component.Trainer",
        name="p",
    )
    artifact = SimpleNamespace(id=1, uri=str(folder))
    step = Step(node_id, 1.0, False, {"model_run": [artifact]})
    return step_page(part, step, "run", RunParameters((), None, "window_returns", 1))


def test_the_page_of_a_trainer_counts_epochs_as_the_report_does(tmp_path: Path) -> None:
    from pipeline.report.drawing import model_styles
    from pipeline.report.training import training_chart

    history = pd.DataFrame(
        {
            "member": 1,
            "epoch": [0.5, 1, 1.5, 2, 2.5, 3],
            "loss": [NAN, 0.7, NAN, 0.69, NAN, 0.68],
            "val_loss": [0.70, 0.69, 0.68, 0.685, 0.69, 0.71],
        }
    )
    page = trainer_page("Trainer.dnn", history, tmp_path)
    chart = training_chart(0, "dnn", history, model_styles(["dnn"])["dnn"])
    sentence = "3 epochs. The best eval loss is 0.6800, after 1.5 epochs."
    assert chart is not None
    assert chart.description == f"Training of dnn: {sentence}"
    assert f'<p class="verdict">{sentence}</p>' in page
    assert '<th scope="row">0.5</th><td></td><td>0.7</td>' in page
    assert "nan" not in page


def test_the_page_of_an_ensemble_tells_members_from_epochs(tmp_path: Path) -> None:
    history = pd.DataFrame(
        {
            "member": [1, 1, 2, 2, 2],
            "epoch": [1, 2, 1, 2, 3],
            "loss": [0.7, 0.6, 0.7, 0.6, 0.5],
            "val_loss": [0.68, 0.69, 0.69, 0.67, 0.7],
        }
    )
    page = trainer_page("Trainer.custom_dnn", history, tmp_path)
    verdict = "2 members of 2 to 3 epochs. The members&#39; best eval losses are 0.6700 to 0.6800, after 1 to 2 epochs."
    assert f'<p class="verdict">{verdict}</p>' in page
    assert '<th scope="row">2</th><td>3</td><td>0.5</td><td>0.7</td>' in page


def test_every_node_of_the_pipeline_has_its_file_and_no_file_is_left_over(default_ir: Any) -> None:
    from awesome_kubeflow.cluster import cluster_settings
    from awesome_kubeflow.steps.kind import STEPS, step_kind

    kinds = {step_kind(node.pipeline_node.node_info.type.name).name for node in default_ir.nodes}
    assert kinds == set(STEPS)
    assert {kind.resources for kind in STEPS.values()} <= cluster_settings({}, "stage").resources.keys()


def test_a_step_without_a_file_is_refused_by_name() -> None:
    from awesome_kubeflow.errors import CompileError
    from awesome_kubeflow.steps.kind import step_kind

    with pytest.raises(CompileError, match=r"^step BulkInferrer: no file in awesome_kubeflow/steps says .* Trainer"):
        step_kind("tfx.components.bulk_inferrer.component.BulkInferrer")
