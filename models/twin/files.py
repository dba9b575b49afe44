"""A twin's two files in a model's folder: twin.json says what it is, twin.npz holds its numbers.

twin.json holds the digest of twin.npz, so that the digest of twin.json is that of the twin. Nothing in either is code.

| twin.json | meaning |
|---|---|
| format | of both files: 1; a reader refuses another |
| formatter | the DataFormatter |
| features | each with its name, source, operation, steps and parts, as they were declared when the model was trained |
| steps | what is computed, in order: kind of layer, name, inputs (features or steps), settings, number of weights |
| output | the step whose values are the logits |
| arrays | SHA-256 of twin.npz |
| reason | why there is no twin; then all other entries but `format` are empty |

| twin.npz | meaning |
|---|---|
| NAME/mean, NAME/deviation | moments of a feature, float64 |
| NAME/vocabulary | values of a category by index, bytes |
| STEP/NUMBER | weights of a step, as Keras orders them |
| example/share_id, example/closes, example/probability | rows, and what TensorFlow answered to them |
| example/NAME | the day-wide columns of these rows, where the formatter reads some |
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.card import EXTRA_FOLDER
from models.errors import TwinError
from models.twin.arithmetic import Array

TWIN_FILE = "twin.json"
ARRAYS_FILE = "twin.npz"
FORMAT = 1


@dataclass(frozen=True)
class FeatureRecord:
    """A feature as it was declared."""

    name: str
    source: str
    operation: str
    steps: int
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepRecord:
    """A layer, where in the network it stands, and how many weights it has."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: int = 0


@dataclass(frozen=True)
class TwinRecord:
    """What both files hold; see the tables above."""

    formatter: str
    features: tuple[FeatureRecord, ...]
    steps: tuple[StepRecord, ...]
    output: str
    arrays: Mapping[str, Array]


def twin_files(record: TwinRecord) -> dict[str, bytes]:
    """The contents of both files, by name; the same record gives the same bytes."""
    stream = io.BytesIO()
    np.savez(stream, **dict(record.arrays))
    fields = {key: value for key, value in asdict(record).items() if key != "arrays"}
    arrays = stream.getvalue()
    return {ARRAYS_FILE: arrays, TWIN_FILE: _json({**fields, "arrays": hashlib.sha256(arrays).hexdigest()})}


def no_twin_files(reason: str) -> dict[str, bytes]:
    """The file that says why a model has no twin."""
    return {TWIN_FILE: _json({"reason": reason})}


def _json(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps({"format": FORMAT, **fields}, indent=1) + "\n").encode()


def read_twin(saved_model: Path) -> tuple[TwinRecord, str]:
    """Reads both files, and checks that they belong together.

    Args:
        saved_model: the folder of the model.

    Returns:
        What they hold, and the digest of the twin.

    Raises:
        TwinError: there is no twin, or one of another format or in pieces.
    """
    path = saved_model / EXTRA_FOLDER / TWIN_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise TwinError("it was made by a version that exported none") from None
    except OSError as error:
        raise TwinError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        fields = json.loads(content)
        made_by = fields["format"]
        reason = fields.get("reason")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise TwinError(f"{path}: is no description of a twin") from None
    if made_by != FORMAT:
        raise TwinError(f"{path}: has format {made_by!r}, this version of awesome reads {FORMAT}")
    if reason is not None:
        raise TwinError(str(reason))
    try:
        arrays = (path.with_name(ARRAYS_FILE)).read_bytes()
        if hashlib.sha256(arrays).hexdigest() != fields["arrays"]:
            raise TwinError(f"{path.with_name(ARRAYS_FILE)}: is not the file that {TWIN_FILE} names")
        with np.load(io.BytesIO(arrays), allow_pickle=False) as held:
            numbers = {name: held[name] for name in held.files}
        record = TwinRecord(
            formatter=fields["formatter"],
            features=tuple(
                FeatureRecord(**{**one, "parts": tuple(one.get("parts", ()))}) for one in fields["features"]
            ),
            steps=tuple(StepRecord(**{**one, "inputs": tuple(one["inputs"])}) for one in fields["steps"]),
            output=fields["output"],
            arrays=numbers,
        )
    except OSError as error:
        raise TwinError(f"{error.filename}: cannot be read ({error.strerror})") from None
    except (KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise TwinError(f"{path}: is no whole twin ({type(error).__name__}: {error})") from None
    return record, hashlib.sha256(content).hexdigest()
