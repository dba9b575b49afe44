"""What a planted leak is, and how it gets into a run: by a change of one of the steps that a pipeline takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted_leaks.small_runs import Asked, SmallRun, make_run
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_example_gen.splits import SplitPlan

MADE = "made"
"""The raw feature that a leak may add."""

Values: TypeAlias = NDArray[Any]
Assign: TypeAlias = Callable[[SplitPlan, Values, Values, Values], tuple[Values, Values]]
"""SplitPlan.assign."""


@dataclass(frozen=True)
class Change:
    """What a leak changes of a run; nothing of what is left out.

    Attributes:
        asked: what is asked for: prices before the database, the database, formatter, horizon.
        assign: makes the splits, told SplitPlan's honest way.
        rows: makes the examples of those that FeatureExampleGen gives.
        column: makes a raw feature that is declared, and that the formatter reads; [rows].
        known: whether the feature is declared as known on the day.
        afterwards: whether the steps are whole again when the audit replays them, as where examples were tampered with.
    """

    asked: Callable[[Asked], Asked] = lambda asked: asked
    assign: Callable[[Assign], Assign] | None = None
    rows: Callable[[LabelledRows], LabelledRows] | None = None
    column: Callable[[LabelledRows], Values] | None = None
    known: bool = True
    afterwards: bool = False


@dataclass(frozen=True)
class PlantedLeak:
    """A leak, and how to plant it.

    Attributes:
        kind: several leaks may be of one.
        name: in words.
        weak: its lesser strength, of which the name or `plant` says what it measures.
        strong: its greater strength.
        plant: gives the change for a strength.
        out_of_sight: why no check can see it; empty for those that have to be caught.
    """

    kind: str
    name: str
    weak: float
    strong: float
    plant: Callable[[float], Change]
    out_of_sight: str = ""

    @property
    def strengths(self) -> dict[str, float]:
        """Both strengths by their names."""
        return {"weak": self.weak, "strong": self.strong}


@contextmanager
def planted(change: Change, folder: Path, asked: Asked, graphs: Path | None = None) -> Iterator[SmallRun]:
    """Makes a run with a leak; within the `with` block the faults of code are still there.

    Args:
        change: the leak's.
        folder: an empty one.
        asked: what the run would be without it.
        graphs: as in `make_run`.
    """
    with ExitStack() as stack:
        wanted = change.asked(asked)
        if change.column is not None:
            wanted = replace(wanted, formatter=_declare(stack, wanted, change.known))
        if change.assign is not None:
            stack.enter_context(mock.patch.object(SplitPlan, "assign", change.assign(SplitPlan.assign)))
        if change.rows is not None or change.column is not None:
            # A fault of that code is one of every step that calls it, the audit's too.
            for place in ("feature_example_gen.executor", "leak_audit.checks.completeness"):
                stack.enter_context(mock.patch(f"components.{place}.label_rows", _spoiled(change)))
        run = make_run(folder, wanted, graphs)
        if change.column is not None:
            from tensorflow_metadata.proto.v0 import schema_pb2

            run.schema.feature.add(name=MADE, type=schema_pb2.FLOAT)
        if change.afterwards:
            stack.close()
        yield run


def _spoiled(change: Change) -> Callable[..., LabelledRows]:
    def made(*asked: Any, **more: Any) -> LabelledRows:
        rows = label_rows(*asked, **more)
        if change.column is not None:
            column = np.asarray(change.column(rows), np.float32)
            rows = replace(rows, columns={**rows.columns, MADE: column})
        return rows if change.rows is None else change.rows(rows)

    return made


def _declare(stack: ExitStack, asked: Asked, known: bool) -> str:
    """Adds a formatter that reads the made feature too; its name."""
    import tensorflow as tf

    from models import data
    from models.formatters import FORMATTERS, DataFormatter, get_formatter
    from models.operations import Z_SCORE, Feature, Kind

    feature = Feature(MADE, MADE, Z_SCORE, Kind.SCALAR, known_on_the_day=known)
    formatter = DataFormatter("sees_more", "", (*get_formatter(asked.formatter).features, feature))
    stack.enter_context(FORMATTERS.including(formatter))
    parsed = {**data.RAW_FEATURES, MADE: tf.io.FixedLenFeature([1], tf.float32)}
    stack.enter_context(mock.patch.object(data, "RAW_FEATURES", parsed))
    return formatter.name
