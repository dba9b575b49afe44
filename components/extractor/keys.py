"""The users' keys, read from the environment at the moment they are used.

So a key is never part of a setting, a plan, a log, an error, the database or the metadata of a pipeline, all of which
people share. This is the one place where they are read.
"""

from __future__ import annotations

import os

from components.errors import ExtractionError
from components.extractor.sources.base import Source


def key_of(source: Source) -> str | None:
    """The key for a source; None if it needs none.

    Raises:
        ExtractionError: its variable is not set or cannot be a key.
    """
    if source.key_variable is None:
        return None
    key = os.environ.get(source.key_variable, "").strip()
    if not key:
        raise ExtractionError(f"{source.title} needs a key: set {source.key_variable} in the environment")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ExtractionError(f"{source.key_variable} holds blanks or unusable characters; copy the key again")
    return key


def has_key(source: Source) -> bool:
    """Tells whether a source's key is set."""
    return source.key_variable is not None and bool(os.environ.get(source.key_variable, "").strip())
