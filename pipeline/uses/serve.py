"""What `awesome serve` serves: the pushed models of a plan, the windows of its store, and where answers are written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from components.errors import UserError
from models.errors import TwinError
from models.twin.forecasting import Twin, load_twin
from pipeline.plan import Plan
from pipeline.serving.people import LastWindows, ReadWindows
from pipeline.uses.windows import read_last_windows


class ServedModelError(UserError):
    """A pushed model that cannot answer without TensorFlow."""


def load_pushed(folder: Path) -> Twin:
    """The twin of a pushed model, once it has reproduced its examples.

    Raises:
        ServedModelError: it has none, or one that answers otherwise than the model did.
    """
    try:
        return load_twin(folder)
    except TwinError as error:
        raise ServedModelError(
            f"{folder}: it cannot answer without TensorFlow: {error}; train it again, or serve it by TensorFlow Serving"
        ) from None


def windows_of(plan: Plan) -> ReadWindows:
    """Reads the last windows of the plan's store, those of all of its shares where none are named."""

    def read(shares: tuple[str, ...]) -> LastWindows:
        chosen = plan
        if shares:
            chosen = replace(plan, settings=plan.settings.model_copy(update={"shares": shares}))
        found = read_last_windows(chosen)
        left_out = {
            share: f"its last window reaches across {count} missing sessions" for share, count in found.left_out.items()
        } | dict.fromkeys(found.excluded, "it is excluded")
        wrong = [one for one in found.suspects.open if one.stops]
        cautions = tuple(f"{one.share_id}: {one.day}: {one.percent}, {one.cause}" for one in wrong)
        return LastWindows(found.share_ids, found.sessions, found.closes, left_out, cautions)

    return read
