"""The one place where a model is asked, for both protocols.

`predict_closes` and `serving_default` are what the pushed models have (models/serving.py); another signature, or one
that reads more than shares and closes, is refused in words, as it needs TensorFlow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from models.features import CLOSES, SHARE_ID, WINDOW
from pipeline.serving.errors import Code, ServingError, invalid
from pipeline.serving.messages import Example
from pipeline.serving.signatures import DEFAULT, PREDICT, Signature
from pipeline.serving.tensors import Array
from pipeline.serving.version import PREDICT_CLOSES, ServedVersion

PROBABILITY, GLOBAL_STEP = "probability", "global_step"
_EXAMPLES = "examples"


@dataclass(frozen=True)
class Answers:
    """Probabilities that were given away.

    Attributes:
        version: that gave them.
        made_at: when, UTC.
        share_ids: [n].
        closes: the windows that it saw, float32 [n, 21], the latest first.
        probabilities: float32 [n].
        sessions: the last session of each window, ISO [n]; None where who asked brought the windows, as the protocol
            has no place for a day.
        day: the day-wide columns that it saw, float32 [n] or [n, width] by name; empty for none.
    """

    version: ServedVersion
    made_at: dt.datetime
    share_ids: tuple[str, ...]
    closes: npt.NDArray[np.float32]
    probabilities: npt.NDArray[np.float32]
    sessions: tuple[str, ...] | None = None
    day: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)


Record = Callable[[Answers], None]
"""Writes answers down before they are given away, such as into the ledger; what it raises, nobody gets an answer."""


@dataclass(frozen=True)
class Answering:
    """Asks models.

    Attributes:
        most_rows: of one request.
        record: where answers are written down; None for nowhere.
    """

    most_rows: int
    record: Record | None = None

    def signature(self, version: ServedVersion, name: str) -> Signature:
        """The signature that is meant, checked to be one of `:predict`.

        Raises:
            ServingError: the model has none of that name, or it is for another method.
        """
        wanted = name or DEFAULT
        found = version.signatures.get(wanted)
        if found is None:
            raise invalid(f'Serving signature name: "{wanted}" not found in signature def')
        if found.method != PREDICT:
            raise ServingError(
                Code.INTERNAL,
                f"Expected prediction signature method_name to be one of {{{PREDICT}}}. Was: {found.method}",
            )
        return found

    def check_rows(self, name: str, count: int) -> None:
        """Checks how many rows an input has.

        Raises:
            ServingError: more than one request may have.
        """
        if count > self.most_rows:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"input {name} has {count} rows; this server takes {self.most_rows} a request: ask in parts",
                status=413,
            )

    def predict(self, version: ServedVersion, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Asks a version.

        Args:
            version: that is asked.
            signature: of it.
            inputs: by name, as the signature declares them.

        Returns:
            Every output of the signature, by name, sorted.

        Raises:
            ServingError: an input cannot be used, there are too many rows, or the signature needs TensorFlow.
        """
        counts = {name: len(array) for name, array in inputs.items()}
        for name, count in counts.items():
            self.check_rows(name, count)
        if len(set(counts.values())) > 1:
            raise invalid(f"inputs have different numbers of rows: {counts}")
        if why := version.unanswered(signature.name):
            raise ServingError(Code.UNIMPLEMENTED, why)
        if signature.name == PREDICT_CLOSES:
            shares, closes = _texts(inputs[SHARE_ID]), np.asarray(inputs[CLOSES], np.float32)
        else:
            shares, closes = _windows_in_examples(inputs[_EXAMPLES], version.reads_shares)
        probability = self.ask(version, shares, closes)
        outputs: dict[str, Array] = {PROBABILITY: probability[:, None]}
        if signature.name == DEFAULT:
            outputs[GLOBAL_STEP] = np.full((len(shares), 1), version.card.global_step, np.int64)
        return dict(sorted(outputs.items()))

    def ask(
        self,
        version: ServedVersion,
        shares: tuple[str, ...],
        closes: npt.NDArray[np.float32],
        sessions: tuple[str, ...] | None = None,
        day: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> npt.NDArray[np.float32]:
        """Probabilities of windows, float32 [n], written down if they have to be.

        Of windows of known sessions, and where they are written down, they are those that anybody computes again, to
        the last bit; else the last digit may be another one.

        Raises:
            ServingError: a close is no price, or the answer could not be written down.
        """
        bad = ~(np.isfinite(closes) & (closes > 0))
        if bad.any():
            row, place = (int(one) for one in np.argwhere(bad)[0])
            raise invalid(
                f"input {CLOSES}, row {row} ({shares[row]}): close{place} is {closes[row, place]:g}; closes are "
                "positive numbers"
            )
        again = self.record is not None or sessions is not None
        ask = version.forecaster.forecast if again else version.forecaster.estimate
        found = np.asarray(ask(shares, closes, day=day) if day else ask(shares, closes), np.float32)
        if self.record is not None and len(shares):
            now = dt.datetime.now(dt.UTC)
            self.record(Answers(version, now, shares, closes, found, sessions, day or {}))
        return found


def check_names(names: Iterable[str], signature: Signature) -> None:
    """Checks the names of inputs against what a signature declares.

    Raises:
        ServingError: they differ.
    """
    sent, wanted = set(names), set(signature.inputs)
    if sent == wanted:
        return
    sent_text, wanted_text = ",".join(sorted(sent)), ",".join(sorted(wanted))
    if len(sent) == len(wanted):
        alias = min(sent - wanted)
        raise invalid(
            f"input tensor alias not found in signature: {alias}. Inputs expected to be in the set {{{wanted_text}}}."
        )
    raise invalid(
        f"input size does not match signature: {len(sent)}!={len(wanted)} len({{{sent_text}}}) != "
        f"len({{{wanted_text}}}). Sent extra: {{{','.join(sorted(sent - wanted))}}}. Missing but required: "
        f"{{{','.join(sorted(wanted - sent))}}}."
    )


def _texts(values: Array) -> tuple[str, ...]:
    return tuple(value.decode("utf-8", "replace") for value in values)


def _windows_in_examples(examples: Array, need_shares: bool) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
    """Shares and closes of serialized tf.Examples; what else they hold is not looked at, as in TensorFlow's parser."""
    closes = np.empty((len(examples), WINDOW), np.float32)
    shares = []
    for row, serialized in enumerate(examples):
        try:
            features = Example.FromString(serialized).features.feature
        except DecodeError:
            raise invalid(f"Could not parse example input, row {row}: it is no tf.Example") from None
        window = features[CLOSES].float_list.value if CLOSES in features else ()
        if len(window) != WINDOW:
            raise invalid(
                f"Name: <unknown>, Key: {CLOSES}, Index: {row}.  Number of float values != expected.  values size: "
                f"{len(window)} but output shape: [{WINDOW}]"
            )
        closes[row] = window
        names: Sequence[bytes] = features[SHARE_ID].bytes_list.value if SHARE_ID in features else ()
        if len(names) != 1 and need_shares:
            raise invalid(
                f"Name: <unknown>, Key: {SHARE_ID}, Index: {row}.  Number of bytes values != expected.  values size: "
                f"{len(names)} but output shape: [1]"
            )
        shares.append(names[0].decode("utf-8", "replace") if len(names) == 1 else "")
    return tuple(shares), closes
