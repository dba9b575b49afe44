"""Prices from several files at once: those of a folder, of a pattern, or named one by one, with one report."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace as changed
from pathlib import Path

from components.errors import ImportFileError, StoreError
from components.feature_store.decisions import Decision
from components.feature_store.store import FeatureStore
from components.price_files.adjusted_closes import ClosesBesideFactors, StepEvidence
from components.price_files.files import NotUtf8Error, open_price_file
from components.price_files.forms import Forms
from components.price_files.header import layout_of
from components.price_files.importer import (
    FailedFile,
    ImportReport,
    ShareImport,
    check_sources,
    chosen_rows,
    import_prices,
    write_found,
)
from components.price_files.layout import LayoutChoice
from components.price_files.parts import Parts
from components.price_files.raw_closes import closes_of, step_evidence_of
from components.price_files.rows import Found, Refusal, read_rows
from components.price_files.written import WrittenCloses

_KINDS = (".csv", ".txt", ".tsv", ".parquet", ".pq", ".parq", ".csv.gz", ".txt.gz", ".tsv.gz")
_MOST_ROWS = 2_000_000
FilesProgress = Callable[[int, int, str], None]


def price_files(given: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Returns the files that are meant.

    Args:
        given: Files; folders, of which all files of prices are taken, also those of folders within; and patterns such
            as `prices/*.csv`.

    Returns:
        Each file once, those of a folder or pattern in the order of their names.

    Raises:
        ImportFileError: One does not exist or holds no file of prices.
    """
    files: dict[Path, None] = {}
    for one in given:
        path = Path(one)
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*")) if _is_of_prices(file, path)]
            if not found:
                raise ImportFileError(f"{path} holds no file of prices; their names end in {', '.join(_KINDS)}")
        elif path.exists() or not glob.has_magic(str(one)):
            found = [path]  # said to be missing where it is opened
        else:
            found = [file for file in map(Path, sorted(glob.glob(str(one), recursive=True))) if file.is_file()]
            if not found:
                raise ImportFileError(f"no file is called like {one}; name a CSV or Parquet file, or a folder")
        files.update(dict.fromkeys(found))
    return list(files)


def _is_of_prices(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    return not hidden and file.name.lower().endswith(_KINDS) and file.is_file()


def import_files(
    given: Sequence[str | os.PathLike[str]],
    store: FeatureStore | str | os.PathLike[str],
    *,
    source: str = "file",
    replace: bool = False,
    shares: Collection[str] | None = None,
    choice: LayoutChoice | None = None,
    decisions: Iterable[Decision] = (),
    forms: Forms = Forms(),  # noqa: B008  (it is frozen)
    progress: FilesProgress | None = None,
) -> ImportReport:
    """Imports files of daily prices; of a single one, this is `import_prices`.

    A file that cannot be taken is named in the report and stops none of the others.

    Args:
        given: Files, folders and patterns, as `price_files` takes them.
        store: A store opened with `FeatureStore.create`, or the path of one, which is made if it is missing.
        source: What to call the origin of the prices.
        replace: Whether a share that came from another source is deleted first.
        shares: The shares to take; None for all that the files hold.
        choice: What is said about the columns of all of them.
        decisions: What a person says of the prices; kept before the first share is written.
        forms: How their cells are written, as far as that is known.
        progress: Called with the number of files or shares dealt with, of all, and which it is.

    Returns:
        What was taken and what was refused, of all files.

    Raises:
        ImportFileError: A file or folder is missing, or none of the files can be taken; nothing was written.
        StoreError: The database cannot be used or written.
    """
    files = price_files(given)
    if len(files) == 1:
        return import_prices(
            files[0],
            store,
            source=source,
            replace=replace,
            shares=shares,
            choice=choice,
            decisions=decisions,
            forms=forms,
            progress=progress,
        )
    if choice is not None and choice.share is not None:
        raise ImportFileError(f"--share names the share of one file, not of {len(files)}; the files' names name theirs")
    with ExitStack() as opened:
        return _Several(store, opened, source, replace, shares, choice, forms, decisions).take(files, progress)


class _Several:
    """The files of one import, one after the other."""

    def __init__(
        self,
        store: FeatureStore | str | os.PathLike[str],
        opened: ExitStack,
        source: str,
        replace: bool,
        shares: Collection[str] | None,
        choice: LayoutChoice | None,
        forms: Forms,
        decisions: Iterable[Decision],
    ) -> None:
        self.given, self.opened = store, opened
        self.source, self.replace, self.shares, self.choice, self.forms = source, replace, shares, choice, forms
        self.decisions = decisions
        self.opened_store: FeatureStore | None = None
        self.taken: dict[str, ShareImport] = {}
        self.refused: list[Refusal] = []
        self.failed: list[FailedFile] = []
        self.notes: Counter[str] = Counter()
        self.ignored: dict[str, None] = {}
        self.parts = Parts()
        self.closes = WrittenCloses()

    @property
    def store(self) -> FeatureStore:
        """The store, made when the first file has been read: files that cannot be read make none."""
        if self.opened_store is None:
            given = self.given
            if isinstance(given, FeatureStore):
                self.opened_store = given
            else:
                self.opened_store = self.opened.enter_context(FeatureStore.create(given))
            if self.decisions:
                self.opened_store.decide(self.decisions)
        return self.opened_store

    def take(self, files: Sequence[Path], progress: FilesProgress | None) -> ImportReport:
        closes = self._closes(files)
        for number, file in enumerate(files, start=1):
            try:
                found = chosen_rows(file, self.choice, self.shares, self.forms, closes=closes)
                for share in found.shares:
                    self.closes.check(found, share)
                    self.parts.check(found, share)
                store = self.store
                self._check_sources(found, store)
            except ImportFileError as error:
                self.failed.append(FailedFile(str(file), str(error)))
            else:
                if found.layout.named_by_file:  # two files of one name may hold two shares: nothing of the second one
                    for share in found.shares:
                        self.closes.add(share, found.path)
                self.parts.take_from(found)
                self._note(found)
                self._write(found, store)
                if self.parts.rows > _MOST_ROWS:
                    self._write_parts(store)
            if progress is not None:
                progress(number, len(files), file.name)
        if len(self.failed) == len(files):
            reasons = "; ".join(failed.reason for failed in self.failed[:2])
            raise ImportFileError(
                f"none of the {len(files)} files can be taken: {reasons}{'; ...' if len(files) > 2 else ''}"
            )
        self._write_parts(self.store)
        notes = tuple(f"{count} file{'s' if count != 1 else ''}: {note}" for note, count in self.notes.most_common())
        return ImportReport(
            tuple(self.taken.values()),
            sum(share.new + share.changed + share.unchanged for share in self.taken.values()),
            tuple(self.refused),
            tuple(self.ignored),
            notes,
            tuple(self.failed),
        )

    def _closes(self, files: Sequence[Path]) -> ClosesBesideFactors | None:
        """Tells what closes beside factors are, from all files together: one share may say too little."""
        evidence: list[StepEvidence] = []
        example: Found | None = None
        for file in files:
            try:
                if not _may_have_factor(file, self.choice, self.forms):
                    continue
                found = read_rows(file, self.choice, self.forms)
            except ImportFileError:
                continue  # said where the file is taken
            steps = step_evidence_of(found)
            evidence += steps
            if steps and (example is None or found.layout.expects_adjusted):
                example = Found(found.path, found.layout)
        return None if example is None else closes_of(evidence, example, self.choice)

    def _check_sources(self, found: Found, store: FeatureStore) -> None:
        try:
            check_sources(found, store, self.source, self.replace)
        except StoreError as error:
            raise ImportFileError(f"{found.path}: {error}") from error

    def _note(self, found: Found) -> None:
        self.ignored.update(dict.fromkeys(found.layout.ignored))
        kind = "one share, named after the file" if found.layout.named_by_file else found.layout.kind
        self.notes.update([f"{kind}: {found.layout.what}", *found.notes[1:]])

    def _write(self, found: Found, store: FeatureStore) -> None:
        report = write_found(found, store, self.source, self.replace, None)
        for share in report.shares:
            before = self.taken.get(share.share_id)
            self.taken[share.share_id] = share if before is None else _together(before, share)
        written = {share.share_id for share in report.shares}
        for rows in found.shares:
            if rows.share_id in written:
                self.closes.add(rows, found.path)
        self.refused.extend(changed(refusal, file=refusal.file or str(found.path)) for refusal in report.refused)

    def _write_parts(self, store: FeatureStore) -> None:
        """Writes what files gave in parts, a transaction a share and not one a share and file."""
        for found in self.parts.joined():
            self._write(found, store)


def _may_have_factor(file: Path, choice: LayoutChoice | None, forms: Forms) -> bool:
    try:
        with open_price_file(file, forms) as opened:
            layout = layout_of(opened.header, file, opened.head, choice)
    except NotUtf8Error:
        return True
    return any("factor" in fields for fields in (layout.fields, *layout.shares.values()))


def _together(one: ShareImport, two: ShareImport) -> ShareImport:
    return ShareImport(
        one.share_id,
        one.new + two.new,
        one.changed + two.changed,
        one.unchanged + two.unchanged,
        min(one.first, two.first),
        max(one.last, two.last),
    )
