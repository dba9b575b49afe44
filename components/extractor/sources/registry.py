"""The sources by name, each a file of this folder that names it SOURCE."""

from __future__ import annotations

from components.errors import ExtractionError
from components.extractor.sources.base import Source
from models.plugins import GROUPS, Registry

SOURCES = Registry(GROUPS["awesome.sources"], Source)  # type: ignore[type-abstract]


def get_source(name: str) -> Source:
    """The source of a name, as in `--source`.

    Raises:
        ExtractionError: no source has that name.
    """
    if name not in SOURCES:
        raise ExtractionError(f"there is no source {name!r}; choose one of {SOURCES.choices()}")
    return SOURCES[name]
