"""A file of prices, or a folder of them, as a source: own data, offline work, tests.

No network, no calendar: the file is taken as it is.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from components.errors import ExtractionError, ImportFileError
from components.extractor.plan import FILE_SOURCE, ExtractionPlan
from components.extractor.progress import ExtractionListener
from components.extractor.report import ShareOutcome, Status
from components.feature_store import FeatureStore
from components.price_files import Refusal, import_files, price_files
from components.price_files.layout import share_of_file


def check_file(path: str) -> None:
    """Refuses a file that is not there, before anything is opened or loaded.

    Raises:
        ExtractionError: the path is empty.
        ImportFileError: there is no such file.
    """
    if not path:
        raise ExtractionError(f"--source {FILE_SOURCE} needs the file's path: --source {FILE_SOURCE}:prices.csv")
    for file in price_files([path]):
        if not file.is_file():
            raise ImportFileError(
                f"{file} does not exist or is no file; name a CSV or Parquet file of prices, or a folder of them"
            )


def extract_file(plan: ExtractionPlan, store: FeatureStore, listener: ExtractionListener) -> list[ShareOutcome]:
    """Takes the prices of a file.

    Args:
        plan: with a file; its shares are those to take, none for all; its days mean nothing here.
        store: where to, open to be written.
        listener: is told of each share.

    Returns:
        One outcome a share. One whose rows were refused in part is behind, one that the file does not hold has failed.

    Raises:
        ImportFileError: the file cannot be read or its layout is not known; nothing was written.
        StoreError: the database cannot be written.
    """
    report = import_files(
        [str(plan.file)],
        store,
        source=FILE_SOURCE,
        replace=True,
        shares=frozenset(plan.shares) if plan.shares else None,
    )
    refused: dict[str, list[Refusal]] = defaultdict(list)
    for refusal in report.refused:
        refused[refusal.share_id].append(refusal)
    outcomes = {}
    for share in report.shares:
        status = Status.NEW if share.new or share.changed else Status.UNCHANGED
        reason = ""
        if refusals := refused[share.share_id] + refused[""]:
            first = refusals[0]
            status = Status.BEHIND
            where = f"row {first.row} of {first.file or plan.file}"
            reason = f"{len(refusals)} rows refused, the first is {where}: {first.reason}"
        counts = (share.new, share.changed)
        days = (str(share.first), str(share.last))
        outcomes[share.share_id] = ShareOutcome(share.share_id, status, reason, *counts, *days)
    for name in dict.fromkeys([*plan.shares, *filter(None, refused)]):
        if name not in outcomes:
            why = refused[name][0].reason if refused[name] else "it holds no such share"
            outcomes[name] = ShareOutcome(name, Status.FAILED, f"{plan.file}: {why}")
    for failed in report.failed:
        name = share_of_file(Path(failed.path))
        if name not in outcomes or outcomes[name].status is Status.FAILED:
            outcomes[name] = ShareOutcome(name, Status.FAILED, failed.reason)
        else:
            outcomes[failed.path] = ShareOutcome(failed.path, Status.FAILED, failed.reason)
    ordered = [outcomes[name] for name in dict.fromkeys([*plan.shares, *outcomes])]
    listener.started(plan, len(ordered))
    for number, outcome in enumerate(ordered, start=1):
        listener.ended_share(outcome, number, len(ordered))
    return ordered
