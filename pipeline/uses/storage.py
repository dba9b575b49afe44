"""The object storage that the settings name."""

from __future__ import annotations

from components.errors import StorageError
from components.object_storage import Storage, StorageSettings
from pipeline.plan import Plan
from pipeline.settings import cos_credentials


def open_storage(plan: Plan) -> Storage:
    """The storage at `storage_url`, with the account that the environment holds.

    Args:
        plan: of the command.

    Raises:
        StorageError: no storage is named, or its name or account cannot be used.
    """
    settings = plan.settings
    if not settings.storage_url:
        raise StorageError(
            "no storage is named; give its URL, or set storage_url in awesome.toml (or AWESOME_STORAGE_URL)"
        )
    key, secret = cos_credentials()
    how = StorageSettings(
        s3_endpoint=settings.s3_endpoint,
        cos_region=settings.cos_region,
        cos_endpoint=settings.cos_endpoint,
        cos_key=key,
        cos_secret=secret,
    )
    return Storage.at(settings.storage_url, how)
