"""The object storage that the settings name."""

from __future__ import annotations

from dataclasses import replace

from components.errors import StorageError
from components.object_storage import Storage
from pipeline.plan import Plan
from pipeline.secrets import cos_credentials


def open_storage(plan: Plan) -> Storage:
    """The storage at `storage_url`, with the account that the environment holds.

    Raises:
        StorageError: no storage is named, or its name or account cannot be used.
    """
    url = plan.settings.storage_url
    if plan.storage is None or not url:
        raise StorageError(
            "no storage is named; give its URL, or set storage_url in awesome.toml (or AWESOME_STORAGE_URL)"
        )
    key, secret = cos_credentials()
    return Storage.at(url, replace(plan.storage, cos_key=key, cos_secret=secret))
