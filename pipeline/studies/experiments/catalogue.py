"""The experiments: which architecture, hyperparameters and features stand for each row of the original's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from components.errors import UserError
from models.architecture import Hyperparameters
from models.formatters import DataFormatter
from models.formatters.closes import FORMATTER as CLOSES_FORMATTER
from models.formatters.closes_with_time import FORMATTER as CLOSES_WITH_TIME
from models.registry import get_architecture
from pipeline.studies.experiments import original


class ExperimentError(UserError):
    """An experiment that does not exist, or that cannot be made as asked for."""


@dataclass(frozen=True)
class Experiment:
    """One row of the original's table.

    Attributes:
        name: as in `--models`.
        description: what the original called it, and what of it is our guess.
        architecture: name of the architecture.
        formatter: what the model sees.
        reported: the original's figures, by the names of `original.METRICS`.
        hyperparameters: what differs from the architecture's own.
        version: of the architecture. The original's networks saw nothing but what the formatter makes.
    """

    name: str
    description: str
    architecture: str
    formatter: DataFormatter
    reported: Mapping[str, float]
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1

    def trained_with(self, epochs: int) -> Hyperparameters:
        """All hyperparameters, for so many passes over the train split."""
        # As the original, one network, and nothing is held down: a penalty on what a day or a share adds would hide the
        # leak.
        values = {"category_l2": 0.0, "members": 1, **self.hyperparameters, "epochs": epochs}
        return get_architecture(self.architecture).hyperparameters.updated(values)


EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        experiment.name: experiment
        for experiment in (
            Experiment(
                "linear", "LinearClassifier on share_id and close0-20", "linear", CLOSES_FORMATTER, original.LINEAR
            ),
            Experiment("linear_time", "the same with `time` added", "linear", CLOSES_WITH_TIME, original.LINEAR_TIME),
            Experiment(
                "dnn_small",
                "DNNClassifier on share_id and close0-20; its hidden units are not stated, 64-32 is our guess",
                "dnn",
                CLOSES_FORMATTER,
                original.DNN_UNSTATED,
                {"units": (64, 32), "dropout": 0.0},
            ),
            Experiment(
                "dnn",
                "DNNClassifier with hidden units 256-128-64",
                "dnn",
                CLOSES_FORMATTER,
                original.DNN_256_128_64,
                {"units": (256, 128, 64), "dropout": 0.0},
            ),
            Experiment(
                "custom_dnn",
                "customized DNN with a shared dense stack and dropout 0.5; its sizes are not stated, 16-16 is ours",
                "custom_dnn",
                CLOSES_FORMATTER,
                original.CUSTOM_DNN_DROPOUT,
                {"dropout": 0.5},
            ),
            Experiment(
                "custom_dnn_512",
                "customized DNN with a (512, 64) shared dense stack and dropout 0.2",
                "custom_dnn",
                CLOSES_FORMATTER,
                original.CUSTOM_DNN_512_64,
                {"step_units": (512, 64), "dropout": 0.2},
            ),
            Experiment(
                "rnn",
                "recurrent network; its sizes are not stated, those of this project's rnn are used",
                "rnn",
                CLOSES_FORMATTER,
                original.RNN,
                version=2,
            ),
        )
    }
)
"""Every experiment by name, in the order of the original README."""


def choose_experiments(names: Sequence[str]) -> tuple[Experiment, ...]:
    """The experiments of those names, each once; all where none is named.

    Raises:
        ExperimentError: there is none of a name.
    """
    for name in names:
        if name not in EXPERIMENTS:
            raise ExperimentError(f"--models: there is no experiment {name!r}; there are {', '.join(EXPERIMENTS)}")
    return tuple(EXPERIMENTS[name] for name in dict.fromkeys(names or EXPERIMENTS))
