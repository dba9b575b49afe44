"""What a pulled model says of tries goes to the record beside the database."""

from __future__ import annotations

from pathlib import Path

from components.object_storage import PulledModel
from components.object_storage.models import TRIES
from components.trials.record import append, merge, parse_record, record_path

UNKNOWN = "a model was pulled that says nothing of the tries on its test days"


def take_tries(pulled: PulledModel, database: Path, named: bool = False) -> str:
    """Adds the tries on the test days of a pulled model to the record beside a database.

    They are added where the model was made on a database of the same name, or the database was named; another one
    holds other prices, and what was tried on the model's days was tried on none of its own.

    Args:
        pulled: the model.
        database: whose record takes them.
        named: whether a person named the database with the command.

    Returns:
        What was done, in words.

    Raises:
        TrialsError: a record cannot be read or written.
    """
    facts = pulled.manifest.facts
    named = named or facts.database == database.name
    if facts.tries is None:
        if named and facts.market is None and database.is_file():
            append(record_path(database), (), gaps=[UNKNOWN])
        return "how often its test days were tried is not known"
    many = f"{facts.tries} {'try' if facts.tries == 1 else 'tries'}"
    count = f"{many} on its test days" if facts.tries_complete else f"at least {many} on its test days"
    path = pulled.folder / TRIES
    if not path.is_file():
        return count
    if facts.market is not None or not named or not database.is_file():
        return f"{count}, in {path}"
    new = merge(record_path(database), parse_record(path.read_bytes(), str(path)))
    return f"{count}, {new} of them new to {record_path(database)}"
