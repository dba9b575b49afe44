"""The mistakes a user can make with names and settings of models; `pipeline` tells the user of them."""

from __future__ import annotations


class UnknownNameError(ValueError):
    """A model, a version or a formatter that does not exist; the message lists those that do."""


class HyperparameterError(ValueError):
    """A hyperparameter that does not exist or has a value that makes no sense."""


class DivergenceError(ValueError):
    """A training whose losses are no numbers, as with a learning rate that is far too high."""


class PluginError(ValueError):
    """What another package adds cannot be loaded, or is not what its entry point says."""


class TwinError(ValueError):
    """A model has no twin, or one that cannot be used; the message says why, and TensorFlow answers instead."""
