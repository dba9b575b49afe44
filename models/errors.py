"""The mistakes a user can make with names and settings of models; `pipeline` tells the user of them."""

from __future__ import annotations


class UnknownNameError(ValueError):
    """A model, a version or a formatter that does not exist; the message lists those that do."""


class HyperparameterError(ValueError):
    """A hyperparameter that does not exist or has a value that makes no sense."""


class DivergenceError(ValueError):
    """A training whose losses are no numbers, as with a learning rate that is far too high."""


class DeviceError(ValueError):
    """A training that is to take more devices than there are."""


class PluginError(ValueError):
    """What another package adds cannot be loaded, or is not what its entry point says."""


def told(error: BaseException) -> str:
    r"""What somebody's own code raised, on one line.

    >>> told(ValueError("two\nlines"))
    'ValueError: two lines'
    """
    return " ".join(f"{type(error).__name__}: {error}".split())


class TwinError(ValueError):
    """A model has no twin, or one that cannot be used; the message says why, and TensorFlow answers instead."""
