"""Every architecture by name. No TensorFlow at import: a builder imports Keras when it builds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from models import custom_dnn, dnn, linear, rnn
from models.architecture import Architecture
from models.errors import UnknownNameError

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {module.ARCHITECTURE.name: module.ARCHITECTURE for module in (linear, dnn, custom_dnn, rnn)}
)


def get_architecture(name: str) -> Architecture:
    """The architecture of that name.

    Args:
        name: as in `ARCHITECTURES`.

    Raises:
        UnknownNameError: there is none.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise UnknownNameError(f"model {name!r} does not exist; there are {', '.join(ARCHITECTURES)}") from None
