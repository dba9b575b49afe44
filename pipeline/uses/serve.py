"""What `awesome serve` serves: the pushed models of a plan, the windows of its store, and where answers are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from components.errors import UserError
from components.model_selector.opening import PushedModel
from models.card import ModelCard
from models.errors import TwinError
from models.formatters import get_formatter
from models.twin.forecasting import Map, Twin
from models.twin.proving import may_estimate
from pipeline.plan import Plan
from pipeline.serving.people import LastWindows, ReadWindows
from pipeline.uses.windows import read_last_windows

Columns: TypeAlias = Mapping[str, NDArray[np.float32]]


class ServedModelError(UserError):
    """A pushed model that cannot answer without TensorFlow."""


@dataclass(frozen=True)
class ServedTwin:
    """A twin that answers requests; `pipeline.serving` knows it as a forecaster.

    Attributes:
        twin: that was proven.
        estimates: whether it may answer in single precision.
        spread: asks for the parts of many rows.
    """

    twin: Twin
    estimates: bool
    spread: Map = map

    def forecast(
        self, share_ids: Sequence[str], closes: NDArray[np.float32], *, day: Columns | None = None
    ) -> NDArray[np.float32]:
        """Exact probabilities [n] of shares [n], their last closes [n, 21], the latest first, and day-wide columns."""
        return self.twin.forecast(share_ids, closes, self.spread, day)

    def estimate(
        self, share_ids: Sequence[str], closes: NDArray[np.float32], *, day: Columns | None = None
    ) -> NDArray[np.float32]:
        """The same in single precision, where that was proven as well."""
        ask = self.twin.estimate if self.estimates else self.twin.forecast
        return ask(share_ids, closes, self.spread, day)


def load_pushed(pushed: PushedModel, spread: Map = map) -> ServedTwin:
    """What answers for a pushed model: its twin, if it was proven and has reproduced its examples.

    Args:
        pushed: the model.
        spread: asks for the parts of many rows, such as the `map` of threads.

    Raises:
        ServedModelError: it has none, or one that answers otherwise than the model did.
    """
    try:
        return ServedTwin(pushed.twin, may_estimate(pushed.folder, pushed.twin, pushed.proof), spread)
    except TwinError as error:
        raise ServedModelError(
            f"{pushed.folder}: it cannot answer without TensorFlow: {error}; train it again, or serve it by TensorFlow "
            "Serving"
        ) from None


def windows_of(plan: Plan) -> ReadWindows:
    """Reads the last windows of the plan's store, those of all of its shares where none are named."""

    def read(shares: tuple[str, ...], card: ModelCard) -> LastWindows:
        chosen = plan
        if shares:
            chosen = replace(plan, settings=plan.settings.model_copy(update={"shares": shares}))
        found = read_last_windows(chosen, get_formatter(card.formatter), card.market)
        left_out = {
            share: f"its last window reaches across {count} missing sessions" for share, count in found.left_out.items()
        } | dict.fromkeys(found.excluded, "it is excluded")
        left_out |= dict.fromkeys(found.outside, "it does not belong to the universe today")
        left_out |= dict.fromkeys(found.short, f"it has too few sessions for the formatter {card.formatter}")
        wrong = [one for one in found.suspects.open if one.stops]
        cautions = tuple(f"{one.share_id}: {one.day}: {one.percent}, {one.cause}" for one in wrong)
        if found.absent:
            cautions += (f"the model's market lacks {len(found.absent)} shares here: {', '.join(found.absent[:10])}",)
        return LastWindows(found.share_ids, found.sessions, found.closes, left_out, cautions, found.day)

    return read
