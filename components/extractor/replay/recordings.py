"""Replies that stand in files, by the URL that they answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from components.extractor.replay.exchanges import ReplayError
from components.extractor.replay.wire import Answer

FIXTURES = Path(__file__).parent / "fixtures"
"""The folder of those that come with the project."""


class Recordings:
    """Replies by URL; the order of a URL's query does not matter."""

    def __init__(self, folder: Path | None = None) -> None:
        """Reads all replies of a folder.

        Args:
            folder: holds index.json, a list of objects with url, file (a path from the folder), status, content_type
                and origin; None for no replies at all.

        Raises:
            ReplayError: the index or a file of it cannot be read.
        """
        self._answers: dict[tuple[str, str, tuple[tuple[str, str], ...]], Answer] = {}
        if folder is None:
            return
        index = folder / "index.json"
        try:
            entries = json.loads(index.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReplayError(f"fixtures {index} cannot be read ({error}): fix it or go without fixtures") from error
        for number, entry in enumerate(entries if isinstance(entries, list) else [None]):
            try:
                parts = urlsplit(entry["url"])
                body = (folder / entry["file"]).read_bytes()
                answer = Answer(int(entry["status"]), str(entry["content_type"]), body)
            except (KeyError, TypeError, ValueError, OSError) as error:
                raise ReplayError(
                    f"fixtures {index}, entry {number}: {error!r}; it needs url, file, status and content_type"
                ) from error
            query = sorted(parse_qsl(parts.query, keep_blank_values=True))
            self._answers[parts.netloc, unquote(parts.path), tuple(query)] = answer

    def find(self, host: str, path: str, query: Sequence[tuple[str, str]]) -> Answer | None:
        """The reply to a URL, all of it unquoted; None if there is none."""
        return self._answers.get((host, path, tuple(sorted(query))))
