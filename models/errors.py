"""The mistakes a user can make with names and settings of models."""

from __future__ import annotations


class UnknownNameError(ValueError):
    """A model, a version or a formatter that does not exist; the message lists those that do."""


class HyperparameterError(ValueError):
    """A hyperparameter that does not exist or has a value that makes no sense."""
