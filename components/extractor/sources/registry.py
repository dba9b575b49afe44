"""The sources that ship, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from components.errors import ExtractionError
from components.extractor.sources.base import Source
from components.extractor.sources.sina import Sina
from components.extractor.sources.tencent import Tencent
from components.extractor.sources.tiingo import Tiingo
from components.extractor.sources.yahoo import Yahoo

_ALL: tuple[Source, ...] = (Tencent(), Tiingo(), Sina(), Yahoo())

SOURCES: Mapping[str, Source] = MappingProxyType({source.name: source for source in _ALL})


def get_source(name: str) -> Source:
    """The source of a name.

    Args:
        name: as in `--source`.

    Raises:
        ExtractionError: no source has that name.
    """
    if name not in SOURCES:
        raise ExtractionError(f"there is no source {name!r}; choose one of {', '.join(SOURCES)}")
    return SOURCES[name]
