"""What ModelSelector is told, and what it leaves in ML Metadata, by name. Neither TensorFlow nor TFX is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

ACCEPT = "accept"
"""An execution property: names of checks whose suspicion a person has accepted, separated by commas."""

HELD_BACK = "held_back"
"""Of its blessing: ids of the candidates that the leak audit keeps from being pushed, separated by blanks."""

HELD_BACK_BECAUSE = "held_back_because"
"""Of its blessing: the same in words, with the checks."""

ACCEPTED = "accepted"
"""Of its blessing: the suspicious checks that were accepted, in words."""


def accepted_text(names: Iterable[str]) -> str:
    """Accepted checks as an execution property; the order of names, and one named twice, change no cache's key."""
    return ",".join(sorted(set(names)))


def accepted_names(text: str) -> tuple[str, ...]:
    """Reads what `accepted_text` wrote."""
    return tuple(name for name in text.split(",") if name)


def held_in_words(held: Mapping[str, Sequence[str]]) -> str:
    """Which models are held back, by which checks.

    >>> held_in_words({"linear": ["alarm"], "rnn": ["alarm", "level test"]})
    'linear (alarm), rnn (alarm, level test)'
    """
    return ", ".join(f"{name} ({', '.join(checks)})" for name, checks in held.items())
