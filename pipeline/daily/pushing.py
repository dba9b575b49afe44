"""The ledger, the tries, the database and a new champion to object storage, so that nobody can rewrite the past."""

from __future__ import annotations

from components.object_storage import push_database, push_ledger, push_model, push_tries
from pipeline.daily.day import Day, Told
from pipeline.uses.publish import code_version, models_to_push
from pipeline.uses.storage import open_storage


def push(day: Day, told: Told) -> None:
    """Pushes what the storage does not hold; the ledger first, as its head is what proves when it was written.

    Raises:
        StorageError: the storage cannot be reached, or holds another past.
        UserError: what is to be pushed cannot be read.
    """
    plan = day.plan
    if plan.storage is None:
        told.left_out = True
        told.said.append("no storage is named (storage_url): the head of the ledger is kept on this machine alone")
        return
    with open_storage(plan) as storage:
        rows = push_ledger(storage, day.ledger_file, plan.database.name, day.clock.now())
        tries = push_tries(storage, plan.database)
        database = push_database(storage, plan.database, code_version())
        told.said.append(f"{rows:,} rows of the ledger, {tries:,} tries, {_pushed(database.already_there)} database")
        told.numbers |= {"rows": rows, "tries": tries}
        told.idle = not rows and not tries and database.already_there
        if day.retrained is not None:
            for facts, folders in models_to_push(day.retrained):
                push_model(storage, facts, folders)
                told.said.append(f"{facts.model} of the retraining")
                told.idle = False


def _pushed(already_there: bool) -> str:
    return "the same" if already_there else "a new"
