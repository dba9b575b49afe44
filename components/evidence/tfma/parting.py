"""One model's part of an evaluation of several, as TFMA reads it again; without TFMA, whose import takes eight seconds.

TFMA writes files of records: eight bytes of length, four of its checksum, the record, four of its checksum. A record is
a protocol buffer for each slice of the rows, and each of its figures says which model it is of.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from components.errors import UserError

CONFIG = "eval_config.json"

_FIGURES = {"metrics": (51, 4), "plots": (8, 4), "attributions": (2, 2)}
"""By the beginning of a file's name: the field of a record that holds a figure, and that of its key with the model."""

_KEY = 1
"""The field of a figure that holds its key."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class PartingError(UserError):
    """An evaluation is not what TFMA has written."""


def part_of(evaluation: Path, model: str, into: Path) -> Path:
    """Writes what an evaluation of several models says of one of them.

    Args:
        evaluation: TFMA's folder.
        model: its name there.
        into: a folder to make.

    Returns:
        The folder with that part: `into`, or `evaluation` itself where that is of no more than one model.

    Raises:
        PartingError: a file is not as TFMA writes it, or has nothing of the model.
    """
    path = evaluation / CONFIG
    if not path.is_file():
        return evaluation
    try:
        told = json.loads(path.read_bytes())
        if len(told["modelLocations"]) < 2:
            return evaluation
        part = json.dumps(_config_of(told, model), indent=2)
    except (ValueError, KeyError, TypeError) as error:
        raise PartingError(f"{path}: is not what TFMA writes ({error!r}); run the pipeline again") from None
    into.mkdir(parents=True)
    (into / CONFIG).write_text(part, encoding="utf-8")
    for file in sorted(evaluation.glob("*.tfrecord")):
        kind = file.name.partition("-")[0]
        if kind not in _FIGURES:  # of thresholds, of which there are none
            continue
        figures, key = _FIGURES[kind]
        try:
            records = [_record_of(one, model, figures, key) for one in _records(file.read_bytes())]
        except (ValueError, IndexError, struct.error):
            raise PartingError(f"{file}: is damaged; run the pipeline again") from None
        (into / file.name).write_bytes(b"".join(map(_framed, records)))
    return into


def _config_of(told: dict[str, Any], model: str) -> dict[str, Any]:
    """What TFMA is told of one model alone."""
    config = told["evalConfig"]
    return told | {
        "evalConfig": config
        | {
            "modelSpecs": [one for one in config["modelSpecs"] if one["name"] == model],
            "metricsSpecs": [one | {"modelNames": [model]} for one in config["metricsSpecs"]],
        },
        "modelLocations": {model: told["modelLocations"][model]},
    }


def _record_of(record: bytes, model: str, figures: int, key: int) -> bytes:
    """A record with no figures but those of a model."""
    kept = [
        whole
        for number, whole, content in _fields(record)
        if number != figures or _text(_text(content, _KEY), key).decode() == model
    ]
    return b"".join(kept)


def _text(message: bytes, wanted: int) -> bytes:
    """The content of a field of a message; empty where it has none."""
    return next((content for number, _, content in _fields(message) if number == wanted), b"")


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, whole bytes and content of each field; the content is empty of what is a number."""
    at = 0
    while at < len(message):
        begin = at
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        content = b""
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
            content = message[at : at + length]
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"there are no fields of kind {kind}")
        if at > len(message):
            raise ValueError("a field is cut off")
        yield number, message[begin:at], content


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _records(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        record = content[at + 12 : at + 12 + length]
        (checksum,) = struct.unpack_from("<I", content, at + 12 + length)
        if checksum != _checksum(record):
            raise ValueError("a record is damaged")
        yield record
        at += 16 + length


def _framed(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    return length + struct.pack("<I", _checksum(length)) + record + struct.pack("<I", _checksum(record))


def _checksum(content: bytes) -> int:
    """CRC-32C, turned and shifted as TFRecord has it, so that a checksum of checksums is none of their content."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        found.append(value)
    return tuple(found)
