"""What the Evaluator sends between workers is a protocol buffer, and none may have more than 2 GB, for all models."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

ROWS = 400_000_000
"""Of a market of fifty thousand shares and eight thousand sessions."""

TEST_PART, LARGEST = 0.2, 2**31
GROUPS, IN_GROUP = 40, 2500


def combiner(models: int = 1) -> Any:
    from components.evidence.tfma.metrics import EvidenceOverDays

    [computation] = EvidenceOverDays().computations(model_names=[""] * models, output_names=[""])
    return computation.combiner


def group(seed: int) -> Any:
    """A group of rows as the Evaluator's extractors hand it on."""
    from models.features import TIME, forward_return_key
    from models.serving import GLOBAL_STEP, PROBABILITY

    rng = np.random.default_rng(seed)
    returns = rng.normal(0, 0.02, IN_GROUP).astype(np.float32)
    answers = {
        PROBABILITY: rng.uniform(0.4, 0.6, IN_GROUP).astype(np.float32),
        GLOBAL_STEP: np.full(IN_GROUP, 1000 + seed, np.int64),
    }
    return SimpleNamespace(
        get_labels=lambda *names: (returns > 0).astype(np.int64),
        get_predictions=lambda *names: answers,
        features={TIME: 20200101 + np.arange(IN_GROUP, dtype=np.int64) % 28, forward_return_key(1): returns},
    )


def gathered(combine: Any, seeds: range) -> Any:
    accumulator = combine.create_accumulator()
    for seed in seeds:
        accumulator = combine.add_input(accumulator, group(seed))
    return combine.compact(accumulator)


def test_the_accumulator_of_four_models_and_four_hundred_million_rows_fits_into_a_message() -> None:
    combine = combiner(models=4)

    whole = combine.compact(
        combine.merge_accumulators([gathered(combine, range(10)), gathered(combine, range(10, GROUPS))])
    )

    a_row = len(pickle.dumps(whole)) / (GROUPS * IN_GROUP)
    assert a_row * ROWS * TEST_PART < LARGEST


def test_neither_the_form_nor_the_parts_change_a_figure() -> None:
    combine = combiner()
    parts = [gathered(combine, range(7)), gathered(combine, range(7, GROUPS))]

    figures = combine.extract_output(combine.merge_accumulators(parts))
    others = combine.extract_output(combine.merge_accumulators(parts[::-1]))

    assert figures == others
    named = {key.name: value for key, value in figures.items()}
    assert named["global_step"] == 1000 + GROUPS - 1
    assert named["example_count"] == GROUPS * IN_GROUP
    label = np.concatenate([group(seed).get_labels() for seed in range(GROUPS)])
    probability = np.concatenate([next(iter(group(seed).get_predictions().values())) for seed in range(GROUPS)])
    from sklearn import metrics

    assert named["auc_exact"] == pytest.approx(metrics.roc_auc_score(label, probability), abs=1e-12)
    assert named["loss"] == pytest.approx(metrics.log_loss(label, probability.astype(np.float64)), abs=1e-12)
