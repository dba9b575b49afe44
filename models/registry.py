"""Every architecture by name, each a file of models/ that names it ARCHITECTURE.

No TensorFlow at import: a builder imports Keras when it builds.
"""

from __future__ import annotations

from models.architecture import Architecture
from models.errors import UnknownNameError
from models.plugins import Registry

ARCHITECTURES = Registry("models", "ARCHITECTURE", Architecture, "awesome.models")


def get_architecture(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        UnknownNameError: there is none.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise UnknownNameError(f"model {name!r} does not exist; there are {', '.join(ARCHITECTURES)}") from None
