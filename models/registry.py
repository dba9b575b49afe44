"""Every architecture by name, each a file of models/ that names it ARCHITECTURE.

No TensorFlow at import: a builder imports Keras when it builds.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.architecture import Architecture
from models.formatters import FORMATTERS
from models.labels import LABELS, UP
from models.plugins import GROUPS, Registry

ARCHITECTURES = Registry(GROUPS["awesome.models"], Architecture)


def get_architecture(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        UnknownNameError: there is none.
    """
    return ARCHITECTURES.named(name)


def origins_of(models: Iterable[str], formatter: str, label: str = UP) -> tuple[str, ...]:
    """Package, version and digest of those of a training's parts that come from outside, each once.

    Args:
        models: names of architectures.
        formatter: name of a DataFormatter.
        label: name of a label.

    Raises:
        PluginError: there is no code that could be read.
    """
    found = (*ARCHITECTURES.origins(*models), *FORMATTERS.origins(formatter), *LABELS.origins(label))
    return tuple(dict.fromkeys(found))
